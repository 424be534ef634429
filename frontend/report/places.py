"""Keeps out of a report what tells where a training ran: secrets, addresses, hosts and folders."""

from __future__ import annotations

import re

LEFT_OUT = "(left out)"
_SECRET = re.compile(r"token(?!i[sz])|secret|passw|credential|api_?key|private", re.IGNORECASE)
_HOST = re.compile(
    r"(^|[._-])(host|hostname|server|address|addr|url|uri|endpoint|machine|node)$", re.IGNORECASE
)
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+"  # with a scheme
    r"|\S+@\S+"  # somebody at some host
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])"  # IPv4
    r"|(?<!\w)localhost(?::\d+)?(?!\w)"
    r"|(?<![\w.-])[\w-]+(?:\.[\w-]+)+:\d{2,5}(?!\w)",  # host.domain:port
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\s,;\"'()\[\]{}=]+")
_BEGINS_PATH = re.compile(r"/|\\\\|~\w*[/\\]|\.{1,2}[/\\]|[a-z]:[/\\]", re.IGNORECASE)
_NAMES_FILE = re.compile(r"[/\\][^/\\]*\.[a-z][a-z0-9]{0,11}$", re.IGNORECASE)


def setting_without_places(name: str, value: str) -> str:
    """Return a setting's value as it may leave the house: of a path its last part, of an address nothing."""
    is_number = re.fullmatch(r"[-+\d.,e ]+", value) is not None
    if (_SECRET.search(name) or _HOST.search(name)) and not is_number and value != "–":
        return LEFT_OUT
    return text_without_places(value)


def text_without_places(text: str) -> str:
    """Return text with every address left out and every path cut down to its last part."""
    return _WORD.sub(_last_part, _ADDRESS.sub(LEFT_OUT, text))


def _last_part(found: re.Match[str]) -> str:
    word = found.group()
    parts = [part for part in re.split(r"[/\\]", word) if part]
    if not parts or not (_BEGINS_PATH.match(word) or _NAMES_FILE.search(word)):
        return word
    return parts[-1]

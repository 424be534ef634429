"""Requests that no document would make: broken encodings, numbers beyond every column, bodies that are no bodies."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from backend.measurements import recording
from benchmarks.drills.input_described import as_json, parameters
from benchmarks.drills.input_home import Ids
from benchmarks.drills.input_leaves import LEAVES, with_leaf
from benchmarks.drills.input_wire import Sent

JSON = (b"content-type", b"application/json")
VALUES = (
    *("", "%20", "0", "-1", "1.5", "1e3", "1_0", "%2B1", "0x10", "true", "null", "{}", "[]", ",", ",,1,,"),
    *("2147483647", "2147483648", "-2147483649", "9223372036854775808", "18446744073709551616"),
    *("9" * 400, "9" * 5000, "nan", "inf", "-inf", "1e400", "1e-400", "-0.0"),
    *("%00", "a%00b", "%FF%FE", "%ED%A0%80", "%C0%AF", "%D9%A1%D9%A2", "%C2%B2", "%F0%9F%A6%8A", "%E2%80%AE"),
    *("%", "%zz", "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%252e%252e%2f", "%0d%0aset-cookie:a=b"),
    *("';DROP TABLE runs;--", "<script>alert(1)</script>", "%27%22%5C", "%25", "_", "*", "-", "a" * 3000),
    *(
        "(a%2B)%2B%24",
        "id%3E1e300d",
        "created_at%3E1e300d",
        "created_at%3E99999999d",
        "created_at%3E0001-01-01",
    ),
    *(
        "created_at%3C9999-12-31T23:59:59-14:00",
        "lr%3E1",
        "ap%3Dnan",
        "notes~%00",
        "name%3D%ED%A0%80",
        "loss:min",
    ),
)
"""Of parameters, as they stand on the wire."""
NESTED = b"[" * 100_000
BODIES = (
    *(
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b"0",
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"\xff\xfe{\x00",
        b"\xff",
    ),
    *(
        b"\xef\xbb\xbf{}",
        '{"name": "ä"}'.encode("utf-16"),
        b'{"a": 1, "a": 2}',
        b'{"name": "\\ud800"}',
        b"{}{}",
    ),
    *(
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\x00"}',
        b'{"name": "\\u0000"}',
        b'{"run_id": ' + b"9" * 5000 + b"}",
    ),
    *(
        NESTED,
        b'{"a":' * 50_000,
        b"{" + b'"a":1,' * 50_000 + b'"b":1}',
        b"[" + b"1," * 100_000 + b"1]",
        b"\0" * 100,
    ),
)
TYPES = (
    *(b"", b"text/plain", b"application/xml", b"multipart/form-data", b"multipart/form-data; boundary=x"),
    *(
        b"application/x-www-form-urlencoded",
        b"application/json; charset=utf-16",
        b"APPLICATION/JSON",
        b"\xff/\xfe",
    ),
    *(b"application/vnd.api+json", b"a" * 5000, b"application/octet-stream", recording.MEDIA_TYPE.encode()),
)
HEADERS = (
    *(
        (b"host", b""),
        (b"host", b"evil.example"),
        (b"host", b"127.0.0.1:99999"),
        (b"host", b"[::1"),
        (b"host", b"\xff"),
    ),
    *(
        (b"origin", b"null"),
        (b"origin", b"http://[evil"),
        (b"origin", b"\xff"),
        (b"origin", b"http://127.0.0.1:\xb2"),
    ),
    *(
        (b"content-length", b"-1"),
        (b"content-length", b"9" * 400),
        (b"content-length", b"\xb2"),
        (b"cookie", b"=;\xff"),
    ),
    *((b"cookie", b"eigenscope=\xff"), (b"authorization", b"Bearer \xff"), (b"authorization", b"Basic")),
    *((b"accept", b"text/html;q=x"), (b"accept-encoding", b"gzip;q=0"), (b"accept-encoding", b"\xff" * 1000)),
    *(
        (b"range", b"bytes=9-2"),
        (b"range", b"bytes=999999-"),
        (b"range", b"lines=1"),
        (b"range", b"bytes=" + b"0-0," * 500),
    ),
    *((b"if-none-match", b"\xff" * 5000), (b"if-none-match", b"*"), (b"x-long", b"a" * 60_000)),
    *((b"if-modified-since", b"never"), (b"if-range", b"\xff")),
)
METHODS = ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "GET", "BREW", "get")
PATHS = (
    *(
        "/api/v1/nothing",
        "/api/v1",
        "/api/v1/",
        "/api",
        "//",
        "///api/v1/runs",
        "/api/v1/runs/",
        "/api/v1//runs",
    ),
    *(
        "/api/v1/runs/%00",
        "/api/v1/runs/%FF",
        "/api/v1/runs/1%2f2",
        "/static/../../etc/passwd",
        "/static/%00",
    ),
    *(
        "/static/..%2f..%2fetc/passwd",
        "/static/nothing.js",
        "/static/x/app.js",
        "/favicon.ico",
        "/robots.txt",
        "/nothing",
    ),
    *(
        "/docs",
        "/redoc",
        "/openapi.json",
        "/docs/oauth2-redirect",
        "/" + "a" * 20_000,
        "/" + "a/" * 5000,
        "/%ED%A0%80",
    ),
)


def wrong(document: Mapping[str, Any], ids: Ids, number: int) -> list[Sent]:
    """Return every such request to a document's operations, shuffled; the same for the same `number`."""
    rng = random.Random(number)
    found = [one for each in parameters(document) for one in _of_operation(each, ids, rng)]
    found += [Sent("other paths", method, path) for path in PATHS for method in ("GET", "POST", "HEAD")]
    rng.shuffle(found)
    return found


def _of_operation(
    operation: tuple[str, str, Sequence[str], bool], ids: Ids, rng: random.Random
) -> Iterator[Sent]:
    method, template, queries, has_body = operation
    name, path = f"{method} {template}", _filled(template, ids, rng)
    sane = "&".join(f"{q}={quote(str(rng.choice(ids.of(q))), safe='')}" for q in queries if ids.of(q))
    for part in re.findall(r"\{(\w+)\}", template):
        for value in VALUES:
            yield Sent(name, method, _filled(template, ids, rng, {part: value}), sane)
    for one in queries:
        others = "&".join(pair for pair in sane.split("&") if not pair.startswith(f"{one}="))
        yield from (Sent(name, method, path, f"{others}&{one}={value}") for value in VALUES)
        yield Sent(name, method, path, f"{others}&" + "&".join(f"{one}={k}" for k in range(200)))
    yield Sent(name, method, path, "&".join(["a=b"] * 2000))
    yield from (Sent(name, other, path, sane) for other in METHODS if other != method)
    yield from (Sent(name, method, path, sane, (header,)) for header in HEADERS)
    if has_body:
        yield from _bodies(name, method, path, sane, _valid(template, ids))


def _filled(template: str, ids: Ids, rng: random.Random, chosen: Mapping[str, str] | None = None) -> str:
    def value(found: re.Match[str]) -> str:
        part = found[1]
        if chosen and part in chosen:
            return chosen[part]
        known = ids.of(part)
        figures = ("heatmap", "spectrum", "losses", "dimension_by_depth")
        return str(rng.choice(known)) if known else rng.choice(figures)

    return re.sub(r"\{(\w+)\}", value, template)


def _bodies(name: str, method: str, path: str, query: str, valid: Any) -> Iterator[Sent]:
    yield from (Sent(name, method, path, query, (JSON,), body) for body in BODIES)
    if valid is None:
        return
    written = as_json(valid) if not isinstance(valid, bytes) else valid
    yield from (Sent(name, method, path, query, ((b"content-type", kind),), written) for kind in TYPES)
    if isinstance(valid, bytes):
        yield from (Sent(name, method, path, query, (), valid[:k]) for k in range(0, len(valid), 7))
        return
    for leaf in LEAVES:
        yield from (Sent(name, method, path, query, (JSON,), as_json(one)) for one in with_leaf(valid, leaf))
        yield Sent(name, method, path, query, (JSON,), as_json(leaf))


def _valid(template: str, ids: Ids) -> Any:
    """Return a body that an operation takes; None where there is none to know."""
    launch = {
        "name": "a",
        "tags": ["a"],
        "dataset_id": ids.datasets[0],
        "model": {"architecture": "classifier", "backbone": "resnet18", "widths": {"layer1": 64}},
        "init": {"kind": "file", "file": ids.of("file")[0], "input": None},
        "training": {"iterations": 10, "milestones": [5], "warmup": 1, "image_size": 64, "clip_norm": 1.0},
        "probe": {"images": 2, "every": 5, "maps": ["act"], "layers": "layer1", "batch_size": 1},
        "resources": {"gpus": 0, "priority": 0},
        "evaluate_every": 5,
        "checkpoint_budget": 1.0,
    }
    width = {
        "run_id": ids.runs[2],
        "also": [ids.runs[2]],
        "iteration": 100,
        "threshold": 0.001,
        "budget": 1.0,
    }
    layer = {"name": "a", "map": "act", "stage": "s", "width": 3, "order": 0}
    known: dict[str, Any] = {
        "/runs": launch,
        "/runs/preview": launch,
        "/runs/batch": {"action": "cancel", "run_ids": list(ids.runs[:2])},
        "/runs/{run_id}": {"name": "a", "tags": ["a"], "notes": "a", "archived": False},
        "/runs/{run_id}/finish": {"status": "failed", "error": "a"},
        "/runs/{run_id}/metrics": [{"iteration": 1, "values": {"loss": 1.0}}],
        "/runs/{run_id}/spectra": recording.encode([]),
        "/recordings": {
            "name": "a",
            "tags": ["a"],
            "iterations": 1,
            "init": {"kind": "scratch"},
            "settings": {"a": 1},
            "layers": [layer],
        },
        "/datasets": {"kind": "coco", "name": "a", "train": "a.json", "val": "b.json", "images": "c"},
        "/width-plans": width,
        "/width-plans/curve": width,
        "/width-plans/{plan_id}/runs": {"seeds": [0], "baseline": True, "norm": "batch", "rounds": 1},
    }
    return known.get(template.removeprefix("/api/v1"))

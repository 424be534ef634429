"""`eigenscope tokens …`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from backend.access import tokens
from backend.models import Token
from eigenscope.first_token import first_token, words_of
from eigenscope.instance import Instance, open_instance, read_settings
from eigenscope.terminal.output import print_json, print_table

app = typer.Typer(help="Make, list and revoke the tokens that a server takes.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The token's name, such as whose it is or what uses it.")]


def say_first_token(instance: Instance) -> None:
    """Make and print the first token of a server that others can reach, where there is none."""
    made = first_token(instance)
    if made is not None:
        typer.echo(words_of(instance, made), err=True)


@app.command("create")
def create(
    name: Name,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="It sees everything and changes nothing.")
    ] = False,
) -> None:
    """Make a token and print it, for the only time."""
    with open_instance(read_settings(), migrate=True) as instance:
        with instance.database.writing() as session:
            made = tokens.create(session, name, read_only=read_only)
            alone = tokens.count(session) == 1
        demanded_before = instance.settings.token or instance.settings.listens_beyond_loopback
    typer.echo(made)
    may = "only reads" if read_only else "may do everything"
    typer.echo(f"'{name}' {may}; keep it now, since only a digest of it is stored", err=True)
    if alone and not demanded_before:
        typer.echo("from now on the server asks for a token on this machine too", err=True)


@app.command("list")
def list_tokens(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the tokens: their names, what they may do, when they were last used; not what they are."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        found = tokens.listed(session)
        if as_json:
            print_json([_as_json(token) for token in found])
            return
        rows = [
            [token.name, _may(token), _moment(token.created_at), _moment(token.used_at)] for token in found
        ]
        print_table(("name", "may", "created", "last used"), rows)


@app.command("revoke")
def revoke(name: Name) -> None:
    """Forget a token at once; browsers that were signed in with it are signed out."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.writing() as session:
        tokens.revoke(session, name)
    typer.echo(f"token '{name}' is revoked", err=True)


def _as_json(token: Token) -> dict[str, Any]:
    used = token.used_at.isoformat() if token.used_at else None
    may = "read" if token.read_only else "full"
    return {"name": token.name, "scope": may, "created_at": token.created_at.isoformat(), "used_at": used}


def _may(token: Token) -> str:
    return "read" if token.read_only else "everything"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"

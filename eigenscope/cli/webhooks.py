"""`eigenscope webhooks test`: whether the receivers take a message."""

from __future__ import annotations

import uuid

import typer

from backend.errors import InvalidInput, Unavailable
from backend.models.base import now
from backend.settings import Settings
from backend.webhooks import events
from backend.webhooks.messages import Message
from backend.webhooks.receivers import Receiver, receivers
from backend.webhooks.sending import send
from eigenscope.instance import read_settings

app = typer.Typer(help="Tell other programs how runs end.", no_args_is_help=True)


@app.callback()
def _webhooks() -> None:
    """Tell other programs how runs end."""


@app.command("test")
def test_receivers() -> None:
    """Send every receiver one signed message, the event `test`; exit status 0 only if all took it."""
    settings = read_settings()
    named = receivers(settings)
    if not named:
        raise InvalidInput(
            "no receiver is named; set EIGENSCOPE_WEBHOOK_URLS and EIGENSCOPE_WEBHOOK_SECRET first"
        )
    refused = [receiver.name for receiver in named if not _try(receiver, settings)]
    if refused:
        raise Unavailable(f"{len(refused)} of {len(named)} receivers did not take the message")


def _try(receiver: Receiver, settings: Settings) -> bool:
    message = Message(str(uuid.uuid4()), events.TEST, now(), None, settings.public_url or None)
    outcome = send(receiver, message, settings.webhook_secret)
    if outcome.problem is None:
        typer.echo(f"ok      {receiver.name} took it in {outcome.seconds:.2f} s")
    else:
        typer.echo(f"wrong   {receiver.name}: {outcome.problem}")
    return outcome.problem is None

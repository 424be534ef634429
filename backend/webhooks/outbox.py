"""Deliveries as rows: handed out, claimed and settled by conditional UPDATEs, safe between servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from backend.models import WebhookDelivery, WebhookEvent
from backend.models.base import now

AT_ONCE = 200
CLAIM_SECONDS = 60
"""Longer than an attempt can take. A server that dies meanwhile leaves the delivery to whoever looks then."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How stubbornly a delivery is tried: each wait is twice the one before, up to `longest_seconds`."""

    first_seconds: float = 10
    longest_seconds: float = 3600
    attempts: int = 30
    age: timedelta = timedelta(hours=24)
    kept: timedelta = timedelta(days=7)
    """How long it is kept what was told."""
    unheard: timedelta = timedelta(hours=1)
    """How long events wait for a receiver to be named where there is none."""

    def wait(self, attempts: int) -> timedelta:
        """Return how long to wait after so many attempts have failed."""
        doubled = self.first_seconds * 2 ** min(attempts - 1, 30)
        return timedelta(seconds=min(doubled, self.longest_seconds))


def hand_out(session: Session, receivers: Sequence[str]) -> int:
    """Give each new event to every receiver, named by its digest; return how many events there were."""
    new = select(WebhookEvent.id).where(~WebhookEvent.handed_out).order_by(WebhookEvent.id).limit(AT_ONCE)
    # Of two servers that try at once, the database lets one of them have each event.
    taken = session.scalars(
        update(WebhookEvent)
        .where(WebhookEvent.id.in_(session.scalars(new).all()), ~WebhookEvent.handed_out)
        .values(handed_out=True)
        .returning(WebhookEvent.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.add_all(
        WebhookDelivery(event_id=event_id, receiver=digest)
        for event_id in sorted(taken)
        for digest in receivers
    )
    session.flush()
    return len(taken)


def due(session: Session, receiver: str) -> Sequence[tuple[WebhookDelivery, WebhookEvent]]:
    """Return a receiver's deliveries whose time has come, the oldest first, each with its event.

    One receiver at a time: what waits for one that is down must not crowd out another's.
    """
    query = (
        select(WebhookDelivery, WebhookEvent)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .where(
            WebhookDelivery.receiver == receiver,
            WebhookDelivery.state == "pending",
            WebhookDelivery.next_at <= now(),
        )
        .order_by(WebhookDelivery.id)
    )
    return [(delivery, event) for delivery, event in session.execute(query.limit(AT_ONCE))]


def claim(session: Session, delivery: WebhookDelivery) -> bool:
    """Count an attempt and keep others away while it lasts; False where another server was faster."""
    until = now() + timedelta(seconds=CLAIM_SECONDS)
    return _change(session, delivery, delivery.attempts, attempts=delivery.attempts + 1, next_at=until)


def settle(
    session: Session, delivery: WebhookDelivery, event: WebhookEvent, problem: str | None, policy: Policy
) -> str:
    """Note how the attempt that was claimed went, unless somebody has tried since; return the state it leaves."""
    attempts = delivery.attempts + 1
    if problem is None:
        state = "delivered"
    elif attempts >= policy.attempts or now() - event.created_at > policy.age:
        state = "given_up"
    else:
        state = "pending"
    next_at = now() + policy.wait(attempts)
    _change(session, delivery, attempts, state=state, next_at=next_at, problem=problem)
    return state


def _change(session: Session, delivery: WebhookDelivery, made: int, **values: object) -> bool:
    same = (
        WebhookDelivery.id == delivery.id,
        WebhookDelivery.state == "pending",
        WebhookDelivery.attempts == made,
    )
    result = session.execute(
        update(WebhookDelivery).where(*same).values(**values).execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type of an UPDATE's result
    return result.rowcount == 1


def give_up_on_others(session: Session, receivers: Sequence[str]) -> None:
    """Give up what is meant for receivers that are not named any more."""
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.state == "pending", WebhookDelivery.receiver.not_in(receivers))
        .values(state="given_up", problem="its receiver is not named in EIGENSCOPE_WEBHOOK_URLS any more")
        .execution_options(synchronize_session=False)
    )


def forget(session: Session, policy: Policy, *, heard: bool) -> None:
    """Remove what was told long ago and, where nobody is to be told (`heard` False), what nobody will hear."""
    moment: datetime = now()
    session.execute(delete(WebhookEvent).where(WebhookEvent.created_at < moment - policy.kept))
    if not heard:
        unheard = WebhookEvent.created_at < moment - policy.unheard
        session.execute(delete(WebhookEvent).where(~WebhookEvent.handed_out, unheard))


def by_state(session: Session) -> dict[str, int]:
    """Return how many deliveries of the last days there are in each state."""
    query = select(WebhookDelivery.state, func.count()).group_by(WebhookDelivery.state)
    return dict(session.execute(query).all())

"""The thread that delivers. Beside the sweeper, not in it: a receiver that answers slowly delays no other work."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from backend.database import Database
from backend.models import WebhookDelivery, WebhookEvent
from backend.observability.context import about_run
from backend.settings import Settings
from backend.webhooks import outbox, sending
from backend.webhooks.messages import message_of
from backend.webhooks.receivers import Receiver, receivers

_log = logging.getLogger(__name__)


class Messenger(threading.Thread):
    """Every beat: hand out what happened, try what is due. Any number of servers may do so."""

    def __init__(self, database: Database, settings: Settings, policy: outbox.Policy | None = None) -> None:
        super().__init__(name="messenger", daemon=True)
        self._database, self._settings = database, settings
        self._policy = policy or outbox.Policy()
        self._receivers = receivers(settings)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Deliver until stopped; a database that is away is tried again at the next beat."""
        while not self._stopping.wait(self._settings.heartbeat_seconds):
            try:
                self.deliver()
            except SQLAlchemyError as error:
                _log.warning("webhooks wait for the database: %s", error)

    def deliver(self) -> int:
        """Hand out and try once what is due; return how many messages were taken.

        After one failure a receiver is left alone until the next beat: what is down costs one timeout, not many.
        """
        self._prepare()
        return sum(self._deliver_to(receiver) for receiver in self._receivers)

    def _deliver_to(self, receiver: Receiver) -> int:
        with self._database.reading() as session:
            pairs = outbox.due(session, receiver.digest)
        delivered = 0
        for delivery, event in pairs:
            if self._stopping.is_set():
                break
            with about_run(event.run_id):
                state = self._try(delivery, event, receiver)
            delivered += state == "delivered"
            if state not in ("delivered", "taken"):
                break
        return delivered

    def _prepare(self) -> None:
        digests = [receiver.digest for receiver in self._receivers]
        with self._database.writing() as session:
            outbox.forget(session, self._policy, heard=bool(digests))
            if digests:
                outbox.give_up_on_others(session, digests)
                outbox.hand_out(session, digests)

    def _try(self, delivery: WebhookDelivery, event: WebhookEvent, receiver: Receiver) -> str:
        """Try one delivery and return its state, or "taken" where another server tries it."""
        with self._database.writing() as session:
            if not outbox.claim(session, delivery):
                return "taken"
        # No transaction is open while a stranger is waited for.
        message = message_of(event, self._settings)
        outcome = sending.send(receiver, message, self._settings.webhook_secret)
        with self._database.writing() as session:
            state = outbox.settle(session, delivery, event, outcome.problem, self._policy)
        attempt = delivery.attempts + 1
        told = (event.event, event.run_id, receiver.name)
        if state == "delivered":
            _log.info("webhook %s of run %d delivered to %s", *told)
        elif state == "given_up":
            _log.error("webhook %s of run %d to %s is given up: %s", *told, outcome.problem)
        else:
            _log.warning("webhook %s of run %d to %s, attempt %d: %s", *told, attempt, outcome.problem)
        return state

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self.is_alive():
            self.join(timeout=20)

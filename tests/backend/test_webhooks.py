"""Webhooks: every end of a run is told, signed, until it is heard, and by one server at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.app import create_app
from backend.database import Database
from backend.errors import InvalidInput
from backend.models import Run, WebhookDelivery, WebhookEvent
from backend.models.base import now
from backend.runs import queue
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from backend.webhooks import outbox
from backend.webhooks.messenger import Messenger
from backend.webhooks.receivers import receivers
from tests.backend.listener import listening

SECRET = "between us"
AT_ONCE = outbox.Policy(first_seconds=0)


@pytest.fixture
def listener() -> Iterator[object]:
    with listening() as opened:
        yield opened


@pytest.fixture
def told(settings: Settings, listener) -> Settings:
    """Return settings with the listener as the one receiver."""
    more = {"webhook_urls": listener.url, "webhook_secret": SECRET, "public_url": "https://eigen.example/"}
    return settings.model_copy(update=more)


@pytest.fixture
def run_id(database: Database, dataset_id: int) -> int:
    return add_run(database, dataset_id)


def add_run(database: Database, dataset_id: int, **values: object) -> int:
    with database.writing() as session:
        run = Run(
            name="mine <b>",
            specification={"init": {"kind": "scratch"}},
            dataset_id=dataset_id,
            iterations=10,
            **values,
        )
        session.add(run)
        session.flush()
        return run.id


def end(database: Database, status: str = "succeeded", error: str | None = None) -> None:
    with database.writing() as session:
        run_id = queue.claim_next(session, "w", 60)
        assert run_id is not None
        assert queue.finish(session, run_id, "w", status, error)


def states(database: Database) -> list[tuple[str, int]]:
    with database.reading() as session:
        rows = session.execute(select(WebhookDelivery.state, WebhookDelivery.attempts))
        return [(state, attempts) for state, attempts in rows]


def test_the_end_of_a_run_is_told_signed(database: Database, told: Settings, listener, run_id: int) -> None:
    end(database, "failed", "it broke at postgresql://me:hunter22@db/x")
    assert Messenger(database, told).deliver() == 1
    ((headers, body),) = listener.heard
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    signed = f"{message_id}.{timestamp}.".encode() + body
    wanted = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    (told_body,) = listener.bodies
    assert (told_body["id"], told_body["event"]) == (message_id, "run.failed")
    assert told_body["link"] == f"https://eigen.example/runs/{run_id}"
    run = told_body["run"]
    assert (run["id"], run["name"], run["status"]) == (run_id, "mine <b>", "failed")
    assert run["progress"] == {"iteration": 0, "iterations": 10}
    assert set(run["summary"]) >= {"ap", "parameters", "macs"}
    assert run["error"] == "it broke at postgresql://me:***@db/x"
    assert Messenger(database, told).deliver() == 0
    assert len(listener.heard) == 1


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_each_way_to_end_is_an_event_and_only_the_first_counts(
    database: Database, told: Settings, listener, run_id: int, status: str
) -> None:
    end(database, status)
    with database.writing() as session:
        assert not queue.finish(session, run_id, "w", "failed")
    Messenger(database, told).deliver()
    assert [body["event"] for body in listener.bodies] == [f"run.{status}"]


def test_a_lost_run_and_a_cancelled_one_in_the_queue_are_told(
    database: Database, told: Settings, listener, run_id: int, dataset_id: int
) -> None:
    with TestClient(create_app(told), base_url="http://127.0.0.1:8000") as client:
        with database.writing() as session:
            queue.claim_next(session, "dead", -1)
            queue.sweep_expired(session, max_attempts=1)
        queued = add_run(database, dataset_id)
        assert client.post(f"/api/v1/runs/{queued}/cancel").status_code == 200
        assert client.post(f"/api/v1/runs/{queued}/cancel").status_code == 409
    Messenger(database, told).deliver()
    assert [(b["event"], b["run"]["id"]) for b in listener.bodies] == [
        ("run.lost", run_id),
        ("run.cancelled", queued),
    ]


def test_what_is_taken_back_is_not_told(database: Database, told: Settings, listener, run_id: int) -> None:
    class Fault(Exception):
        pass

    def fail() -> None:
        with database.writing() as session:
            queue.claim_next(session, "w", 60)
            assert queue.finish(session, run_id, "w", "succeeded")
            raise Fault

    with pytest.raises(Fault):
        fail()
    assert Messenger(database, told).deliver() == 0
    assert listener.heard == []


def test_it_is_told_again_after_failures_with_the_same_id(
    database: Database, told: Settings, listener, run_id: int
) -> None:
    listener.answers = [500, 503, 302]
    end(database)
    messenger = Messenger(database, told, AT_ONCE)
    assert [messenger.deliver() for _ in range(5)] == [0, 0, 0, 1, 0]
    assert len({headers["webhook-id"] for headers, _ in listener.heard}) == 1
    assert len({body for _, body in listener.heard}) == 1
    assert states(database) == [("delivered", 4)]


def test_a_refused_connection_is_tried_again_after_a_wait_that_grows(
    database: Database, settings: Settings, run_id: int
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = settings.model_copy(
        update={"webhook_urls": f"http://127.0.0.1:{port}/k", "webhook_secret": SECRET}
    )
    end(database)
    messenger = Messenger(database, told)
    assert messenger.deliver() == 0
    with database.reading() as session:
        (delivery,) = session.scalars(select(WebhookDelivery)).all()
    assert delivery.problem is not None
    assert f"127.0.0.1:{port}/k" not in delivery.problem
    assert 5 < (delivery.next_at - now()).total_seconds() <= 10
    assert messenger.deliver() == 0
    assert states(database) == [("pending", 1)]
    with database.writing() as session:
        session.get_one(WebhookDelivery, delivery.id).next_at = now()
    with listening(port) as listener:
        # Another process, as after a restart: all that is to be told stands in the database.
        assert Messenger(database, told).deliver() == 1
    assert len(listener.heard) == 1


def test_waits_grow_to_an_hour_and_end() -> None:
    waits = [outbox.Policy().wait(n).total_seconds() for n in (1, 2, 3, 9, 10, 29)]
    assert waits == [10, 20, 40, 2560, 3600, 3600]


def test_it_is_given_up_after_so_many_attempts(
    database: Database, told: Settings, listener, run_id: int
) -> None:
    listener.answers = [500] * 9
    end(database)
    messenger = Messenger(database, told, outbox.Policy(first_seconds=0, attempts=3))
    for _ in range(5):
        messenger.deliver()
    assert len(listener.heard) == 3
    assert states(database) == [("given_up", 3)]


def test_it_is_given_up_when_it_is_old(database: Database, told: Settings, listener, run_id: int) -> None:
    listener.answers = [500] * 9
    end(database)
    with database.writing() as session:
        (event,) = session.scalars(select(WebhookEvent)).all()
        event.created_at = now() - timedelta(hours=25)
    Messenger(database, told, AT_ONCE).deliver()
    assert states(database) == [("given_up", 1)]


def test_two_servers_never_tell_it_twice(
    database: Database, told: Settings, listener, dataset_id: int
) -> None:
    ids = [add_run(database, dataset_id) for _ in range(8)]
    for _ in ids:
        end(database)
    messengers = [Messenger(database, told) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda messenger: messenger.deliver(), messengers))
    # One may have lost every race of this beat; the next takes the rest.
    counts.append(messengers[0].deliver())
    assert sum(counts) == 8
    assert sorted(body["run"]["id"] for body in listener.bodies) == ids


def test_one_under_way_is_left_to_the_server_that_tries_it(
    database: Database, told: Settings, listener, run_id: int
) -> None:
    end(database)
    listener.hold = threading.Event()
    first = Messenger(database, told)
    thread = threading.Thread(target=first.deliver, daemon=True)
    thread.start()
    while not listener.heard:
        thread.join(0.02)
    assert Messenger(database, told).deliver() == 0
    listener.hold.set()
    thread.join()
    assert len(listener.heard) == 1
    assert states(database) == [("delivered", 1)]


def test_a_server_that_died_while_it_told_leaves_it_to_another(
    database: Database, told: Settings, listener, run_id: int
) -> None:
    end(database)
    with database.writing() as session:
        (receiver,) = receivers(told)
        outbox.hand_out(session, [receiver.digest])
        ((delivery, _),) = outbox.due(session, receiver.digest)
        assert outbox.claim(session, delivery)
        assert not outbox.claim(session, delivery)
    assert Messenger(database, told).deliver() == 0
    with database.writing() as session:
        (row,) = session.scalars(select(WebhookDelivery)).all()
        assert (row.next_at - now()).total_seconds() > 30
        row.next_at = now()
    assert Messenger(database, told).deliver() == 1


def test_a_receiver_that_is_down_keeps_nobody_else_waiting(
    database: Database, told: Settings, listener, dataset_id: int
) -> None:
    for _ in range(3):
        add_run(database, dataset_id)
    for _ in range(3):
        end(database)
    with listening() as other:
        other.answers = [500] * 9
        both = told.model_copy(update={"webhook_urls": f"{other.url}, {listener.url}"})
        assert Messenger(database, both, AT_ONCE).deliver() == 3
        assert len(other.heard) == 1


def test_the_server_itself_delivers(
    told: Settings, database: Database, listener, specification: RunSpecification
) -> None:
    quick = told.model_copy(update={"heartbeat_seconds": 0.05})
    with TestClient(create_app(quick), base_url="http://127.0.0.1:8000") as client:
        run_id = client.post("/api/v1/runs", json=specification.model_dump(mode="json")).json()["id"]
        client.post(f"/api/v1/runs/{run_id}/cancel")
        waited = threading.Event()
        for _ in range(200):
            if listener.heard or waited.wait(0.05):
                break
    assert [body["event"] for body in listener.bodies] == ["run.cancelled"]


def test_without_receivers_events_are_forgotten_within_the_hour(
    database: Database, settings: Settings, run_id: int
) -> None:
    end(database)
    Messenger(database, settings).deliver()
    with database.writing() as session:
        (event,) = session.scalars(select(WebhookEvent)).all()
        event.created_at = now() - timedelta(minutes=61)
    Messenger(database, settings).deliver()
    with database.reading() as session:
        assert session.scalars(select(WebhookEvent)).all() == []


def test_what_was_told_is_kept_for_a_week(database: Database, told: Settings, listener, run_id: int) -> None:
    end(database)
    Messenger(database, told).deliver()
    with database.writing() as session:
        session.scalars(select(WebhookEvent)).one().created_at = now() - timedelta(days=8)
    Messenger(database, told).deliver()
    assert states(database) == []


@pytest.mark.parametrize(
    ("urls", "secret", "sentence"),
    [
        ("https://hooks.example/secret-path", "", "EIGENSCOPE_WEBHOOK_SECRET is empty"),
        ("https://a.example/x,file:///etc/secret-path", "s", "address 2 of 2 is none that begins with https"),
        ("https:///secret-path", "s", "address 1 of 1"),
        ("https://a.example/x", "whsec_%%%", "what follows is no base64"),
    ],
)
def test_wrong_settings_are_named_without_the_address(
    settings: Settings, urls: str, secret: str, sentence: str
) -> None:
    wrong = settings.model_copy(update={"webhook_urls": urls, "webhook_secret": secret})
    with pytest.raises(InvalidInput, match=sentence) as caught:
        create_app(wrong)
    assert "secret-path" not in str(caught.value)

"""What endpoints ask for: settings, the database, a session that reads, a session that writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from backend.access.gate import Gate
from backend.broker import Broker
from backend.database import Database
from backend.settings import Settings


def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


def _database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


def _broker(request: Request) -> Broker:
    found: Broker = request.app.state.broker
    return found


def _gate(request: Request) -> Gate:
    found: Gate = request.app.state.gate
    return found


SettingsDep = Annotated[Settings, Depends(_settings)]
DatabaseDep = Annotated[Database, Depends(_database)]
BrokerDep = Annotated[Broker, Depends(_broker)]
GateDep = Annotated[Gate, Depends(_gate)]


def _reading(database: DatabaseDep) -> Iterator[Session]:
    with database.reading() as session:
        yield session


def _writing(database: DatabaseDep) -> Iterator[Session]:
    with database.writing() as session:
        yield session


# The scope "function" commits before the response starts: a commit that fails must not answer 200.
ReadSession = Annotated[Session, Depends(_reading, scope="function")]
WriteSession = Annotated[Session, Depends(_writing, scope="function")]

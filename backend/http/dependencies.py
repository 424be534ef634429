"""What endpoints ask for: settings, the database, a session that reads, a session that writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy.orm import Session

from backend.access.gate import Gate
from backend.broker import Broker
from backend.database import Database
from backend.http.room import Room
from backend.settings import Settings


async def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


async def _database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


async def _broker(request: Request) -> Broker:
    found: Broker = request.app.state.broker
    return found


async def _gate(request: Request) -> Gate:
    found: Gate = request.app.state.gate
    return found


async def _room(request: Request) -> Room:
    found: Room = request.app.state.room
    return found


SettingsDep = Annotated[Settings, Depends(_settings)]
DatabaseDep = Annotated[Database, Depends(_database)]
BrokerDep = Annotated[Broker, Depends(_broker)]
GateDep = Annotated[Gate, Depends(_gate)]
RoomDep = Annotated[Room, Depends(_room)]


async def _reading(database: DatabaseDep, room: RoomDep) -> AsyncIterator[Session]:
    async with room.to_read, contextmanager_in_threadpool(database.reading()) as session:
        yield session


async def _writing(database: DatabaseDep, room: RoomDep) -> AsyncIterator[Session]:
    async with room.to_write, contextmanager_in_threadpool(database.writing()) as session:
        yield session


# The scope "function" commits before the response starts: a commit that fails must not answer 200.
ReadSession = Annotated[Session, Depends(_reading, scope="function")]
WriteSession = Annotated[Session, Depends(_writing, scope="function")]

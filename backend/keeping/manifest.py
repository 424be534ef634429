"""What an archive says of itself: who made it, at which migration, and the checksum of every part."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FORMAT: Literal["eigenscope archive"] = "eigenscope archive"
VERSION = 1
"""Grows when an archive of before cannot be read as one of now; columns that come with a migration do not count."""
FILE_NAME = r"files/[0-9]{1,10}/(checkpoint|weights)-[0-9]{1,10}\.(pt|safetensors)"
GENERATED_NAME = r"generated(/[A-Za-z0-9_-][A-Za-z0-9_. -]{0,199}){2,6}"
TABLE_NAME = r"tables/[a-z_]{1,60}\.(jsonl|bin)"
Name = Annotated[str, StringConstraints(pattern=rf"^({TABLE_NAME}|{FILE_NAME}|{GENERATED_NAME})$")]
"""No name of a member can climb out of a folder; and none is used as a path but below one of our own."""


class Part(BaseModel):
    """Base of every part: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(Part):
    """One part of the archive."""

    bytes: int = Field(ge=0, lt=2**63)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Source(Part):
    """The instance that an archive is from; `home` only in a backup, to know what lay below it."""

    host: str = Field(max_length=200, pattern="^[A-Za-z0-9._-]*$")
    database: Literal["sqlite", "postgresql"]
    eigenscope: str = Field(max_length=60)
    home: str = Field("", max_length=4096)


class Manifest(Part):
    """The last member that is written, and the first that is read."""

    format: Literal["eigenscope archive"] = FORMAT
    version: int = Field(ge=1)
    kind: Literal["runs", "backup"]
    migration: str = Field(pattern="^[0-9a-z_]{1,32}$")
    made_at: datetime
    source: Source
    highest: dict[str, Annotated[int, Field(ge=0, lt=2**31)]] = Field(default_factory=dict)
    """In a backup: the highest id that a table ever gave; it is not given again."""
    members: dict[Name, Member] = Field(max_length=1_000_000)

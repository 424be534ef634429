"""Everything that can be set from outside: environment variables or `.env`, prefix `EIGENSCOPE_`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from kombu.transport import TRANSPORT_ALIASES
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

DATABASES = ("sqlite", "postgresql")
SECRET = ("token", "database_url", "broker_url")
"""Settings that no message repeats."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Settings(BaseSettings):
    """One documented place for every setting; docs/settings.md is tested against it."""

    model_config = SettingsConfigDict(
        env_prefix="EIGENSCOPE_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    home: Path = Field(
        Path("var"), description="Folder of the database, broker files, checkpoints, generated data and logs."
    )
    # URLs and the token hold secrets: no traceback or log line that shows the settings shows them.
    database_url: str = Field(
        "", description="SQLAlchemy URL; empty means SQLite in the home folder.", repr=False
    )
    broker_url: str = Field(
        "", description="Celery broker URL; empty means files in the home folder.", repr=False
    )
    data_root: Path | None = Field(
        None,
        description="Folder whose datasets and weights may be named through the API; empty means HOME/data.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on; any but loopback requires a token.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    token: str = Field(
        "",
        description="One more token that may do everything; others are made by `eigenscope tokens create`.",
        repr=False,
    )
    allowed_hosts: str = Field(
        "",
        description="Further host names, separated by commas, that requests may carry in their Host header.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses, separated by commas, of proxies whose X-Forwarded-For and -Proto are believed.",
    )
    lease_seconds: float = Field(
        60, gt=0, description="A run whose worker is silent for so long is queued again."
    )
    heartbeat_seconds: float = Field(5, gt=0, description="How often a worker says that it lives.")
    max_attempts: int = Field(
        3, ge=1, description="How often a run whose worker was lost is started at most."
    )
    stop_grace_seconds: float = Field(
        120,
        gt=0,
        description="How long a trainer may take to write its checkpoint before it is ended by signal.",
    )
    keep_checkpoints_days: float | None = Field(
        None,
        ge=0,
        description="`eigenscope prune`: after so many days a succeeded run keeps only its best and last checkpoint.",
    )
    keep_archived_days: float | None = Field(
        None, ge=0, description="`eigenscope prune`: archived runs go so many days after their end."
    )
    checkpoints_gb: float | None = Field(
        None, ge=0, description="`eigenscope prune`: what the checkpoints of all runs may take, in 10⁹ bytes."
    )

    journal_megabytes: float = Field(
        512,
        gt=0,
        description="How much a run keeps on disk while the database does not answer; beyond, it waits.",
    )
    public_url: str = Field(
        "",
        description="Address under which people open this server, such as https://eigen.example; for links.",
    )
    webhook_urls: str = Field(
        "", description="Addresses, separated by commas, that are told how runs end and which are stuck."
    )
    webhook_secret: str = Field(
        "", description="What webhooks are signed with; required where there are addresses to tell."
    )
    stuck_minutes: float = Field(
        30, ge=0, description="A run that has not moved for so long is told as stuck; 0 tells none."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How log lines are written: for people, or one JSON object a line."
    )
    disk_floor_gib: float = Field(
        1, ge=0, description="With less free disk than this, in GiB, the server says that it is not ready."
    )

    @field_validator("home", "data_root")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value is not None else None

    @field_validator("database_url")
    @classmethod
    def _a_database(cls, value: str) -> str:
        try:
            known = not value or make_url(value).get_backend_name() in DATABASES
        except (ArgumentError, ValueError):
            known = False
        if not known:
            raise ValueError(
                "is no address of a SQLite or PostgreSQL database, such as postgresql://USER:PASSWORD@HOST/NAME "
                "(a password's special characters are written %40 and so on)"
            )
        return value

    @field_validator("broker_url")
    @classmethod
    def _a_broker(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            known = not value or (
                parts.scheme in TRANSPORT_ALIASES and "://" in value and (parts.port or True)
            )
        except ValueError:
            known = False
        if not known:
            raise ValueError("is no address of a Celery broker, such as redis://:PASSWORD@HOST:6379/0")
        return value

    @property
    def database(self) -> str:
        """The database URL in use."""
        return self.database_url or f"sqlite:///{self.home / 'eigenscope.db'}"

    @property
    def broker(self) -> str:
        """The broker URL in use."""
        return self.broker_url or "filesystem://localhost//"

    @property
    def data(self) -> Path:
        """The folder whose files may be named through the API."""
        return self.data_root or self.home / "data"

    @property
    def generated(self) -> Path:
        """The folder of generated datasets."""
        return self.home / "datasets"

    @property
    def listens_beyond_loopback(self) -> bool:
        """Whether other machines can reach the server's address."""
        return self.host not in LOOPBACK

    def run_folder(self, run_id: int) -> Path:
        """The folder of one run's checkpoints and log."""
        return self.home / "runs" / str(run_id)

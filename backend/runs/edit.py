"""What may change of a run after its launch."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.texts import storable

LIMITS = {"name": 200, "tag": 60, "tags": 20, "notes": 10_000}
"""The most letters of each, and the most tags of a run; forms say so while one types."""


def _named(text: str) -> str:
    stripped = text.strip()
    if not stripped or not stripped.isprintable():
        raise ValueError("write at least one letter, on one line")
    return stripped


class RunEdit(BaseModel):
    """What may change after launch; what is not named stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=LIMITS["name"]), AfterValidator(_named)] | None = None
    tags: list[Annotated[str, Field(max_length=LIMITS["tag"]), AfterValidator(_named)]] | None = Field(
        None, max_length=LIMITS["tags"], description="In place of those it has."
    )
    notes: Annotated[str, Field(max_length=LIMITS["notes"]), AfterValidator(storable)] | None = None
    archived: bool | None = Field(
        None, description="Lists leave an archived run out; one that is queued or running is refused."
    )

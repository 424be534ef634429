"""What may change of a run after its launch."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.texts import storable

MOST_TAGS = 20


def _named(text: str) -> str:
    stripped = text.strip()
    if not stripped or not stripped.isprintable():
        raise ValueError("write at least one letter, on one line")
    return stripped


class RunEdit(BaseModel):
    """What may change after launch; what is not named stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200), AfterValidator(_named)] | None = None
    tags: list[Annotated[str, Field(max_length=60), AfterValidator(_named)]] | None = Field(
        None, max_length=MOST_TAGS, description="In place of those it has."
    )
    notes: Annotated[str, Field(max_length=10_000), AfterValidator(storable)] | None = None
    archived: bool | None = Field(
        None, description="Lists leave an archived run out; one that is queued or running is refused."
    )

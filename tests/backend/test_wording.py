"""What is wrong with a value is said in plain words that name the value."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from backend.http.errors import as_sentence, field_errors


class Model(BaseModel):
    whole: int = Field(0, ge=0, le=64)
    number: float = Field(0.5, gt=0.0)
    steps: tuple[Annotated[int, Field(ge=1)], ...] = ()
    kind: Literal["a", "b"] = "a"
    sure: bool = True
    name: str = Field("x", min_length=1, max_length=3)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"whole": "x"}, "whole: `x` is not a whole number"),
        ({"whole": 1.5}, "whole: `1.5` is not a whole number"),
        ({"whole": ""}, "whole: is empty; it must be a whole number"),
        ({"whole": 65}, "whole: must be at most 64"),
        ({"number": "much"}, "number: `much` is not a number"),
        ({"number": 0}, "number: must be more than 0"),
        ({"steps": [100, "x"]}, "steps.1: `x` is not a whole number"),
        ({"steps": 3}, "steps: `3` is not a list"),
        ({"kind": "c"}, "kind: must be 'a' or 'b'"),
        ({"sure": "perhaps"}, "sure: `perhaps` is not yes or no"),
        ({"name": ""}, "name: must have at least 1 character"),
        ({"name": "long"}, "name: must have at most 3 characters"),
        ({"name": 3}, "name: `3` is not text"),
    ],
)
def test_no_wording_of_the_library_reaches_a_person(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Model.model_validate(given)
    (found,) = field_errors(refused.value.errors())
    assert as_sentence(found) == sentence

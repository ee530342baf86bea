"""What is kept of a bisection is read back as it was."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pytest_weekops.core.bisect.search import Said
from pytest_weekops.core.bisect.step import Settings, Step

SETTINGS = Settings(
    profile="pocl",
    good="/good.so",
    bad="/bad.so",
    sizes=(256,),
    kernels=("auto",),
    error=0.05,
    step_error=0.01,
    snapshots=6,
    max_snapshots=12,
)


def test_what_is_kept_is_read_back() -> None:
    """Settings under their schema's name, and a step of which nothing was measured."""
    assert Settings.model_validate_json(SETTINGS.model_dump_json(by_alias=True)) == SETTINGS
    assert '"schema":"weekops-bisect/1"' in SETTINGS.model_dump_json(by_alias=True)
    step = Step(number=1, build="/b.so", said=Said.SKIPPED, why="", limit=0.97, files={}, good_files={})
    assert Step.model_validate_json(step.model_dump_json()) == step


def test_a_word_that_nobody_knows_is_refused() -> None:
    """As in every record."""
    with pytest.raises(ValidationError):
        Step.model_validate({"number": 1, "verdict": "good"})

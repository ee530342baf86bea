"""A rerun that expects more than the failed run before it is a weaker one."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.week.attempts import compare
from pytest_weekops.core.week.expected import more_expected
from tests.core.measurement.test_expectation import ENTRY
from tests.support.entries import PLAN, failure, promote

TOLD = "expects pocl auto:128 (crashed until 2026-12-31) to fail, and did not before"


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        ([ENTRY], [], [TOLD]),
        ([ENTRY], None, [TOLD]),
        ([ENTRY], [ENTRY], []),
        ([], [ENTRY], []),
        (None, [ENTRY], []),
        ([ENTRY], [ENTRY | {"reason": "another", "owner": "they"}], []),
        ([ENTRY], [ENTRY | {"expires": "2027-01-01"}], []),
        ([ENTRY], [ENTRY | {"expires": "2026-12-30"}], [TOLD]),
        ([ENTRY], [ENTRY | {"phase": "build"}], [TOLD]),
        ([ENTRY], [ENTRY | {"case": "auto:256"}], [TOLD]),
        (["auto:128"], [], ["expects 'auto:128' to fail, and did not before"]),
        ([ENTRY | {"driver": "any"}], [], [TOLD.replace("pocl", "any")]),
    ],
)
def test_more_is_told(new: Any, old: Any, words: list[str]) -> None:
    """Another cell, driver, kind or phase, or a later day; never for another reason or owner."""
    assert list(more_expected(new, old)) == words


def test_a_loss_that_is_expected_now_is_weaker() -> None:
    """As are times that are not judged any more."""
    loss = {"driver": ENTRY["driver"], "capability": "cl_khr_fp16", "expires": "2026-12-31"}
    more = {**PLAN, "known_losses": [loss], "results_only": ["queue"]}
    found = compare(promote("b", plan=more), failure("a", plan=PLAN))
    assert found.weaker == (
        "expects pocl cl_khr_fp16 (lost until 2026-12-31) to fail, and did not before",
        "without the times of queue",
    )
    assert compare(promote("b", plan=PLAN), failure("a", plan=more)).weaker == ()


def test_it_is_weaker() -> None:
    """Such a rerun does not answer the failed run."""
    found = compare(promote("b", plan={**PLAN, "expected": [ENTRY]}), failure("a", plan=PLAN))
    assert found.weaker == (TOLD,)

"""Known tests of conformance suites: what is understood whole, and what could excuse another test and is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.measurement.known_test import parse_known_tests
from pytest_weekops.core.measurement.plan import CampaignPlan

ENTRY: dict[str, Any] = {
    "driver": {"profile": "pocl", "driver_version": "1"},
    "suite": "piglit",
    "test": "api@clgetdeviceinfo",
    "kind": "fail",
    "reason": "a known bug",
    "owner": "us",
    "expires": "2026-12-31",
}


def test_an_entry_is_one_test_of_one_driver_until_a_day() -> None:
    """Quoted or not; and the whole survives the journal, in a plan that had no such key before."""
    (one,) = parse_known_tests([ENTRY], "known.yaml")
    assert (one,) == parse_known_tests([ENTRY | {"expires": date(2026, 12, 31)}], "known.yaml")
    assert one.words == "expected until 2026-12-31 (a known bug; us)"
    facts: dict[str, Any] = {"kind": "weekly", "platforms": ("pocl",), "kernels": (), "sizes": (1,), "seeds": (1,)}
    plan = CampaignPlan(**facts, evidence=("piglit",), known_tests=(one,))
    assert CampaignPlan.model_validate(plan.model_dump(mode="json")) == plan
    assert set(plan.model_dump()) - set(CampaignPlan(**facts).model_dump()) == {"evidence", "known_tests"}
    assert parse_known_tests((), "known.yaml") == ()


REFUSED: dict[str, Any] = {
    "no list": ENTRY,
    "a driver of any version": [ENTRY | {"driver": {"profile": "pocl"}}],
    "an unknown suite": [ENTRY | {"suite": "glcts"}],
    "no test": [ENTRY | {"test": ""}],
    "a lost test": [ENTRY | {"kind": "lost"}],
    "no reason": [ENTRY | {"reason": " "}],
    "two lines": [ENTRY | {"owner": "us\nthem"}],
    "a moment": [ENTRY | {"expires": datetime(2026, 12, 31, 1, tzinfo=UTC)}],
    "no day": [ENTRY | {"expires": "soon"}],
    "an unknown key": [ENTRY | {"tests": "*"}],
    "one test twice": [ENTRY, ENTRY | {"kind": "crash"}],
}


@pytest.mark.parametrize("entries", REFUSED.values(), ids=REFUSED)
def test_what_could_excuse_another_test_is_refused(entries: Any) -> None:
    """With the file's name and why it matters."""
    with pytest.raises(PolicyError, match=r"known\.yaml.*could excuse another test"):
        parse_known_tests(entries, "known.yaml")

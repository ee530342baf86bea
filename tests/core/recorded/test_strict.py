"""Which platform and device a recorded run says it selected, against the one that answered."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.policies.files import load_policy
from tests.support.recorded_data import DEVICE, changed, weekly, without
from tests.support.verdicts import finding_of

POLICY = load_policy("rx590-weekly-v3")


def selecting(selection: object) -> Finding:
    """What the check says of a healthy campaign in which one run has this selection."""
    document = changed(weekly(), "runs", 5, "metrics", "platform_selection", to=selection)
    verdict = judge_recorded(POLICY, parse_campaign(document, "test")).verdict
    found = finding_of(verdict, "platform_split_present")
    assert verdict.failed_checks == (() if found.status is CheckStatus.PASS else ("platform_split_present",))
    return found


@pytest.mark.parametrize(
    "selection",
    [
        {},
        {"selected_device": DEVICE, "selected_platform": "Clover", "platform_selector": "clover"},
        {"selected_platform": "CLOVER"},
        None,
        "Clover",
    ],
    ids=["nothing", "all of it", "in capitals", "null", "no mapping"],
)
def test_a_selection_that_contradicts_nothing_is_taken(selection: object) -> None:
    """What it does not say is said by who answered."""
    assert selecting(selection).status is CheckStatus.PASS


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"selected_device": "another card"}, "selected 'another card' and ran on 'a card'"),
        ({"selected_device": None}, "selected None and ran on 'a card'"),
        ({"selected_platform": "rusticl"}, "selected the platform 'rusticl'"),
        ({"selected_platform": "Clover", "platform_selector": "rusticl"}, "selected the platform 'rusticl'"),
        ({"platform_selector": None}, "selected the platform None"),
        ({"selected_device": DEVICE, "platform_selector": 5}, "selected the platform 5"),
    ],
)
def test_a_run_that_was_meant_for_another_driver_says_nothing_about_this_one(
    selection: dict[str, Any], words: str
) -> None:
    """By device or by platform, in either of its names; a name that is none is another one."""
    found = selecting(selection)
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "platform_not_selected")
    assert found.rows[0].endswith(words)


def blocked(document: dict[str, Any], check: str) -> Finding:
    """What a check says of a file, and that it is the only one that objects where it does."""
    verdict = judge_recorded(POLICY, parse_campaign(document, "test")).verdict
    found = finding_of(verdict, check)
    assert verdict.failed_checks == (() if found.status is CheckStatus.PASS else (check,))
    return found


@pytest.mark.parametrize("device", ["", None, 5])
def test_a_run_that_names_no_device_ran_on_none_that_is_known(device: object) -> None:
    """It could be any card."""
    document = changed(weekly(), "runs", 5, "metrics", "device", to=device)
    assert blocked(document, "platform_split_present").rows[0].endswith("names no device")


@pytest.mark.parametrize("snapshot", [None, "6", 6.5])
def test_a_run_without_a_snapshot_stands_in_no_window(snapshot: object) -> None:
    """A cold or a bad one could hide there."""
    document = changed(weekly(7), "runs", 5, "snapshot", to=snapshot)  # the other six are enough
    verdict = judge_recorded(POLICY, parse_campaign(document, "test")).verdict
    found = finding_of(verdict, "minimum_snapshots")
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "unnumbered")


@pytest.mark.parametrize(("pressure", "passes"), [([], True), (None, False)], ids=["none was made", "not said"])
def test_where_the_metadata_says_nothing_of_pressure_the_records_have_to(
    pressure: list[object] | None, passes: bool
) -> None:
    """An empty list says that none was made; no list says nothing."""
    document = without(weekly(), "metadata", "pressure")
    document["pressure"] = pressure
    assert (blocked(document, "pressure_failures_zero").status is CheckStatus.PASS) is passes

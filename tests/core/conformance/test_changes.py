"""What became of a test between two drivers: total, and worse results never count for less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.conformance.changes import WORSE, Kind, compare, kind_of
from pytest_weekops.core.conformance.results import Status
from tests.support.conformance import results

STATUSES: tuple[Status, ...] = ("pass", "flaky", "skip", "fail", "timeout", "crash")
GRAVE = {"failure": 1, "timeout": 2, "crash": 3}
ended = st.sampled_from([*STATUSES, None])
named = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(STATUSES))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("pass", "pass", "same"),
        ("pass", "fail", "failure"),
        ("pass", "timeout", "timeout"),
        ("pass", "crash", "crash"),
        ("pass", "skip", "skip"),
        ("pass", "flaky", "flaky"),
        ("pass", None, "lost"),
        ("fail", "fail", "old"),
        ("fail", "timeout", "timeout"),
        ("fail", "crash", "crash"),
        ("timeout", "fail", "old"),
        ("crash", "timeout", "old"),
        ("crash", "skip", "skip"),
        ("fail", None, "lost"),
        ("skip", None, "lost"),
        ("fail", "flaky", "old"),
        ("fail", "pass", "fixed"),
        ("flaky", "pass", "fixed"),
        ("flaky", "flaky", "old"),
        ("flaky", "fail", "failure"),
        ("skip", "skip", "same"),
        ("skip", "fail", "failure"),
        ("skip", "flaky", "flaky"),
        ("skip", "pass", "new"),
        (None, "pass", "new"),
        (None, "skip", "new"),
        (None, "fail", "failure"),
        (None, "flaky", "flaky"),
        (None, None, "same"),
    ],
)
def test_what_became_of_a_test(before: Status | None, after: Status | None, kind: Kind) -> None:
    """Each pair of statuses, by hand: what hides a failure is held against the driver like a failure."""
    assert kind_of(before, after) == kind


@given(before=ended, after=ended)
def test_a_pass_is_never_worse_and_a_graver_end_never_milder(before: Status | None, after: Status | None) -> None:
    """For any test before: passing now is in order, and of fail, timeout and crash each is at least the one before."""
    assert kind_of(before, "pass") not in WORSE
    kinds = [GRAVE.get(kind_of(before, bad), 0) for bad in ("fail", "timeout", "crash")]
    assert kinds == sorted(kinds)
    assert (kind_of(before, after) in WORSE) or after in ("pass", before) or kind_of(before, after) in ("old", "new")


@given(before=named, after=named, test=st.sampled_from("abcdefgh"), worse=st.sampled_from(["fail", "timeout", "crash"]))
def test_one_more_failure_never_makes_fewer_worse_tests(
    before: dict[str, str], after: dict[str, str], test: str, worse: str
) -> None:
    """A whole comparison: where one test that passed goes wrong instead, nothing else changes and it is held."""
    good, bad = after | {test: "pass"}, after | {test: worse}
    held = [
        {one.test for one in compare(results(before), results(now), {}) if one.kind in WORSE} for now in (good, bad)
    ]
    assert held[0] <= held[1]
    assert (test in held[1]) == (kind_of(before.get(test), worse) in WORSE)  # type: ignore[arg-type]
    every = compare(results(before), results(after), {})
    assert [one.test for one in every] == sorted({*before, *after})


def test_the_same_results_have_no_change_that_is_held() -> None:
    """A driver held against itself has got worse in nothing."""
    assert not [one for one in compare(results(), results(), {}) if one.kind in WORSE]


def test_an_expectation_excuses_the_status_it_names_and_no_other() -> None:
    """A known failure is listed with its reason; the same test crashing, or missing, is held."""
    before = results({"a": "pass", "b": "pass"})
    known = {("a", "fail"): "upstream bug 7"}
    (found, _same) = compare(before, results({"a": "fail", "b": "pass"}), known)
    assert (found.kind, found.why, found.words) == ("known", "upstream bug 7", "a (pass, now fail)")
    assert compare(before, results({"a": "crash", "b": "pass"}), known)[0].kind == "crash"
    lost = compare(before, results({"b": "pass"}), known)[0]
    assert (lost.kind, lost.words) == ("lost", "a (pass, now absent)")

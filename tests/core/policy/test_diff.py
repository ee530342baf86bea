"""The difference of two policies: every key that can change a verdict is told, in its direction."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.week.attempts import looser

BASE = Policy.model_validate(
    {
        "policy_id": "base",
        "rows": {"auto:64": {"min_avg_gflops": 5.0, "max_p95_time_ms": 2.0}},
        "guard": {"min_critical_recall": 0.99, "min_uniform_recall": 0.5},
        "split": {"required_sizes": [64, 96]},
    }
)
LARGER_IS_LOOSER = {
    "guard.sampling_period",
    "guard.z",
    "guard.overhead_violations",
    "guard.alarm_violations",
    "guardrails.t5_overhead_from_size",
    "selector.least_decisions",
    "severity.unlisted",
    "severity.no_data",
    "severity.inconclusive",
    "campaign.soft_streak_limit",
}
LARGER_IS_STRICTER = {"guard.projection_count", "guard.clean_to_enable", "evidence.assumed_sd_percent"}
# How T3 searches decides no verdict by itself.
NEITHER = {"selector.epsilon", "selector.warmup_launches", "selector.exploration_launches"}


def leaves(data: Any, at: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every leaf of the effective policy with its place."""
    if isinstance(data, dict) and data:
        return [leaf for key, value in data.items() for leaf in leaves(value, (*at, str(key)))]
    return [(at, data)]


def with_leaf(at: tuple[str, ...], value: Any) -> Policy:
    """The base policy with one leaf replaced."""
    document = BASE.effective()
    target: Any = document
    for step in at[:-1]:
        target = target[step if step in target else int(step)]
    target[at[-1]] = value
    return Policy.model_validate(document)


def changed(value: Any) -> Any:
    """Another value of the same kind, larger where it is a number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value + 1 if isinstance(value, int) else value * 1.001 or 0.5
    return [*value, 7] if isinstance(value, list) else None


NUMBERS = [
    (at, value)
    for at, value in leaves(BASE.effective())
    if isinstance(value, int | float) and at[0] != "version" and "levels" not in at
]


@pytest.mark.parametrize(("at", "value"), NUMBERS, ids=[".".join(at) for at, _value in NUMBERS])
def test_every_number_is_told_in_its_direction(at: tuple[str, ...], value: float) -> None:
    """A limit, a count or a severity that changed never reads as no difference; the way back has the other word."""
    place = ".".join(at)
    other = with_leaf(at, changed(value) if at[:2] != ("severity", "checks") else value + (1 if value < 3 else -1))
    (there,), (back,) = diff_policies(BASE, other), diff_policies(other, BASE)
    assert there.key == place
    if place in NEITHER:
        assert (there.direction, back.direction) == ("changed", "changed")
        return
    larger = "looser" if "max_" in at[-1] or place in LARGER_IS_LOOSER or "checks" in at else "stricter"
    known = larger == "looser" or at[-1].startswith(("min", "flag")) or place in LARGER_IS_STRICTER
    assert known, f"{place}: say which direction is which"
    grew = other.effective() if at[:2] != ("severity", "checks") else None
    expected = larger if grew is not None or value < 3 else "stricter"
    if at[-1] == "min_throughput_change_percent":
        expected = "looser"  # it is negative, and a thousandth more of it allows more
    assert there.direction == expected
    assert {there.direction, back.direction} == {"looser", "stricter"}


@pytest.mark.parametrize(("at", "value"), NUMBERS, ids=[".".join(at) for at, _value in NUMBERS])
def test_a_rerun_by_a_looser_policy_is_weaker(at: tuple[str, ...], value: float) -> None:
    """What the diff calls looser never lifts a freeze; what it calls stricter does not stand in the way."""
    if at[0] == "campaign":  # older recorded campaigns only
        return
    other = with_leaf(at, changed(value) if at[:2] != ("severity", "checks") else value + (1 if value < 3 else -1))
    for before, after in ((BASE, other), (other, BASE)):
        (change,) = diff_policies(before, after)
        weaker = looser(after.effective(), before.effective())
        assert bool(weaker) is (change.direction == "looser"), weaker


def test_a_waiver_for_what_nothing_spoke_of_is_looser() -> None:
    """What had no limit blocked; what is waived in words does not."""
    waived = with_leaf(("rows",), {**BASE.effective()["rows"], "auto:96": {"waiver": "later"}})
    (change,) = diff_policies(BASE, waived)
    assert (change.key, change.direction) == ("rows.auto:96.waiver", "looser")
    assert diff_policies(waived, BASE)[0].direction == "stricter"
    assert looser(waived.effective(), BASE.effective()) == ("policy.rows.auto:96 is waived now",)


def test_a_row_given_up_for_a_waiver_is_looser() -> None:
    """By its limits; the words by themselves are told as changed."""
    waived = with_leaf(("rows",), {"auto:64": {"waiver": "later"}})
    directions = {change.key: change.direction for change in diff_policies(BASE, waived)}
    assert directions == {
        "rows.auto:64.min_avg_gflops": "looser",
        "rows.auto:64.max_p95_time_ms": "looser",
        "rows.auto:64.waiver": "changed",
    }


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (("scope", "platform"), "clover"),
        (("scope", "kinds"), ["weekly"]),
        (("rollback", "mode"), "never"),
        (("selector", "static_arm"), "packed"),
        (("selector", "freeze_sizes"), [64]),
        (("floors", "waiver"), "none yet"),
        (("split", "baseline"), "pocl"),
        (("split", "required_sizes"), [64]),
        (("guard", "min_critical_recall"), None),
        (("guardrails", "max_correctness_error"), None),
        (("severity", "levels", "1", "within_minutes"), 600),
        (("severity", "levels", "2", "owner"), "nobody"),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_no_number_is_told_too(at: tuple[str, ...], value: Any) -> None:
    """Scope, words that decide, and limits given up."""
    assert diff_policies(BASE, with_leaf(at, value))


def test_what_a_severity_asks_for_is_told_by_its_key() -> None:
    """In either direction."""
    document = BASE.effective()
    document["severity"]["levels"]["2"]["owner"] = "somebody else"
    other = Policy.model_validate(document)
    (there,), (back,) = diff_policies(BASE, other), diff_policies(other, BASE)
    assert (there.key, there.after) == ("severity.levels.2.owner", "somebody else")
    assert (back.before, back.after) == ("somebody else", BASE.severity.levels[2].owner)


@pytest.mark.parametrize(
    ("at", "value", "line"),
    [
        (("rows", "auto:64", "min_avg_gflops"), 4.25, "looser: rows.auto:64.min_avg_gflops 5 -> 4.25"),
        (("rows", "auto:64", "max_p95_time_ms"), None, "looser: rows.auto:64.max_p95_time_ms 2 -> none"),
        (("floors", "waiver"), "none yet", "looser: floors.waiver none -> none yet"),
        (("floors", "min_share_of_service_gflops"), 0.96, "stricter: floors.min_share_of_service_gflops none -> 0.96"),
        (("floors", "min_share_of_service_gflops"), 0.9, "looser: floors.min_share_of_service_gflops none -> 0.9"),
        (("floors", "min_share_of_service_gflops"), 0.95, "changed: floors.min_share_of_service_gflops none -> 0.95"),
        (("split", "required_sizes"), [64], "looser: split.required_sizes (64, 96) -> (64,)"),
    ],
)
def test_a_change_is_one_line(at: tuple[str, ...], value: Any, line: str) -> None:
    """Direction, key, and both values; what is not there or empty is none."""
    (change,) = diff_policies(BASE, with_leaf(at, value))
    assert str(change) == line


def test_words_alone_are_no_difference() -> None:
    """Name, description, notes and reasons decide nothing."""
    document = {**BASE.effective(), "policy_id": "other", "description": "x", "notes": {"a": "b"}}
    document["guardrails"]["drift_reason"] = "x"
    document["rows"]["auto:64"]["notes"] = "x"
    assert diff_policies(BASE, Policy.model_validate(document)) == ()


FULL: dict[str, Any] = {}
ROWS_8 = {"row_samples": 8}
ROWS_4 = {"row_samples": 4}
BOTH_8 = {"row_samples": 8, "col_samples": 8}


@pytest.mark.parametrize(
    ("before", "after", "looser_keys"),
    [
        (FULL, ROWS_8, ("row_samples",)),
        (FULL, BOTH_8, ("row_samples", "col_samples")),
        (FULL, {**BOTH_8, "residual_margin": 1.0}, ("row_samples", "col_samples", "residual_margin")),
        (ROWS_8, ROWS_4, ("row_samples",)),
        (BOTH_8, ROWS_8, ("col_samples",)),
        (BOTH_8, {**BOTH_8, "residual_scale": 9.0}, ("residual_scale",)),
        (BOTH_8, {**BOTH_8, "residual_floor": 0.5}, ("residual_floor",)),
        (ROWS_8, FULL, ()),
        (ROWS_8, BOTH_8, ()),
        (BOTH_8, {**BOTH_8, "residual_scale": 7.0}, ()),
        (FULL, {"residual_scale": 1000.0}, ()),
    ],
    ids=str,
)
def test_a_guard_that_checks_fewer_lines_is_looser(
    before: dict[str, Any], after: dict[str, Any], looser_keys: tuple[str, ...]
) -> None:
    """Full coverage is what no number of lines reaches; without sampled lines the residual keys say nothing."""
    old, new = (BASE.model_copy(update={"guard": BASE.guard.model_copy(update=part)}) for part in (before, after))
    told = {change.key: change.direction for change in diff_policies(old, new)}
    assert {key for key, direction in told.items() if direction == "looser"} == {
        f"guard.{name}" for name in looser_keys
    }
    weaker = looser(new.effective(), old.effective())
    assert len([text for text in weaker if "policy.guard." in text]) >= len(looser_keys)
    assert bool(weaker) is bool(looser_keys)

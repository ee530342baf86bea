"""What leaves evidence out says why, in words, for this run alone."""

from __future__ import annotations

import pytest

from pytest_weekops.plugin.planning import build_plan

WHY = "the machine was replaced"


def _reason(pytester: pytest.Pytester, kind: str, *words: str) -> str:
    """What the plan of a run keeps of its command line."""
    config = pytester.parseconfig(*words)
    labels = ["clover", "rusticl"] if kind == "split" else ["pocl"]
    return build_plan(config, kind, labels=labels, entries={}).no_baseline


@pytest.mark.parametrize(
    "words", [("--no-baseline", WHY), ("--weekops-no-baseline", WHY), (f"--no-baseline= {WHY}\n",)]
)
def test_a_reason_is_kept_in_the_plan(pytester: pytest.Pytester, words: tuple[str, ...]) -> None:
    """In either spelling, in one line."""
    assert _reason(pytester, "weekly", *words) == WHY


def test_nobody_gave_one(pytester: pytest.Pytester) -> None:
    """Then nothing is left out; and an ini value is none."""
    assert _reason(pytester, "weekly") == ""
    pytester.makeini(f"[pytest]\nweekops_no_baseline = {WHY}\n")
    assert _reason(pytester, "weekly") == ""


@pytest.mark.parametrize("reason", ["", " ", "why", "suites/weekly", "a\x1b[1mb c", "word " * 50])
def test_what_is_no_reason_in_words_is_refused(pytester: pytest.Pytester, reason: str) -> None:
    """Nor is a path that the option swallowed."""
    with pytest.raises(pytest.UsageError, match="is no reason in words"):
        _reason(pytester, "weekly", f"--no-baseline={reason}")


@pytest.mark.parametrize("kind", ["canonical", "split"])
def test_other_campaigns_are_held_against_none(pytester: pytest.Pytester, kind: str) -> None:
    """A reason that would leave out nothing is refused."""
    with pytest.raises(pytest.UsageError, match=f"this is a {kind} one, which is held against no baseline"):
        _reason(pytester, kind, "--no-baseline", WHY)


def test_with_and_without_one_is_refused(pytester: pytest.Pytester) -> None:
    """A baseline that is named, and a reason for none."""
    with pytest.raises(pytest.UsageError, match="cannot be judged with it and without it"):
        _reason(pytester, "weekly", "--no-baseline", WHY, "--baseline", "baseline.json")

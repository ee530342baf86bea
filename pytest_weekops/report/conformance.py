"""What others have tested, for people: what changed first, many tests as groups, old failures last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pytest_weekops.core.judge.finding import CheckStatus, Verdict

CHECKS = "conformance_"
_SHOWN = 8  # tests of a group that are named
_WORDS = {
    "crash": "crash and did not before",
    "timeout": "do not end any more",
    "failure": "fail and did not before",
    "lost": "have no result any more",
    "skip": "are skipped and were not before",
    "flaky": "fail now and then and did not before",
    "known": "are known",
    "old": "failed before as well",
    "fixed": "are better than before",
}
_WORSE = ("crash", "timeout", "failure", "lost", "skip", "flaky")


def changed_tests(verdict: Verdict) -> list[dict[str, Any]]:
    """Every test that changed or is not in order, in the order in which people read them: what got worse first.

    ``held``: the check that speaks of it failed; a policy may let some be flaky.
    """
    found = [
        {**one, "held": finding.status is CheckStatus.FAIL}
        for finding in verdict.findings
        if finding.check.startswith(CHECKS)
        for one in finding.details
    ]
    order = list(_WORDS)
    return sorted(found, key=lambda one: (order.index(one["kind"]), one["suite"], one["platform"], one["test"]))


def told_sides(verdict: Verdict) -> str:
    """What was compared with what, or what is lacking; empty where no evidence of others was taken in."""
    return next((finding.message for finding in verdict.findings if finding.check == "conformance_evidence"), "")


def conformance_lines(verdict: Verdict) -> list[str]:
    """A line for what was compared, then one for each group, with the first lines of output of what got worse."""
    told = told_sides(verdict)
    return [told, *_groups(changed_tests(verdict))] if told else []


def _groups(tests: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for (kind, suite, platform), group in groupby(tests, lambda one: (one["kind"], one["suite"], one["platform"])):
        found = list(group)
        names = ", ".join(f"{one['test']}{_why(one)}" for one in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield f"{len(found)} of {suite} on {platform} {_WORDS[kind]}: {names}{more}"
        if kind in _WORSE:
            yield from (f"  {one['test']}: {_first(one)}" for one in found[:_SHOWN] if one.get("output"))


def _why(one: Mapping[str, Any]) -> str:
    return f" ({one['why']})" if one.get("why") else ""


def _first(one: Mapping[str, Any]) -> str:
    return " / ".join(str(one["output"]).splitlines())[:200]

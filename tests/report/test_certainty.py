"""What a verdict says about how certain it is."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Certainty, Decision, Severity, Verdict
from pytest_weekops.report.certainty import certainty_lines


def promoting(kind: str, **certainty: Any) -> Verdict:
    """A promote after three snapshots, as certain as the words say."""
    given = {"spread_source": "5 % assumed", "spread_percent": 5.0} | certainty
    found = Certainty(max_false_block=0.01, max_false_promote=0.025, requirements=1, looks=(3, 5), snapshots=3, **given)
    return Verdict(
        kind=kind,
        rules="strict",
        decision=Decision.PROMOTE,
        findings=(),
        severity=Severity.SEV4,
        owner="nobody",
        respond_within_minutes=0,
        action="none",
        policy_id="p",
        policy_sha256="0" * 64,
        certainty=found,
    )


@pytest.mark.parametrize(
    ("fall", "words"),
    [(8.234, "stable within 8.23 % over 3"), (0.0, "no slower at the end over 3"), (None, "correct; ")],
)
def test_a_promote_says_how_far_it_may_have_fallen(fall: float | None, words: str) -> None:
    """A run that can only have become faster is not called stable within nothing."""
    means = certainty_lines(promoting("weekly", stable_within_percent=fall))[0]
    assert words in means
    assert ("stable" in means) is bool(fall)


@pytest.mark.parametrize(
    ("source", "words"),
    [("0.4 % by calibration", "their calibration says; "), ("5 % assumed", "is assumed; ")],
)
@pytest.mark.parametrize(("ratio", "said"), [(None, False), (1.9, False), (2.0, True), (3.4, True)])
def test_a_run_noisier_than_what_it_rests_on_says_so(ratio: float | None, said: bool, source: str, words: str) -> None:
    """From twice the spread on, and what helps depends on where it comes from."""
    verdict = promoting("split", spread_source=source, spread_percent=0.4, noise_ratio=ratio)
    lines = [line for line in certainty_lines(verdict) if line.startswith("warning: ")]
    assert len(lines) == said
    assert all(f"scatter {ratio:.1f} times as much as {words}" in line for line in lines)
    assert all(("calibrate again" in line) is ("assumed" not in source) for line in lines)

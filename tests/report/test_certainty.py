"""What a verdict says about how certain it is."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from pytest_weekops.core.judge.finding import Certainty, Decision, Severity, Verdict
from pytest_weekops.report.certainty import certainty_lines


def promote(kind: Literal["weekly", "split"], **facts: Any) -> Verdict:
    """A promote after three snapshots, of which this much is certain."""
    usual = {"max_false_block": 0.01, "max_false_promote": 0.025, "requirements": 1, "looks": (3, 5), "snapshots": 3}
    found = Certainty.model_validate({**usual, "spread_percent": 0.4, "spread_source": "5 % assumed", **facts})
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
    ("fall", "words"), [(4.2, "stable within 4.2 % over 3 snapshots"), (0.0, "no fall over 3 snapshots")]
)
def test_a_promote_says_what_it_means(fall: float, words: str) -> None:
    """Speed that only rose did not fall; that it stood still, nobody says."""
    (meaning, *_more) = certainty_lines(promote("weekly", stable_within_percent=fall))
    assert meaning == f"means: correct; {words}; speed not bounded: no baseline is pinned"


@pytest.mark.parametrize(
    ("source", "words"),
    [("0.4 % by calibration", "their calibration says; "), ("5 % assumed", "is assumed; ")],
)
@pytest.mark.parametrize(("ratio", "said"), [(None, False), (1.9, False), (2.0, True), (3.4, True)])
def test_a_run_noisier_than_what_it_rests_on_says_so(ratio: float | None, said: bool, source: str, words: str) -> None:
    """From twice the spread on, and what helps depends on where it comes from."""
    said_of = certainty_lines(promote("split", spread_source=source, noise_ratio=ratio))
    lines = [line for line in said_of if line.startswith("warning: ")]
    assert len(lines) == said
    assert all(f"scatter {ratio:.1f} times as much as {words}" in line for line in lines)
    assert all(("calibrate again" in line) is ("assumed" not in source) for line in lines)

"""Findings and verdicts: what a judgement is made of."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, Literal

from pytest_weekops.core.record import Record


class CheckStatus(StrEnum):
    """Outcome of one check. It starts at ``inconclusive`` and moves only on evidence; ``no_data`` blocks."""

    #: the evidence was looked at and is good
    PASS = "pass"  # noqa: S105 - a status, not a password
    FAIL = "fail"  #: the evidence is there and it is bad
    INCONCLUSIVE = "inconclusive"  #: the evidence is there and does not decide
    NO_DATA = "no_data"  #: evidence that is asked for is not there


class Severity(IntEnum):
    """Severity of a verdict; lower is worse, as on-call people say it (SEV1 is the worst)."""

    SEV1 = 1
    SEV2 = 2
    SEV3 = 3
    SEV4 = 4


class Decision(StrEnum):
    """The verdict's one word."""

    PROMOTE = "promote"
    ITERATE = "iterate"


class ExitStatus(IntEnum):
    """What the process ends with; 2 to 5 are pytest's own and never a promote."""

    PROMOTE = 0  #: promote: every check passed
    ITERATE = 1  #: iterate: at least one check failed
    INTERRUPTED = 2  #: interrupted; what was measured is in the journal
    INTERNAL_ERROR = 3  #: something broke on the way; it says nothing about a driver
    USAGE_ERROR = 4  #: refused: wrong options or paths, or no driver that works
    NOTHING_COLLECTED = 5  #: pytest found no test to run
    ROLLBACK_REQUIRED = 10  #: iterate, and a SEV1 is open: roll back
    INCONCLUSIVE = 11  #: iterate, for want of evidence only


class Finding(Record):
    """One check applied: its status, a stable reason code, the numbers, and what to do about it.

    ``rows`` are the policy rows, cells or cases concerned; ``details`` carries per-row numbers for reports.
    ``strict_only`` marks what the older evaluators would not have raised.
    """

    check: str
    status: CheckStatus
    reason_code: str
    message: str
    observed: float | int | str | None = None
    required: float | int | str | None = None
    rows: tuple[str, ...] = ()
    details: tuple[dict[str, Any], ...] = ()
    strict_only: bool = False
    blocking: bool = True
    severity: Severity | None = None


class Certainty(Record):
    """How certain a verdict is: nominal error rates of the run, all looks and ``requirements`` together.

    Probabilities are shares of one, everything else that ends in ``percent`` is percent of speed. ``spread_percent`` is
    how much one snapshot is taken to vary, and ``spread_source`` where that comes from. ``resolution_percent``: how far
    below a limit a slowdown would have been seen with 95 % power. ``stable_within_percent``: the largest fall along the
    window that is not excluded. ``bounded`` counts the limits on speed, ``open`` the answers that are not decided, and
    ``would_decide`` the snapshots that would decide them, where that can be told. ``noise_ratio``: how much this run's
    snapshots scatter over what their calibration says; over what is assumed where that is exceeded twice, else None.
    """

    max_false_block: float
    max_false_promote: float
    requirements: int
    looks: tuple[int, ...]
    snapshots: int
    spread_percent: float
    spread_source: str
    resolution_percent: float | None = None
    stable_within_percent: float | None = None
    bounded: int = 0
    open: int = 0
    would_decide: int | None = None
    void: int = 0
    measured: int = 0
    noise_ratio: float | None = None


class Verdict(Record):
    """``promote`` or ``iterate``, with every finding in order, the severity, and what is owed.

    ``left_out`` is what a weak policy or profile did not look at: a promote does not speak of it.
    """

    kind: str
    rules: Literal["compat", "strict"]
    decision: Decision
    findings: tuple[Finding, ...]
    severity: Severity
    owner: str
    respond_within_minutes: int
    action: str
    policy_id: str
    policy_sha256: str
    rows: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    certainty: Certainty | None = None

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Names of the blocking checks that did not pass, in order, each once."""
        names = [f.check for f in self.findings if f.blocking and f.status is not CheckStatus.PASS]
        return tuple(dict.fromkeys(names))

    @property
    def inconclusive_checks(self) -> tuple[str, ...]:
        """The subset of ``failed_checks`` that failed for want of evidence only."""
        hard = {f.check for f in self.findings if f.blocking and f.status is CheckStatus.FAIL}
        return tuple(name for name in self.failed_checks if name not in hard)

    @property
    def known_faults(self) -> dict[tuple[str, str, int], str]:
        """Platform, kernel and size of each cell that it leaves out since it is known to fail, and the reason why."""
        found = [f for f in self.findings if (f.check, f.reason_code) == ("expected_faults", "expected")]
        return {
            (one["platform"], one["kernel"], one["size"]): str(one["reason"])
            for finding in found
            for one in finding.details
            if one["state"] == "met" and "kernel" in one
        }

    @property
    def exit_status(self) -> ExitStatus:
        """The process exit status this verdict asks for."""
        if self.decision is Decision.PROMOTE:
            return ExitStatus.PROMOTE
        if self.severity is Severity.SEV1:
            return ExitStatus.ROLLBACK_REQUIRED
        if len(self.inconclusive_checks) == len(self.failed_checks):
            return ExitStatus.INCONCLUSIVE
        return ExitStatus.ITERATE

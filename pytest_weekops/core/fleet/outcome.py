"""What became of one host: its state, whose driver and kernels it had, and what it and the coordinator say of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding, Severity, Verdict
from pytest_weekops.core.record import Record


class HostState(StrEnum):
    """Where a host has come to, by the coordinator's own judgement."""

    PROMOTED = "promoted"  #: its gate ended in promote, judged by the coordinator
    ITERATE = "iterate"  #: its gate ended in iterate, and not for want of evidence
    INCONCLUSIVE = "inconclusive"  #: the evidence is there and does not decide
    NO_DATA = "no_data"  #: it answered, and evidence that is asked for is not there
    LOST = "lost"  #: it never answered, or fell silent
    LATE = "late"  #: it had not ended when its time was up
    REFUSED = "refused"  #: another version, other kernels or policies, or records that are not believed
    OTHER_DRIVER = "other_driver"  #: it measured another driver than was asked for


#: states in which a host says nothing of the driver
MISSING = frozenset({HostState.NO_DATA, HostState.LOST, HostState.LATE})


class HostVerdict(Record):
    """What one judgement of a host's journal came to."""

    decision: Decision
    severity: Severity
    exit_status: int

    @classmethod
    def of(cls, verdict: Verdict) -> HostVerdict:
        """The few words that a fleet needs of a run's verdict."""
        return cls(decision=verdict.decision, severity=verdict.severity, exit_status=int(verdict.exit_status))


class CellEstimate(Record):
    """One cell of a host as a logarithm, with its standard error.

    ``of`` ``ratio``: natural logarithm of candidate over baseline throughput, both measured on this host.
    ``of`` ``throughput``: natural logarithm of throughput in the cell's own unit (GFLOPS or GB/s).
    """

    cell: str = Field(max_length=200)  # for example "pocl gemm_auto:1400"
    of: Literal["ratio", "throughput"]
    log: float = Field(ge=-100, le=100, allow_inf_nan=False)
    sd: float = Field(ge=0, le=100, allow_inf_nan=False)  # standard error of `log`


class HostOutcome(Record):
    """What became of one host in one fleet run.

    Hashes are SHA-256 in hexadecimal, empty where the host never said. ``own`` is the verdict that the host says it
    reached, ``judged`` the coordinator's over the same journal, ``findings`` the latter's. ``why`` is a sentence about
    a state that no finding explains.
    """

    host: str
    label: str
    state: HostState
    week: str = ""
    plan_sha256: str = ""
    policy_sha256: str = ""
    kernels_sha256: str = ""
    version: str = ""  # of this package, on the host
    driver: str = ""  # its version, in words
    driver_sha256: str = ""  # of its identity
    journal_sha256: str = ""
    own: HostVerdict | None = None
    judged: HostVerdict | None = None
    findings: tuple[Finding, ...] = ()
    estimates: tuple[CellEstimate, ...] = ()
    why: str = ""


def state_of(verdict: Verdict) -> HostState:
    """The state of a host whose journal the coordinator judged so."""
    if verdict.decision is Decision.PROMOTE:
        return HostState.PROMOTED
    against = [finding.status for finding in verdict.findings if finding.blocking]
    if CheckStatus.FAIL in against:
        return HostState.ITERATE
    return HostState.INCONCLUSIVE if set(against) <= {CheckStatus.PASS, CheckStatus.INCONCLUSIVE} else HostState.NO_DATA


class Asked(Record):
    """What a fleet run asked every host for; an outcome of anything else is refused.

    ``plans``, ``policies`` and ``drivers`` are by label: SHA-256 of the plan and of the effective policy, and of the
    driver identities that were asked for (none: whatever answers). ``hosts`` are those that this run, or this stage of
    it, is about; empty means every host of the file.
    """

    week: str
    version: str
    kernels_sha256: str
    plans: dict[str, str]
    policies: dict[str, str]
    drivers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    hosts: tuple[str, ...] = ()

"""Fleets and outcomes for tests: small ones that promote, to be made worse."""

from __future__ import annotations

from typing import Any

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import Asked, CellEstimate, HostOutcome, HostState, HostVerdict
from pytest_weekops.core.judge.finding import Decision, Severity

WEEK, VERSION, KERNELS, PLAN, POLICY = "2026-W48", "1.0", "c" * 64, "a" * 64, "b" * 64


def make_fleet(hosts: int = 4, **changes: Any) -> FleetFile:
    """One label ``x`` of so many local hosts, ``a-1`` and so on."""
    document: dict[str, Any] = {
        "version": 1,
        "fleet_id": "rack",
        "pools": {"a": {"label": "x", "local": {"workers": hosts}}},
        "labels": {"x": {"profiles": ["pocl"]}},
    }
    return FleetFile.model_validate({**document, **changes})


def make_asked(fleet: FleetFile, **changes: Any) -> Asked:
    """What a run of this fleet asks for."""
    facts: dict[str, Any] = {
        "week": WEEK,
        "version": VERSION,
        "kernels_sha256": KERNELS,
        "plans": dict.fromkeys(fleet.labels, PLAN),
        "policies": dict.fromkeys(fleet.labels, POLICY),
    }
    return Asked(**{**facts, **changes})


PROMOTED = HostVerdict(decision=Decision.PROMOTE, severity=Severity.SEV4, exit_status=0)
SLOW = HostVerdict(decision=Decision.ITERATE, severity=Severity.SEV2, exit_status=1)
WRONG = HostVerdict(decision=Decision.ITERATE, severity=Severity.SEV1, exit_status=10)
OPEN = HostVerdict(decision=Decision.ITERATE, severity=Severity.SEV3, exit_status=11)
_SAID = {HostState.PROMOTED: PROMOTED, HostState.ITERATE: SLOW, HostState.INCONCLUSIVE: OPEN}


def make_outcome(host: str, state: str = "promoted", **changes: Any) -> HostOutcome:
    """What became of one host, believed as it stands."""
    known = HostState(state)
    facts: dict[str, Any] = {
        "host": host,
        "label": "x",
        "state": known,
        "week": WEEK,
        "plan_sha256": PLAN,
        "policy_sha256": POLICY,
        "kernels_sha256": KERNELS,
        "version": VERSION,
        "driver": "25.2",
        "driver_sha256": "d" * 64,
        "journal_sha256": f"journal of {host}",
        "own": _SAID.get(known),
        "judged": _SAID.get(known),
    }
    return HostOutcome(**{**facts, **changes})


def make_outcomes(fleet: FleetFile, **states: str) -> list[HostOutcome]:
    """Every host promoted but those named, ``a_2="lost"`` for ``a-2``."""
    named = {host.replace("_", "-"): state for host, state in states.items()}
    return [make_outcome(host.name, named.get(host.name, "promoted"), label=host.label) for host in fleet.hosts]


def throughput(log: float, cell: str = "auto:256") -> CellEstimate:
    """A cell's throughput, as a logarithm."""
    return CellEstimate(cell=cell, of="throughput", log=log, sd=0.01)


def ratio(log: float, cell: str = "auto:256", sd: float = 0.01) -> CellEstimate:
    """A cell's candidate over baseline, as a logarithm."""
    return CellEstimate(cell=cell, of="ratio", log=log, sd=sd)

"""Ledger entries made of facts alone: runs and rollbacks as the pure side of a week reads them, without a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.week.entry import ROLLBACK, RUN, Entry, RunEntry, run_entries
from pytest_weekops.core.week.tracks import RunEvidence

W48 = Week(2026, 48)
TUESDAY = "2026-11-24T12:00:00+00:00"
PLAN: dict[str, Any] = {"platforms": ["pocl"], "kernels": ["auto"], "sizes": [128, 256], "seeds": [11], "snapshots": 6}
Part = RunEntry | tuple[str, str, Mapping[str, Any]]


def promote(run_id: str, kind: str = "weekly", **facts: Any) -> RunEntry:
    """A complete run that ended in promote."""
    defaults: dict[str, Any] = {
        "created_at": TUESDAY,
        "command": ("pytest", f"suites/{kind}"),
        "decision": "promote",
        "exit_status": 0,
        "severity": 4,
        "owner": "somebody",
        "policy_id": "p",
        "policy_sha256": "a" * 64,
        "policy": {"policy_id": "p"},
        "plan": PLAN,
        "counts": {"planned": 12, "measured": 12},
        "hardware": {"pocl": "a processor"},
        "drivers": {"pocl": "1"},
    }
    return RunEntry.model_validate({"run_id": run_id, "kind": kind, **defaults, **facts})


def failure(run_id: str, kind: str = "weekly", **facts: Any) -> RunEntry:
    """A run at SEV1, to be answered within a quarter of an hour."""
    bad = {"decision": "iterate", "exit_status": 10, "severity": 1, "failed_checks": ("all_runs_success",)}
    owed = {"owner": "on call", "respond_within_minutes": 15, "action": "roll back"}
    return promote(run_id, kind, **{**bad, **owed, **facts})


def stage(name: str, **body: Any) -> Part:
    """A step of a rollback from pocl to clover."""
    names = {"from": {"platform": "pocl"}, "to": {"platform": "clover"}}
    return ROLLBACK, name, {"stage": name, **names, **body}


def numbered(*parts: Part) -> tuple[Entry, ...]:
    """Unchained entries in this order."""
    found = []
    for seq, part in enumerate(parts, start=1):
        if isinstance(part, RunEntry):
            part = (RUN, part.run_id, part.model_dump(mode="json", exclude={"seq"}))
        kind, key, body = part
        found.append(Entry(seq, kind, key, str(body.get("created_at", TUESDAY)), body))
    return tuple(found)


def evidence_of(
    entries: Sequence[Entry], *, without: str = "", problems: Mapping[str, str] | None = None
) -> list[RunEvidence]:
    """Two intact files of every run of week 48; ``problems`` by run id."""
    wrong = problems or {}
    return [
        RunEvidence(
            run,
            tuple(
                {"path": f"{run.run_id}/{name}", "sha256": "0" * 64, "intact": run.run_id not in wrong}
                for name in ("decision.json", "journal.jsonl")
            ),
            (wrong[run.run_id],) if run.run_id in wrong else (),
        )
        for run in run_entries(entries)
        if run.week == W48 and run.run_id != without
    ]


HEALTHY = (promote("gate", "canonical"), promote("replay"), promote("split", "split"))

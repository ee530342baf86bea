"""Pinned baselines: one file per device, made from a promoted run, read back with its hash checked."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.beside import stands_beside
from pytest_weekops.core.judge.campaign import Baseline, BaselineRow, Campaign, live_campaign
from pytest_weekops.core.judge.metrics import all_launches, cell_unit, mean_anchor, mean_gbs, mean_gflops
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.evidence.stored_run import StoredRun
from pytest_weekops.evidence.tuning_event import EVENT, tuned_variants
from pytest_weekops.files.atomic import write_atomic

if TYPE_CHECKING:
    from pytest_weekops.core.judge.finding import Verdict

SCHEMA = "weekops-baseline/1"


def pinned_path(directory: Path, profile: str, hardware: str) -> Path:
    """Where the baseline of a device lives. The name is a slug and a hash: device names are not path names."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", f"{profile}-{hardware}").strip("-")[:60]
    digest = hashlib.sha256(f"{profile}\0{hardware}".encode()).hexdigest()[:8]
    return directory / f"{slug}-{digest}.json"


def load_baseline(path: Path) -> Baseline:
    """Read a pinned baseline. Raises ``InputError`` where it is not one, was altered, or has no rows."""
    return read_baseline(path)[0]


def read_baseline(path: Path) -> tuple[Baseline, str]:
    """A pinned baseline and its hash, by which the ledger knows it. Raises ``InputError`` as :func:`load_baseline`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        body, stored = document["baseline"], document["sha256"]
        if document["schema"] != SCHEMA:
            raise _refusal(path, f"has schema {document['schema']!r}, not {SCHEMA}")
        if _digest(body) != stored:
            raise _refusal(path, "was altered since it was pinned: its hash does not fit")
        baseline = Baseline.model_validate(body)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise _refusal(path, f"is no baseline: {str(error).splitlines()[0]}") from error
    if not baseline.rows:
        raise _refusal(path, "has no rows, so it could not fail anything")
    return baseline, str(stored)


def _refusal(path: Path, problem: str) -> InputError:
    return InputError(
        f"Baseline {path} {problem}. Floors taken from it would mean nothing. Pin a promoted run: "
        "weekops baseline pin RUN."
    )


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def baselines_of(run: StoredRun, verdict: Verdict, journal: Path) -> list[Baseline]:
    """One baseline per platform of a promoted weekly run. Raises ``InputError`` for any other run."""
    if run.kind != "weekly":
        raise InputError(f"Run {run.run_id} is a {run.kind} run. Only a weekly run has floors to pin. Name one.")
    if verdict.decision.value != "promote":
        raise InputError(
            f"Run {run.run_id} ends in iterate ({', '.join(verdict.failed_checks)}). A baseline from a run that "
            "was not promoted would make its faults the norm. Pin a promoted run."
        )
    campaign = live_campaign(run.plan, run.records, identities=run.identities, created_at=run.created_at)
    digest = hashlib.sha256(journal.read_bytes()).hexdigest()
    return [
        Baseline(
            profile=identity.profile,
            hardware=identity.hardware,
            run_id=run.run_id,
            created_at=run.created_at,
            source_sha256=digest,
            rows=_rows(campaign, platform),
            tuned=_tuned(run, platform),
            identity=identity,
            files=campaign.driver_files(platform),
        )
        for platform, identity in run.identities.items()
    ]


def _tuned(run: StoredRun, platform: str) -> tuple[str, ...]:
    events = [e.data for e in run.events if e.type == EVENT and e.data.get("platform") == platform]
    return tuned_variants(events[-1]) if events else ()


def _rows(campaign: Campaign, platform: str) -> tuple[BaselineRow, ...]:
    return tuple(
        BaselineRow(
            kernel=kernel,
            size=size,
            mean_gflops=mean_gflops(rows),
            p95_ms=percentile95(all_launches(rows)),
            anchor_ms=mean_anchor(rows),
            unit=unit,
            mean_gbs=mean_gbs(rows) if unit == "GB/s" else None,
            beside=stands_beside(campaign, (label, kernel, size)),
        )
        for (label, kernel, size), rows in campaign.good.items()
        if label == platform and (unit := cell_unit(rows)) is not None
    )


def promoted_baselines(run: StoredRun, journal: Path) -> list[Baseline]:
    """A baseline for each device of a run, judged again from its journal. Raises ``InputError`` for one that failed."""
    from pytest_weekops.evidence.judging import judge_stored

    finished = [event for event in run.events if event.type == "end"]
    if not finished or finished[-1].data.get("exit_status") != 0:
        raise InputError(
            f"Run {run.run_id} did not end with exit status 0. Only a run that was promoted as a whole can be pinned."
        )
    return baselines_of(run, judge_stored(run), journal)


def baseline_sha256(baseline: Baseline) -> str:
    """The hash that a baseline's file will hold."""
    return _digest(baseline.model_dump(mode="json"))


def write_baseline(baseline: Baseline, directory: Path) -> Path:
    """Write a baseline to its device's file, whatever was there. Raises ``WeekopsError`` where the disk refuses."""
    body = baseline.model_dump(mode="json")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    document = {"schema": SCHEMA, "pinned_at": now, "sha256": _digest(body), "baseline": body}
    path = pinned_path(directory, baseline.profile, baseline.hardware)
    write_atomic(path, json.dumps(document, indent=2, sort_keys=True) + "\n")
    return path

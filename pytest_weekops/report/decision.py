"""``decision.json``: everything a machine needs to know about one run's verdict, and how it can be checked."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_weekops import __version__
from pytest_weekops.core.judge.campaign import Baseline
from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.measurement.applicability import not_applicable
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.peak_bound import PeakRecord
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity, GateRecord, Measurement
from pytest_weekops.core.measurement.segments import Segment

SCHEMA = "weekops-decision/1"


def schema() -> dict[str, Any]:
    """The JSON Schema of ``decision.json`` (draft 2020-12), as shipped."""
    text = Path(__file__).with_name("decision.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def count_records(
    records: Sequence[object], plan: CampaignPlan, identities: Mapping[str, DeviceIdentity]
) -> dict[str, int]:
    """How many cases were planned, of those that the devices can run, and how the measurements ended.

    ``stayed_void``, of a run with looks: planned cases that the host took away each time, where others stand in for
    them; the judge says whether those are enough.
    """
    measured = [record for record in records if isinstance(record, Measurement)]
    counts = Counter(record.status.value for record in measured if not record.void)
    launches = sum(len(s.wall_ns) for m in measured if not m.void for s in m.sessions if s.verified)
    out = not_applicable(plan, identities)
    places = [(p, kernel) for p in plan.platforms for kernel in plan.kernels if plan.kind != "canonical"]
    planned = sum(place not in out for place in places) * len(plan.sizes) * len(plan.seeds) * plan.snapshots
    counted = {m.case for m in measured if not m.void}
    stayed_void = 0
    if plan.looks:
        lost = {m.case for m in measured if m.void} - counted
        stayed_void = sum((c.platform, c.kernel) in places and (c.platform, c.kernel) not in out for c in lost)
    return {
        "planned": planned,
        "measured": len(counted),
        **({"stayed_void": stayed_void} if stayed_void else {}),
        "void": sum(m.void for m in measured),
        "verified_launches": launches,
        "gates_failed": sum(isinstance(r, GateRecord) and not r.passed for r in records),
        **dict(sorted(counts.items())),
    }


def artifact(path: Path, root: Path) -> dict[str, Any]:
    """Relative path, SHA-256 and size of one file of the run."""
    data = path.read_bytes()
    return {"path": path.relative_to(root).as_posix(), "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def build_decision(
    verdict: Verdict,
    *,
    run_id: str,
    created_at: str,
    command: Sequence[str],
    exit_status: int,
    plan: CampaignPlan,
    policy: Mapping[str, Any],
    identities: Mapping[str, DeviceIdentity],
    kernels: Mapping[str, str],
    counts: Mapping[str, int],
    artifacts: Sequence[Mapping[str, Any]],
    baselines: Sequence[Baseline] = (),
    version: str = __version__,
    segments: Sequence[Segment] = (),
    listings: Mapping[str, DriverListing] | None = None,
    peaks: Sequence[PeakRecord] = (),
) -> dict[str, Any]:
    """The decision as strict JSON data. ``decision`` is promote only where verdict and exit status both say so.

    ``baselines`` are the pinned ones that the run was held against: a rerun without them is a weaker one. ``version``
    is that of the program that made the run. ``segments`` are told where there are several: it was gone on with.
    ``listings`` are the files of each platform's driver, as they were last, ``peaks`` what level 0 measured of devices.
    """
    promoted = verdict.decision.value == "promote" and exit_status == 0
    return {
        "schema": SCHEMA,
        "version": version,
        "run_id": run_id,
        "kind": verdict.kind,
        "created_at": created_at,
        "command": list(command),
        "decision": "promote" if promoted else "iterate",
        "exit_status": exit_status,
        "severity": int(verdict.severity),
        "failed_checks": list(verdict.failed_checks),
        "inconclusive_checks": list(verdict.inconclusive_checks),
        "verdict": verdict.model_dump(mode="json"),
        "policy": {"id": verdict.policy_id, "sha256": verdict.policy_sha256, "effective": dict(policy)},
        "plan": plan.model_dump(mode="json"),
        "identities": {label: identity.model_dump(mode="json") for label, identity in identities.items()},
        "driver_files": {
            label: {"sha256": listing.digest, "files": [file.model_dump(mode="json") for file in listing.files]}
            for label, listing in (listings or {}).items()
        },
        "baselines": [baseline.model_dump(mode="json") for baseline in baselines],
        "kernels": dict(kernels),
        "counts": dict(counts),
        "artifacts": [dict(entry) for entry in artifacts],
        **({"peaks": [peak.model_dump(mode="json") for peak in peaks]} if peaks else {}),
        **({"segments": [segment.model_dump(mode="json") for segment in segments]} if len(segments) > 1 else {}),
    }

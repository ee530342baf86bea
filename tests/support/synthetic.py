"""Healthy live campaigns made of numbers, for tests that then break one thing."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pytest_weekops.core.judge.campaign import Campaign, live_campaign
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.lane_records import GuardEvidence, SelectorEvidence
from pytest_weekops.core.measurement.plan import CampaignPlan, PressurePlan
from pytest_weekops.core.measurement.records import (
    Case,
    DeviceIdentity,
    GateRecord,
    Measurement,
    MeasurementStatus,
    PartnerRecord,
    PartnerSamples,
    PressureRecord,
    SessionSamples,
    Turns,
)
from pytest_weekops.core.measurement.schedule import expected_gates, measuring_order

STARTED = "2026-11-24T12:00:00+00:00"
PARTNERS_LIBRARY = "5" * 64
Records = list[Measurement | PressureRecord | GateRecord | PartnerRecord]


def make_identity(profile: str) -> DeviceIdentity:
    """An identity that differs by profile only."""
    return DeviceIdentity(
        profile=profile,
        platform_name=profile,
        platform_vendor="nobody",
        platform_version="OpenCL 3.0",
        device_name=f"{profile} device",
        device_vendor="nobody",
        device_type="cpu",
        driver_version="1",
        device_version="OpenCL 3.0",
        library=f"lib{profile}.so",
        library_sha256="0" * 64,
        icd="",
        hardware="a processor x 2",
        host="host",
        compute_units=64,
        max_work_group_size=1024,
        local_mem_bytes=32768,
        global_mem_bytes=2**33,
        max_alloc_bytes=2**32,
    )


def make_plan(kind: str = "weekly", **changes: Any) -> CampaignPlan:
    """A small plan whose profile gives 96 launches per cell."""
    split = kind == "split"
    facts: dict[str, Any] = {
        "kind": kind,
        "platforms": ("clover", "rusticl") if split else ("pocl",),
        "kernels": ("auto",),
        "sizes": (128, 256),
        "seeds": (412, 512) if split else (11,),
        "snapshots": 6,
        "pressure": PressurePlan(pulses=1, iterations=1),
        "baseline_platform": "clover" if split else None,
        "candidate_platform": "rusticl" if split else None,
        "min_rusticl_ratio": 0.85 if split else None,
        "max_run_delay_percent": 5.0,
        **changes,
    }
    plan = CampaignPlan.model_validate(facts)
    canonical = ("shapes",) if kind == "canonical" else ()
    return plan.model_copy(update={"gates": expected_gates(plan, canonical=canonical)})


def make_measurement(
    case: Case, *, plan: CampaignPlan, speed: float = 1.0, rng: random.Random | None = None
) -> Measurement:
    """An ok measurement; launches take ``size / speed`` microseconds give or take two percent."""
    rng = rng or random.Random(repr(case))
    base = case.size * 1000.0 / speed
    sessions = tuple(
        SessionSamples(
            session=number,
            warmup_ns=(int(base),) * 2,
            wall_ns=tuple(max(1, int(base * rng.uniform(0.98, 1.02))) for _ in range(plan.iterations)),
            cpu_ns=(1,) * plan.iterations,
            delay_ns=(0,) * plan.iterations,
            verified=True,
            max_abs_error=1e-5,
            k_scaled_error=1.2,
        )
        for number in range(1, plan.sessions + 1)
    )
    return Measurement(
        case=case,
        status=MeasurementStatus.OK,
        variant="packed",
        flops=2.0 * case.size**3,
        identity=make_identity(case.platform),
        sessions=sessions,
        guard=GuardEvidence(overhead_percent=1.0, false_positive_rate=0.0, disable_events=0, checks=16)
        if case.kernel == "auto_t5_guarded"
        else None,
        selector=SelectorEvidence(fallback_rate=0.0, policy_disabled=False)
        if case.kernel == "auto_t3_controlled"
        else None,
        host=HostCondition(anchor_before_ms=10.0, anchor_after_ms=10.1, steal_percent=0.0),
        turns=_turns(case, plan) if plan.in_turns else None,
        started_at=STARTED,
    )


def make_partner(plan: CampaignPlan) -> PartnerRecord:
    """Who the plan's partner was."""
    assert plan.partner is not None
    identity = make_identity(plan.partner.label).model_copy(update={"library_sha256": PARTNERS_LIBRARY})
    return PartnerRecord(label=plan.partner.label, role=plan.partner.role, identity=identity)


def with_partner(measurement: Measurement, plan: CampaignPlan, *, speed: float = 1.0) -> Measurement:
    """A measurement beside the plan's partner, whose speed that is."""
    partner = make_partner(plan)
    case = measurement.case.model_copy(update={"platform": partner.label})
    rng = random.Random(f"beside {measurement.case!r}")
    theirs = make_measurement(case, plan=plan.model_copy(update={"partner": None}), speed=speed, rng=rng)
    samples = PartnerSamples(
        platform=partner.label,
        library_sha256=partner.identity.library_sha256,
        driver_version="1",
        variant=theirs.variant,
        kernel_sha256=theirs.kernel_sha256,
        sessions=theirs.sessions,
    )
    turns = Turns(letter="B", order=("ABBA" * (plan.iterations // 2),) * plan.sessions, partner=samples)
    return measurement.model_copy(update={"turns": turns})


def _turns(case: Case, plan: CampaignPlan) -> Turns:
    """Blocks of ABBA that fill the plan's sessions, an even number of launches each."""
    is_baseline = case.platform == plan.baseline_platform
    return Turns(
        letter="A" if is_baseline else "B",
        order=("ABBA" * (plan.iterations // 2),) * plan.sessions,
        with_platform=plan.platforms[is_baseline],
    )


def make_records(plan: CampaignPlan, *, speed: Callable[[Case], float] = lambda _case: 1.0) -> Records:
    """Every record a complete, healthy run of this plan writes."""
    records: Records = [make_partner(plan)] if plan.partner is not None else []
    records += [_gate(key) for key in plan.gates if key.startswith("opening")]
    if plan.kind != "canonical":
        for snapshot in range(1, plan.snapshots + 1):
            for platform in plan.platforms:
                pulses = plan.pressure.pulses
                records.append(
                    PressureRecord(platform=platform, snapshot=snapshot, requested=pulses, completed=pulses, failures=0)
                )
        records += [_measured(case, plan, speed) for case in measuring_order(plan)]
    records += [_gate(key) for key in plan.gates if not key.startswith("opening")]
    return stamped(records)


def _measured(case: Case, plan: CampaignPlan, speed: Callable[[Case], float]) -> Measurement:
    alone = make_measurement(case, plan=plan, speed=speed(case))
    if plan.partner is None:
        return alone
    return with_partner(alone, plan, speed=speed(case.model_copy(update={"platform": plan.partner.label})))


def stamped(records: Sequence[Any], at: str = STARTED) -> Records:
    """The records with stamps and orders of measurements that followed each other from a moment on."""
    clock, place, order, whole = 10**12, 0, 0, list(records)
    while place < len(whole):
        unit = [place] if isinstance(whole[place], Measurement) else []
        if (
            unit
            and whole[place].turns is not None
            and whole[place].turns.with_platform
            and _is_pair(*whole[place : place + 2])
        ):
            unit = [place, place + 1]
        started = (datetime.fromisoformat(at) + timedelta(microseconds=min(clock - 10**12, 10**18) / 1e3)).isoformat()
        begun = clock
        stamps, clock = _stamps([whole[p] for p in unit], clock)
        for p, starts in zip(unit, stamps, strict=True):
            order += 1
            sessions = tuple(
                session.model_copy(update={"start_ns": tuple(mine)})
                for session, mine in zip(whole[p].sessions, starts, strict=True)
            )
            facts = {"order": order, "started_at": started, "elapsed_s": min(clock - begun, 10**18) / 1e9 / len(unit)}
            whole[p] = whole[p].model_copy(update={"sessions": sessions, **facts})
        place += len(unit) or 1
    return whole


def _is_pair(first: Measurement, second: object = None) -> bool:
    def cell(m: Measurement) -> Case:
        return m.case.model_copy(update={"platform": ""})

    return isinstance(second, Measurement) and cell(first) == cell(second) and first.case != second.case


def _stamps(group: Sequence[Measurement], clock: int) -> tuple[list[list[list[int]]], int]:
    """Starts of the launches of each measurement by session, and when all are over; two of them launch by turns."""
    found: list[list[list[int]]] = [[] for _ in group]
    for number in range(max((len(m.sessions) for m in group), default=0)):
        mine = [m.sessions[number] if number < len(m.sessions) else None for m in group]
        clock += sum(sum(session.warmup_ns) for session in mine if session is not None)
        for starts, session in zip(found, mine, strict=True):
            starts.extend([[]] if session is not None else [])
        for turn in range(max(len(session.wall_ns) for session in mine if session is not None)):
            for starts, session in zip(found, mine, strict=True):
                if session is not None and turn < len(session.wall_ns):
                    starts[-1].append(clock)
                    clock += max(0, session.wall_ns[turn]) + 1000
    return found, clock + 10**6


def _gate(key: str) -> GateRecord:
    stage, gate, platform = key.split("/")
    return GateRecord(gate=gate, stage=stage, platform=platform, passed=True)


def make_campaign(plan: CampaignPlan, records: Sequence[Any], **facts: Any) -> Campaign:
    """The records as the judge takes them, stamped anew: what a test altered happened, and took its time."""
    began = next((r.started_at for r in records if isinstance(r, Measurement) and r.started_at), STARTED)
    records = stamped(records, began)
    return live_campaign(plan, records, identities={p: make_identity(p) for p in plan.platforms}, **facts)

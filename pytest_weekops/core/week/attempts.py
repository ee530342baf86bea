"""Attempts of a week: what a rerun changed about its profile, and what of that makes it weaker than before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.policy.conformance_rules import ConformanceRules
from pytest_weekops.core.policy.guard_strength import SAMPLING, strengths
from pytest_weekops.core.week.cells_held import added_variants, fewer_applicable, fewer_cells, fewer_variants
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.expected import more_expected
from pytest_weekops.core.week.floors_held import lower_floors

_COUNTS = ("snapshots", "sessions", "iterations", "session_ms", "cold_starts")
_LISTS = ("platforms", "kernels", "sizes", "seeds", "required_sizes", "gates", "evidence")
_LARGER_IS_STRICTER = ("min_", "minimum_", "flag_", "projection_count", "clean_to_enable", "assumed_sd_percent")
_SMALLER_IS_STRICTER = (
    "max_",
    "t5_overhead_from_size",
    "soft_streak_limit",
    "voids_until_",
    "sampling_period",
    "z",
    "overhead_violations",
    "alarm_violations",
    "least_decisions",
    "severity_of_",
)
_OTHER_SEVERITIES = (("severity", "unlisted"), ("severity", "no_data"), ("severity", "inconclusive"))


@dataclass(frozen=True)
class Change:
    """How a rerun's profile differs from an earlier attempt's: ``weaker`` forbids a promote, ``other`` is listed."""

    weaker: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One run of a week: number ``n`` of its kind, compared with the attempt before."""

    n: int
    run: RunEntry
    change: Change = field(default_factory=Change)


def attempts_of(runs: Sequence[RunEntry], week: Week) -> tuple[Attempt, ...]:
    """The attempts of a week, numbered per kind, in the order in which they were recorded."""
    found: list[Attempt] = []
    for run in runs:
        if run.week == week:
            earlier = [attempt for attempt in found if attempt.run.kind == run.kind]
            change = compare(run, earlier[-1].run) if earlier else Change()
            found.append(Attempt(len(earlier) + 1, run, change))
    return tuple(found)


def compare(run: RunEntry, before: RunEntry) -> Change:
    """What ``run`` changed against ``before``, and which of it is weaker."""
    weaker = [*_weaker_plan(run, before), *looser(run.policy, before.policy)]
    other = list(_other_changes(run, before))
    return Change(tuple(weaker), tuple(other))


def _weaker_plan(run: RunEntry, before: RunEntry) -> Iterator[str]:
    if not run.plan or not before.plan:
        yield "the plan of one of the runs is unknown"
        return
    for name in _COUNTS:
        new, old = _least(run.plan.get(name)), _least(before.plan.get(name))
        if new < old:
            said = f"{new:g}" if math.isfinite(new) else "unknown"
            yield f"{name} {said}, was {old:g}"
    for name in _LISTS:
        gone = [str(v) for v in _items(before.plan.get(name)) if v not in _items(run.plan.get(name))]
        if gone:
            yield f"without {name.replace('_', ' ')} {', '.join(gone)}"
    yield from more_expected(run.plan.get("expected"), before.plan.get("expected"))
    yield from more_expected(run.plan.get("known_tests"), before.plan.get("known_tests"))
    yield from more_expected(run.plan.get("known_losses"), before.plan.get("known_losses"))
    untimed = [str(v) for v in _items(run.plan.get("results_only")) if v not in _items(before.plan.get("results_only"))]
    if untimed:
        yield f"without the times of {', '.join(untimed)}"
    yield from _weaker_pressure(run.plan.get("pressure") or {}, before.plan.get("pressure") or {})
    yield from _weaker_ratio(run.plan, before.plan)
    service, was = _service(run.plan), _service(before.plan)
    if was and service != was:
        yield f"held against {service or 'no driver in service'}, was against {was}"
    if run.plan.get("lock_namespace") and not before.plan.get("lock_namespace"):
        yield "the device held against some gates only (lock namespace), was held against all"
    for label, silicon in before.hardware.items():
        if silicon and run.hardware.get(label, "") != silicon:
            yield f"{label} on other hardware ({run.hardware.get(label) or 'unknown'}, was {silicon})"
    if "times_possible" in before.failed_checks and (gone := [p for p in before.peaks if p not in run.peaks]):
        yield f"without the level 0 of {', '.join(gone)}, beyond which launches were"
    yield from fewer_variants(run.plan, before.plan)
    added = added_variants(run.plan, before.plan)
    yield from fewer_applicable(run.not_applicable, before.not_applicable, added=added)
    yield from fewer_cells(run.plan, run.results, before.results)
    yield from lower_floors(run.baselines, before.baselines)


def _weaker_pressure(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    for name in ("pulses", "iterations", "size"):
        if _least(new.get(name)) < _least(old.get(name)):
            yield f"pressure {name} {_least(new.get(name)):g}, was {_least(old.get(name)):g}"
    if old.get("mode") == "during" and new.get("mode") != "during":
        yield "pressure before the launches, was during them"


def _weaker_ratio(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    if old.get("min_rusticl_ratio") is None:
        return
    if _least(new.get("min_rusticl_ratio")) < _least(old["min_rusticl_ratio"]):
        yield f"min_rusticl_ratio {new.get('min_rusticl_ratio')}, was {old['min_rusticl_ratio']}"
    for name in ("baseline_platform", "candidate_platform"):
        if new.get(name) != old.get(name):
            yield f"{name.replace('_', ' ')} {new.get(name)}, was {old.get(name)}"


def _service(plan: Mapping[str, Any]) -> str:
    """The driver in service that a plan's runs are held against, as it was asked for; nothing without one."""
    partner = plan.get("partner")
    if not isinstance(partner, Mapping) or partner.get("role") != "service":
        return ""
    return str(partner.get("asked") or partner.get("label"))


def _other_changes(run: RunEntry, before: RunEntry) -> Iterator[str]:
    if run.policy_sha256 != before.policy_sha256:
        yield f"policy {run.policy_id or 'unknown'}, was {before.policy_id or 'unknown'}"
    for name in (*_COUNTS, *_LISTS, "pressure", "deadlines", "device_pattern", "snapshot_interval_s"):
        if run.plan.get(name) != before.plan.get(name):
            yield f"{name.replace('_', ' ')} changed"
    for label, driver in before.drivers.items():
        if label in run.drivers and run.drivers[label] != driver:
            yield f"{label} has another driver ({run.drivers[label]}, was {driver})"


def _least(value: Any) -> float:
    """A count or a smallest limit; what is absent or no finite number demands nothing at all."""
    number = as_finite(value)
    return -math.inf if number is None else number


def _most(value: Any) -> float:
    """A largest limit; what is absent or no finite number is no limit at all."""
    number = as_finite(value)
    return math.inf if number is None else number


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


# -- policies ----------------------------------------------------------------------------------------------------


def looser(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the effective policy ``new`` demands less than ``old``; unknown policies demand nothing."""
    if not old:
        return ("the earlier policy is unknown",) if not new else ()
    if not new:
        return ("the policy is unknown",)
    return tuple(_looser(_in_force(new), _in_force(old), ()))


def _in_force(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    """The policy with what is in force where it states nothing: the shipped conformance, one share for another."""
    found = {"conformance": ConformanceRules().model_dump(mode="json"), **policy}
    floors = policy.get("floors")
    if isinstance(floors, Mapping) and floors.get("min_share_of_service_gflops") is None:
        share = floors.get("min_share_of_baseline_gflops")
        found["floors"] = {**floors, "min_share_of_service_gflops": share}
    return found


def _looser(new: Any, old: Any, at: tuple[str, ...]) -> Iterator[str]:
    if isinstance(old, Mapping):
        if at == ("guard",):
            yield from _looser_sampling(new if isinstance(new, Mapping) else {}, old)
        for key, value in old.items():
            yield from _looser(new.get(key) if isinstance(new, Mapping) else None, value, (*at, str(key)))
        if isinstance(new, Mapping) and at and at[-1] not in ("rows", "checks", "levels"):
            for key in new:
                if key == "waiver" and new[key] and not old.get(key):
                    yield f"{_dotted(at)} is waived now"
        if isinstance(new, Mapping) and at == ("rows",):
            for key in new:
                if key not in old and isinstance(new[key], Mapping) and new[key].get("waiver"):
                    yield f"{_dotted((*at, str(key)))} is waived now"
        return
    if _is_looser(at, new, old):
        yield f"{_dotted(at)} {_show(new)}, was {_show(old)}"


def _looser_sampling(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    now, before = strengths(new), strengths(old)
    for name in SAMPLING:
        if now[name] < before[name]:
            yield f"policy.guard.{name} {_show(new.get(name))}, was {_show(old.get(name))}"


def _is_looser(at: tuple[str, ...], new: Any, old: Any) -> bool:
    if not at or at[0] in ("notes", "description", "policy_id", "version", "campaign"):
        return False
    if at[:2] == ("severity", "checks") or at in _OTHER_SEVERITIES:
        return new is None or _most(new) > _most(old)
    name = at[-1]
    if name.startswith(_LARGER_IS_STRICTER):
        return old is not None and _least(new) < _least(old)
    if name.startswith(_SMALLER_IS_STRICTER):
        return old is not None and _most(new) > _most(old)
    if name == "required_sizes":
        return any(size not in _items(new) for size in _items(old))
    return False


def _dotted(at: Sequence[str]) -> str:
    return ".".join(("policy", *at))


def _show(value: Any) -> str:
    return "not stated" if value is None else str(value)

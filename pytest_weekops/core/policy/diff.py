"""What became stricter and what looser between two policies, limit by limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pytest_weekops.core.policy.guard_strength import SAMPLING, strengths
from pytest_weekops.core.policy.part import PolicyPart
from pytest_weekops.core.policy.policy import Floors, Policy, SeverityLevel

Direction = Literal["stricter", "looser", "changed"]

# Numbers whose larger value is the stricter one; every other number in a section is a ceiling.
_FLOORS = frozenset(
    {
        "minimum_snapshots",
        "min_avg_gflops",
        "min_avg_gbs",
        "min_share_of_baseline_gflops",
        "min_share_of_service_gflops",
        "min_p95_launches",
        "flag_p95_launches",
        "min_confidence",
        "assumed_sd_percent",  # what is taken to vary more needs more evidence to pass
        "min_ratio",
        "min_throughput_change_percent",
        "min_peak_ratio",
        "min_critical_recall",
        "min_uniform_recall",
        "min_gain",
        "projection_count",
        "clean_to_enable",
    }
)
# How T3 goes about its search: no verdict is stricter or looser for it.
_NEITHER = frozenset({"static_arm", "epsilon", "warmup_launches", "exploration_launches", "freeze_sizes"})
_SECTIONS = (
    *("guardrails", "floors", "guard", "selector", "evidence", "host", "split", "campaign", "conformance"),
    "history",
)


@dataclass(frozen=True)
class Change:
    """One difference, with the value before and after."""

    key: str
    before: Any
    after: Any
    direction: Direction

    def __str__(self) -> str:
        return f"{self.direction}: {self.key} {_show(self.before)} -> {_show(self.after)}"


def diff_policies(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Every difference that can change a verdict, in a fixed order."""
    changes: list[Change] = []
    for section in _SECTIONS:
        changes += _section(section, getattr(before, section), getattr(after, section))
    for key in sorted({*before.rows, *after.rows}):
        changes += _row(before, after, key)
    changes += _severity(before, after)
    for name in ("scope", "rollback"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes.append(Change(name, old.model_dump(mode="json"), new.model_dump(mode="json"), "changed"))
    return tuple(changes)


def _section(section: str, before: PolicyPart, after: PolicyPart) -> Iterator[Change]:
    sampling = _sampling(before.model_dump(), after.model_dump()) if section == "guard" else {}
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old == new or name.endswith("reason"):
            continue
        yield Change(
            f"{section}.{name}",
            old,
            new,
            sampling.get(name) or _of_service(name, before, after) or _direction(name, old, new),
        )


def _of_service(name: str, before: PolicyPart, after: PolicyPart) -> Direction | None:
    """Of the share that null takes from another key, by what is in force; None of any other limit."""
    if name != "min_share_of_service_gflops" or not (isinstance(before, Floors) and isinstance(after, Floors)):
        return None
    old, new = before.share_of_service, after.share_of_service
    return "changed" if old == new else "stricter" if new > old else "looser"


def _sampling(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Direction]:
    """Directions of the keys that make a guard a sampled one: what each says depends on the others."""
    old, new = strengths(before), strengths(after)
    return {
        name: "changed" if old[name] == new[name] else "stricter" if new[name] > old[name] else "looser"
        for name in SAMPLING
    }


def _direction(name: str, old: Any, new: Any) -> Direction:
    if name in _NEITHER:
        return "changed"
    if name == "waiver":
        return "stricter" if old and not new else "looser" if new and not old else "changed"
    if name == "required_sizes":
        return "stricter" if set(old) < set(new) else "looser" if set(new) < set(old) else "changed"
    if old is None or new is None:
        return "stricter" if old is None else "looser"
    if isinstance(old, int | float) and isinstance(new, int | float):
        return "stricter" if (new > old) == (name in _FLOORS) else "looser"
    return "changed"


def _row(before: Policy, after: Policy, key: str) -> Iterator[Change]:
    old, new = before.rows.get(key), after.rows.get(key)
    for name in ("min_avg_gflops", "min_avg_gbs", "max_p95_time_ms", "waiver"):
        was, is_now = (getattr(row, name) if row is not None else None for row in (old, new))
        if (was or None) != (is_now or None):
            direction = _direction(name, was, is_now)
            if name == "waiver":  # a row that gives up its limits is looser by these; words alone change nothing
                covered = bool(before.covers(key)), bool(after.covers(key))
                direction = "changed" if covered[0] == covered[1] else "looser" if covered[1] else "stricter"
            yield Change(f"rows.{key}.{name}", was, is_now, direction)


def _severity(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = before.severity, after.severity
    for check in sorted({*old.checks, *new.checks}):
        was, is_now = old.checks.get(check, old.unlisted), new.checks.get(check, new.unlisted)
        if was != is_now:
            yield Change(f"severity.checks.{check}", was, is_now, "stricter" if is_now < was else "looser")
    for name in ("unlisted", "no_data", "inconclusive"):
        was, is_now = getattr(old, name), getattr(new, name)
        if was != is_now:
            yield Change(f"severity.{name}", was, is_now, "stricter" if is_now < was else "looser")
    for level in sorted(old.levels):  # each policy has all of them
        yield from _level(f"severity.levels.{level}", old.levels[level], new.levels[level])


def _level(place: str, old: SeverityLevel, new: SeverityLevel) -> Iterator[Change]:
    for name in ("within_minutes", "action", "owner"):
        was, is_now = getattr(old, name), getattr(new, name)
        if was != is_now:
            yield Change(f"{place}.{name}", was, is_now, _direction(name, was, is_now))


def _show(value: Any) -> str:
    return "none" if value is None or value == "" else f"{value:g}" if isinstance(value, float) else str(value)

"""What a rerun leaves out of what the run before it judged, though its plan names it still. Pure.

A kernel that a device cannot run is not applicable, and one that its partner cannot run is not timed: both stand in the
plan as ever. Who says what a device can do, a catalogue or a profile, is edited like any file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

Cell = tuple[Any, Any, Any]  # platform, kernel, size


def not_applicable_of(plan: Mapping[str, Any], identities: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """By platform label the kernels of a dumped plan that the device, a dumped identity, cannot run; most have none.

    Those of its cells and those of the canonical tier's gates alike.
    """
    found: dict[str, tuple[str, ...]] = {}
    for label, identity in identities.items():
        has, quirks = set(_items(identity.get("capabilities"))), set(_items(identity.get("quirks")))
        out = [
            str(needs.get("kernel"))
            for needs in (*_items(plan.get("needs")), *_items(plan.get("variants")))
            if not has.issuperset(_items(needs.get("capabilities")))
            or quirks.intersection(_items(needs.get("spoilt_by")))
        ]
        if out:
            found[label] = tuple(dict.fromkeys(out))
    return found


def fewer_applicable(
    new: Mapping[str, Sequence[str]] | None, old: Mapping[str, Sequence[str]] | None, *, added: Collection[str] = ()
) -> Iterator[str]:
    """A sentence for each platform with kernels that are not applicable in the one run and were in the other.

    None, of a run that an older version recorded, tells of neither. Those that were ``added`` since are no loss.
    """
    if old is None:
        return
    for label, kernels in (new or {}).items():
        if gone := [kernel for kernel in kernels if kernel not in old.get(label, ()) and kernel not in added]:
            yield f"{', '.join(gone)} not applicable on {label}, and was not left out before"


def fewer_variants(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for the kernels that the canonical tier's gates ask for in plan ``old``, and not in ``new``."""
    there = set(_variants(new))
    if gone := [name for name in _variants(old) if name not in there]:
        more = f" and {len(gone) - 6} more" if len(gone) > 6 else ""
        yield f"without {', '.join(gone[:6])}{more} in the canonical tier's gates"


def added_variants(new: Mapping[str, Any], old: Mapping[str, Any]) -> set[str]:
    """The kernels that these gates ask for in plan ``new``, and that ``old`` does not know."""
    return set(_variants(new)) - set(_variants(old)) - {str(name) for name in _items(old.get("kernels"))}


def _variants(plan: Mapping[str, Any]) -> list[str]:
    return [str(one.get("kernel")) for one in _items(plan.get("variants")) if isinstance(one, Mapping)]


def fewer_cells(
    plan: Mapping[str, Any], new: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """A sentence for the cells that ``old`` rows have and ``new`` ones do not, of those that ``plan`` asks for."""
    there = set(_cells(new))
    asked = [set(_items(plan.get(name))) for name in ("platforms", "kernels", "sizes")]
    gone = [c for c in _cells(old) if c not in there and all(part in each for part, each in zip(c, asked, strict=True))]
    if gone:
        told = dict.fromkeys(f"{platform} {kernel}:{size}" for platform, kernel, size in gone)
        more = f" and {len(told) - 3} more" if len(told) > 3 else ""
        yield f"without the speed of {', '.join(list(told)[:3])}{more}"


def _cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[Cell]:
    """The cells of a verdict's rows; a comparison of a split has no platform of its own."""
    return ((row["platform"], row.get("kernel"), row.get("size")) for row in rows if row.get("platform") is not None)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []

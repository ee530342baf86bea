"""The journal's line on tuned build parameters: who writes it and who reads it agree here."""

from __future__ import annotations

from collections.abc import Mapping

EVENT = "tuning"  # names what was in force on one platform


def tuned_variants(event: Mapping[str, object]) -> tuple[str, ...]:
    """The variants that a journal's tuning line names."""
    variants = event.get("variants")
    names = [each.get("variant") for each in variants if isinstance(each, dict)] if isinstance(variants, list) else []
    return tuple(sorted(str(name) for name in names if name))

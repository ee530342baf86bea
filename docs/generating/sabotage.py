"""Ways to a green run that was not earned, with what stands in the way of each, from ``docs/sabotage.yaml``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from generating.words import table

TABLE = Path(__file__).resolve().parents[1] / "sabotage.yaml"


def _read() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def sabotages() -> str:
    """A table for each kind. Raises ``LookupError`` where an entry names a kind or a defence without words."""
    known, parts = _read(), []
    for kind, title in known["kinds"].items():
        mine = [entry for entry in known["sabotages"] if entry["kind"] == kind]
        rows = [
            (entry["name"], "; ".join(known["defences"][word] for word in entry["defence"]), f"`{entry['status']}`")
            for entry in mine
        ]
        parts += [f"### {title}", table(("sabotage", "what stands in the way", "ends with"), rows)]
    if lost := {entry["kind"] for entry in known["sabotages"]} - set(known["kinds"]):
        raise LookupError(f"{', '.join(sorted(lost))}: kinds of sabotage without a title. Mend {TABLE}.")
    return "\n\n".join(parts)


def counts() -> str:
    """How many there are, of which kind, and how many of them each change is held against."""
    known = _read()
    entries = known["sabotages"]
    kinds = Counter(entry["kind"] for entry in entries)
    brief = sum(not entry.get("long", False) for entry in entries)
    listed = ", ".join(f"{kinds[kind]} of {kind}" for kind in known["kinds"])
    return (
        f"{len(entries)} sabotages ({listed}). Each ends with another status than 0 and with words that name what\n"
        f"happened; each is green with its defences switched off. {brief} of them are in the short set of tests."
    )

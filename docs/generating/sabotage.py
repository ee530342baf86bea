"""Ways to a green run that was not earned, with what stands in the way of each, from ``docs/sabotage*.yaml``."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from generating.words import table

DOCS = Path(__file__).resolve().parents[1]
TABLES = ("sabotage.yaml", "sabotage-stored.yaml", "sabotage-shared.yaml")


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCS / name).read_text(encoding="utf-8"))
    return found


def sabotages(name: str = TABLES[0]) -> str:
    """A table for each kind. Raises ``LookupError`` where an entry names a kind or a defence without words."""
    known, parts = _read(name), []
    for kind, title in known["kinds"].items():
        mine = [entry for entry in known["sabotages"] if entry["kind"] == kind]
        rows = [(entry["name"], _defences(known, entry), f"`{entry['status']}`") for entry in mine]
        parts += [f"### {title}", table(("sabotage", "what stands in the way", "ends with"), rows)]
    if lost := {entry["kind"] for entry in known["sabotages"]} - set(known["kinds"]):
        raise LookupError(f"{', '.join(sorted(lost))}: kinds of sabotage without a title. Mend docs/{name}.")
    return "\n\n".join(parts)


def stored() -> str:
    """The same, of stored evidence."""
    return sabotages(TABLES[1])


def shared() -> str:
    """The same, of a ledger that a team shares."""
    return sabotages(TABLES[2])


def _defences(known: dict[str, Any], entry: dict[str, Any]) -> str:
    """What stands in the way: defences in words, checks of the judge's by name."""
    checks = [f"`{word.removeprefix('check ')}`" for word in entry["defence"] if word.startswith("check ")]
    words = [known["defences"][word] for word in entry["defence"] if not word.startswith("check ")]
    return "; ".join(
        [*words, *([f"checks {', '.join(checks)}" if checks[1:] else f"check {checks[0]}"] if checks else [])]
    )


def counts() -> str:
    """How many there are, of which kind, and how many of them each change is held against."""
    tables = [_read(name) for name in TABLES]
    entries = [entry for known in tables for entry in known["sabotages"]]
    kinds = Counter(entry["kind"] for entry in entries)
    brief = sum(not entry.get("long", False) for entry in entries)
    listed = ", ".join(f"{kinds[kind]} of {kind}" for known in tables for kind in known["kinds"])
    words = (
        f"{len(entries)} sabotages ({listed}). Each ends with another status than 0 and with words that name what "
        f"happened; each is green with its defences switched off. {brief} of them are in the short set of tests."
    )
    return textwrap.fill(words, 126)

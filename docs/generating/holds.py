"""What a driver, a file or a user can do, and what holds it, from ``docs/holds.yaml``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from generating.words import table

DOCS = Path(__file__).resolve().parents[1]
FILES = ("faults.yaml", "sabotage.yaml", "sabotage-stored.yaml", "sabotage-shared.yaml")
TABLES = {  # what a word of the table leads to
    "sabotages": "the sabotages *{}*",
    "sabotage": "the sabotage *{}*",
    "faults": "the faults *{}*",
    "phases": "the grid of faults and phases",
    "wrong": "the table of wrong kernels",
}


def read() -> dict[str, Any]:
    """The map as it stands in its file."""
    found: dict[str, Any] = yaml.safe_load((DOCS / "holds.yaml").read_text(encoding="utf-8"))
    return found


def holds() -> str:
    """A table for each topic. Raises ``LookupError`` where an entry names a topic without words."""
    known, parts = read(), []
    for topic, title in known["topics"].items():
        rows = [
            (entry["what"], "; ".join(map(_shown, entry["by"]))) for entry in known["holds"] if entry["topic"] == topic
        ]
        parts += [f"### {title}", table(("what is done", "what holds it"), rows)]
    if lost := {entry["topic"] for entry in known["holds"]} - set(known["topics"]):
        raise LookupError(f"{', '.join(sorted(lost))}: topics without a title. Mend docs/holds.yaml.")
    return "\n\n".join(parts)


def _shown(by: str) -> str:
    if by.startswith("tests/"):
        return f"`{by.removeprefix('tests/')}`"
    word, _space, rest = by.partition(" ")
    return TABLES[word].format(_titles(word, rest) if "{}" in TABLES[word] else "")


def _titles(word: str, rest: str) -> str:
    """The title of a kind or group in its table, or the name of one sabotage."""
    return rest.partition(": ")[2] if word == "sabotage" else _known("groups" if word == "faults" else "kinds")[rest]


@lru_cache
def _known(key: str) -> dict[str, str]:
    """Titles by kind of sabotage, or by group of faults."""
    found = [yaml.safe_load((DOCS / name).read_text(encoding="utf-8")).get(key, {}) for name in FILES]
    return {name: title for titles in found for name, title in titles.items()}

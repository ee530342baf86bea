"""What drivers do wrong and what the gate says of it, from ``docs/faults.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from generating.words import table

TABLE = Path(__file__).resolve().parents[1] / "faults.yaml"


def _read() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def _how(row: dict[str, Any]) -> str:
    return f"`{row['driver']}`" if "driver" in row else f"`{row['test'].split('::')[0]}`"


def _says(row: dict[str, Any]) -> str:
    if "driver" not in row:
        return str(row["says"])
    status = row.get("status")
    if row["group"] == "timing":
        return f"the timer is not trusted: {row['says']}. The host's clock decides"
    if status == "ok":
        return "nothing: it is measured"
    phases = " or ".join(row.get("phase", ()))
    where = f", phase {phases}" if phases and row["says"] and status else ""
    return f"`{status}`{where}: {row['says']}" if status else str(row["says"])


def faults() -> str:
    """A table for each group. Raises ``LookupError`` where a row names a group without words."""
    known, parts = _read(), []
    for group, title in known["groups"].items():
        rows = [(row["fault"], _how(row), _says(row)) for row in known["faults"] if row["group"] == group]
        parts += [f"### {title}", table(("it", "provoked by", "the gate says"), rows)]
    if lost := {row["group"] for row in known["faults"]} - set(known["groups"]):
        raise LookupError(f"{', '.join(sorted(lost))}: groups of faults without a title. Mend {TABLE}.")
    return "\n\n".join(parts)


def phases() -> str:
    """The grid of the worker double: what each fault is called in each phase."""
    grid = _read()["phases"]
    called = {
        "opening": "platform skipped, opening gate failed: phase, {says}",
        "measuring": "`{status}`: phase, {says}",
        "closing": "the gate `closing/driver` failed: {says}",
    }
    head = ("fault", *(", ".join(grid[part]) for part in called))
    rows = [
        (fault["words"], *(words.format(**fault) for words in called.values())) for fault in grid["faults"].values()
    ]
    return table(head, rows)


def counts() -> str:
    """How many there are."""
    known = _read()
    grid = known["phases"]
    combinations = len(grid["faults"]) * sum(len(grid[part]) for part in ("opening", "measuring", "closing"))
    mine = sum("driver" in row for row in known["faults"])
    return (
        f"{combinations} combinations of fault and phase, {mine} faults of a driver built for it and "
        f"{len(known['faults']) - mine} that other tests\nprovoke, and {len(known['gates'])} whole gates over a driver "
        "that goes wrong in mid-run."
    )

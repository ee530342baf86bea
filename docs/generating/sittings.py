"""What was fuzzed, soaked and bisected so far, in all sittings, from a file of ``docs`` for each of them."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from generating.words import table

DOCS = Path(__file__).resolve().parents[1]
WANTED_S = 7200  # two hours of CPU time, before anybody calls it fuzzed


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / name).read_text(encoding="utf-8"))
    return found


def fuzzed() -> str:
    """How many CPU seconds all readers had, and each of them."""
    told = _read("fuzzed.json")
    by_reader, earlier = told["cpu_s"], told.get("earlier_s", 0)
    total = sum(by_reader.values()) + earlier
    enough = "" if total >= WANTED_S else f", of the {WANTED_S:,} s that it deserves"
    before = f", {earlier} s of them before they were counted by reader" if earlier else ""
    words = f"So far it had {total:,.0f} s of CPU time{enough}{before}."
    rows = [(name, f"{seconds:,.0f}") for name, seconds in sorted(by_reader.items())]
    return "\n\n".join([textwrap.fill(words, 126), *([table(("reader", "CPU time, s"), rows)] if rows else [])])


def soaked() -> str:
    """How many gates there were, with which faults, and what was counted."""
    told = _read("soaked.json")
    drawn = ", ".join(f"{count} {name}" for name, count in told["faults"].items())
    counted = ", ".join(f"{count} {name}" for name, count in told["found"].items())
    words = f"{told['gates']} gates so far ({drawn}; some faults came too late): {counted}."
    return textwrap.fill(words, 126)


def bisected() -> str:
    """How many real ladders there were, how they ended, what they took, and how much slower their bad builds were."""
    told = _read("bisected.json")
    ended, slower, taken = told["ended"], told["slower_percent"], told["snapshots"]
    counted = ", ".join(f"{count} {name}" for name, count in ended.items())
    words = f"{sum(ended.values())} ladders so far: {counted}."
    if slower:
        words += f" Bad builds were {min(slower):.1f} to {max(slower):.1f} % slower, and it took {min(taken)} to "
        words += f"{max(taken)} snapshots."
    return textwrap.fill(words, 126)

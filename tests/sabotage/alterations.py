"""What somebody does to stored evidence, in a few words of data: edits of a journal, whose checksums are made anew.

An edit is a mapping. ``of`` names the type of record; ``at`` picks one by its place, ``since`` those of a snapshot and
after it, ``case`` those whose case has these facts. What is done to those picked: ``set`` and ``scale`` change values
by path (``sessions.*.wall_ns.*``), ``shift`` adds seconds to moments, ``like`` takes values from the record at another
place, ``reverse`` exchanges values between first and last, ``drop`` removes the records, ``twice`` repeats them,
``rename`` makes them another type, ``insert`` puts a new record before them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pytest_weekops.evidence.journal import encode_event

Entry = tuple[str, dict[str, Any]]


def entries_of(journal: Path) -> list[Entry]:
    """Types and data of a journal's lines."""
    lines = (json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines())
    return [(line["type"], line["data"]) for line in lines]


def write_entries(journal: Path, entries: Iterable[Entry]) -> None:
    """A journal of these lines, with numbers and checksums that fit."""
    lines = (encode_event(seq, kind, data) for seq, (kind, data) in enumerate(entries, start=1))
    journal.write_bytes(b"".join(lines))


def edited(entries: Sequence[Entry], edits: Iterable[dict[str, Any]]) -> list[Entry]:
    """The lines after these edits, in order. Raises ``LookupError`` where an edit finds nothing to change."""
    found: list[Entry] = json.loads(json.dumps(entries))
    for edit in edits:
        found = _edited([(kind, data) for kind, data in found], edit)
    return found


def _edited(entries: list[Entry], edit: dict[str, Any]) -> list[Entry]:
    mine = [place for place, (kind, data) in enumerate(entries) if kind == edit["of"] and _is_meant(data, edit)]
    if "at" in edit:
        mine = [mine[edit["at"]]]
    if not mine:
        raise LookupError(f"no record is meant by {edit}")
    whole = [data for kind, data in entries if kind == edit["of"]]
    for path, value in edit.get("set", {}).items():
        _each(entries, mine, path, partial(_set, value))
    for path, factor in edit.get("scale", {}).items():
        _each(entries, mine, path, partial(_scaled, factor))
    for path, seconds in edit.get("shift", {}).items():
        _each(entries, mine, path, partial(_shifted, seconds))
    if "like" in edit:
        source = json.loads(json.dumps(whole[edit["like"]["at"]]))
        for place in mine:
            entries[place][1].update({key: source[key] for key in edit["like"]["keys"]})
    for key in edit.get("reverse", ()):
        values = [entries[place][1][key] for place in mine][::-1]
        for place, value in zip(mine, values, strict=True):
            entries[place][1][key] = value
    return _rearranged(entries, mine, edit)


def _set(value: Any, _old: Any) -> Any:
    return value


def _scaled(factor: float, old: Any) -> Any:
    return type(old)(old * factor)


def _shifted(seconds: float, old: str) -> str:
    return (datetime.fromisoformat(old) + timedelta(seconds=seconds)).isoformat()


def _rearranged(entries: list[Entry], mine: list[int], edit: dict[str, Any]) -> list[Entry]:
    found: list[Entry] = []
    for place, (kind, data) in enumerate(entries):
        if place not in mine:
            found.append((kind, data))
            continue
        if "insert" in edit:
            found.append((edit["insert"]["type"], edit["insert"]["data"]))
        if not edit.get("drop"):
            found += [(edit.get("rename", kind), data)] * (2 if edit.get("twice") else 1)
    return found


def _is_meant(data: dict[str, Any], edit: dict[str, Any]) -> bool:
    case = data.get("case", data)
    facts = edit.get("case", {})
    return case.get("snapshot", 0) >= edit.get("since", 0) and all(case.get(k) == v for k, v in facts.items())


def _each(entries: list[Entry], places: Iterable[int], path: str, change: Callable[[Any], Any]) -> None:
    changed = sum(_at_path(entries[place][1], path.split("."), change) for place in places)
    if not changed:
        raise LookupError(f"nothing lies at {path}")


def _at_path(value: Any, words: list[str], change: Callable[[Any], Any]) -> int:
    word, rest = words[0], words[1:]
    if isinstance(value, list):
        keys: Iterable[Any] = range(len(value)) if word == "*" else [int(word)]
    else:
        keys = list(value) if word == "*" else [word]
    count = 0
    for key in keys:
        if rest:
            count += _at_path(value[key], rest, change)
        else:
            value[key] = change(value.get(key) if isinstance(value, dict) else value[key])
            count += 1
    return count

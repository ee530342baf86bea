"""Reading campaign files that somebody else recorded: a stranger's JSON becomes a recorded campaign or a sentence."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import as_whole
from pytest_weekops.core.recorded.campaign import RecordedCampaign, RecordedKind, Run
from pytest_weekops.files.strict_json import KeyTwiceError, parse_json

LARGEST_CAMPAIGN_BYTES = 64 * 1024 * 1024
DEEPEST_NESTING = 64
MOST_RUNS = 200_000
MOST_PARTS = 10 * MOST_RUNS
# Possessive, and a string may end with the file: on a stranger's 64 MiB nothing is looked at twice or remembered.
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_REASONABLE = 100_000_000  # sizes and snapshot numbers beyond this are no sizes


def read_campaign(path: Path, *, own_rules: bool = False, baseline: Path | None = None) -> RecordedCampaign:
    """Read a recorded weekly or split file. Raises ``InputError`` with a sentence where it is neither.

    ``own_rules`` asks for the campaign's own rules; ``baseline`` is the recorded file these compare with.
    """
    document = read_document(path)
    campaign = parse_campaign(document, str(path), own_rules=own_rules)
    if baseline is None:
        return campaign
    before = parse_campaign({"runs": [], **read_document(baseline)}, str(baseline), own_rules=True)
    return dataclasses.replace(campaign, baseline=before)


def read_document(path: Path) -> dict[str, Any]:
    """Parse a JSON object from a file of reasonable size and depth. NaN literals are numbers, and judged as such."""
    text = _read_text(path)
    if not text.strip():
        raise InputError(f"Campaign {path} is empty. There is nothing to judge. Give a recorded campaign.")
    _refuse_shape(path, text)
    try:
        document = parse_json(text)
    except KeyTwiceError as error:
        raise InputError(
            f"Campaign {path} gives the key {error.key!r:.60} twice in one object. Readers would disagree about which "
            "of the two counts. Give the file as it was recorded."
        ) from error
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else "somewhere"
        cut = (
            " It looks cut off." if isinstance(error, json.JSONDecodeError) and error.pos >= len(text.rstrip()) else ""
        )
        raise InputError(
            f"Campaign {path} is not JSON ({where}).{cut} What cannot be read cannot be judged. Give an intact copy."
        ) from error
    if not isinstance(document, dict):
        raise InputError(
            f"Campaign {path} holds a JSON {type(document).__name__}, not an object. No campaign looks like that. "
            "Give a recorded weekly or split file, a journal or a run directory."
        )
    return document


def _read_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"Campaign {path} is no regular file. Reading it might never end. Name a file.")
        size = path.stat().st_size
        if size > LARGEST_CAMPAIGN_BYTES:
            raise InputError(
                f"Campaign {path} has {size / 2**20:,.0f} MiB; at most {LARGEST_CAMPAIGN_BYTES // 2**20} MiB are read. "
                "A campaign of ten thousand runs has ten. Check what this file is."
            )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"Campaign {path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"Campaign {path} is not text (byte {error.start} is not UTF-8). Check the file.") from error


def _refuse_shape(path: Path, text: str) -> None:
    """Refuse absurd nesting or absurdly many parts before they are built; brackets inside strings do not count."""
    depth = parts = 0
    for match in _STRUCTURE.finditer(text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            parts += 1
        elif mark in "]}":
            depth -= 1
        if depth > DEEPEST_NESTING:
            raise InputError(
                f"Campaign {path} is nested more than {DEEPEST_NESTING} levels deep. No campaign is. "
                "Check where this file comes from."
            )
        if parts > MOST_PARTS:
            raise InputError(
                f"Campaign {path} holds more than {MOST_PARTS:,} objects and lists. A campaign of {MOST_RUNS:,} runs "
                "does not. Check where this file comes from."
            )


def parse_campaign(document: Mapping[str, Any], source: str, *, own_rules: bool = False) -> RecordedCampaign:
    """Bring a parsed document into normal form; its kind is recognised from what its runs hold."""
    if "runs" not in document:
        keys = ", ".join(sorted(str(key)[:40] for key in document)[:8]) or "none"
        raise InputError(
            f"Campaign {source} has no runs (its keys: {keys}). It is of an unknown kind, and a verdict on "
            "it would rest on nothing. Give a recorded weekly or split file, a journal or a run directory."
        )
    if not isinstance(document["runs"], list):
        raise InputError(
            f"Campaign {source} has {type(document['runs']).__name__} for runs, not a list. No campaign looks like "
            "that, and a verdict on it would rest on nothing. Give a recorded weekly or split file."
        )
    runs, unread, unread_ok = _parse_runs(document["runs"])
    is_split = _is_split(document, runs)
    if is_split or own_rules:  # the older weekly evaluation alone never asked for the platform
        nowhere = tuple(f"run {run.number} names no platform" for run in runs if not run.platform)
        unread, unread_ok = unread + nowhere, unread_ok + nowhere
    kinds: tuple[RecordedKind, RecordedKind] = ("stress_split", "canary_campaign") if own_rules else ("split", "weekly")
    metadata = document.get("metadata")
    pressure = document.get("pressure")
    defects = unread
    if pressure is not None and not isinstance(pressure, list):
        defects = (*defects, "pressure is no list")
    copies, rolled_back, unread_copies = _parse_snapshots(document.get("snapshots"))
    defects = (*defects, *unread_copies)
    return RecordedCampaign(
        kind=kinds[0] if is_split else kinds[1],
        runs=runs,
        pressure=tuple(p if isinstance(p, dict) else {} for p in pressure) if isinstance(pressure, list) else None,
        metadata=metadata if isinstance(metadata, dict) else {},
        rollback_event=document.get("rollback_event"),
        rollback_recorded="rollback_event" in document,
        copies=copies,
        rolled_back=rolled_back,
        defects=defects,
        unread=unread,
        unread_ok=unread_ok,
    )


def _is_split(document: Mapping[str, Any], runs: tuple[Run, ...]) -> bool:
    """A weekly file counts its snapshots; a split names platforms in its pressure, lists seeds or has two platforms."""
    metadata = document.get("metadata")
    keys = set(metadata) if isinstance(metadata, dict) else set()
    if keys & {"executed_snapshots", "planned_snapshots"} or "snapshots" in document:
        return False
    pressure = document.get("pressure")
    pulses = [pulse for pulse in pressure if isinstance(pulse, dict)] if isinstance(pressure, list) else []
    if (
        "seeds" in keys
        or len({run.on for run in runs} - {""}) > 1
        or any("platform_selector" in pulse for pulse in pulses)
    ):
        return True
    return all(run.snapshot is None for run in runs)


def _parse_runs(raw: list[Any]) -> tuple[tuple[Run, ...], tuple[str, ...], tuple[str, ...]]:
    """Runs in file order, a sentence for each entry that is none, and those among them that may have been ok."""
    runs: list[Run] = []
    unread: list[str] = []
    unread_ok: list[str] = []
    for number, entry in enumerate(raw[:MOST_RUNS], start=1):
        run = _parse_run(number, entry)
        if run is None:
            unread.append(f"run {number} names no kernel or size")
            if not isinstance(entry, dict) or entry.get("status", "ok") == "ok":
                unread_ok.append(unread[-1])
        else:
            runs.append(run)
    if len(raw) > MOST_RUNS:
        unread.append(f"{len(raw) - MOST_RUNS} runs beyond the first {MOST_RUNS} were not read")
        unread_ok.append(unread[-1])
    return tuple(runs), tuple(unread), tuple(unread_ok)


def _parse_snapshots(raw: object) -> tuple[tuple[Run, ...], tuple[str, ...], tuple[str, ...]]:
    """The runs that a file's list of snapshots repeats, the snapshots rolled back, and a sentence for what is neither.

    A list without any entry repeats nothing, as one that is not there.
    """
    if raw is None:
        return (), (), ()
    if not isinstance(raw, list):
        return (), (), ("snapshots is no list",)
    copies: list[Run] = []
    rolled_back: list[str] = []
    unread: list[str] = []
    for number, entry in enumerate(raw[:MOST_RUNS], start=1):
        runs = entry.get("runs") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(runs, list):
            unread.append(f"entry {number} of snapshots lists no runs")
            continue
        evaluation = entry.get("evaluation")
        if isinstance(evaluation, dict) and evaluation.get("decision") == "rollback":
            rolled_back.append(f"snapshot {entry.get('snapshot', number)!r:.20}")
        found, bad, _bad_ok = _parse_runs(runs)
        copies += found
        unread += [f"entry {number} of snapshots: {word}" for word in bad]
    return tuple(copies), tuple(rolled_back), tuple(unread)


def _parse_run(number: int, entry: object) -> Run | None:
    if not isinstance(entry, dict):
        return None
    kernel, size, platform = entry.get("kernel"), _whole(entry.get("size")), entry.get("platform_selector")
    if not isinstance(kernel, str) or size is None:
        return None
    metrics = entry.get("metrics")
    return Run(
        number=number,
        status=entry["status"] if isinstance(entry.get("status"), str) else "unknown",
        platform=platform if isinstance(platform, str) else "",
        kernel=kernel,
        size=size,
        seed=entry.get("seed"),
        snapshot=_whole(entry.get("snapshot")),
        metrics=metrics if isinstance(metrics, dict) else {},
        returncode=entry.get("returncode"),
    )


def _whole(value: object) -> int | None:
    """A whole number of reasonable size, or None."""
    number = as_whole(value)
    return number if number is not None and -_REASONABLE < number < _REASONABLE else None

"""What the ledger is told of a rollback: each stage as it ends, the profile it leads to, and the evidence by hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.channel import rollback_in_effect
from pytest_weekops.core.week.entry import DEPLOYED, ROLLBACK, Entry
from pytest_weekops.core.week.rollback import PROFILES_NAME, RuntimeProfile
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.rollback.outcome import Outcome
from pytest_weekops.week.ledger import open_ledger


def record(report_dir: Path, stage: str, body: Mapping[str, Any]) -> Entry:
    """Record a stage before what it speaks of is done. Raises ``WeekopsError`` where the ledger refuses."""
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    return open_ledger(report_dir).append(ROLLBACK, f"{moment} {stage}", {"stage": stage, **body}, recorded_at=moment)


def record_deployed(report_dir: Path, stage: str, body: Mapping[str, Any]) -> Entry:
    """Record a stage of a deployment, which is no rollback. Raises ``WeekopsError`` where the ledger refuses."""
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    return open_ledger(report_dir).append(DEPLOYED, f"{moment} {stage}", {"stage": stage, **body}, recorded_at=moment)


def record_after(report_dir: Path, stage: str, body: Mapping[str, Any]) -> list[str]:
    """Record what has been done already: a ledger that refuses is a problem to tell, and undoes nothing."""
    try:
        record(report_dir, stage, body)
    except Exception as error:  # noqa: BLE001 - what is active must be said, whatever broke
        return [f"The profile is switched, and the ledger did not take it ({stage}): {error}"]
    return []


def nothing_to_undo(entries: Sequence[Entry]) -> str:
    """Why there is nothing to undo, or nothing where there is. Raises ``InputError`` where nothing ever was."""
    if rollback_in_effect(entries) is not None:
        return ""
    if any(e.kind == ROLLBACK and e.body.get("stage") == "undone" for e in entries):
        return "The last rollback was undone already. Nothing was changed."
    raise InputError("No rollback is recorded, so there is none to undo. Nothing was changed.")


def target_document(target: RuntimeProfile) -> dict[str, Any]:
    """The profile that is switched to, with its file relative to the runtime directory."""
    return {"file": f"{PROFILES_NAME}/{target.file_name}", "platform": target.platform, "sha256": target.sha256}


def outcomes_document(outcomes: Mapping[str, Outcome], report_dir: Path) -> tuple[dict[str, Any], list[str]]:
    """The outcomes as the ledger keeps them, and a sentence for each file that could not be taken as evidence."""
    document: dict[str, Any] = {}
    unproved: list[str] = []
    for name, outcome in outcomes.items():
        files: list[dict[str, str]] = []
        for path in outcome.evidence:
            try:
                files += [evidence_document(path, report_dir)] if path.is_file() else []
            except (OSError, RuntimeError) as error:
                unproved.append(f"The evidence {path} of the {name} cannot be read: {error}")
        document[name] = {"problems": list(outcome.problems), "facts": outcome.facts, "evidence": files}
    return document, unproved


def evidence_document(path: Path, report_dir: Path) -> dict[str, str]:
    """Hash and path of a file: relative to the report directory, absolute where a link leads out of it."""
    place, root = path.resolve(), report_dir.resolve()
    name = place.relative_to(root) if place.is_relative_to(root) else place
    return {"path": name.as_posix(), "sha256": hash_file(path)}

"""Stored evidence to sabotage: runs that promoted, in a report directory, and who is asked of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.plan import CampaignPlan
from tests.sabotage.alterations import edited, entries_of, write_entries
from tests.sabotage.forgeries import FORGERIES
from tests.support.recorded_data import split, weekly
from tests.support.replayed import seen_to_work
from tests.support.synthetic import make_plan, make_records
from tests.support.weeks import add_run

LANES = ("auto_t3_controlled", "auto_t5_guarded")
PLANS: dict[str, CampaignPlan] = {
    "good": make_plan("weekly", sizes=(128,), every_launch=True),
    "guarded": make_plan("weekly", sizes=(128,), kernels=LANES, every_launch=True),
    "split": make_plan("split", sizes=(128,), seeds=(412,), every_launch=True),
}
PINNED = "pinned"


def make_reports(directory: Path) -> Path:
    """A run of each plan that promoted, each recorded, and the first pinned."""
    for hour, (name, plan) in enumerate(PLANS.items(), start=8):
        at = f"2026-11-24T{hour:02}:00:00+00:00"
        add_run(
            directory, name, plan.kind, plan=plan, records=seen_to_work(make_records(plan)), created_at=at, end=True
        )
    assert main(["baseline", "pin", str(directory / "good"), "--report-dir", str(directory)]) == 0
    return directory


def asked(entry: dict[str, Any], reports: Path, directory: Path) -> list[str]:
    """Do in ``directory`` what the sabotage says, and return the command that is asked of it."""
    ask = entry["ask"]
    if ask == "recorded":
        return ["judge", str(_recorded(entry, directory)), "--policy", "rx590-weekly-v3"]
    if ask == "judge":
        run = _alone(entry, reports, directory)
        if "policy" not in entry:
            return ["judge", str(run)]
        policy = directory / "policy.yaml"
        policy.write_text(_policy(entry["policy"]), encoding="utf-8")
        return ["judge", str(run), "--policy", str(policy)]
    copy = Path(shutil.copytree(reports, directory / "reports"))
    for step in entry.get("does", ()):
        name, *arguments = step if isinstance(step, list) else [step]
        FORGERIES[name](copy, *arguments)
    where = ["--report-dir", str(copy)]
    return {
        "status": ["status", "--require", "promoted", "--verify", *entry.get("options", ()), *where],
        "require": ["status", "--require", "promoted", *entry.get("options", ()), *where],
        "judge there": ["judge", str(copy / "good")],
        "pin": ["baseline", "pin", str(copy / entry.get("run", "good")), *where],
        "pin again": ["baseline", "pin", "--again", *where],
    }[ask]


def _alone(entry: dict[str, Any], reports: Path, directory: Path) -> Path:
    """The edited journal in a directory of its own, where nothing beside it knows better."""
    journal = reports / entry.get("run", "good") / "journal.jsonl"
    run = directory / "alone"
    run.mkdir()
    write_entries(run / journal.name, edited(entries_of(journal), entry.get("edit", ())))
    return run


def _policy(keys: dict[str, Any]) -> str:
    return yaml.safe_dump({"version": 1, "policy_id": "edited", "inherits": "portable.yaml", **keys})


def _recorded(entry: dict[str, Any], directory: Path) -> Path:
    document = split() if entry.get("run") == "split" else weekly()
    _change(document, entry["edit"])
    path = directory / "campaign.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _change(document: Any, edits: Iterable[dict[str, Any]]) -> None:
    for edit in edits:
        place: Any = document
        *way, last = edit["at"]
        for word in way:
            place = place[word]
        if "set" in edit:
            place[last] = edit["set"]
        elif edit.get("twice"):
            place.append(place[last])
        else:
            del place[last]

"""``weekops compare``: what two runs were made of, and what of it differs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.evidence.journal import StoredRun


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("before", type=Path, metavar="A", help="a run directory or its journal")
    parser.add_argument("after", type=Path, metavar="B", help="the run that came after it, or beside it")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Name each file of a driver, kernel release, firmware, policy, kernel and setting that differs. Exit status 0.

    Whether one of them explains a change of speed is not said: only one run more can tell.
    """
    from pytest_weekops.core.judge.campaign import live_campaign
    from pytest_weekops.core.judge.run_difference import run_difference
    from pytest_weekops.evidence.journal import read_run

    before, after = read_run(arguments.before), read_run(arguments.after)
    sides = [live_campaign(each.plan, each.records, identities=each.identities) for each in (before, after)]
    found = run_difference(sides[0], sides[1], (before.policy, after.policy), (_programs(before), _programs(after)))
    if arguments.json:
        print(json.dumps({"a": before.run_id, "b": after.run_id, "differences": found}, indent=2))
        return 0
    say(f"{before.run_id} -> {after.run_id}")
    for what, words in found.items():
        say(f"{what}: {'differs' if words else 'the same'}")
        for line in words:
            say(f"  {line}")
    return 0


def _programs(run: StoredRun) -> dict[str, str]:
    first = run.events[0].data
    return {"pytest-weekops": str(first.get("version", "")), "python": str(first.get("python", ""))}

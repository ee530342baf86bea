"""``weekops action``: what closed weeks still owe."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.report.saying import say
from pytest_weekops.week.closing import close_action, list_actions


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's two verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="list the open actions")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    closing = verbs.add_parser("close", help="close an action")
    closing.add_argument("id", metavar="ID", help="the action, for example 2026-W48-1")
    closing.add_argument("--note", default="", metavar="TEXT", help="what was done")
    add_report_dir(listing, closing)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where that was done."""
    report_dir: Path = arguments.report_dir
    if arguments.verb == "close":
        close_action(report_dir, arguments.id, arguments.note)
        say(f"{arguments.id} is closed.")
        return 0
    opened, closed = list_actions(report_dir)
    if arguments.json:
        print(json.dumps({"open": opened, "closed": sorted(closed)}, indent=2, sort_keys=True))
        return 0
    for action in opened:
        say(f"{action['id']}: {action['text']} (owner {action['owner']}, due {action['due'] or 'whenever'})")
    if not opened:
        say("No action is open.")
    return 0

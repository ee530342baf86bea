"""``weekops ledger``: where the records are kept, a copy of them, and directories that share a team's ledger."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="say where this directory's records are kept, and how many there are")
    join = actions.add_parser("join", help="let this directory use the team's ledger that WEEKOPS_LEDGER names")
    copy = actions.add_parser("copy", help="copy every record into a database, and join it, or into a directory")
    copy.add_argument("--to", required=True, metavar="URL|DIR", help="postgresql://USER@HOST/DATABASE, or a directory")
    which = join.add_mutually_exclusive_group()
    which.add_argument("--new", action="store_true", help="make that ledger: there must be none of its name yet")
    which.add_argument(
        "--head",
        default="",
        metavar="HASH",
        help="join only a ledger that holds this record, as `weekops ledger show` prints it in another directory",
    )
    for child in (join, copy):
        child.add_argument(
            "--as", dest="name", default="main", metavar="NAME", help="which ledger of the database (default: main)"
        )
    add_report_dir(show, join, copy, what="directory of the runs")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where that was done, and what it speaks of verifies."""
    from pytest_weekops.week.ledger import open_ledger
    from pytest_weekops.week.ledger_sharing import copy_ledger, join_ledger

    report_dir: Path = arguments.report_dir
    if arguments.action == "show":
        ledger = open_ledger(report_dir)
        entries = ledger.entries()
        say(f"{ledger.name}: {len(entries)} records, every one verifies")
        if entries:
            say(f"head: {entries[-1].hash}, kept beside the runs in {ledger.head_path}")
        return 0
    if arguments.action == "join":
        joined = join_ledger(report_dir, arguments.name, new=arguments.new, head=arguments.head)
        say(f"{report_dir}/ uses {joined.target} from now on: {joined.records} records, every one verifies.")
        return 0
    copied = copy_ledger(report_dir, arguments.to, arguments.name)
    say(f"{copied.target}: {copied.records} records as in {copied.source}, {copied.new} of them new; the chain holds.")
    if copied.joined:
        say(f"{report_dir}/ uses it from now on, with WEEKOPS_LEDGER set to its address. The file stays as it was.")
    return 0

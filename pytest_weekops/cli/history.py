"""``weekops history``: each cell's throughput over the runs of the ledger."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pytest_weekops.cli.places import add_report_dir, nothing_in
from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_report_dir(parser)
    parser.add_argument(
        "--cell",
        dest="cells",
        nargs="+",
        action="extend",
        default=[],
        metavar="PLATFORM:KERNEL:SIZE",
        help="these cells alone (default: every cell of the ledger)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=False)
    importing = verbs.add_parser("import", help="add recorded campaigns of elsewhere, to be looked at and nothing else")
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recorded campaigns; all, or none")
    add_report_dir(importing, said_before=True)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where the ledger verifies; the numbers are those that it holds, and no verdict comes of them.

    Runs whose decision is missing or was changed since, and run directories that are not in the ledger, are named.
    """
    from pytest_weekops.core.week.entry import run_entries
    from pytest_weekops.core.week.history import chosen, history
    from pytest_weekops.core.week.pins import pins_of
    from pytest_weekops.report.history import FALSE_ALARMS, LEGEND, series_document, series_lines
    from pytest_weekops.week.change_points import look
    from pytest_weekops.week.imported import imported_runs
    from pytest_weekops.week.kept_decisions import look_beside
    from pytest_weekops.week.ledger import open_ledger

    report_dir: Path = arguments.report_dir
    if arguments.verb == "import":
        return _import(report_dir, arguments.files)
    entries = open_ledger(report_dir).entries()
    runs = run_entries(entries)
    imported = imported_runs(report_dir)
    found = chosen((*history(runs, pins_of(entries)), *history(imported, ())), arguments.cells)
    files, notes = look_beside(runs, report_dir, imported)
    if arguments.json:
        cells = [series_document(series, files, look(series)) for series in found]
        document = {"ledger": {"records": len(entries), "head": entries[-1].hash if entries else None}}
        print(json.dumps({"schema": "weekops-history/1", **document, "cells": cells, "notes": notes}, indent=2))
        return 0
    looked = [look(series) for series in found]
    for series, shifts in zip(found, looked, strict=True):
        for line in (*series_lines(series, files, shifts), ""):
            say(line)
    say(LEGEND if found else nothing_in(report_dir, "cell"))
    if any(shifts is not None for shifts in looked):
        say(f"{FALSE_ALARMS}.")
    for note in notes:
        say(note)
    return 0


def _import(report_dir: Path, files: list[Path]) -> int:
    from pytest_weekops.week.imported import IMPORTED_NAME, import_campaigns

    added = import_campaigns(report_dir, files)
    known = len(files) - len(added)
    say(f"{report_dir / IMPORTED_NAME}: {len(added)} campaigns imported" + (f", {known} were known" if known else ""))
    say("They are shown by `weekops history` and `weekops site`, and count for no verdict, baseline or channel.")
    return 0

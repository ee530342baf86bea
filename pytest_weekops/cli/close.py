"""``weekops close``: the decision record and the acta of a week, and its alert."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pytest_weekops.alert import Delivery, build_alerts, deliver, is_url, shown
from pytest_weekops.closing import ClosedWeek, close_week
from pytest_weekops.core.entry import ALERT
from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.week import parse_week
from pytest_weekops.ledger import open_ledger
from pytest_weekops.report.saying import plain, say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--week", required=True, metavar="WEEK", help="ISO week, for example 2026-W48")
    parser.add_argument(
        "--runs", nargs="+", default=[], metavar="RUN", help="runs that are the evidence (default: all)"
    )
    parser.add_argument("--alert", metavar="FILE|URL|-", help="emit the alert for SEV1 to SEV3 there")
    parser.add_argument("--report-dir", default="reports", metavar="DIR", help="where the ledger is (default: reports)")


def run(arguments: argparse.Namespace) -> int:
    """Close the week; 0 for promote, 1, 10 or 11 for iterate as ``docs/operations.md`` says."""
    report_dir = Path(arguments.report_dir)
    if arguments.alert is not None and arguments.alert != "-":
        is_url(arguments.alert)  # refused now, before anything is written
    closed = close_week(report_dir, parse_week(arguments.week), arguments.runs)
    # With `--alert -` standard output belongs to the alert alone.
    _print(closed, to_stderr=arguments.alert == "-")
    if arguments.alert is not None:
        delivery = deliver(build_alerts(closed.document, closed.directory / "acta.md"), arguments.alert)
        _note(delivery, arguments.alert, closed, report_dir)
    return closed.exit_status


def _print(closed: ClosedWeek, *, to_stderr: bool) -> None:
    for line in _lines(closed):
        print(plain(line), file=sys.stderr if to_stderr else sys.stdout)


def _lines(closed: ClosedWeek) -> Iterator[str]:
    document = closed.document
    severity = document["severity"]
    yield f"week {document['review_id']}: {document['block_decision']} (SEV{severity['level']})"
    yield f"  {document['block_rationale']}"
    for name, track in document["tracks"].items():
        yield f"  {name}: {track['decision']}. {track['rationale']}"
    for text in document["findings"]:
        yield f"  finding: {text}"
    if document["block_decision"] != "promote":
        yield f"  owner: {severity['owner']}, by {severity['deadline']}: {severity['action']}"
    for action in document["open_actions"]:
        yield f"  owed: {action['id']} {action['text']}"
    yield f"  written: {closed.directory}/ (decision.json, acta.md)"


def _note(delivery: Delivery, target: str, closed: ClosedWeek, report_dir: Path) -> None:
    """Record how the alert went out; a failure is printed as well."""
    if not delivery.emitted:
        return
    if not delivery.delivered:
        owner = closed.document["severity"]["owner"]
        words = (
            f"weekops: the alert did NOT reach {shown(target)} in {delivery.attempts} tries: {delivery.problem}. Tell "
            f"the owner yourself: {owner}."
        )
        print(plain(words), file=sys.stderr)
    body = {"week": closed.document["review_id"], "target": shown(target), "delivered": delivery.delivered}
    facts = {**body, "attempts": delivery.attempts, "problem": delivery.problem}
    try:
        open_ledger(report_dir).append(ALERT, datetime.now(UTC).isoformat(timespec="microseconds"), facts)
    except WeekopsError as error:
        say(f"weekops: the alert's delivery could not be recorded: {error}", sys.stderr)

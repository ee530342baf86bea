"""``weekops close``: the decision record and the acta of a week, and its alert."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.calendar import parse_week
from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.week.entry import ALERT
from pytest_weekops.report.saying import say
from pytest_weekops.week.alert import Delivery, build_alerts, deliver, refuse_target, shown
from pytest_weekops.week.closing import ClosedWeek, close_week, closed_unsent
from pytest_weekops.week.ledger import open_ledger


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--week", required=True, metavar="WEEK", help="ISO week, for example 2026-W48")
    parser.add_argument(
        "--runs", nargs="+", default=[], metavar="RUN", help="runs that are the evidence (default: all)"
    )
    parser.add_argument("--alert", metavar="FILE|URL|-", help="emit the alert for SEV1 to SEV3 there")
    add_report_dir(parser)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 for promote, 10 where a SEV1 is open, 11 where only steps are missing, else 1."""
    report_dir, week, target = arguments.report_dir, parse_week(arguments.week), arguments.alert
    unsent = None
    if target is not None:
        refuse_target(target)  # now, before anything is written
        unsent = None if arguments.runs else closed_unsent(report_dir, week)
    closed = unsent or close_week(report_dir, week, arguments.runs)
    words = [_only_sent(closed)] if unsent else _lines(closed)
    alerts = [] if target is None else build_alerts(closed.document, closed.directory / "acta.md")
    try:
        # With `--alert -` standard output belongs to the alert alone.
        unshown = _print(words, sys.stderr if target == "-" else sys.stdout)
        delivery = deliver(alerts, target or "")
    except BaseException:
        _note(Delivery(delivered=False, attempts=0, problem="interrupted", emitted=bool(alerts)), closed, arguments)
        raise
    _note(delivery, closed, arguments)
    if unshown is not None:
        raise unshown
    return closed.exit_status


def _only_sent(closed: ClosedWeek) -> str:
    document = closed.document
    return (
        f"week {document['review_id']}: {document['block_decision']} (SEV{document['severity']['level']}), closed on "
        f"{document['closed_at']} and left as it is; its alert had not arrived and is sent now"
    )


def _print(lines: Iterable[str], stream: TextIO) -> OSError | None:
    """Print lines; what keeps them from being shown is given back, because the alert goes out all the same."""
    try:
        for line in lines:
            say(line, stream)
        stream.flush()
    except OSError as error:
        return error
    return None


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


def _note(delivery: Delivery, closed: ClosedWeek, arguments: argparse.Namespace) -> None:
    """Record how the alert went out; a failure is printed as well."""
    if not delivery.emitted:
        return
    week, target = closed.document["review_id"], str(arguments.alert)
    if not delivery.delivered:
        owner = closed.document["severity"]["owner"]
        tries = f" in {delivery.attempts} tries" if delivery.attempts else ""
        words = (
            f"weekops: the alert did NOT reach {shown(target)}{tries}: {delivery.problem}. Tell the owner yourself: "
            f"{owner}. `weekops close --week {week} --alert ...` sends it again; the week stays as it is."
        )
        _print([words], sys.stderr)
    body = {"week": week, "target": shown(target), "delivered": delivery.delivered}
    facts = {**body, "attempts": delivery.attempts, "problem": delivery.problem}
    try:
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        open_ledger(arguments.report_dir).append(ALERT, moment, facts)
    except WeekopsError as error:
        say(f"weekops: the alert's delivery could not be recorded: {error}", sys.stderr)

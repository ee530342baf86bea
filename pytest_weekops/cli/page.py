"""``weekops page``: the page of a run, made anew from its journal, or that of a fleet run from its decision."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory, journal.jsonl, or fleet run's directory")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it (default: beside)")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where the page was written; the verdict is on it, and ``weekops judge`` exits with it."""
    if (arguments.run / "asked.json").is_file():
        return _fleet(arguments.run, arguments.output)
    from pytest_weekops.evidence.artifacts import judged_anew
    from pytest_weekops.evidence.journal import find_journal
    from pytest_weekops.evidence.page import PAGE_NAME, files_beside, page_text, policy_before
    from pytest_weekops.files.atomic import write_atomic
    from pytest_weekops.week.witnesses import read_uncontradicted

    stored = read_uncontradicted(arguments.run)
    verdict, facts = judged_anew(stored)
    document = facts.decision(verdict)
    place = find_journal(arguments.run).parent
    output: Path = arguments.output or place / PAGE_NAME
    _refuse_evidence(output)
    text = page_text(verdict, facts, document, files_beside(place), policy_before(place, verdict.kind))
    write_atomic(output, text)
    say(f"{output} written, {len(text.encode()) / 1024:.0f} KiB")
    say(f"verdict: {document['decision']} (SEV{document['severity']}), exit status {document['exit_status']}")
    return 0


def _fleet(directory: Path, asked: Path | None) -> int:
    """The page of a fleet run, from its decision."""
    from pytest_weekops.evidence.page import FLEET_PAGE_NAME
    from pytest_weekops.files.atomic import write_atomic
    from pytest_weekops.fleet.book import FleetBook
    from pytest_weekops.fleet.page import fleet_page_text, is_as_recorded

    output = asked or directory / FLEET_PAGE_NAME
    _refuse_evidence(output)
    book = FleetBook(directory)
    decision = book.decision()
    if decision is None:
        raise InputError(
            f"Fleet run {directory} has no decision: it has not ended. A page of it would say nothing. Go on with it: "
            "weekops fleet run FILE SUITE --resume."
        )
    if not is_as_recorded(book):
        raise InputError(
            f"Fleet run {directory}: its decision is not the one that the ledger has the hash of. A page of it would "
            "show what nobody decided. `weekops fleet verify` lists what does not hold; restore it from a copy."
        )
    text = fleet_page_text(book, decision)
    write_atomic(output, text)
    say(f"{output} written, {len(text.encode()) / 1024:.0f} KiB")
    say(f"verdict: {decision.decision} (SEV{int(decision.verdict.severity)}), exit status {decision.exit_status}")
    return 0


def _refuse_evidence(output: Path) -> None:
    """A page must not take the place of what a verdict rests on."""
    if output.is_dir() or output.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"--output {output} is no name of a page. Whatever lies there would be replaced, evidence as well. Give a "
            "file that ends in .html."
        )

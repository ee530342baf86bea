"""``weekops page``: the page of a run from its journal, of a fleet run from its decision, or of a recorded campaign."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from pytest_weekops.cli.places import refuse_evidence, write_asked
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="run directory, journal.jsonl, fleet run's directory, or recorded JSON"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it (default: beside)")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="of a recorded file alone (default: its own rules)")
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="recorded file that a recorded campaign's own rules compare with"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where the page was written; the verdict is on it, and ``weekops judge`` exits with it."""
    from pytest_weekops.evidence.journal_files import is_journal

    if arguments.run.is_file() and not is_journal(arguments.run):
        return _recorded(arguments.run, arguments.output, arguments.policy, arguments.baseline)
    if arguments.policy is not None or arguments.baseline is not None:
        raise InputError(
            f"{'--policy' if arguments.policy is not None else '--baseline'} is for recorded files, and "
            f"{arguments.run} is none. The page of a run shows the verdict by the run's own policy. Leave it out."
        )
    if (arguments.run / "asked.json").is_file():
        return _fleet(arguments.run, arguments.output)
    from pytest_weekops.evidence.artifacts import judged_anew
    from pytest_weekops.evidence.journal import find_journal
    from pytest_weekops.evidence.names import PAGE_NAME
    from pytest_weekops.evidence.page import files_beside, page_text, policy_before
    from pytest_weekops.week.witnesses import read_uncontradicted

    stored = read_uncontradicted(arguments.run)
    verdict, facts = judged_anew(stored)
    document = facts.decision(verdict)
    place = find_journal(arguments.run).parent
    output: Path = arguments.output or place / PAGE_NAME
    refuse_evidence(output)
    text = page_text(verdict, facts, document, files_beside(place), policy_before(place, verdict.kind))
    write_asked(output, text)
    say(f"{output} written, {len(text.encode()) / 1024:.0f} KiB")
    say(f"verdict: {document['decision']} (SEV{document['severity']}), exit status {document['exit_status']}")
    return 0


def _recorded(path: Path, asked: Path | None, policy_path: Path | None, baseline: Path | None) -> int:
    """The page of a recorded campaign, with the verdict that `weekops judge` gives by the same words."""
    from pytest_weekops.cli.recorded import read_recorded
    from pytest_weekops.core.recorded.judge import judge_recorded
    from pytest_weekops.evidence.page import recorded_page_text

    output = asked or path.with_suffix(".html")
    refuse_evidence(output)
    policy, campaign = read_recorded(path, policy_path, baseline)
    verdict = judge_recorded(policy, campaign).verdict
    told = (("--policy", policy_path), ("--baseline", baseline))
    words = [word for name, value in told if value is not None for word in (name, value.name)]
    text = recorded_page_text(path, campaign, verdict, shlex.join(["weekops", "page", path.name, *words]))
    write_asked(output, text)
    say(f"{output} written, {len(text.encode()) / 1024:.0f} KiB")
    say(f"verdict: {verdict.decision.value} (SEV{int(verdict.severity)}), exit status {int(verdict.exit_status)}")
    return 0


def _fleet(directory: Path, asked: Path | None) -> int:
    """The page of a fleet run, from its decision."""
    from pytest_weekops.evidence.names import FLEET_PAGE_NAME
    from pytest_weekops.fleet.book import FleetBook
    from pytest_weekops.fleet.page import fleet_page_text, is_as_recorded

    output = asked or directory / FLEET_PAGE_NAME
    refuse_evidence(output)
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
    write_asked(output, text)
    say(f"{output} written, {len(text.encode()) / 1024:.0f} KiB")
    say(f"verdict: {decision.decision} (SEV{int(decision.verdict.severity)}), exit status {decision.exit_status}")
    return 0

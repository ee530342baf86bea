"""``fleet.html``: the page of a fleet run beside its decision. It is a view and no evidence, and decides nothing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.week.entry import FLEET
from pytest_weekops.evidence.artifacts import DECISION_NAME as HOST_DECISION
from pytest_weekops.evidence.artifacts import SUMMARY_NAME, facts_of, read_decision
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.names import FLEET_PAGE_NAME, PAGE_NAME
from pytest_weekops.evidence.page import write_page
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.fleet.book import ASKED_NAME, DECISION_NAME, FleetBook, FleetDecision
from pytest_weekops.fleet.judged import ended_status
from pytest_weekops.fleet.running import asked_of_hosts, reports_of
from pytest_weekops.report.fleet.shown import FleetPage
from pytest_weekops.report.page.shown import Fact, Link
from pytest_weekops.week.ledger import open_ledger

MOST_REPORTS = 12  # hosts whose own pages are made with the fleet's, gravest first: each takes a second or two
_FILES = {PAGE_NAME: "report", SUMMARY_NAME: "summary", HOST_DECISION: "decision", JOURNAL_NAME: "journal"}


def write_fleet_page(book: FleetBook, decision: FleetDecision, say: Callable[[str], None]) -> None:
    """Write the pages of the gravest hosts, then the fleet's; what does not work is a sentence.

    Whatever goes wrong in making a picture turns no verdict around.
    """
    if os.environ.get("WEEKOPS_NO_PAGE"):
        return
    try:
        for problem in _write_reports(book, decision):
            say(problem)
        text = fleet_page_text(book, decision)
        write_atomic(book.directory / FLEET_PAGE_NAME, text)
        say(f"{book.directory / FLEET_PAGE_NAME} written, {len(text.encode()) / 1024:.0f} KiB")
    except Exception as error:  # noqa: BLE001 - a view; whatever breaks in it, the fleet is judged
        words = str(error) if isinstance(error, WeekopsError) else f"{type(error).__name__}: {error!s:.200}."
        say(f"The fleet's page was not written: {words} `weekops page {book.directory}` makes it once that is mended.")


def fleet_page_text(book: FleetBook, decision: FleetDecision) -> str:
    """The page as HTML. Raises ``WeekopsError`` where what was asked cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a project that makes errors of warnings means its own
        from pytest_weekops.report.fleet.render import render_fleet

    return render_fleet(fleet_page(book, decision))


def is_as_recorded(book: FleetBook) -> bool:
    """Whether the decision on disk is the one in the ledger of its report directory, where that has one of this run.

    Raises ``LedgerError`` for a ledger that does not verify.
    """
    key, found = book.directory.absolute().name, open_ledger(reports_of(book)).entries()
    recorded = [entry.body.get("decision_sha256") for entry in found if (entry.kind, entry.key) == (FLEET, key)]
    return recorded in ([], [hash_file(book.directory / DECISION_NAME)])


def fleet_page(book: FleetBook, decision: FleetDecision) -> FleetPage:
    """What the page shows. Raises ``WeekopsError`` where what was asked cannot be read."""
    from pytest_weekops.report.fleet.showing import FleetFacts, show_fleet

    asked = book.asked()
    facts = FleetFacts(
        fleet_run=decision.fleet_run,
        suite=decision.suite,
        words=asked.words,
        version=decision.version,
        created_at=decision.created_at,
        ended_at=decision.ended_at,
        host_files={host.name: tuple(_files_of(book, host.name)) for host in asked.fleet.hosts},
        files=tuple(_beside(book.directory)),
    )
    return show_fleet(asked.fleet, decision.asked, decision.verdict, decision.outcomes, facts)


def _files_of(book: FleetBook, host: str) -> Iterator[Link]:
    """What lies in a host's directory."""
    place = book.host(host)
    for name, words in _FILES.items():
        if (place / name).is_file():
            yield Link(f"hosts/{quote(host)}/{name}", words)


def _beside(directory: Path) -> Iterator[Fact]:
    for name in (DECISION_NAME, ASKED_NAME):
        if (directory / name).is_file():
            yield Fact(name, hash_file(directory / name), is_code=True, target=f"./{name}")


# -- pages of hosts ----------------------------------------------------------------------------------------------


def _write_reports(book: FleetBook, decision: FleetDecision) -> Iterator[str]:
    """Make the pages of the hosts that somebody will want to look at first; sentences for those that did not work."""
    for host in _worth_a_page(decision, book):
        try:
            if problem := _write_report(book, host):
                yield f"Host {host}: {problem}"
        except InputError as error:
            yield f"Host {host}: its page was not written. {error}"


def _worth_a_page(decision: FleetDecision, book: FleetBook) -> Iterator[str]:
    """Hosts with a judged journal and no page yet: all of a small fleet, else the gravest that did not promote."""
    from pytest_weekops.core.fleet.standing import Count, standings
    from pytest_weekops.report.fleet.showing import listed_hosts

    asked = book.asked()
    stands = standings(asked.fleet, decision.outcomes, decision.asked)
    slow = {host for count in decision.verdict.labels for host in count.outliers}
    is_small = len(stands) <= MOST_REPORTS
    counts = {one.host.name: one.counts for one in stands}
    judged = {outcome.host for outcome in decision.outcomes if outcome.judged is not None}
    wanted = [
        host
        for host in listed_hosts(stands, decision.verdict)
        if host in judged and (is_small or counts[host] is not Count.PROMOTED or host in slow)
    ]
    yield from (host for host in wanted[:MOST_REPORTS] if not (book.host(host) / PAGE_NAME).exists())


def _write_report(book: FleetBook, host: str) -> str:
    """The page of one host; a sentence where that did not work. Raises ``InputError`` for a journal that is none."""
    asked = next(each for each in asked_of_hosts(book.asked()) if each.host == host)
    run = read_run(book.journal(host))
    verdict = judge_stored(run, policy=asked.policy)
    facts = facts_of(run, asked.policy, ended_status(run, verdict))
    document = read_decision(book.host(host)) or facts.decision(verdict)
    return write_page(book.host(host), verdict, facts, document)

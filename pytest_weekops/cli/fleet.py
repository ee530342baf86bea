"""``weekops fleet``: the gate on many hosts, one verdict over them."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.fleet.book import FleetBook, FleetDecision
    from pytest_weekops.fleet.keys import Keys

UNDECIDED = 11
VERB_STATUSES = {
    "check": "Exit status 0 where every host answers and could be measured, else 1.",
    "status": "Exit status of the fleet's verdict: 0 promote, 1 iterate, 10 roll back, 11 undecided, or no end yet.",
    "verify": "Exit status 0 where journals, outcomes and decision agree, else 1.",
    "close": "Exit status 0 for promote, 10 where a SEV1 is open, 11 where only steps are missing, else 1.",
    "keys": "Exit status 0 where they were made.",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    check = verbs.add_parser("check", help="who answers, with which version, driver and device; changes nothing")
    running = verbs.add_parser("run", help="run a suite on every host, and judge them together")
    for verb in (check, running):
        verb.add_argument("file", type=Path, metavar="FILE", help="the fleet: its hosts, labels and what promotes them")
        verb.add_argument("--keys", type=Path, metavar="DIR", help="keys for schedulers at tls:// addresses")
        verb.add_argument("--ssh-config", type=Path, metavar="FILE", help="ssh's configuration, in place of your own")
        verb.add_argument("--plain", action="store_true", help="use schedulers at tcp:// addresses, unencrypted")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument(
        "--dry-run", action="store_true", help="show what would be started, job scripts included, and ask nobody"
    )
    running.add_argument("suite", choices=("weekly", "canonical"), help="the suite that hosts run")
    running.add_argument("--sizes", nargs="+", type=int, default=[], metavar="N", help="problem sizes")
    running.add_argument("--kernels", nargs="+", default=[], metavar="MODE", help="kernels, as pytest takes them")
    running.add_argument("--options", default="", metavar="WORDS", help="further options for the suite, in one word")
    running.add_argument(
        "--resume", nargs="?", const="", metavar="RUN", help="go on with a fleet run (default: the latest)"
    )
    status = verbs.add_parser("status", help="how each host of a fleet run stands")
    verify = verbs.add_parser("verify", help="judge a fleet run again from its journals, and compare")
    for verb in (status, verify):
        verb.add_argument("run", nargs="?", metavar="RUN", help="the fleet run (default: the latest)")
    close = verbs.add_parser("close", help="close a week of the fleets: what they came to, and what is owed")
    close.add_argument("--week", required=True, metavar="WEEK", help="ISO week, for example 2026-W48")
    add_report_dir(running, status, verify, close, what="where runs are kept")
    status.add_argument("--json", action="store_true", help="print the decision as JSON")
    keys = verbs.add_parser("keys", help="make the keys that let hosts in")
    keys.add_argument("directory", type=Path, metavar="DIR", help="where they are put, for you alone to read")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where the fleet promotes, or all is well; 1 where not; 10 roll back; 11 undecided, or no end."""
    try:
        return _VERBS[arguments.verb](arguments)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dask", "dask_jobqueue", "distributed", "cryptography"):
            raise
        raise InputError(
            f"The package {error.name} is not installed, with which hosts are reached. No host was asked. Install it: "
            'pip install "pytest-weekops[fleet]".'
        ) from error


def _keys_of(arguments: argparse.Namespace) -> Keys | None:
    from pytest_weekops.fleet.keys import Keys

    return Keys.at(arguments.keys) if arguments.keys is not None else None


def _ssh_config(arguments: argparse.Namespace) -> Path | None:
    path: Path | None = arguments.ssh_config
    if path is not None and not path.is_file():
        raise InputError(f"--ssh-config {path} is no file. No host would be found. Name the one that ssh is to read.")
    return path.absolute() if path is not None else None


def _keys(arguments: argparse.Namespace) -> int:
    from pytest_weekops.fleet.keys import Keys

    made = Keys.make(arguments.directory)
    say(f"{made.certificate} and {made.key} are made. Scheduler and workers are started with both:")
    files = f"--tls-ca-file {made.certificate} --tls-cert {made.certificate} --tls-key {made.key}"
    say(f"  dask scheduler --protocol tls {files}", whole=True)
    say(
        f"  dask worker tls://SCHEDULER:8786 --no-nanny --nthreads 1 --name HOST --resources device=1 {files}",
        whole=True,
    )
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.fleet.checking import check_fleet
    from pytest_weekops.policies.fleet import load_fleet

    fleet = load_fleet(arguments.file)
    if arguments.dry_run:
        from pytest_weekops.fleet.dry_run import shown

        for line in shown(fleet, _ssh_config(arguments)):
            say(line, whole=True)
        return 0
    with Scratch() as scratch:
        answers = asyncio.run(
            check_fleet(
                fleet,
                scratch=scratch,
                plain=arguments.plain,
                keys=_keys_of(arguments),
                say=_say,
                ssh_config=_ssh_config(arguments),
            )
        )
    if arguments.json:
        print(json.dumps([answer.model_dump(mode="json") for answer in answers], indent=2))
    else:
        for answer in answers:
            say(answer.words())
    return 0 if all(answer.fits for answer in answers) else 1


def _run(arguments: argparse.Namespace) -> int:
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.fleet import running
    from pytest_weekops.fleet.page import write_fleet_page

    keys, ssh_config = _keys_of(arguments), _ssh_config(arguments)
    if arguments.resume is not None:
        book = running.resume(_directory(arguments.report_dir, arguments.resume or None))
    else:
        book = _begun(arguments)
    try:
        with Scratch() as scratch:
            decision = asyncio.run(_reached(book, scratch, plain=arguments.plain, keys=keys, ssh_config=ssh_config))
    except KeyboardInterrupt:
        _say(f"Interrupted. `weekops fleet run FILE {arguments.suite} --resume` goes on with {book.directory}.")
        raise
    finally:
        book.let_go()
    write_fleet_page(book, decision, _say)
    _tell(book, decision)
    return decision.exit_status


def _begun(arguments: argparse.Namespace) -> FleetBook:
    from pytest_weekops.cli.measuring import refuse_sizes
    from pytest_weekops.fleet import running
    from pytest_weekops.fleet.cluster import refuse_unreachable
    from pytest_weekops.policies.fleet import load_fleet

    fleet = load_fleet(arguments.file)
    refuse_unreachable(fleet, plain=arguments.plain, keys=_keys_of(arguments))
    if arguments.sizes:
        refuse_sizes(arguments.sizes, "run at")
    try:
        words = tuple(shlex.split(arguments.options))
    except ValueError as error:
        raise InputError(
            f"--options {arguments.options!r:.200} cannot be taken apart: {error}. Close its quotes."
        ) from error
    wanted = running.Wanted(arguments.suite, tuple(arguments.sizes), tuple(arguments.kernels), words)
    return running.begin(arguments.report_dir, fleet, arguments.file.absolute().parent, wanted)


async def _reached(
    book: FleetBook, scratch: Path, *, plain: bool, keys: Keys | None, ssh_config: Path | None
) -> FleetDecision:
    from rich.console import Console

    from pytest_weekops.cli.fleet_table import FleetTable
    from pytest_weekops.fleet import running
    from pytest_weekops.fleet.cluster import DaskReach
    from pytest_weekops.fleet.telling import plan_words
    from pytest_weekops.fleet.watching import FleetWatch

    if (decided := book.decision()) is not None:
        running.enter(book, decided)
        return decided
    fleet, logs = book.asked().fleet, book.directory / "logs"
    async with DaskReach(fleet, scratch=scratch, logs=logs, plain=plain, keys=keys, ssh_config=ssh_config) as reach:
        _say(f"Fleet run {book.directory}")
        for line in plan_words(book.asked()):
            _say(line)
        views = [f"Dask's own view: {address}" for address in await reach.dashboards()]
        if not sys.stderr.isatty():
            for line in views:
                _say(line)
            return await running.run(book, reach, _say)
        with FleetTable(Console(stderr=True), tuple(views)) as table:
            return await running.run(book, reach, _say, watch=FleetWatch(fleet, _say, table.draw))


def _status(arguments: argparse.Namespace) -> int:
    from pytest_weekops.fleet.book import FleetBook
    from pytest_weekops.fleet.telling import standing_words

    book = FleetBook(_directory(arguments.report_dir, arguments.run))
    decision = book.decision()
    if decision is not None:
        if arguments.json:
            print(decision.model_dump_json(indent=2, by_alias=True))
        else:
            _tell(book, decision)
        return decision.exit_status
    asked = book.asked()
    for line in standing_words(book):
        say(line)
    for host in asked.fleet.hosts:
        outcome, attempt = book.outcome(host.name), book.attempt(host.name)
        state = outcome.state.value if outcome else f"asked at {attempt.begun_at}" if attempt else "waiting"
        say(f"{host.name} ({host.label}): {state}")
    say(f"{book.directory} has not ended. `weekops fleet run FILE {asked.suite} --resume` goes on with it.")
    return UNDECIDED


def _verify(arguments: argparse.Namespace) -> int:
    from pytest_weekops.fleet.book import FleetBook
    from pytest_weekops.fleet.running import problems

    book = FleetBook(_directory(arguments.report_dir, arguments.run))
    found = list(problems(book))
    for problem in found:
        say(problem)
    if not found:
        say(f"{book.directory}: every outcome follows from its journal, and the decision from the outcomes.")
    return 1 if found else 0


def _close(arguments: argparse.Namespace) -> int:
    from pytest_weekops.core.calendar import parse_week
    from pytest_weekops.fleet.closing import close_fleet_week

    closed = close_fleet_week(arguments.report_dir, parse_week(arguments.week))
    week = closed.week
    if closed.path is None:
        say(f"week {week.week} of the fleets is NOT closed; it lacks:")
    else:
        say(f"week {week.week} of the fleets: {week.decision} (SEV{week.severity})")
    for owed in (*week.lacks, *week.owed):
        say(f"  SEV{owed.severity} {owed.words()}")
    if closed.path is not None:
        say(f"  written: {closed.path}")
    return int(week.exit_status)


def _directory(reports: Path, name: str | None) -> Path:
    from pytest_weekops.fleet.book import latest_run

    if name is None:
        return latest_run(reports)
    here = Path(name)
    return here if here.is_dir() else reports / "fleet" / name


def _tell(book: FleetBook, decision: FleetDecision) -> None:
    """Each host, what did not pass, which driver each has now, and the verdict."""
    from pytest_weekops.fleet.telling import came_words

    for outcome in decision.outcomes:
        driver = f", driver {outcome.driver}" if outcome.driver else ""
        why = f": {outcome.why}" if outcome.why else ""
        say(f"{outcome.host} ({outcome.label}): {outcome.state.value}{driver}{why}")
    for finding in decision.verdict.findings:
        if finding.status.value != "pass":
            say(f"  SEV{int(finding.severity or 4)} {finding.check} {finding.status.value}: {finding.message}")
    for line in came_words(decision.came):
        say(line)
    verdict = decision.verdict
    say(f"{decision.decision}, SEV{int(verdict.severity)}, exit status {decision.exit_status}: {book.directory}")
    if decision.exit_status:
        say(f"owner: {verdict.owner}, within {verdict.respond_within_minutes} minutes: {verdict.action}")


def _say(line: str) -> None:
    say(line, sys.stderr)


_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "run": _run,
    "status": _status,
    "verify": _verify,
    "close": _close,
    "keys": _keys,
}

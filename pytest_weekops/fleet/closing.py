"""The fleets' closing of a week: their runs read back and hashed anew, what is owed, and the week entered, once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from pytest_weekops.core.calendar import Week, week_of
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.fleet.closing import Driver, FleetWeek, HostCame, Owed, RunCame, fleet_week
from pytest_weekops.core.fleet.promoted import UNSETTLED, LabelCame
from pytest_weekops.core.fleet.stages import Phase
from pytest_weekops.core.record import Record
from pytest_weekops.core.week.entry import FLEET, FLEET_WEEK, Entry
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.fleet.book import ASKED_NAME, DECISION_NAME, FleetBook, FleetDecision
from pytest_weekops.fleet.promotion_log import how_far
from pytest_weekops.week.ledger import open_ledger


class FleetWeekRecord(Record):
    """``decision.json`` of a closed week: what it came to, and the hash of each run's decision."""

    schema_: str = Field(default="weekops-fleet-week/1", alias="schema")
    week: str
    closed_at: str
    decision: str
    severity: int
    exit_status: int
    runs: dict[str, str]
    owed: tuple[Owed, ...]


@dataclass(frozen=True)
class Closed:
    """What closing a week came to; ``path`` is its record, None where it was not closed."""

    week: FleetWeek
    path: Path | None


def close_fleet_week(reports: Path, week: Week) -> Closed:
    """Close a week of the fleets of a report directory, or say what it lacks.

    Raises ``InputError`` where it is closed already, or no fleet was run in it.
    """
    ledger = open_ledger(reports)
    entries = ledger.entries()
    if closed := next((e for e in entries if (e.kind, e.key) == (FLEET_WEEK, str(week))), None):
        raise InputError(
            f"Week {week} of the fleets was closed on {closed.recorded_at} with {closed.body.get('decision')}. A week "
            "is closed once: what came later belongs to the week in which it came. Nothing was changed."
        )
    runs = list(_runs(reports, entries, week))
    if not any(run.of_week for run in runs):
        raise InputError(
            f"No fleet run of {week} is in {reports}. A week without runs has nothing to decide. Run the fleet first, "
            "or check --week and --report-dir. Nothing was changed."
        )
    found = fleet_week(str(week), runs)
    if found.lacks:
        return Closed(found, None)
    path = reports / "fleet" / "weeks" / f"{week}.json"
    record = FleetWeekRecord(
        week=str(week),
        closed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        decision=found.decision,
        severity=found.severity,
        exit_status=int(found.exit_status),
        runs={e.key: str(e.body.get("decision_sha256")) for e in entries if e.kind == FLEET and e.key in found.runs},
        owed=found.owed,
    )
    # Before the record: one that is there without it is of a close that was interrupted, and is written anew.
    write_atomic(path, record.model_dump_json(indent=2, by_alias=True) + "\n")
    body = {
        "decision": record.decision,
        "severity": record.severity,
        "exit_status": record.exit_status,
        "decision_sha256": hash_file(path),
        "owed": [one.words() for one in found.owed],
    }

    def refuse_late(entry: Entry) -> None:
        if entry.seq != len(entries) + 1:
            raise WeekopsError(
                f"The ledger took another record while week {week} was being closed, perhaps a run that failed. It is "
                "not closed. Run this again."
            )

    ledger.append(FLEET_WEEK, str(week), body, before_commit=refuse_late)
    return Closed(found, path)


def _runs(reports: Path, entries: tuple[Entry, ...], week: Week) -> Iterator[RunCame]:
    """Every fleet run: those of the ledger in its order, then those of the directory that it does not have."""
    recorded = {entry.key: entry for entry in entries if entry.kind == FLEET}
    for name, entry in recorded.items():
        yield _recorded(FleetBook(reports / "fleet" / name), entry, week)
    for path in sorted((reports / "fleet").glob(f"fleet-*/{ASKED_NAME}")):
        if path.parent.name not in recorded:
            yield _unended(FleetBook(path.parent), week)


def _recorded(book: FleetBook, entry: Entry, week: Week) -> RunCame:
    """A run as the ledger and its directory have it; what does not agree is a problem of it."""
    decision: FleetDecision | None = None
    problem = "its decision is gone, or is not the one that was recorded"
    try:
        if hash_file(book.directory / DECISION_NAME) == entry.body.get("decision_sha256"):
            decision, asked = book.decision(), book.asked()
    except (OSError, InputError) as error:
        problem = f"it cannot be read: {error}"[:300]
    of_week = entry.body.get("week") == str(week)
    status, severity = _number(entry, "exit_status"), _number(entry, "severity")
    name, suite = str(entry.body.get("fleet_id")), str(entry.body.get("suite"))
    if decision is None:
        return RunCame(
            fleet_run=entry.key,
            fleet_id=name,
            suite=suite,
            sizes=(),
            policies={},
            hosts=(),
            exit_status=status,
            severity=severity,
            of_week=of_week,
            problems=(problem,),
        )
    came = {label.label: label for label in decision.came.labels} if decision.came is not None else {}
    states = {outcome.host: outcome.state.value for outcome in decision.outcomes}
    return RunCame(
        fleet_run=entry.key,
        fleet_id=name,
        suite=suite,
        sizes=asked.sizes,
        policies=dict(decision.asked.policies),
        hosts=tuple(
            HostCame(host.name, host.label, states.get(host.name, ""), _driver(came.get(host.label), host.name))
            for host in asked.fleet.hosts
        ),
        exit_status=status,
        severity=severity,
        of_week=of_week,
        problems=tuple(_changed(book, decision)),
    )


def _number(entry: Entry, name: str) -> int:
    """A number of a record; 1, which is no promote and SEV1, where it holds none."""
    value = entry.body.get(name)
    return value if isinstance(value, int) else 1


def _changed(book: FleetBook, decision: FleetDecision) -> Iterator[str]:
    """Journals that are not what the decision was drawn from."""
    for outcome in decision.outcomes:
        if not outcome.journal_sha256:
            continue
        found = ""
        with contextlib.suppress(OSError, InputError):
            found = hash_file(book.journal(outcome.host))
        if found != outcome.journal_sha256:
            yield f"the journal of {outcome.host} is gone, or is not the one that was judged"


def _driver(came: LabelCame | None, host: str) -> Driver:
    """What is known of a host's driver by how far its label came; a fleet that was only measured changed none."""
    if came is None or not came.switched:
        return Driver.KNOWN
    phase = came.phases.get(host, Phase.WAITING)
    if phase is Phase.WAITING:
        return Driver.UNTOUCHED
    return Driver.UNKNOWN if phase in UNSETTLED else Driver.KNOWN


def _unended(book: FleetBook, week: Week) -> RunCame:
    """A run that the ledger does not have. Raises ``InputError`` where what it was begun with cannot be read."""
    asked = book.asked()
    found = how_far(book.directory, asked.fleet) if asked.fleet.is_staged else None
    came = {label.label: label for label in found.labels} if found is not None else {}
    return RunCame(
        fleet_run=asked.fleet_run,
        fleet_id=asked.fleet.fleet_id,
        suite=asked.suite,
        sizes=asked.sizes,
        policies={},
        hosts=tuple(
            HostCame(
                host.name,
                host.label,
                outcome.state.value if (outcome := book.outcome(host.name)) is not None else "",
                _driver(came.get(host.label), host.name),
            )
            for host in asked.fleet.hosts
        ),
        has_ended=False,
        of_week=week_of(asked.created_at) == week,
    )

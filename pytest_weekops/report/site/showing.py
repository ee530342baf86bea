"""From the ledger's runs to what the first page and the pages of weeks show. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.week.bounds import run_reach
from pytest_weekops.core.week.channel import Channel
from pytest_weekops.core.week.closing_record import open_actions
from pytest_weekops.core.week.devices import DeviceState, device_states
from pytest_weekops.core.week.entry import WEEK, Entry, RunEntry
from pytest_weekops.core.week.history import Series, history
from pytest_weekops.core.week.pins import Device as PinnedDevice
from pytest_weekops.core.week.pins import Pin, pin_of, pins_of
from pytest_weekops.report.history import verdict_word
from pytest_weekops.report.page.shown import Link
from pytest_weekops.report.site.fleets import show_fleets
from pytest_weekops.report.site.names import cell_name, week_name
from pytest_weekops.report.site.shown import (
    Acta,
    Action,
    CellRow,
    Device,
    FleetRow,
    IndexPage,
    Place,
    ResultRow,
    RunRow,
    Track,
    WeekBox,
    WeekPage,
    Year,
)
from pytest_weekops.report.table import number

RESULT_COLUMNS = ("throughput", "p95, ms", "drift, %", "launches", "ratio")
_ONE_WEEK = timedelta(days=7)


RunKey = tuple[int, str]


def run_key(run: RunEntry) -> RunKey:
    """What tells a run from every other: its record, and its name where it has none."""
    return run.seq, run.run_id


@dataclass(frozen=True)
class ToldRun:
    """A run as its row has it, and how far its throughputs may lie from the true ones, in logs; None if unknown."""

    row: RunRow
    reach: float | None


@dataclass(frozen=True)
class Known:
    """The ledger as all pages need it: runs in order, their cells, pins, and where each run's page is.

    ``told`` has what pages say of each run, imported ones among them, by :func:`run_key`.
    """

    entries: tuple[Entry, ...]
    runs: tuple[RunEntry, ...]
    cells: tuple[Series, ...]
    pins: tuple[Pin, ...]
    places: Mapping[str, Place]
    told: Mapping[RunKey, ToldRun]
    weeks: Mapping[Week, tuple[RunEntry, ...]]  # oldest first; closed ones that have no run any more as well
    fleets: tuple[FleetRow, ...] = ()  # newest first


def known(
    entries: Sequence[Entry],
    runs: Sequence[RunEntry],
    pages: Mapping[str, tuple[str, str]],
    imported: Sequence[RunEntry] = (),
    fleets: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> Known:
    """What these records say, and ``runs`` among them; ``pages`` has for each id the target of its page, or why not.

    ``fleets`` has the same for each fleet run. Runs that were imported have histories of their own, and nothing else.
    """
    pins = pins_of(entries)
    places = {run.run_id: Place(*pages[run.run_id], _week_link(run.week)) for run in runs}
    places |= {run.run_id: Place("", "from elsewhere", Link("", str(run.week))) for run in imported}
    cells = *history(runs, pins), *history(imported, ())
    weeks = dict(_by_week(entries, runs))
    told = {run_key(run): ToldRun(run_row(run, places), run_reach(run)) for run in (*runs, *imported)}
    return Known(
        tuple(entries), tuple(runs), cells, pins, places, told, weeks, tuple(show_fleets(entries, fleets, weeks))
    )


def _by_week(entries: Sequence[Entry], runs: Sequence[RunEntry]) -> Iterator[tuple[Week, tuple[RunEntry, ...]]]:
    weeks: dict[Week, list[RunEntry]] = {}
    for run in runs:
        weeks.setdefault(run.week, []).append(run)
    for week in (_closed_week(entry) for entry in entries if entry.kind == WEEK):
        if week is not None:
            weeks.setdefault(week, [])
    yield from ((week, tuple(weeks[week])) for week in sorted(weeks))


def run_row(run: RunEntry, places: Mapping[str, Place]) -> RunRow:
    """One run."""
    failed = ", ".join((*run.failed_checks, *run.inconclusive_checks)) or run.incompleteness
    drivers = tuple(f"{label}: {driver or 'unknown'}" for label, driver in run.drivers.items())
    row = run.run_id, places[run.run_id], run.kind, run.created_at, verdict_word(run)
    return RunRow(*row, run.exit_status, failed, drivers)


# -- the first page ----------------------------------------------------------------------------------------------


def show_index(found: Known, channel: Channel, notes: Sequence[str]) -> IndexPage:
    """The first page. ``channel`` is the one that `weekops status` tells."""
    head = found.entries[-1].hash if found.entries else ""
    return IndexPage(
        records=len(found.entries),
        head=head,
        state=channel.state.value,
        since=channel.since,
        why=channel.why,
        lifts=(*channel.lifts, *channel.notes),
        devices=tuple(_device(each, found) for each in device_states(found.runs, channel)),
        years=tuple(_years(found)),
        actions=tuple(_actions(found)),
        cells=tuple(map(_cell_row, found.cells)),
        notes=tuple(notes),
        fleets=found.fleets,
    )


def _device(each: DeviceState, found: Known) -> Device:
    pin = pin_of(found.pins, PinnedDevice(each.platform, each.hardware))
    promote = each.promote
    return Device(
        platform=each.platform,
        hardware=each.hardware or "unknown",
        driver=each.driver or "unknown",
        state=each.state.value if each.state is not None else "replaced",
        why=each.why,
        runs=len(each.runs),
        last=found.told[run_key(each.runs[-1])].row,
        promote=Link(found.places[promote.run_id].week.target, promote.run_id) if promote is not None else None,
        baseline=pin.run_id if pin is not None else "",
    )


def _closed_week(entry: Entry) -> Week | None:
    year, _, rest = entry.key.partition("-W")
    if not (year.isdecimal() and rest.isdecimal() and len(year) == 4):
        return None
    week = Week(int(year), int(rest))
    try:
        _ = week.monday
    except ValueError:
        return None
    return week


def _years(found: Known) -> Iterator[Year]:
    """From the first week to the last, those without runs as well; the newest year first."""
    weeks = list(found.weeks)
    if not weeks:
        return
    boxes = _boxes(found)
    by_year: dict[int, list[WeekBox]] = {}
    day = weeks[0].monday
    while day <= weeks[-1].monday:
        year, count, _day = day.isocalendar()
        week = Week(year, count)
        empty = WeekBox(str(week), "", "no runs", None, 0, 0, 0)
        by_year.setdefault(year, []).append(boxes.get(week, empty))
        day += _ONE_WEEK
    for year in sorted(by_year, reverse=True):
        yield Year(year, tuple(by_year[year]))


def _boxes(found: Known) -> dict[Week, WeekBox]:
    closed = {entry.key: entry for entry in found.entries if entry.kind == WEEK}
    owed: dict[str, int] = {}
    for action in open_actions(found.entries):
        owed[str(action.get("week"))] = owed.get(str(action.get("week")), 0) + 1
    return {week: _box(week, runs, closed.get(str(week)), owed.get(str(week), 0)) for week, runs in found.weeks.items()}


def _box(week: Week, runs: Sequence[RunEntry], closed: Entry | None, owed: int) -> WeekBox:
    promoted = sum(run.is_promote for run in runs)
    if closed is None:
        severity = min((run.severity for run in runs if not run.is_promote), default=None)
        return WeekBox(str(week), week_name(week), "not closed", severity, len(runs), promoted, owed)
    verdict, severity = str(closed.body.get("decision", "unknown")), closed.body.get("severity")
    level = severity if isinstance(severity, int) else None
    return WeekBox(str(week), week_name(week), verdict, level, len(runs), promoted, owed)


def _actions(found: Known) -> Iterator[Action]:
    links = {str(week): _week_link(week) for week in found.weeks}
    for each in open_actions(found.entries):
        name = str(each.get("week", ""))
        link = links.get(name, Link("", name))
        yield Action(str(each["id"]), link, str(each.get("text", "")), str(each.get("owner", "")), _text(each, "due"))


def _cell_row(series: Series) -> CellRow:
    last = series.points[-1]
    words = series.name, cell_name(series.cell, series.unit), series.unit or "no number"
    return CellRow(*words, len(series.points), last.throughput, verdict_word(last.run), last.status)


def _week_link(week: Week) -> Link:
    return Link(week_name(week), str(week))


# -- a week ------------------------------------------------------------------------------------------------------


def show_weeks(found: Known, documents: Mapping[str, tuple[Mapping[str, Any] | None, str]]) -> Iterator[WeekPage]:
    """Every week's page, oldest first. ``documents`` has the decision of each closed week, or why there is none."""
    weeks = list(found.weeks)
    boxes, owed = _boxes(found), tuple(_actions(found))
    cells = {(series.cell, series.unit): cell_name(series.cell, series.unit) for series in found.cells}
    targets = {f"{platform} {kernel} {size}": name for ((platform, kernel, size), _unit), name in cells.items()}
    for place, (week, runs) in enumerate(found.weeks.items()):
        document, note = documents.get(str(week), (None, "This week is not closed: `weekops close` decides it."))
        acta = _acta(document) if document is not None else None
        yield WeekPage(
            box=boxes[week],
            first_day=week.monday.isoformat(),
            last_day=week.sunday.isoformat(),
            acta=acta,
            acta_note=note if acta is not None or document is None else "Its decision has another shape.",
            runs=tuple(found.told[run_key(run)].row for run in runs),
            results=tuple(_result(run, row, targets) for run in runs for row in run.results),
            columns=RESULT_COLUMNS,
            actions=tuple(each for each in owed if each.week.words == str(week)),
            before=_week_link(weeks[place - 1]) if place else None,
            after=_week_link(weeks[place + 1]) if place + 1 < len(weeks) else None,
            fleets=tuple(each for each in found.fleets if each.place.week.words == str(week)),
        )


def _result(run: RunEntry, row: Mapping[str, Any], targets: Mapping[str, str]) -> ResultRow:
    name = " ".join(str(row[key]) for key in ("platform", "kernel", "size") if key in row)
    seed = f" seed {row['seed']}" if "seed" in row else ""
    unit = str(row.get("unit", "GFLOPS"))
    speed = row.get("mean_gbs" if unit == "GB/s" else "mean_gflops")
    numbers = (
        f"{number(speed)} {unit}" if speed is not None else "-",
        number(row.get("p95_ms"), 3),
        number(row.get("drift_percent"), 1),
        str(row.get("launches", "-")),
        number(row.get("ratio"), 3),
    )
    target = targets.get(name, "") if row.get("ratio") is None else ""
    return ResultRow(run.run_id, name + seed, target, numbers, str(row.get("status", "unknown")))


def _acta(document: Mapping[str, Any]) -> Acta | None:
    """The week's decision in the words of its document; None where it is of another shape."""
    try:
        severity, channel = document["severity"], document["channel"]
        return Acta(
            closed_at=str(document["closed_at"]),
            rationale=str(document["block_rationale"]),
            owner=str(severity["owner"]),
            due=_text(severity, "deadline"),
            action=str(severity["action"]),
            channel=f"{channel['state']} since {channel['since'] or 'the beginning'}",
            tracks=tuple(_track(name, track) for name, track in document["tracks"].items()),
            findings=tuple(map(str, document["findings"])),
            lifted_by=tuple(map(str, document["lifted_by"])),
        )
    except (KeyError, TypeError, AttributeError):
        return None


def _track(name: str, track: Mapping[str, Any]) -> Track:
    files = tuple(
        (str(file["path"]), _text(file, "sha256") or "unreadable", file.get("intact", True) is True)
        for file in track["evidence"]
    )
    return Track(str(name), str(track["decision"]), str(track["rationale"]), files)


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return "" if value is None else str(value)

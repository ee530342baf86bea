"""Which pages a site has, what each is made of, and that those are made which are not there as they should be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.channel import channel_of
from pytest_weekops.core.week.entry import FLEET, WEEK, Entry, RunEntry, run_entries
from pytest_weekops.core.week.history import Series
from pytest_weekops.core.week.levels import LEAST_RUNS, Step, measured, steps
from pytest_weekops.core.week.run_entry import refuse_name
from pytest_weekops.evidence.names import FLEET_PAGE_NAME, FLEETS, PAGE_NAME
from pytest_weekops.report.page.shown import Link
from pytest_weekops.report.site.cells import neighbours, show_cell
from pytest_weekops.report.site.names import INDEX, cell_name, copy_name, file_target, pair_name
from pytest_weekops.report.site.showing import Known, known, show_index, show_weeks
from pytest_weekops.report.site.shown import CellPage, IndexPage, WeekPage
from pytest_weekops.week import change_points
from pytest_weekops.week.evidence import check_file, decision_facts
from pytest_weekops.week.imported import imported_runs
from pytest_weekops.week.kept_decisions import look_beside
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.site_files import SiteFiles, Wanted
from pytest_weekops.week.site_journals import Pair, RunFile, run_file
from pytest_weekops.week.site_work import Ahead, processes
from pytest_weekops.week.untold import with_untold

_WORTH_PROCESSES = 600  # runs in the histories that are to be drawn
_PACKAGE = Path(__file__).resolve().parents[1]
_FEW = f"It has fewer than {LEAST_RUNS} numbers, so change points were not looked for."


@dataclass(frozen=True)
class Built:
    """What came of it: the first page, how many pages there are, and how many of them were written and removed."""

    index: Path
    pages: int
    written: int
    removed: int
    notes: tuple[str, ...]


def built(report_dir: Path, output: Path, drawing: Ahead, *, copy: bool) -> Built:
    """Build or refresh the site, as :func:`pytest_weekops.week.site.build_site` says."""
    entries = open_ledger(report_dir).entries()
    runs, imported = run_entries(entries), imported_runs(report_dir)
    fleets = [entry.key for entry in entries if entry.kind == FLEET]
    if not runs and not imported and not fleets:
        raise InputError(
            f"No run was recorded in {report_dir}/ yet, so there is nothing to show. The first run makes the ledger. "
            "If the runs are elsewhere, name it: --report-dir DIR."
        )
    files = SiteFiles(output)
    places = {run.run_id: _page_of(run, report_dir, output, copy=copy) for run in runs}
    told = {run_id: (place.target, place.missing) for run_id, place in places.items()}
    found = known(
        entries, runs, told, imported, {key: _fleet_page(key, report_dir, output, copy=copy) for key in fleets}
    )
    kept, notes = look_beside(runs, report_dir, imported)
    journals = _journals(found, report_dir)
    put_cells = _begin_cells(files, found, kept, journals, drawing)
    _put_pairs(files, found, journals)
    for page in show_weeks(found, dict(_decisions(entries, report_dir))):
        files.put(Wanted(page.box.target, _key(page), partial(_week_text, page)))
    for place in places.values():
        if place.source is not None:
            files.put(Wanted(place.target, _key(place.looks), place.source.read_bytes))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    channel = with_untold(channel_of(entries, now=now), report_dir, runs)
    index = show_index(found, channel, notes)
    files.put(Wanted(INDEX, _key(index), partial(_index_text, index)))
    put_cells()
    files.finish()
    return Built(output / INDEX, files.pages, files.written, files.removed, tuple(notes))


# -- pages of runs -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Page:
    """Where a run's page is, or why there is none; ``source`` is a file to copy, and ``looks`` how it looks now."""

    target: str
    missing: str
    source: Path | None = None
    looks: tuple[int, int] = (0, 0)


def _page_of(run: RunEntry, report_dir: Path, output: Path, *, copy: bool) -> _Page:
    try:
        refuse_name(run.run_dir, "Run directory")
    except InputError:
        return _Page("", "its record names no directory")
    place = report_dir / run.run_dir
    if not place.is_dir():
        return _Page("", "its directory is gone")
    page = place / PAGE_NAME
    if page.is_symlink() or not page.is_file() or place.is_symlink():
        return _Page("", f"no {PAGE_NAME} there")
    if not copy:
        return _Page(file_target(os.path.relpath(page.absolute(), output.absolute())), "")
    found = page.stat()
    return _Page(copy_name(run.run_id), "", page, (found.st_size, found.st_mtime_ns))


def _fleet_page(fleet_run: str, report_dir: Path, output: Path, *, copy: bool) -> tuple[str, str]:
    """Where a fleet run's page is, or why there is none."""
    try:
        refuse_name(fleet_run, "Fleet run")
    except InputError:
        return "", "its record names no directory"
    page = report_dir / FLEETS / fleet_run / FLEET_PAGE_NAME
    if page.is_symlink() or not page.is_file():
        return "", f"no {FLEET_PAGE_NAME} there"
    if copy:
        return "", f"{FLEETS}/{fleet_run}/{FLEET_PAGE_NAME} leads to files of its hosts and is not copied"
    return file_target(os.path.relpath(page.absolute(), output.absolute())), ""


# -- cells and pairs ---------------------------------------------------------------------------------------------


def _put_pairs(files: SiteFiles, found: Known, journals: Mapping[str, RunFile]) -> None:
    """The pages of runs next to each other in a cell."""
    pairs = _pairs(found, journals)
    wanted = [Wanted(pair_name(*names), _key(pair), partial(_pair_text, pair)) for names, pair in pairs.items()]
    stale = [pair for pair, each in zip(pairs.values(), wanted, strict=True) if not files.is_fresh(each)]
    _put_all(files, wanted, list(_paired_texts(stale)))


def _begin_cells(
    files: SiteFiles, found: Known, kept: Mapping[str, str], journals: Mapping[str, RunFile], drawing: Ahead
) -> Callable[[], None]:
    """Begin with the pages of cells, which take longest; what is returned waits for them and puts them there."""
    cells = [_wanted_cell(series, _shown(series, found, kept, journals.keys())) for series in found.cells]
    makes = [each.make for each in cells if not files.is_fresh(each)]
    is_worth = len(makes) * len(found.runs) >= _WORTH_PROCESSES
    texts = drawing.begun(makes, processes() if is_worth else 1)
    return lambda: _put_all(files, cells, texts())


def _put_all(files: SiteFiles, wanted: Sequence[Wanted], texts: Sequence[str | bytes]) -> None:
    """Pages of one kind; ``texts`` are those that are not fresh, in their order."""
    stale = iter(texts)
    for each in wanted:
        files.put(each if files.is_fresh(each) else replace(each, make=partial(next, stale)))


def _pair_text(pair: Pair) -> str:
    return next(_paired_texts([pair]))


def _wanted_cell(series: Series, page: CellPage) -> Wanted:
    """A cell's page, whose change points are looked for where it is made."""
    key = _key(page, change_points.can_look(), _ruptures())
    return Wanted(cell_name(series.cell, series.unit), key, partial(_cell_text, steps(series), page))


def _journals(found: Known, report_dir: Path) -> dict[str, RunFile]:
    """The journals that are there, by run."""
    targets = {run.run_id: Link(found.places[run.run_id].target, run.run_id) for run in found.runs}
    files = (run_file(run, report_dir, targets[run.run_id]) for run in found.runs)
    return {file.run_id: file for file in files if file is not None}


def _pairs(found: Known, journals: Mapping[str, RunFile]) -> dict[tuple[str, str], Pair]:
    """Runs next to each other in a cell, by their ids, with the pages of the cells in which they are."""
    cells: dict[tuple[str, str], dict[tuple[str, str, int], str]] = {}
    for series in found.cells:
        page = cell_name(series.cell, series.unit)
        for names in neighbours(series, journals):
            cells.setdefault(names, {})[series.cell] = page
    order = {run_id: place for place, run_id in enumerate(journals)}
    ordered = sorted(cells, key=lambda names: (order[names[1]], order[names[0]]))  # so that journals are read once
    return {names: Pair(journals[names[0]], journals[names[1]], cells[names]) for names in ordered}


def _shown(series: Series, found: Known, kept: Mapping[str, str], there: Container[str]) -> CellPage:
    note = "" if len(measured(series)) >= LEAST_RUNS else _FEW
    if not change_points.can_look():
        note = change_points.NOT_LOOKED
    return show_cell(series, None, note, told=found.told, files=kept, there=there)


# -- weeks -------------------------------------------------------------------------------------------------------


def _decisions(
    entries: tuple[Entry, ...], report_dir: Path
) -> Iterator[tuple[str, tuple[Mapping[str, Any] | None, str]]]:
    """The decision of each closed week where it is what the ledger recorded, else why it is not shown."""
    for entry in entries:
        if entry.kind != WEEK:
            continue
        name = f"weeks/{entry.key}/decision.json"
        _facts, problem = check_file(report_dir, name, str(entry.body.get("decision_sha256")))
        if problem:
            yield entry.key, (None, f"Its decision is not shown. {problem}")
        else:
            yield entry.key, (decision_facts(report_dir / name), "")


# -- texts, whose makers load only where something is to be made ---------------------------------------------------


def _cell_text(found: Sequence[Step], page: CellPage) -> str:
    from pytest_weekops.week.site_cells import cell_text

    return cell_text(found, page)


def _paired_texts(pairs: Sequence[Pair]) -> Iterator[str]:
    if pairs:
        from pytest_weekops.week.site_pairs import paired_texts

        yield from paired_texts(pairs)


def _week_text(page: WeekPage) -> str:
    from pytest_weekops.report.site.render import render_week

    return render_week(page)


def _index_text(page: IndexPage) -> str:
    from pytest_weekops.report.site.render import render_index

    return render_index(page)


# -- what pages are made of --------------------------------------------------------------------------------------


def _key(*values: object) -> str:
    """A hash of all that a page is made of: its values, and the program that makes HTML of them."""
    text = "\0".join([_program(), *map(repr, values)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _program() -> str:
    """A hash of this package's own files, and of the library that draws."""
    told = hashlib.sha256(version("matplotlib").encode())
    for directory, folders, names in os.walk(_PACKAGE):
        folders[:] = sorted(set(folders) - {"__pycache__"})
        place = Path(directory)
        told.update(os.fsencode(place.relative_to(_PACKAGE)) + b"\0")
        for name in sorted(name for name in names if name.endswith((".py", ".j2", ".css"))):
            told.update(os.fsencode(name) + b"\0" + (place / name).read_bytes())
    return told.hexdigest()


@cache
def _ruptures() -> str:
    try:
        return version("ruptures")
    except PackageNotFoundError:
        return ""

"""Pages of two runs side by side, made from their journals as the ledger recorded them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.run_speed import MARGIN_PERCENT
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.report.site.comparing import show_compared
from pytest_weekops.report.site.render import render_compared
from pytest_weekops.report.site.shown import ComparePage
from pytest_weekops.week.comparing import Comparable, comparable, compare
from pytest_weekops.week.evidence import check_file
from pytest_weekops.week.site_journals import Pair, RunFile
from pytest_weekops.week.site_work import made, processes

_ALONE = 24  # so few are made before another process has begun


def paired_texts(pairs: Sequence[Pair]) -> Iterator[str]:
    """The page of each pair as HTML, in their order; many are made by several processes."""
    count = min(processes(), len(pairs) // _ALONE)
    size = -(-len(pairs) // max(count, 1)) or 1
    parts = [partial(_texts, pairs[start : start + size]) for start in range(0, len(pairs), size)]
    for texts in made(parts, count):
        yield from texts


def _texts(pairs: Sequence[Pair]) -> list[str]:
    """One after the other; a journal that the pair before has read is not read again."""
    texts: list[str] = []
    last: dict[str, Comparable] = {}
    for pair in pairs:
        links = pair.first.page, pair.second.page
        try:
            runs = {file.run_id: last.get(file.run_id) or comparable(_read(file)) for file in (pair.first, pair.second)}
            compared = compare(runs[pair.first.run_id], runs[pair.second.run_id], MARGIN_PERCENT)
            page = show_compared(*links, compared.differences, compared.speed, pair.cells)
            last = runs
        except InputError as error:
            page = ComparePage(*links, problem=str(error))
        texts.append(render_compared(page))
    return texts


def _read(file: RunFile) -> StoredRun:
    """The run of a journal that is what the ledger recorded. Raises ``InputError`` for any other."""
    name = f"{file.run_dir}/{JOURNAL_NAME}"
    _facts, problem = check_file(file.report_dir, name, file.recorded)
    if problem:
        raise InputError(f"Run {file.run_id} cannot be compared. {problem}")
    run = read_run(file.report_dir / name)
    if run.run_id != file.run_id:
        raise InputError(f"Run {file.run_id} cannot be compared: its journal speaks of run {run.run_id:.80}.")
    return run

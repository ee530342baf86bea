"""From two compared runs to what their page shows, in the words of `weekops compare`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_weekops.core.judge.campaign import cell_name
from pytest_weekops.core.judge.run_difference import difference_word
from pytest_weekops.core.judge.run_speed import MARGIN_PERCENT, CellChange, SpeedChange
from pytest_weekops.report.launch_times import LEGEND, launch_times
from pytest_weekops.report.page.shown import Link
from pytest_weekops.report.site.shown import ComparePage, CompareRow
from pytest_weekops.report.speed_change import COLUMNS, speed_legend, speed_sentences, speed_strips, speed_texts

_GRAVEST = ("lost", "slower", "open", "not slower", "faster")


def show_compared(
    first: Link,
    second: Link,
    differences: Mapping[str, tuple[str, ...]],
    speed: SpeedChange,
    cells: Mapping[tuple[str, str, int], str],
) -> ComparePage:
    """Two runs; ``cells`` has the page of each cell's history."""
    axis, strips = speed_strips(speed)
    found = {*(each.status for each in speed.cells), *(["lost"] if speed.lost else [])}
    legend = [*speed_legend(speed), LEGEND] if speed.cells else []
    return ComparePage(
        first=first,
        second=second,
        differences=tuple((what, difference_word(words), words) for what, words in differences.items()),
        columns=tuple(name for name, _align in COLUMNS),
        axis=axis,
        rows=tuple(_row(each, text, cells) for each, text in zip(speed.cells, strips, strict=True)),
        margin="" if speed.margin_percent == MARGIN_PERCENT else f"{speed.margin_percent:g}",
        worst=tuple(word for word in _GRAVEST if word in found)[:1],
        sentences=(*speed_sentences(speed)[::-1], *legend),
    )


def _row(each: CellChange, text: str, cells: Mapping[tuple[str, str, int], str]) -> CompareRow:
    texts, times = speed_texts(each)[1:], launch_times(each)
    return CompareRow(
        name=cell_name(each.cell),
        target=cells.get(each.cell, ""),
        texts=texts[:-1],
        strip=text,
        status=each.status,
        remark=each.remark,
        launches=times.strips,
        ends=times.ends,
    )

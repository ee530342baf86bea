"""The ratios of a recorded split as its page shows them: those that its verdict rests on, of recorded means. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.judge.finding import CheckStatus, Verdict
from pytest_weekops.core.numbers import as_finite, as_whole
from pytest_weekops.core.recorded.campaign import RecordedCampaign
from pytest_weekops.report.page.cells import comparison_anchor
from pytest_weekops.report.page.shown import Comparison

RATIO_CHECK = "rusticl_ratio_vs_clover"
LARGEST = 1e12  # beyond it nothing is a measurement, or a ratio of two; a stranger's file may hold any number
_MOST_WORDS = 12


def show_ratios(campaign: RecordedCampaign, verdict: Verdict, *, most: int, most_seeds: int) -> tuple[Comparison, ...]:
    """Every kernel and size of a split, in file order; none of other files, and none where no ratio was judged.

    At most ``most`` of them, with the ratios of at most ``most_seeds`` seeds each.
    """
    judged = _judged(verdict)
    if judged is None:
        return ()
    seeds: dict[tuple[str, int], dict[str, object]] = {}
    for run in campaign.runs:
        seeds.setdefault((run.kernel, run.size), {}).setdefault(run.seed_key, run.seed)
    return tuple(
        _comparison(place, cell, dict(list(mine.items())[:most_seeds]), judged)
        for place, (cell, mine) in enumerate(list(seeds.items())[:most])
    )


@dataclass(frozen=True)
class _Judged:
    """What the check of ratios found: its limit, what it says of each name, and each ratio by key and seed."""

    least: float
    rows: tuple[str, ...]
    ratios: Mapping[tuple[str, str | None], Mapping[str, Any]]  # of None: over all seeds


def _judged(verdict: Verdict) -> _Judged | None:
    found = next((each for each in verdict.findings if each.check == RATIO_CHECK), None)
    least = as_finite(found.required) if found is not None else None
    if found is None or least is None:
        return None
    return _Judged(least, found.rows, {(each["key"], each.get("seed")): each for each in found.details})


def _comparison(place: int, cell: tuple[str, int], seeds: Mapping[str, object], judged: _Judged) -> Comparison:
    key = f"{cell[0]}:{cell[1]}"
    ratios = {seed: judged.ratios.get((key, seed), {}) for seed in (None, *seeds)}
    said = [words for words in judged.rows if words.startswith((f"{key}: ", f"{key} seed "))]
    is_good = not said and all(each.get("pass") is True for each in ratios.values())
    return Comparison(
        anchor=comparison_anchor(place),
        name=key,
        kernel=cell[0],
        size=cell[1],
        status=(CheckStatus.PASS if is_good else CheckStatus.FAIL).value,
        reason="" if is_good else "; ".join(said[:_MOST_WORDS]) or "a seed did not run on both platforms",
        least=judged.least,
        ratio=_usable(ratios[None]),
        interval=None,
        by_seed=tuple(_by_seed(seeds, ratios)),
    )


def _by_seed(
    seeds: Mapping[str, object], ratios: Mapping[str | None, Mapping[str, Any]]
) -> Iterator[tuple[int | str, tuple[tuple[None, float], ...]]]:
    """One ratio for each seed: the file has one mean of it on each platform, or they are judged as one."""
    for text, seed in seeds.items():
        ratio = _usable(ratios[text])
        if ratio is not None:
            yield seed_name(text, seed), ((None, ratio),)


def seed_name(text: str, seed: object) -> int | str:
    """A seed as people know it; one that is no whole number as its text, cut."""
    whole = as_whole(seed)
    return text[:20] if whole is None else whole


def usable(number: float | None) -> float | None:
    """A number that a measurement may have; None for any other, which is not shown as one."""
    return number if number is not None and 0 < number <= LARGEST else None


def _usable(judged: Mapping[str, Any]) -> float | None:
    return usable(as_finite(judged.get("ratio")))

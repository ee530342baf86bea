"""Where the level of a cell changed: PELT (Killick, Fearnhead and Eckley 2012) of absolute deviations, by ruptures.

Shown and never gating. ruptures comes with the extra ``history``; without it nothing is looked for, and that is said.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.week.levels import (
    LEAST_LEVEL,
    LEAST_RUNS,
    Shift,
    Step,
    deviations,
    in_noise,
    numbers_of,
    penalty,
    shifts,
    steps,
)

if TYPE_CHECKING:
    from pytest_weekops.core.week.history import Series

_LIBRARY = "ruptures"
NOT_LOOKED = (
    "Change points were not looked for: ruptures is not installed, which finds them. "
    'It comes with `pip install "pytest-weekops[history]"`.'
)


def can_look() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec("ruptures") is not None


def level_starts(numbers: Sequence[float]) -> list[int]:
    """Where a new level begins among throughputs in order, as places; nothing of fewer than ``LEAST_RUNS``."""
    if len(numbers) < LEAST_RUNS:
        return []
    import numpy as np

    signal = np.array(in_noise(numbers)).reshape(-1, 1)
    pelt, cost = search_alone()
    search = pelt(custom_cost=_deviations_cost(cost), min_size=LEAST_LEVEL, jump=1)
    found = search.fit(signal).predict(pen=penalty(len(numbers)))
    return [int(place) for place in found[:-1]]  # the last is the end


@cache
def search_alone() -> tuple[Any, Any]:
    """The library's ``Pelt`` and its ``BaseCost``, without the rest of it.

    Its packages import all of scipy for costs and searches that are not asked for here, and that takes longer than a
    history of ten years. So the modules of these two are loaded in packages that were left empty; where they are not
    what they were in version 1.1, the library is imported as a whole.
    """
    try:
        return _out_of_empty_packages()
    except (ImportError, AttributeError, TypeError):
        import ruptures
        from ruptures.base import BaseCost

        return ruptures.Pelt, BaseCost


def _out_of_empty_packages() -> tuple[Any, Any]:
    found = importlib.util.find_spec(_LIBRARY)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"{_LIBRARY} is no package", name=_LIBRARY)
    before = {name: module for name, module in sys.modules.items() if _is_the_librarys(name)}
    try:
        for name in before:
            del sys.modules[name]
        for name in (_LIBRARY, f"{_LIBRARY}.costs", f"{_LIBRARY}.detection"):
            empty = sys.modules[name] = ModuleType(name)
            parts = name.split(".")[1:]
            empty.__path__ = [str(Path(place, *parts)) for place in found.submodule_search_locations]
        vars(sys.modules[f"{_LIBRARY}.costs"])["cost_factory"] = None  # of costs by name, and ours is given
        modules = [importlib.import_module(f"{_LIBRARY}.{name}") for name in ("detection.pelt", "base")]
    finally:
        for name in [name for name in sys.modules if _is_the_librarys(name)]:
            del sys.modules[name]  # whoever imports the library gets it whole
        sys.modules.update(before)
    return modules[0].Pelt, modules[1].BaseCost


def _is_the_librarys(module: str) -> bool:
    return module.partition(".")[0] == _LIBRARY


def _deviations_cost(base: Any) -> Any:
    """The library's cost ``l1``, which asks for each segment anew, with all ends of a start found at once."""

    class Deviations(base):  # type: ignore[misc]  # the library has no types
        model = "l1"
        min_size = LEAST_LEVEL

        def fit(self, signal: Any) -> Any:
            """Take the numbers."""
            self.signal = signal
            self.numbers = [float(each) for each in signal[:, 0]]
            self.known: dict[int, tuple[list[float], Iterator[float]]] = {}
            return self

        def error(self, start: int, end: int) -> float:
            """What the level from ``start`` up to and without ``end`` costs."""
            if start not in self.known:
                self.known[start] = [], deviations(self.numbers[start:])
            costs, more = self.known[start]
            costs += islice(more, max(0, end - start - len(costs)))  # no more than is asked for: most starts are not
            return costs[end - start - 1]

    return Deviations()


def look(series: Series) -> tuple[Shift, ...] | None:
    """The changes of a series' level; None where it was not looked for them: no library, or too few runs."""
    return look_along(steps(series))


def look_along(found: Sequence[Step]) -> tuple[Shift, ...] | None:
    """The same, of a series' steps."""
    numbers = numbers_of(found)
    if not can_look() or len(numbers) < LEAST_RUNS:
        return None
    return shifts(found, level_starts(numbers))

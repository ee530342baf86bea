"""Work that is worth several processes, done by as many as this one may use CPUs."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

_T = TypeVar("_T")
_MOST_PROCESSES = 8
_MAKES: list[Callable[[], Any]] = []


def processes() -> int:
    """How many are worth starting."""
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)


def made(makes: Sequence[Callable[[], _T]], count: int) -> list[_T]:
    """What each makes, in their order, by ``count`` processes.

    They are forked, so that none has to import anything again, and what is to be made need not be sent to them; this
    process has no threads of its own. Where one of them is killed, everything is made here.
    """
    if count < 2 or len(makes) < 2:
        return [make() for make in makes]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads that a library for linear algebra has
            context = get_context("fork")
            with ProcessPoolExecutor(count, context, initializer=_take, initargs=(list(makes),)) as pool:
                return list(pool.map(_make, range(len(makes))))
    except BrokenProcessPool:
        return [make() for make in makes]


def _take(makes: list[Callable[[], Any]]) -> None:
    _MAKES[:] = makes


def _make(place: int) -> Any:
    return _MAKES[place]()

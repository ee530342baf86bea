"""Work that is worth several processes, done by as many as this one may use CPUs.

Where what they need takes long to load, a process begins with that before it is known what there is to do.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from typing import Any, Self, TypeVar

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


class Ahead:
    """A process that gets ready while this one still finds out what there is to make, and makes it beside this one.

    ``get_ready`` is called in it at once, and has to be known by its name; where ``is_worth`` is false, or there is
    one CPU only, or that process is killed, this one makes everything. Where it turns out that there is nothing to
    make, nobody waits until it is ready.
    """

    def __init__(self, get_ready: Callable[[], object], *, is_worth: bool) -> None:
        self._get_ready = get_ready
        self._pool: ProcessPoolExecutor | None = None
        self._idle: set[BaseProcess] = set()  # processes that nothing was sent to
        if is_worth and processes() > 1:
            self._pool = ProcessPoolExecutor(1, get_context("fork"))
            others = active_children()
            self._submit(get_ready)
            self._idle = set(active_children()).difference(others)

    def begun(self, makes: Sequence[Callable[[], _T]], count: int) -> Callable[[], list[_T]]:
        """The same as :func:`made`, begun by the process that is ready; what is returned waits for it.

        What makes is sent to that process, and ought to be small.
        """
        begun = None
        if self._pool is not None and makes:
            self._idle.clear()
            begun = self._submit(made, makes, count)
        return partial(self._ended, begun, makes, count)

    def _ended(self, begun: Future[list[_T]] | None, makes: Sequence[Callable[[], _T]], count: int) -> list[_T]:
        if begun is not None:
            with contextlib.suppress(BrokenProcessPool):
                return begun.result()
        if count > 1 and len(makes) > 1:
            self._get_ready()  # once, and not in each process
        return made(makes, count)

    def _submit(self, *call: Any) -> Future[Any] | None:
        """None where that process is no more."""
        assert self._pool is not None
        with contextlib.suppress(BrokenProcessPool), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads that a library for linear algebra has
            return self._pool.submit(*call)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._idle:
            process.kill()


def _take(makes: list[Callable[[], Any]]) -> None:
    _MAKES[:] = makes


def _make(place: int) -> Any:
    return _MAKES[place]()

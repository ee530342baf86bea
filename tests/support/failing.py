"""The n-th of the calls by which this package writes fails, whichever it is; all later ones work again."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CALLS = ("open", "write", "fsync", "replace", "ftruncate")


@contextmanager
def failing_call(number: int, error: BaseException | None = None) -> Iterator[list[str]]:
    """Let call ``number`` (from 1) raise, by default as a full disk does; the list names the calls, in order.

    A write that fails has written the first half by then, as a full disk may take it.
    """
    made: list[str] = []
    raised = error or OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **options)
            made.append(name)
            if len(made) != number:
                return real(*arguments, **options)
            if name == "write":
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            raise raised

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, wrapped(name, getattr(os, name)))
        yield made

"""How runs are called that go on with one that was broken off."""

from __future__ import annotations

import re

_PART = re.compile(r"(.+)-r([1-9][0-9]{0,3})")


def next_part(run_id: str) -> str:
    """The run that goes on with this one: ``NAME-r2`` after ``NAME``, ``NAME-r3`` after that."""
    found = _PART.fullmatch(run_id)
    return f"{found.group(1)}-r{int(found.group(2)) + 1}" if found else f"{run_id}-r2"


def earlier_parts(run_id: str) -> tuple[str, ...]:
    """The runs that this one went on with, oldest first; none for a run in one go."""
    found = _PART.fullmatch(run_id)
    if found is None:
        return ()
    name, number = found.group(1), int(found.group(2))
    return (name, *(f"{name}-r{n}" for n in range(2, number)))

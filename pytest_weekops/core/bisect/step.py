"""What is kept of a bisection: what was asked for, and each step that was taken."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from pytest_weekops.core.bisect.saying import By
from pytest_weekops.core.bisect.search import Said
from pytest_weekops.core.record import Record


class Settings(Record):
    """What a bisection was begun with, and what its steps keep to. Paths are absolute.

    ``good`` and ``bad`` are driver files, ``built`` the one that each step of ``git bisect run`` builds anew, found
    below it by the glob ``inside`` where it is a directory. ``error`` is the most that the answer may err,
    ``step_error`` a step's share of it. ``options`` are further words for the split's command line.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_: str = Field(default="weekops-bisect/1", alias="schema")
    profile: str
    good: str
    bad: str
    built: str = ""
    inside: str = ""
    by: By = "speed"
    sizes: tuple[int, ...]
    kernels: tuple[str, ...]
    error: float = Field(gt=0, lt=0.5)
    step_error: float = Field(gt=0, lt=0.5)
    snapshots: int = Field(ge=2)
    max_snapshots: int = Field(ge=2)
    policy: str = ""
    options: tuple[str, ...] = ()


class Step(Record):
    """One build that was measured against the good one.

    ``build`` is its driver file, ``run`` the run's directory below the bisection's, empty where none came to be.
    ``limit`` is the ratio that was asked for, ``taken`` how many snapshots (by speed) or measurements of the build;
    ``log_ratio``, ``lower`` and ``upper`` are what was found. ``error`` is the step's own, None where no number is
    known. ``files`` and ``good_files`` are the SHA-256 of both drivers' files by path. ``spread_percent`` is what the
    run's own snapshots say of the noise.
    """

    number: int = Field(ge=0)
    build: str
    said: Said
    why: str
    limit: float
    run: str = ""
    status: int = 0
    log_ratio: float | None = None
    lower: float | None = None
    upper: float | None = None
    error: float | None = None
    taken: int = 0
    spread_percent: float | None = None
    files: dict[str, str]
    good_files: dict[str, str]

"""What crosses the fleet: JSON records of our own, each with a limit in bytes, refused whole where anything is odd."""

from __future__ import annotations

import json
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import Field, ValidationError

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.record import Record, first_refused
from pytest_weekops.files.strict_json import parse_json

PIECE_BYTES = 1024**2  # of a journal, at once
LARGEST_MESSAGE_BYTES = 4 * 1024**2
LONGEST_SAID = 2000

R = TypeVar("R", bound=Record)
TaskId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{8,63}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Platforms = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")], ...], Field(max_length=16)
]
Said = Annotated[str, Field(max_length=LONGEST_SAID)]


class MessageRefused(WeekopsError):
    """A message of a host is none: too long, no JSON, of another shape, or about something else."""


class AskWho(Record):
    """Who are you? ``platforms`` are the profiles whose drivers are to be looked at."""

    protocol: Literal[1] = 1
    platforms: Platforms


class Driver(Record):
    """What answers behind one profile on a host, or why nothing does."""

    profile: Annotated[str, Field(max_length=100)]
    works: bool
    device: Annotated[str, Field(max_length=300)] = ""
    version: Annotated[str, Field(max_length=300)] = ""
    said: Said = ""


class Who(Record):
    """What a host says of itself. ``program`` is the hash of the package's files, kernels and policies included."""

    protocol: Literal[1] = 1
    version: Annotated[str, Field(max_length=80)]
    program: Hash
    node: Annotated[str, Field(max_length=200)]
    python: Annotated[str, Field(max_length=80)]
    kernels: Hash
    drivers: tuple[Driver, ...] = Field(default=(), max_length=16)
    said: Said = ""


class GateTask(Record):
    """One gate on one host. ``policy`` is the whole text of its policy file, ``words`` the options of the suite."""

    protocol: Literal[1] = 1
    task: TaskId
    program: Hash
    suite: Literal["weekly", "canonical"]
    platforms: Platforms
    policy: Annotated[str, Field(max_length=256 * 1024)]
    words: tuple[Annotated[str, Field(max_length=4096)], ...] = ()
    deadline_s: Annotated[float, Field(gt=0, le=7 * 86400, allow_inf_nan=False)]


class Errand(Record):
    """Switch a host to the candidate, or roll it back. ``policy`` is the whole text of its label's policy file."""

    protocol: Literal[1] = 1
    task: TaskId
    program: Hash
    do: Literal["switch", "roll_back"]
    report_dir: Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]{0,1000}$")]
    candidate: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
    baseline: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][^\x00-\x1f\x7f]{0,500}$")]
    policy: Annotated[str, Field(max_length=256 * 1024)]
    reason: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$")]
    timeout_s: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class AskPiece(Record):
    """The journal of a task from this byte on, please."""

    protocol: Literal[1] = 1
    task: TaskId
    offset: Annotated[int, Field(ge=0)] = 0


class Piece(Record):
    """A piece of a task's journal, and how the task stands.

    ``unknown``: it was never begun here. ``gone``: it was begun, and its process ended without a word. ``refused``: the
    host would not begin it, and says why. ``late``: the host ended it at its deadline. ``status`` is the gate's own.
    """

    protocol: Literal[1] = 1
    task: TaskId
    offset: Annotated[int, Field(ge=0)]
    text: Annotated[str, Field(max_length=PIECE_BYTES)] = ""
    state: Literal["unknown", "running", "ended", "late", "gone", "refused"]
    status: Annotated[int, Field(ge=-64, le=255)] | None = None
    said: Said = ""


class End(Record):
    """How a task ended, as its host keeps it on disk."""

    state: Literal["ended", "late", "refused"]
    status: Annotated[int, Field(ge=-64, le=255)] | None = None
    said: Said = ""


def encode(record: Record) -> str:
    """The record as one line of ASCII."""
    return json.dumps(record.model_dump(mode="json"), separators=(",", ":"), allow_nan=False)


def decode(model: type[R], text: object) -> R:
    """The record in a message. Raises ``MessageRefused`` with a sentence's end: what is wrong with it."""
    if not isinstance(text, str):
        raise MessageRefused(f"it is {type(text).__name__:.40}, not text")
    if len(text) > LARGEST_MESSAGE_BYTES:
        raise MessageRefused(f"it is {len(text)} characters long, and {LARGEST_MESSAGE_BYTES} is the most")
    try:
        return model.model_validate(parse_json(text, parse_constant=not_finite))
    except ValidationError as error:
        key, message = first_refused(error)
        raise MessageRefused(f"{key or 'it'}: {message}") from error
    except (ValueError, RecursionError) as error:
        raise MessageRefused(f"it is no JSON of ours: {error}"[:300]) from error


def not_finite(word: str) -> NoReturn:
    """What JSON's reader calls for NaN and infinities. Raises ``ValueError``."""
    raise ValueError(f"{word} is no number")

"""A host's journal as it comes in: kept line by line by the rules of a local one, refused at the first odd line.

What a host sends is evidence of a stranger. Nothing of it is executed or unpickled, no more of it is held than a piece
and the line that is not whole yet, and no more is kept than a limit. A line is on disk before the next piece is asked
for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.evidence.journal import LARGEST_LINE_BYTES, Event, Journal, decode_event
from pytest_weekops.fleet.messages import MessageRefused, Piece, not_finite
from pytest_weekops.fleet.program import hash_of_kernels

LARGEST_BYTES = 64 * 1024**2  # of one host's journal
MOST_CASES = 200_000  # of one host's plan: a judge goes through them all
CLOCKS_DIFFER = timedelta(minutes=10)  # that two hosts' clocks may


@dataclass(frozen=True)
class Expected:
    """Whose journal is expected: of which run, by which version, and begun no earlier than this, by our clock."""

    prefix: str
    version: str
    kernels_sha256: str
    since: datetime
    now: datetime


class ReceivedJournal:
    """The journal of one task in one file of its own. Every method raises ``MessageRefused`` where the host is odd.

    After that nothing more is taken; what came before it stays, as evidence of what was wrong.
    """

    def __init__(self, path: Path, expected: Expected) -> None:
        self.journal = Journal(path)
        self.offset = 0  # bytes that came, of which some may be a line that is not whole yet
        self.measured = 0
        self.planned: int | None = None
        self.ends = False
        self._expected = expected
        self._number = 0
        self._rest = b""

    def take(self, piece: Piece) -> None:
        """Take the next piece: keep its whole lines, synced. Raises ``WeekopsError`` where our own disk refuses."""
        if piece.offset != self.offset:
            raise MessageRefused(
                f"it sent its journal from byte {piece.offset} on, and byte {self.offset} was asked for"
            )
        try:
            body = piece.text.encode("ascii")
        except UnicodeEncodeError as error:
            raise MessageRefused("its journal holds what is not ASCII") from error
        if self.offset + len(body) > LARGEST_BYTES:
            raise MessageRefused(f"its journal is longer than {LARGEST_BYTES} bytes, and no run writes that much")
        self.offset += len(body)
        *lines, self._rest = (self._rest + body).split(b"\n")
        if len(self._rest) > LARGEST_LINE_BYTES:
            raise MessageRefused(f"its journal has a line of more than {LARGEST_LINE_BYTES} bytes")
        for line in lines:
            self._look(line)
        if lines:
            self.journal.take_over([line + b"\n" for line in lines])

    @property
    def is_torn(self) -> bool:
        """Whether the last line that came is not whole; it is not kept."""
        return bool(self._rest)

    def close(self) -> None:
        """Close the file."""
        self.journal.close()

    def _look(self, line: bytes) -> None:
        self._number += 1
        if self.ends:
            raise MessageRefused("its journal goes on behind its end")
        try:
            event = decode_event(line, self._number, self.journal.path, parse_constant=not_finite)
        except InputError as error:
            raise MessageRefused(f"line {self._number} of its journal is no event: {_cause(error)}"[:300]) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise MessageRefused(f"line {self._number} of its journal is no event: {error}"[:300]) from error
        if not isinstance(event.type, str) or not isinstance(event.data, dict):
            raise MessageRefused(f"line {self._number} of its journal is no event")
        if self._number == 1:
            self._begin(event)
        self.measured += event.type == "measurement" and not event.data.get("void")
        self.ends = event.type == "end"

    def _begin(self, event: Event) -> None:
        """Refuse a journal that is another task's, another program's or another time's."""
        told, expected = event.data, self._expected
        if event.type != "run" or not str(told.get("run_id", "")).startswith(f"{expected.prefix}-"):
            raise MessageRefused("its journal is another run's: it was sent before, or is another host's")
        if told.get("version") != expected.version:
            raise MessageRefused(f"its journal was written by version {told.get('version')!r:.40}")
        if hash_of_kernels(told.get("kernels")) != expected.kernels_sha256:
            raise MessageRefused("its journal was measured with other kernels")
        try:
            created = parse_time(str(told.get("created_at")))
            plan = CampaignPlan.model_validate(told.get("plan"))
        except (InputError, ValidationError) as error:
            raise MessageRefused(f"the first line of its journal has another shape: {error}"[:300]) from error
        cases = plan.snapshots * math.prod(map(len, (plan.kernels, plan.sizes, plan.seeds, plan.platforms)))
        if cases > MOST_CASES:
            raise MessageRefused(f"its plan has {cases} cases, and no gate has more than {MOST_CASES}")
        self.planned = cases if plan.kind != "canonical" else None
        if not expected.since - CLOCKS_DIFFER <= created <= expected.now + CLOCKS_DIFFER:
            raise MessageRefused(
                f"its journal begins at {created.isoformat()}, and it was asked at {expected.since.isoformat()}"
            )


def _cause(error: InputError) -> str:
    """What is wrong with a line, without the path of ours and the advice that is not for a host."""
    return str(error).partition(" line ")[2].partition(" ")[2].split(". ", 1)[0]

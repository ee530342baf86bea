"""The journal of a staged promotion: each line on disk before what it speaks of goes on, read back whole or refused.

Whoever comes back writes what there is of it beside, without a line that was torn off, and puts that in its place: one
file at any moment, and never a gap in it.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.promoted import PromotionCame, came
from pytest_weekops.core.fleet.promotion import LabelProgress, progress
from pytest_weekops.core.fleet.stages import Event
from pytest_weekops.evidence.journal import Journal, encode_event, read_journal
from pytest_weekops.files.atomic import sync_directory
from pytest_weekops.files.hashing import hash_file

LOG_NAME = "promotion.jsonl"
_HEAD, _EVENT = "promotion", "event"


class PromotionLog:
    """The events of one fleet run's promotion, open for more. ``labels`` is how far each label has come by them."""

    def __init__(self, directory: Path, fleet: FleetFile) -> None:
        """Open it, or go on with it. Raises ``InputError`` where what there is cannot have been written by us."""
        path, fresh = directory / LOG_NAME, directory / f"{LOG_NAME}.new"
        self.path = path
        self.events = read_events(directory) if path.exists() else []
        self.labels: dict[str, LabelProgress] = dict(progress(fleet, self.events))
        fresh.unlink(missing_ok=True)
        self._journal = Journal(fresh)
        lines = [encode_event(1, _HEAD, {"fleet_run": directory.name})]
        lines += [encode_event(n, _EVENT, event.model_dump(mode="json")) for n, event in enumerate(self.events, 2)]
        self._journal.take_over(lines)
        try:
            fresh.replace(path)
            sync_directory(directory)
        except OSError as error:
            raise WeekopsError(
                f"{path} cannot be written: {error.strerror}. Without it no host is switched. Make room and go on with "
                "--resume."
            ) from error

    def write(self, event: Event) -> None:
        """Go on by one event: it is on disk when this returns.

        Raises ``InputError`` where it cannot have happened, and ``WeekopsError`` where the disk refuses.
        """
        self.labels[event.label].take(event)
        self._journal.append(_EVENT, event)
        self.events.append(event)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()


def read_events(directory: Path) -> list[Event]:
    """The events of a fleet run's promotion. Raises ``InputError`` where they are another's, or damaged."""
    path = directory / LOG_NAME
    head, *lines = read_journal(path)
    try:
        if head.type != _HEAD or head.data.get("fleet_run") != directory.name:
            raise InputError(
                f"{path} is the journal of another promotion. What became of this one's hosts is not known. Restore it."
            )
        if stranger := next((line for line in lines if line.type != _EVENT), None):
            raise InputError(f"{path} line {stranger.seq} is no event of a promotion. Restore the journal from a copy.")
        return [Event.model_validate(line.data) for line in lines]
    except (ValidationError, AttributeError) as error:
        raise InputError(
            f"{path} holds an event of another shape: {str(error).splitlines()[0]}. Restore the journal from a copy."
        ) from error


def how_far(directory: Path, fleet: FleetFile) -> PromotionCame | None:
    """How far a promotion came by its journal; None where there is none. Raises ``InputError`` for a damaged one."""
    if not os.path.lexists(directory / LOG_NAME):
        return None
    events = read_events(directory)
    return came(progress(fleet, events), events, hash_file(directory / LOG_NAME))

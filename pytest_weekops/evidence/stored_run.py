"""A run read back from its journal, whole or refused: what the live judge was given, and nothing that it was not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.conformance.results import ConformanceRecord
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.judge.judged import JudgedRecord
from pytest_weekops.core.measurement.calibration import CalibrationRecord
from pytest_weekops.core.measurement.capabilities import InServiceRecord
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.peak_bound import PeakRecord
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import (
    Case,
    DeviceIdentity,
    GateRecord,
    LookRecord,
    Measurement,
    PartnerRecord,
    PressureRecord,
)
from pytest_weekops.core.measurement.segments import Segment, without_halves
from pytest_weekops.evidence.journal import RESUME, Event, find_journal, read_journal

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline, MissingBaseline
    from pytest_weekops.core.policy.policy import Policy

JUDGED: dict[str, type[JudgedRecord]] = {
    "driver": DriverListing,
    "measurement": Measurement,
    "pressure": PressureRecord,
    "gate": GateRecord,
    "injection": InjectionRecord,
    "look": LookRecord,
    "calibration": CalibrationRecord,
    "partner": PartnerRecord,
    "conformance": ConformanceRecord,
    "in_service": InServiceRecord,
    "peak": PeakRecord,
}
_TOLD = (
    "run",
    "identity",
    "baseline",
    "missing_baseline",
    "tuning",
    "snapshot",
    "start",
    "smoke",
    "guard",
    "note",
    "end",
)
KNOWN = frozenset((*JUDGED, *_TOLD, RESUME))  # what else a line may be, the judge would pass over


@dataclass(frozen=True)
class StoredRun:
    """A run read back from its journal: exactly what the live judge was given.

    ``kernels`` are the hashes of the kernel files as they were when it began, ``version`` that of the program that
    wrote it. ``segments`` has one entry for a run in one go; none where an older version wrote it.
    """

    run_id: str
    created_at: str
    command: tuple[str, ...]
    plan: CampaignPlan
    policy: Policy
    baselines: tuple[Baseline, ...] = ()
    missing_baselines: tuple[MissingBaseline, ...] = ()
    identities: Mapping[str, DeviceIdentity] = field(default_factory=dict)
    records: Sequence[JudgedRecord] = ()
    events: Sequence[Event] = ()
    version: str = ""
    kernels: Mapping[str, str] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()

    @property
    def ended(self) -> int | None:
        """The exit status that its last line states; None where that is no end."""
        last = self.events[-1] if self.events else None
        status = last.data.get("exit_status") if last is not None and last.type == "end" else None
        return status if isinstance(status, int) else None

    @property
    def ended_at(self) -> str:
        """When it ended, by its last line; empty where that does not say."""
        last = self.events[-1] if self.events else None
        return str(last.data.get("ended_at", "")) if last is not None and last.type == "end" else ""

    @property
    def kind(self) -> str:
        """``canonical``, ``weekly`` or ``split``."""
        return self.plan.kind


def read_run(path: Path) -> StoredRun:
    """Read a run directory or a journal. Raises ``InputError`` where it is not a whole, readable journal."""
    journal = find_journal(path)
    try:
        return _stored_run(journal, read_journal(journal, unread=_of_bytes()))
    except InputError:  # whatever is wrong with a line is said before what is wrong with what it says
        return _stored_run(journal, read_journal(journal))


@cache
def _of_bytes() -> Collection[str]:
    """Types of lines of which records are made as they stand; none where the library reads bytes by other rules.

    Of a key that stands there twice the last one counts, as in data that were read first. Before 2.11 pydantic took the
    first: two installations would have judged two runs.
    """
    twice = b'{"platform":"","kernel":"","size":1,"seed":1,"snapshot":1,"snapshot":2}'
    return JUDGED if Case.model_validate_json(twice).snapshot == 2 else ()


def _stored_run(journal: Path, events: Sequence[Event]) -> StoredRun:
    from pydantic import ValidationError

    from pytest_weekops.core.judge.campaign import Baseline, MissingBaseline
    from pytest_weekops.core.policy.policy import Policy

    first = events[0]
    if first.type != "run":
        raise InputError(f"Journal {journal} does not start with its run. Its plan is unknown. Judge an intact copy.")
    if strange := next((event for event in events if event.type not in KNOWN), None):
        raise InputError(
            f"Journal {journal} line {strange.seq} is a {strange.type!r:.60}, which this program does not know. What "
            "it says could decide against the run. Judge it with the version that wrote it."
        )
    _refuse_two_runs(events, journal)
    try:
        segments, records = _segments(events, journal), _records(events)
        return StoredRun(
            run_id=segments[-1].run_id if segments else str(first.data["run_id"]),
            created_at=str(first.data["created_at"]),
            command=tuple(first.data["command"]),
            plan=CampaignPlan.model_validate(first.data["plan"]),
            policy=Policy.model_validate(first.data["policy"]),
            baselines=tuple(Baseline.model_validate(e.data) for e in events if e.type == "baseline"),
            missing_baselines=tuple(
                MissingBaseline.model_validate(e.data) for e in events if e.type == "missing_baseline"
            ),
            identities={
                e.data["profile"]: DeviceIdentity.model_validate(e.data) for e in events if e.type == "identity"
            },
            records=records,
            events=events,
            version=str(first.data.get("version", "")),
            kernels={str(name): str(value) for name, value in first.data.get("kernels", {}).items()},
            segments=segments,
        )
    except (ValidationError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"Journal {journal} holds a record of another shape: {str(error).splitlines()[0]}. It was written by "
            "another version or altered. Judge it with the version that wrote it."
        ) from error


def _refuse_two_runs(events: Sequence[Event], journal: Path) -> None:
    """Raise ``InputError`` where a second run begins in a journal, or where lines stand behind the end of its run.

    A run that ended may be gone on with, and says so.
    """
    for before, event in pairwise(events):
        if event.type == "run" or (before.type == "end" and event.type != RESUME):
            what = "begins another run" if event.type == "run" else f"is a {event.type!r} behind the end of the run"
            raise InputError(
                f"Journal {journal} line {event.seq} {what}. Lines of two runs were put together, or some were added "
                "to one that was over, and prove nothing. Judge an intact copy."
            )


def _records(events: Sequence[Event]) -> tuple[JudgedRecord, ...]:
    """What is judged: every record, but for those that lost their partner where the run was gone on with."""
    found: list[JudgedRecord] = []
    for event in events:
        if event.type == RESUME:
            found = without_halves(found)
        elif event.type in JUDGED:
            model, told = JUDGED[event.type], event.told
            found.append(model.model_validate_json(told) if isinstance(told, bytes) else model.model_validate(told))
    return tuple(found)


def _segments(events: Sequence[Event], journal: Path) -> tuple[Segment, ...]:
    """The opening of each segment. Raises ``InputError`` where one does not go on with the lines before it."""
    opening = events[0].data.get("segment")
    further = [event for event in events if event.type == RESUME]
    for event in further:
        if event.data["sha256"] != event.before_sha256 or opening is None:
            raise InputError(
                f"Journal {journal} line {event.seq} goes on with other lines than those before it. They were put "
                "together from two runs, which proves nothing. Judge an intact copy."
            )
    data = [opening, *(event.data["segment"] for event in further)] if opening is not None else []
    return tuple(Segment.model_validate(each) for each in data)

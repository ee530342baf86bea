"""The segments of a run: one for a run in one go, one more for each time that it was gone on with.

Between two segments the machine may have been off. The monotonic clock begins anew at each boot, so its times are
compared within a boot only; each segment says which one it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pydantic import Field

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.record import Record

T = TypeVar("T")


class Segment(Record):
    """One stretch of a run between its opening, or its being gone on with, and its end or its breaking off.

    ``started_at`` is by the host's clock and ``monotonic_ns`` by its monotonic one, both at the opening; ``boot_id`` is
    empty where the host does not tell. Its measurements are those of ``first_order`` and more. ``gap_s`` passed since
    the last that is known of the segment before. ``halves`` counts measurements that lost their partner in the gap.
    """

    run_id: str
    started_at: str
    boot_id: str
    monotonic_ns: int
    first_order: int = Field(default=1, ge=1)
    gap_s: float = 0.0
    halves: int = Field(default=0, ge=0)


def segment_at(segments: Sequence[Segment], order: int) -> int:
    """The place of the segment in which a measurement of this order was taken; 0 where none is known."""
    return max((place for place, segment in enumerate(segments) if segment.first_order <= order), default=0)


def without_halves(records: Sequence[T]) -> list[T]:
    """The records without measurements in turns whose partner has none: the two of a pair count together or not."""
    pairs = {_key(r, r.case.platform) for r in records if isinstance(r, Measurement)}
    return [record for record in records if not (isinstance(record, Measurement) and _is_half(record, pairs))]


def _is_half(record: Measurement, pairs: set[tuple[object, ...]]) -> bool:
    other = record.turns.with_platform if record.turns is not None else ""
    return bool(other) and _key(record, other) not in pairs


def _key(record: Measurement, platform: str) -> tuple[object, ...]:
    case = record.case
    return platform, case.kernel, case.size, case.seed, case.snapshot, record.attempt, record.started_at

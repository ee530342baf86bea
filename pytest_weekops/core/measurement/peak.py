"""Level 0, what a device can do: which items there are, and what a measured one says. Pure.

An item has a number only where its result was verified; what a device lacks is said by name, and a report that lacks
an item is not whole.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.measurement.stats import median_interval
from pytest_weekops.core.record import Record

PeakUnit = Literal["GB/s", "GFLOPS", "GOPS", "us", "ms"]
PeakStatus = Literal["ok", "wrong", "not_applicable", "failed"]
Capability = Literal["", "double", "half", "local memory", "out-of-order queue"]

_PER_UNIT: dict[PeakUnit, float] = {"us": 1e3, "ms": 1e6}  # nanoseconds; all others are amounts per nanosecond


@dataclass(frozen=True)
class Item:
    """One item of level 0: what it ``measures``, how its result is ``verified``, and the capability that it needs.

    ``vectors``: it is tried in vectors of several widths.
    """

    name: str
    unit: PeakUnit
    measures: str
    verified: str
    needs: Capability = ""
    vectors: bool = False


_CHAIN = "every chain's last value of every item, by a digest, exact"
_WORDS = "every word of the first and the last launch, and a stretch of each batch between, exact"
_COUNTED = "each place holds the number of launches that counted in it, exact"
_BUILT = "the kernel's result holds a number that was written into this very program, exact"


def _arithmetic(kind: str, needs: Capability = "") -> tuple[Item, Item]:
    unit: PeakUnit = "GOPS" if kind in ("int", "char_dot") else "GFLOPS"
    name, what = f"arithmetic_{kind}", "dot products of four bytes, added up" if kind == "char_dot" else ""
    return (
        Item(
            name,
            unit,
            f"{what or f'multiply and add in {kind}'}, independent chains of vectors, the best shape",
            _CHAIN,
            needs,
            True,
        ),
        Item(f"{name}_dependent", unit, "the same in one chain of single numbers per work-item", _CHAIN, needs),
    )


ITEMS: dict[str, Item] = {
    item.name: item
    for item in (
        Item("memory_copy", "GB/s", "words read and written once each, the best width", _WORDS, vectors=True),
        Item(
            "memory_triad",
            "GB/s",
            "the shipped triad: two reads and a write",
            "every element of the first and the last launch, and a row of each batch between, within its two roundings",
        ),
        Item("memory_strided", "GB/s", "words read 64 bytes apart and written as neighbours", _WORDS),
        Item("memory_gather", "GB/s", "words read in a random order, with the index that says it", _WORDS),
        Item(
            "local_read",
            "GB/s",
            "vectors read from local memory, the best width",
            "the difference of all that every item read, by a digest, exact",
            "local memory",
            vectors=True,
        ),
        *_arithmetic("float"),
        *_arithmetic("double", "double"),
        *_arithmetic("half", "half"),
        *_arithmetic("int"),
        *_arithmetic("char_dot"),
        Item("transfer_write", "GB/s", "host to device, blocking", "all of each transfer, read back, exact"),
        Item("transfer_read", "GB/s", "device to host, blocking", "all of each transfer, exact"),
        Item(
            "transfer_write_pinned",
            "GB/s",
            "host to device, blocking, from memory that the driver allocated",
            "all of each transfer, read back, exact",
        ),
        Item(
            "transfer_read_pinned",
            "GB/s",
            "device to host, blocking, into memory that the driver allocated",
            "all of each transfer, exact",
        ),
        Item("transfer_map", "GB/s", "device to host by mapping, copying and unmapping", "all of each transfer, exact"),
        Item("launch_round_trip", "us", "one launch of one work-item, waited for", _COUNTED),
        Item("launch_in_order", "us", "one of many such launches in a queue, waited for at their end", _COUNTED),
        Item("launch_out_of_order", "us", "the same in an out-of-order queue", _COUNTED, "out-of-order queue"),
        Item(
            "launch_event_chain", "us", "the same, each waiting for the one before it", _COUNTED, "out-of-order queue"
        ),
        Item("build_cold", "ms", "from a text never seen before to its kernel's first result", _BUILT),
        Item("build_warm", "ms", "the same text again, in the same process", _BUILT),
    )
}


class PeakAmounts(Record):
    """How much is measured: batches of launches of ``target_ms`` or more, ``repeats`` times, on arrays of ``nbytes``.

    0 bytes are four times the cache that the device tells of. ``widths`` and ``chains`` are the shapes that are tried;
    ``launches`` of one item are in a batch of the launch latencies.
    """

    nbytes: int = Field(default=0, ge=0, le=2**32)
    target_ms: float = Field(default=20.0, gt=0)
    repeats: int = Field(default=11, ge=1, le=1000)
    widths: tuple[Literal[1, 4, 8, 16], ...] = Field(default=(1, 4, 8, 16), min_length=1)
    chains: tuple[Literal[4, 8, 12], ...] = Field(default=(8, 4, 12), min_length=1)
    launches: int = Field(default=200, ge=1)


class PeakResult(Record):
    """One item as found. ``value`` is the median of ``repeats``, between ``low`` and ``high`` (95 %, order statistics).

    ``best`` is the fastest of them, ``how`` the shape that it was reached with. ``each`` is what one launch did, in
    bytes or operations. Only ``ok`` has numbers; every other status has a ``reason``. ``ok`` has one where the driver
    went down over wider vectors.
    """

    name: str
    unit: PeakUnit
    status: PeakStatus
    value: float | None = None
    low: float | None = None
    high: float | None = None
    best: float | None = None
    repeats: int = 0
    each: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    how: str = ""
    verified: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _numbers_only_where_verified(self) -> Self:
        numbers = (self.value, self.low, self.high, self.best)
        if self.status == "ok":
            if not all(number is not None and math.isfinite(number) and number > 0 for number in numbers):
                raise ValueError(f"{self.name} is ok and lacks a number above 0")
        elif any(number is not None for number in numbers) or not self.reason:
            raise ValueError(f"{self.name} is {self.status}: it needs a reason and may have no number")
        return self


class PlatformPeak(Record):
    """Level 0 of one platform. ``ended`` says why there is nothing, or nothing more, of it.

    ``identity`` is who was measured, ``others_percent`` how much of the CPUs' time other programs had meanwhile, and
    other machines on the same host.
    """

    platform: str
    device: str = ""
    driver: str = ""
    identity: DeviceIdentity | None = None
    others_percent: float | None = None
    ended: str = ""
    items: tuple[PeakResult, ...] = ()

    def has(self, asked: Sequence[str] | None = None) -> bool:
        """Whether every item that was asked for, all where none is named, was measured or is not applicable.

        A driver that went down on the way, or was wrong in anything, does not have them.
        """
        fine = {i.name for i in self.items if i.status == "not_applicable" or (i.status == "ok" and not i.reason)}
        bad = {item.name for item in self.items} - fine
        return not self.ended and not bad and fine >= set(asked or ITEMS)


def found(item: Item, times_ns: Sequence[float], amount: float, how: str, each: float = 0.0) -> PeakResult:
    """The figures of batches that took so many nanoseconds: ``amount`` bytes, operations, launches or builds each.

    ``each`` is what one launch of a batch did.

    Raises ``ValueError`` where a time is none: a number cannot be made of it.
    """
    if not times_ns or min(times_ns) <= 0:
        raise ValueError(f"{item.name} took no time, which is no measurement")
    scale = _PER_UNIT.get(item.unit)
    figures = [ns / amount / scale if scale else amount / ns for ns in times_ns]
    low, high = median_interval(figures)
    return PeakResult(
        name=item.name,
        unit=item.unit,
        status="ok",
        value=statistics.median(figures),
        low=low,
        high=high,
        best=min(figures) if scale else max(figures),
        repeats=len(figures),
        each=each,
        how=how,
        verified=item.verified,
    )


def without_number(item: Item, status: PeakStatus, reason: str) -> PeakResult:
    """An item that was ``wrong``, ``not_applicable`` or ``failed``, and why."""
    return PeakResult(name=item.name, unit=item.unit, status=status, reason=" ".join(reason.split())[:400])

"""Level 0 in a worker: each item measured, and its result verified, on the device that is open.

Private: import from `pytest_weekops.api`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.peak import ITEMS, PeakResult, found, without_number
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.peak import arithmetic, builds, latency, local, memory, transfers
from pytest_weekops.device.peak.capabilities import lacking
from pytest_weekops.device.peak.probe import Bench, Taken, WrongResult
from pytest_weekops.device.session import Notify
from pytest_weekops.worker.peak_messages import Peaked, PeakRequest

MEASURES: Mapping[str, Callable[[Bench], Taken]] = {
    **memory.MEASURES,
    **local.MEASURES,
    **arithmetic.MEASURES,
    **transfers.MEASURES,
    **latency.MEASURES,
    **builds.MEASURES,
}


def peak(device: OpenDevice, request: PeakRequest, notify: Notify) -> Peaked:
    """One item. A wrong result has no number; what a driver raises is the worker's to answer."""
    if request.item not in ITEMS:
        raise DeviceError(f"Level 0 has no item {request.item}; known are {', '.join(ITEMS)}.")
    return Peaked(**_measured(device, request, notify).model_dump())


def _measured(device: OpenDevice, request: PeakRequest, notify: Notify) -> PeakResult:
    item = ITEMS[request.item]
    if lack := lacking(item.needs, device):
        return without_number(item, "not_applicable", lack)
    bench = Bench(device, request.amounts, request.kernel_dir, notify)
    try:
        taken = MEASURES[item.name](bench)
    except WrongResult as wrong:
        return without_number(item, "wrong", str(wrong))
    finally:
        bench.release()
    return found(item, taken.times_ns, taken.amount, taken.how, taken.each)

"""Level 0 of a platform: one item after another in its worker, whatever the driver does in any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_weekops.core.errors import InputError, WeekopsError, WorkerCrash, WorkerError, last_words
from pytest_weekops.core.measurement.peak import ITEMS, Item, PeakAmounts, PeakResult, PlatformPeak, without_number
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.worker.load import LoadMeter
from pytest_weekops.worker.peak_messages import Peaked, PeakRequest
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import Failed, Reply
from pytest_weekops.worker.supervisor import PlatformSupervisor

WIDEST = 16


def survey(
    launch: Launch,
    amounts: PeakAmounts,
    kernel_dir: Path,
    scratch: Path,
    say: Callable[[str], None] = lambda _line: None,
    items: Sequence[str] = tuple(ITEMS),
) -> PlatformPeak:
    """Measure level 0 in a worker of its own. A driver that does not come up, crashes or hangs is an answer.

    After a crash the next item goes to a fresh worker, some times. Raises ``InputError`` where the user's settings are
    to blame.
    """
    if launch.missing:
        return PlatformPeak(platform=launch.label, ended=launch.missing)
    supervisor = PlatformSupervisor(launch, Deadlines(), scratch, say)
    load = LoadMeter()
    try:
        identity = supervisor.start()
        found = []
        for number, name in enumerate(items, 1):
            say(f"{launch.label}: {name} ({number} of {len(items)})")
            request = PeakRequest(item=name, kernel_dir=str(kernel_dir), amounts=amounts)
            found.append(measure_item(supervisor, ITEMS[name], request))
    except InputError:
        raise
    except WeekopsError as error:
        return PlatformPeak(platform=launch.label, ended=str(error))
    finally:
        others = load.percent(stolen_too=True)
        closing = supervisor.close()
    return PlatformPeak(
        platform=launch.label,
        device=identity.device_name,
        driver=f"{identity.platform_name} {identity.driver_version}",
        identity=identity,
        others_percent=others,
        ended=closing,
        items=tuple(found),
    )


def measure_item(supervisor: PlatformSupervisor, item: Item, request: PeakRequest) -> PeakResult:
    """One item; whatever goes wrong is what is said of it.

    Some compilers abort on the widest vectors on some CPUs: such an item is asked for once more without them.
    """
    try:
        return result_of(item, supervisor.peak(request))
    except WorkerCrash as error:
        narrower = tuple(width for width in request.amounts.widths if width < WIDEST)
        if not item.vectors or narrower in ((), request.amounts.widths):
            return without_number(item, "failed", last_words(error))
        amounts = request.amounts.model_copy(update={"widths": narrower})
        again = measure_item(supervisor, item, request.model_copy(update={"amounts": amounts}))
        why = f"with vectors of up to {max(request.amounts.widths)} before: {last_words(error)}"
        return again.model_copy(update={"reason": f"{again.reason}; {why}".removeprefix("; ")})
    except WorkerError as error:
        return without_number(item, "failed", last_words(error))


def result_of(item: Item, reply: Reply) -> PeakResult:
    """What a worker's answer says of an item: another answer than that is its failure."""
    if isinstance(reply, Peaked) and reply.name == item.name and reply.unit == item.unit:
        return PeakResult(**reply.model_dump(exclude={"type"}))
    reason = reply.reason if isinstance(reply, Failed) else f"the worker answered {item.name} with {reply.type}"
    return without_number(item, "failed", reason)

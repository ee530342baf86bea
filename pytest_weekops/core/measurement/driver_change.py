"""What differs between two drivers, or between the same one at two times, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_weekops.core.measurement.driver_files import DriverFile, changed_files
from pytest_weekops.core.measurement.records import DeviceIdentity, HostKernel

_SHOWN = 6
_OF_OURS = ("OCL_ICD_VENDORS",)  # how a worker is led to a driver, often by a file of its own
# What tells one driver from another; amounts of memory may differ with what else the machine does.
_TELLING = (
    ("platform_name", "platform"),
    ("platform_version", "platform version"),
    ("device_name", "device"),
    ("driver_version", "driver version"),
    ("device_version", "device version"),
    ("answered_by", "the library that answers"),
    ("pyopencl_version", "pyopencl"),
    ("hardware", "hardware"),
    ("host", "host"),
)


def identity_changes(before: DeviceIdentity | None, after: DeviceIdentity | None) -> tuple[str, ...]:
    """Each difference in a few words, what was before first; none where one of the two is not known."""
    if before is None or after is None:
        return ()
    return (*_library(before, after), *_facts(before, after), *_kernel(before.kernel, after.kernel))


def driver_changes(
    before: DeviceIdentity | None,
    after: DeviceIdentity | None,
    files_before: Sequence[DriverFile],
    files_after: Sequence[DriverFile],
) -> tuple[str, ...]:
    """The same with every file; files are compared only where both listings are there.

    The library itself is named once: in a listing its name tells more.
    """
    if not files_before or not files_after:
        return identity_changes(before, after)
    files = tuple(map(str, changed_files(files_before, files_after)))
    if before is None or after is None:
        return files
    return (*_facts(before, after), *_kernel(before.kernel, after.kernel), *files)


def _library(before: DeviceIdentity, after: DeviceIdentity) -> Iterator[str]:
    if before.library_sha256 != after.library_sha256:
        hashes = [identity.library_sha256[:12] or "unknown" for identity in (before, after)]
        yield f"library {before.library} {hashes[0]} became {after.library} {hashes[1]}"


def _facts(before: DeviceIdentity, after: DeviceIdentity) -> Iterator[str]:
    for name, words in _TELLING:
        old, new = getattr(before, name), getattr(after, name)
        # Records of older versions do not have each of these.
        if old != new and name in before.model_fields_set and name in after.model_fields_set:
            yield f"{words} {old or 'none'} became {new or 'none'}"
    variables = [{k: v for k, v in each.environment.items() if k not in _OF_OURS} for each in (before, after)]
    yield from _mapping("variable", *variables)


def _kernel(before: HostKernel | None, after: HostKernel | None) -> Iterator[str]:
    if before is None or after is None:
        return
    if before.release != after.release:
        yield f"kernel release {before.release} became {after.release}"
    yield from _mapping("kernel driver", before.drivers, after.drivers)
    yield from _mapping("firmware", before.firmware, after.firmware)


def _mapping(words: str, before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old != new:
            shown = ["absent" if value is None else value or "untold" for value in (old, new)]
            yield f"{words} {key} {shown[0]} became {shown[1]}"


def listed(changes: Sequence[str], shown: int = _SHOWN) -> str:
    """The first few changes and how many more there are."""
    more = f" and {len(changes) - shown} more" if len(changes) > shown else ""
    return "; ".join(changes[:shown]) + more

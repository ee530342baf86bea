"""Whose results they are: the same device, and every file of the driver the very one that answered the suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_weekops.core.conformance.results import SuiteResults
from pytest_weekops.core.measurement.driver_change import listed
from pytest_weekops.core.measurement.driver_files import DriverFile
from pytest_weekops.core.measurement.records import DeviceIdentity

_OF_OURS = "OCL_ICD_VENDORS"  # how a worker is led to a driver, often by a file of its own
_SAME = (
    ("platform_name", "platform"),
    ("platform_version", "platform version"),
    ("device_name", "device"),
    ("driver_version", "driver version"),
    ("hardware", "hardware"),
    ("answered_by", "the library that answers"),
)


def not_of(results: SuiteResults, identity: DeviceIdentity | None, files: Sequence[DriverFile]) -> str:
    """Why these results are not of that driver, by all the ``files`` that it had in the end; nothing where they are.

    A driver loads more of itself while it works, so ``files`` may have more than answered the suite; each file that
    did must be among them, the same to the byte. Where it lies does not matter.
    """
    return _words(results, identity, needed=results.files, there=files, whose="the driver's files")


def not_opened_as(results: SuiteResults, identity: DeviceIdentity | None, files: Sequence[DriverFile]) -> str:
    """The same by the ``files`` that the driver has when its device is opened: they must be among the results' own."""
    return _words(results, identity, needed=files, there=results.files, whose="the files of these results")


def _words(
    results: SuiteResults,
    identity: DeviceIdentity | None,
    *,
    needed: Sequence[DriverFile],
    there: Sequence[DriverFile],
    whose: str,
) -> str:
    if identity is None:
        return "the driver did not answer, so nothing is known to be of it"
    facts = list(_other_facts(results.identity, identity))
    if not needed or not there:
        facts.append("no listing of the driver's files")
    known = {(file.name, file.sha256) for file in there}
    facts += [
        f"{file.name} {_short(file.sha256)} is not among {whose}"
        for file in needed
        if not file.sha256 or (file.name, file.sha256) not in known
    ]
    return listed(facts, shown=3)


def _other_facts(theirs: DeviceIdentity, identity: DeviceIdentity) -> Iterator[str]:
    if not theirs.library_sha256 or theirs.library_sha256 != identity.library_sha256:
        yield f"library {_short(theirs.library_sha256)} is not {_short(identity.library_sha256)}"
    for name, words in _SAME:
        then, now = getattr(theirs, name), getattr(identity, name)
        if then != now:
            yield f"{words} {then or 'none'} is not {now or 'none'}"
    if _variables(theirs) != _variables(identity):
        yield "the driver's environment variables are others"
    if theirs.kernel is not None and identity.kernel is not None and theirs.kernel.drivers != identity.kernel.drivers:
        yield "the kernel's driver of the device is another"


def _variables(identity: DeviceIdentity) -> dict[str, str]:
    return {name: value for name, value in identity.environment.items() if name != _OF_OURS}


def _short(digest: str) -> str:
    return digest[:12] or "(unknown)"

"""A conformance suite on one driver: which driver it is before and after, and the suite in between, alone with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_weekops.campaigns.piglit import Piglit
from pytest_weekops.core.conformance.results import Result, SuiteResults
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.measurement.driver_change import identity_changes, listed
from pytest_weekops.core.measurement.driver_files import DriverFile, changed_files
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.evidence.conformance.reading import Read
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import SmokeRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

_WRONG = ("fail", "timeout", "crash")


@dataclass(frozen=True)
class Driver:
    """Which driver answers: its identity, and every file of it once it has compiled and launched."""

    identity: DeviceIdentity
    files: tuple[DriverFile, ...]


@contextmanager
def held_driver(launch: Launch, scratch: Path, say: Callable[[str], None]) -> Iterator[Driver]:
    """The driver of a platform, with its device held against other gates meanwhile.

    Raises ``WeekopsError`` where it does not answer, or cannot compile and launch, so that its files are not known.
    """
    if launch.missing:
        raise InputError(launch.missing)
    supervisor = PlatformSupervisor(launch, Deadlines(), scratch, say)
    try:
        identity = supervisor.start()
        smoked = supervisor.smoke(SmokeRequest(kernel_dirs=(str(data_dir("kernels")),)))
        if not smoked.seen:
            step = smoked.steps[-1] if smoked.steps else None
            why = " ".join(step.detail.split())[:300] if step is not None else "it answered nothing"
            raise WeekopsError(f"{launch.label} does not get through the driver smoke, and no suite was run: {why}")
        supervisor.files.note(smoked.seen)
        yield Driver(identity, supervisor.files.listing().files)
    finally:
        supervisor.close()


def run_piglit(piglit: Piglit, launch: Launch, scratch: Path, say: Callable[[str], None]) -> SuiteResults:
    """Piglit's OpenCL tests on one driver. Tests that go wrong are run again: one that passes then is flaky.

    Raises ``WeekopsError`` where the suite does not come to its end, ran on another platform, or the driver changed.
    """
    with held_driver(launch, scratch, say) as before:
        launch = _with_library(launch, before.identity, scratch)
        say(f"{launch.label}: piglit, {len(piglit.planned)} of {len(piglit.of_suite)} tests")
        first = piglit.run(launch, scratch / f"{launch.label}-1")
        if not first.platforms:
            raise WeekopsError(f"{launch.label}: no test says on which platform it ran, so the results are nobody's.")
        _refuse_stranger(launch.label, before.identity, first)
        tests = {each.test: each for each in first.tests}
        for number in range(2, piglit.reruns + 2):
            again = [name for name, each in tests.items() if each.status in _WRONG and name in piglit.names]
            if not again:
                break
            say(f"{launch.label}: {len(again)} tests again ({number - 1} of {piglit.reruns})")
            passed = {
                one.test
                for one in piglit.run(launch, scratch / f"{launch.label}-{number}", again).tests
                if one.status == "pass"
            }
            tests |= {name: _flaky(tests[name]) for name in again if name in passed}
    with held_driver(launch, scratch, say) as after:
        _refuse_changed(launch.label, before, after)
    return SuiteResults(
        suite="piglit",
        version=piglit.version,
        selection=piglit.selection,
        planned=len(tests) + len(piglit.names - set(tests)),
        of_suite=len(tests) + len(piglit.of_suite) - len(piglit.planned),
        ended=first.ended,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        source="piglit run cl",
        source_sha256=first.sha256,
        identity=before.identity,
        files=before.files,
        tests=tuple(tests.values()),
    )


def _with_library(launch: Launch, identity: DeviceIdentity, scratch: Path) -> Launch:
    """The launch with an ICD file that names the very library that answered, by its whole path.

    The loader of the suite is another than ours, and need not find a library that is named by its file name alone.
    """
    if not identity.library_path:
        return launch
    icd = scratch / f"{launch.label}-conformance.icd"
    icd.write_text(f"{identity.library_path}\n", encoding="utf-8")
    return launch.model_copy(update={"environment": {**launch.environment, "OCL_ICD_VENDORS": str(icd)}})


def tied(suite: str, version: str, read: Read, path: Path, driver: Driver) -> SuiteResults:
    """Results that somebody else's run left, as those of the driver that answers now.

    Raises ``InputError`` where they name another platform, or a file of the driver is newer than they are.
    """
    made = _made(path)
    newer = [file.path for file in driver.files if _changed_at(Path(file.path)) >= made]
    if newer:
        raise InputError(
            f"{suite} results {path} are older than the driver: {listed(newer, shown=2)} came later. They may be of "
            "the driver before it. Run the suite again with this one."
        )
    _refuse_stranger(driver.identity.profile, driver.identity, read)
    return SuiteResults(
        suite=suite,
        version=version,
        selection=read.selection,
        planned=read.planned,
        ended=read.ended,
        created_at=datetime.fromtimestamp(made, UTC).isoformat(timespec="seconds"),
        source=path.name,
        source_sha256=read.sha256,
        identity=driver.identity,
        files=driver.files,
        tests=read.tests,
    )


def _made(path: Path) -> float:
    """When the first file of results was written, in seconds since the epoch."""
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    return min(each.stat().st_mtime for each in files)


def _changed_at(path: Path) -> float:
    """When a file was last put there; the end of time where that cannot be told."""
    try:
        return path.stat().st_ctime
    except OSError:
        return float("inf")


def _flaky(one: Result) -> Result:
    return one.model_copy(update={"status": "flaky"})


def _refuse_stranger(label: str, identity: DeviceIdentity, read: Read) -> None:
    """Refuse results whose tests say that they ran on another platform."""
    others = sorted(read.platforms - {identity.platform_name})
    if others:
        raise InputError(
            f"{label} is {identity.platform_name}, and tests ran on {', '.join(others)[:200]}. The results would be "
            "another driver's, so they are not kept. OCL_ICD_VENDORS has to name this driver alone."
        )


def _refuse_changed(label: str, before: Driver, after: Driver) -> None:
    changes = [*identity_changes(before.identity, after.identity), *map(str, changed_files(before.files, after.files))]
    if changes:
        raise WeekopsError(
            f"{label} is not what it was when the suite began: {listed(changes)}. The results belong to two drivers, "
            "so they are not kept. Run it again when nothing is being installed."
        )

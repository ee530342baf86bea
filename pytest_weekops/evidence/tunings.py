"""Tuning files on disk: one per driver and machine, written whole under a lock, read as if a stranger wrote them.

A file that cannot be used is ignored with a sentence, never an error and never in part: without it a run measures the
shipped kernels, which is what it would have measured had nobody tuned.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import DeviceError, InputError, WeekopsError
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.tuning import ArmPrior, DriverKey, Kernel, TunedVariant, TuningFile, illegal_in
from pytest_weekops.core.selection.tuning_space import parameters
from pytest_weekops.evidence.names import keyed_name
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.kept_record import read_record
from pytest_weekops.report.saying import plain

DIRECTORY = "tuning"
OFF = "off"
LARGEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class PlatformTuning:
    """What is in force on one platform, and the file that says so, by name and hash."""

    tuned: tuple[TunedVariant, ...] = ()
    priors: tuple[ArmPrior, ...] = ()
    file: str = ""
    sha256: str = ""

    @property
    def words(self) -> str:
        """The variants and their values in one line."""
        each = (f"{t.variant} {' '.join(f'{n}={v}' for n, v in t.defines.items())}" for t in self.tuned)
        return "; ".join(each)

    @property
    def tag(self) -> str:
        """What tells these values from others in a file's name; empty where everything is as shipped."""
        return hashlib.sha256(self.words.encode()).hexdigest()[:8] if self.tuned else ""


def tuning_directory(asked: str | None, report_dir: Path, root: Path) -> Path | None:
    """Where tuning files are: what ``--tuning`` says, else in the report directory; None for ``off``.

    Raises ``InputError`` for a directory that was asked for and is not there.
    """
    if asked is None:
        return report_dir / DIRECTORY
    if asked == OFF:
        return None
    directory = root / Path(asked).expanduser()
    if not directory.is_dir():
        raise InputError(
            f"--tuning {asked}: {directory} is no directory. The tuned parameters that were asked for would be missing "
            "without a word. Give the directory that `weekops tune` wrote, or --tuning off."
        )
    return directory


def file_name(driver: DriverKey) -> str:
    """Name of the file of one driver on one machine: a slug for people and a hash of all that must be the same."""
    return keyed_name(f"{driver.platform_name}-{driver.hardware}", driver.model_dump_json())


def read_tuning(path: Path) -> tuple[TuningFile, str]:
    """A tuning file and its SHA-256. Raises ``ValueError`` with a clause where it is none, ``OSError`` without it."""
    tuning, data = read_record(path, TuningFile, largest_bytes=LARGEST_BYTES)
    return tuning, hashlib.sha256(data).hexdigest()


def load_tunings(
    directory: Path, identities: Mapping[str, DeviceIdentity], kernels: Mapping[str, Kernel]
) -> tuple[dict[str, PlatformTuning], list[str]]:
    """What is in force per platform label, and a sentence for each thing that was ignored. Never raises for a file."""
    found: dict[str, PlatformTuning] = {}
    notes: list[str] = []
    for label, identity in identities.items():
        tuning, said = _load(directory, label, identity, kernels)
        notes += said
        if tuning is not None:
            found[label] = tuning
    return found, notes


def _load(
    directory: Path, label: str, identity: DeviceIdentity, kernels: Mapping[str, Kernel]
) -> tuple[PlatformTuning | None, list[str]]:
    driver = DriverKey.of(identity)
    if driver is None:
        return None, []
    path = directory / file_name(driver)
    whole = f"the tuning file {path.name}"
    try:
        file, sha256 = read_tuning(path)
    except FileNotFoundError:
        return None, _of_another_driver(directory, label, driver)
    except (OSError, ValueError) as error:
        return None, [_ignored(label, whole, str(error))]
    if file.driver != driver:
        return None, [_ignored(label, whole, "it is filed under this driver's name and speaks of another")]
    if problem := illegal_in(file, kernels, identity):
        return None, [_ignored(label, whole, problem)]
    fresh = {name: found for name, found in file.variants.items() if _sha256(kernels, name) == found.kernel_sha256}
    stale = sorted(set(file.variants) - set(fresh))
    notes: list[str] = []
    if stale:
        what = f"{', '.join(stale)} of the tuning file {path.name}"
        notes.append(_ignored(label, what, "it was found for another kernel source"))
    tuned = tuple(
        TunedVariant(variant=name, kernel_sha256=entry.kernel_sha256, defines=entry.defines)
        for name, entry in sorted(fresh.items())
        if entry.outcome == "tuned"
    )
    priors = tuple(
        ArmPrior(variant=name, expected_ms=entry.expected_ms)
        for name, entry in sorted(fresh.items())
        if entry.expected_ms
    )
    return PlatformTuning(tuned, priors, path.name, sha256), notes


def _sha256(kernels: Mapping[str, Kernel], name: str) -> str:
    return kernels[name].sha256 if name in kernels else ""


def _ignored(label: str, what: str, problem: str) -> str:
    return plain(
        f"{label}: {what} is ignored: {problem}. The shipped parameters are measured. "
        "Run `weekops tune` again, or remove the file."
    )


def _of_another_driver(directory: Path, label: str, driver: DriverKey) -> list[str]:
    """A sentence where there is a tuning of the same platform and hardware, but of another driver."""
    for path in sorted(directory.glob("*.json")):
        try:
            other = read_tuning(path)[0].driver
        except (OSError, ValueError):
            continue
        if (other.platform_name, other.hardware) == (driver.platform_name, driver.hardware):
            whose = f"it was found for driver {other.driver_version} ({other.library_sha256[:12]})"
            mine = f"this is {driver.driver_version} ({driver.library_sha256[:12]})"
            return [_ignored(label, f"the tuning file {path.name}", f"{whose}, {mine}")]
    return []


class TuningBook:
    """The tuning file of one driver, for the search that writes it. Raises ``DeviceError`` for an unknown driver."""

    def __init__(self, directory: Path, identity: DeviceIdentity, kernels: Mapping[str, Kernel]) -> None:
        driver = DriverKey.of(identity)
        if driver is None:
            raise DeviceError(
                f"The driver of {identity.profile} cannot be told: the library behind it is not known. A tuning that "
                "belongs to no driver would be used with any. Tune on a platform whose `weekops drivers` shows one."
            )
        self.path = directory / file_name(driver)
        self._driver = driver
        self._identity = identity
        self._kernels = kernels

    def read(self) -> tuple[TuningFile, str]:
        """The file as it is, or a new one; and why what was there could not be used, if anything was."""
        fresh = TuningFile(driver=self._driver)
        try:
            file, _sha256 = read_tuning(self.path)
        except FileNotFoundError:
            return fresh, ""
        except (OSError, ValueError) as error:
            return fresh, f"{self.path.name} is replaced: {error}"
        if file.driver != self._driver:
            return fresh, f"{self.path.name} is replaced: it speaks of another driver"
        if problem := illegal_in(file, self._kernels, self._identity):
            return fresh, f"{self.path.name} is replaced: {problem}"
        return file, ""

    def update(self, change: Callable[[TuningFile], TuningFile]) -> TuningFile:
        """Change the file under its lock, so that two searches lose nothing of each other. Raises ``WeekopsError``."""
        with self._locked():
            file = change(self.read()[0])
            write_atomic(self.path, file.model_dump_json(indent=2) + "\n")
        return file

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.path.with_suffix(".lock"), flags, 0o644)
        except OSError as error:
            raise WeekopsError(
                f"Tuning directory {self.path.parent} cannot be written: {error.strerror}. What a search found would "
                "be lost. Choose another --report-dir or make room."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def load_kernels(kernel_dirs: Sequence[str]) -> dict[str, Kernel]:
    """Every variant that may be tuned, with the hash of its source, as a worker takes it.

    GEMM's are all among them, those without a parameter too. Raises ``PolicyError`` and ``OSError``.
    """
    from pytest_weekops.files.kernel_sources import load_sources

    sources = load_sources(kernel_dirs)
    return {
        mode: Kernel(entry=source.entry, sha256=source.sha256)
        for mode, source in sources.items()
        if source.entry.operation == "gemm" or parameters(source.entry)
    }

"""Which driver really answered: wrappers in front of it, its compiler behind it, and what it says when it does not."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_weekops.core.errors import DeviceError, WorkerCrash
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Case, DeviceIdentity, MeasurementStatus
from pytest_weekops.drivers.expected import expected_libraries
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.drivers.probe import probe
from pytest_weekops.worker.process import WORKER_MODULE, Launch
from pytest_weekops.worker.protocol import MeasureRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.support.libraries import build_library, build_wrapper

pytestmark = pytest.mark.device

CASE = Case(platform="x", kernel="scalar", size=8, seed=1, snapshot=1)
REQUEST = MeasureRequest(kernel="scalar", m=8, n=8, k=8, seed=1, sessions=1, iterations=1)


@dataclasses.dataclass
class Opened:
    """A driver that was opened, and who it said it is."""

    supervisor: PlatformSupervisor
    identity: DeviceIdentity

    @property
    def files(self) -> dict[str, str]:
        """Its files by name, and how each was seen."""
        return {file.name: file.seen for file in self.supervisor.files.listing().files}


@pytest.fixture
def launch(tmp_path: Path) -> Callable[[str], Launch]:
    """``launch(name)``: how to reach a platform, under a label that no other test locks."""

    def resolve(name: str) -> Launch:
        (found,) = resolve_platforms([name], scratch=tmp_path)
        return found.model_copy(update={"label": f"{found.label}-{tmp_path.name}"})

    return resolve


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Launch], Opened]]:
    """``start(launch)``: the driver, opened, and closed at the end."""
    started: list[PlatformSupervisor] = []

    def open_one(launch: Launch) -> Opened:
        supervisor = PlatformSupervisor(launch, Deadlines(), tmp_path)
        started.append(supervisor)
        return Opened(supervisor, supervisor.start())

    yield open_one
    for supervisor in started:
        supervisor.close()


@pytest.fixture
def pocl(need_platform: Callable[[str], str], launch: Callable[[str], Launch]) -> Path:
    """The library of PoCL on this system."""
    found = launch(need_platform("pocl-system")).open.expected
    assert found, "the ICD's name stands for no file, so no wrapper could be told from it"
    return Path(found[0]).resolve()


def test_a_library_in_front_of_the_named_one_is_refused(
    tmp_path: Path,
    pocl: Path,
    launch: Callable[[str], Launch],
    start: Callable[[Launch], Opened],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LD_LIBRARY_PATH leads the loader to a wrapper; both files are named, and how to ask for the one that is meant."""
    (tmp_path / "front").mkdir()
    wrapper = build_wrapper(tmp_path / "front" / pocl.name, pocl)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(wrapper.parent))
    with pytest.raises(DeviceError, match="LD_LIBRARY_PATH leads there") as caught:
        start(launch("pocl-system"))
    assert f"which is {pocl} on this system" in str(caught.value)
    assert f"pocl-system@{wrapper}" in str(caught.value)


def test_a_wrapper_is_what_is_named_and_its_replacement_is_seen(
    tmp_path: Path, pocl: Path, launch: Callable[[str], Launch], start: Callable[[Launch], Opened]
) -> None:
    """The file that was opened is the library, the one that answers stands beside it, and both are hashed.

    When it is another file in the next worker, the two are not the same driver, and the answer says which file.
    """
    wrapper = build_wrapper(tmp_path / "libwrapper.so", pocl)
    opened = start(launch(f"pocl@{wrapper}"))
    who, supervisor = opened.identity, opened.supervisor
    assert (who.library, who.library_path, who.answered_by) == ("libwrapper.so", str(wrapper), str(pocl))
    assert opened.files.items() >= {"libwrapper.so": "mapped", pocl.name: "mapped"}.items()
    assert who.kernel is not None
    assert who.kernel.release
    wrapper.unlink()
    build_wrapper(wrapper, pocl, remark="updated")
    supervisor._retire()
    answer = supervisor.measure(CASE, REQUEST)
    assert answer.status is MeasurementStatus.LOST
    assert "driver replaced" in answer.reason
    assert "libwrapper.so" in answer.reason


@pytest.mark.parametrize(
    ("name", "behind"),
    [
        ("pocl-system", {"libLLVM": "mapped", "libclang-cpp": "mapped", "opencl-c.h": "beside", "kernel-": "beside"}),
        ("rusticl", {"libLLVM": "mapped", "libclang-cpp": "mapped", "spirv64-mesa3d-.spv": "beside"}),
    ],
)
def test_the_compiler_behind_a_driver_is_listed(
    need_platform: Callable[[str], str],
    launch: Callable[[str], Launch],
    start: Callable[[Launch], Opened],
    tmp_path: Path,
    name: str,
    behind: dict[str, str],
) -> None:
    """Its libraries, its headers and its built-in functions; every file could be read; nothing of Python is there.

    What somebody loads before it, to stand between it and the program, is listed as well.
    """
    shim = build_library(tmp_path / "libshim.so", "int clFinish(void *queue) { return queue == 0; }\n")
    asked = launch(need_platform(name))
    opened = start(asked.model_copy(update={"environment": {**asked.environment, "LD_PRELOAD": str(shim)}}))
    files = opened.files
    assert files["libshim.so"] == "mapped"
    assert opened.identity.environment["LD_PRELOAD"] == str(shim)
    for part, how in behind.items():
        assert how in {seen for file, seen in files.items() if file.startswith(part)}, f"{part} in {sorted(files)}"
    assert all(file.sha256 for file in opened.supervisor.files.listing().files)
    assert not [file for file in files if "cpython" in file or "numpy" in file or "openblas" in file]
    assert opened.identity.answered_by == ""


def test_a_driver_that_aborts_when_it_is_opened_is_quoted(
    need_platform: Callable[[str], str], launch: Callable[[str], Launch], tmp_path: Path
) -> None:
    """PoCL ends its process where the limit on data is low, and says why; nobody is told to reinstall it."""
    worker = ("prlimit", "--data=100000000", sys.executable, "-m", WORKER_MODULE)
    asked = launch(need_platform("pocl")).model_copy(update={"command": worker})
    found = probe(asked, tmp_path)
    assert "Not enough memory to run on this device" in found.refusal
    assert "ulimit -d" in found.advice[0]
    assert "einstall" not in found.advice[0]


def test_a_driver_without_devices_is_a_sentence(
    need_platform: Callable[[str], str],
    launch: Callable[[str], Launch],
    start: Callable[[Launch], Opened],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The platform is named, and that it has none."""
    monkeypatch.setenv("POCL_DEVICES", "bogus")
    with pytest.raises((DeviceError, WorkerCrash), match=r"has no device at all|last words: \S+") as caught:
        start(launch(need_platform("pocl")))
    assert "()" not in str(caught.value)


def test_a_library_that_lacks_another_is_told_what(tmp_path: Path, launch: Callable[[str], Launch]) -> None:
    """The dynamic linker's own words; here a reinstallation is what helps."""
    needed = build_library(tmp_path / "libneeded.so", "int needed(void) { return 1; }\n")
    driver = build_library(
        tmp_path / "driver.so",
        "int needed(void);\nint clIcdGetPlatformIDsKHR(void) { return needed(); }\n",
        f"-L{tmp_path}",
        "-lneeded",
    )
    needed.unlink()
    found = probe(launch(f"pocl@{driver}"), tmp_path)
    assert "libneeded.so: cannot open shared object file" in found.refusal
    assert "Reinstall" in found.advice[0]


def test_a_name_stands_for_the_file_that_lies_beside_its_icd(tmp_path: Path) -> None:
    """A path stands for itself, a bare name for a neighbour or the linker's own, and an unknown one for nothing."""
    library, icd = tmp_path / "libmine.so.1", tmp_path / "mine.icd"
    library.touch()
    icd.write_text("libmine.so.1\n", encoding="utf-8")
    assert expected_libraries(str(icd)) == (str(library),)
    icd.write_text(str(library), encoding="utf-8")
    assert expected_libraries(str(icd)) == (str(library),)
    icd.write_text("libnowhere.so.9\n", encoding="utf-8")
    assert expected_libraries(str(icd)) == ()
    icd.write_text("libc.so.6\n", encoding="utf-8")
    assert all(path.endswith("/libc.so.6") for path in expected_libraries(str(icd)))

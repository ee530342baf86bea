"""The faulty driver of the tests' own, built with gcc, over PoCL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.support.benches import Bench
from tests.support.libraries import build_library

SOURCE = Path(__file__).with_name("faulty_driver.c")
SHORT = Deadlines(enumerate_s=3.0, build_s=60.0, warm_up_s=60.0, launch_s=3.0, verify_s=3.0, read_back_s=3.0)


@dataclass
class FaultyDriver:
    """A driver library, and the file that names the fault it has now."""

    library: Path
    flag: Path

    def has(self, fault: str) -> None:
        """From now on it does that; nothing where the name is empty."""
        self.flag.write_text(fault, encoding="utf-8")


@pytest.fixture(scope="session")
def build_faulty(need_platform: Callable[[str], str]) -> Callable[..., FaultyDriver]:
    """``build_faulty(directory, *options)``: the driver over PoCL, in a directory."""

    def build(directory: Path, *options: str) -> FaultyDriver:
        (pocl,) = resolve_platforms([need_platform("pocl-system")], scratch=directory)
        real = pocl.open.expected[0]
        library = build_library(
            directory / "faulty.so",
            SOURCE.read_text(encoding="utf-8"),
            f'-DFLAG="{directory / "flag"}"',
            f'-DREAL="{real}"',
            *options,
            "-ldl",
        )
        return FaultyDriver(library, directory / "flag")

    return build


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory, build_faulty: Callable[..., FaultyDriver]) -> FaultyDriver:
    """The one that tests share."""
    return build_faulty(tmp_path_factory.mktemp("faulty"))


@pytest.fixture(scope="session")
def start_faulty(
    tmp_path_factory: pytest.TempPathFactory, faulty: FaultyDriver, host: HostWorker
) -> Iterator[Callable[[Deadlines], Bench]]:
    """``start_faulty(deadlines)``: a worker on it, without a fault, that may be replaced as often as it takes."""
    made: list[PlatformSupervisor] = []

    def start(deadlines: Deadlines) -> Bench:
        scratch = tmp_path_factory.mktemp("scratch")
        (launch,) = resolve_platforms([f"faulty.{len(made)}=pocl@{faulty.library}"], scratch=scratch)
        launch.environment["POCL_CACHE_DIR"] = str(faulty.flag.parent)  # what one worker compiled, the next one has
        faulty.has("")
        with pytest.MonkeyPatch.context() as patch:  # held for the whole session, as every bench is
            patch.setenv("WEEKOPS_LOCK_NAMESPACE", f"bench {scratch}")
            supervisor = PlatformSupervisor(launch, deadlines, scratch, restart_budget=1000)
            supervisor.start()
        made.append(supervisor)
        return Bench(supervisor, host)

    yield start
    faulty.has("")
    for supervisor in made:
        assert supervisor.close() == ""


@pytest.fixture(scope="session")
def faulty_bench(start_faulty: Callable[[Deadlines], Bench]) -> Bench:
    """The worker that tests share."""
    return start_faulty(SHORT)

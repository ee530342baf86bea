"""What all tests share: which platforms must be there, and a private place for device locks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from pytest_weekops.core.errors import InputError
from tests.support.benches import benches, host, own_kernels, start_bench
from tests.support.examples import examples
from tests.support.gates import gate
from tests.support.postgres import Server, started

__all__ = ["benches", "gate", "host", "own_kernels", "start_bench"]  # fixtures, for the tests of every room

# No timed tests: an example that takes long, on a busy machine or under coverage, is no failure.
settings.register_profile("untimed", deadline=None, max_examples=examples())
# The gate for changes draws the same examples each time: a change fails for what it changed. Who works here draws anew.
settings.register_profile("repeatable", parent=settings.get_profile("untimed"), derandomize=True)
settings.load_profile("repeatable" if os.environ.get("WEEKOPS_REPEATABLE_EXAMPLES") else "untimed")

# Tests start some thousand processes. Where nothing may write byte code, each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Read by each process that tests start: its workers share what their drivers compiled.
COMPILED = Path(__file__).parent / "support" / "compiled"

# Tests that share started workers, or that measure, go to one process of xdist; all others by file.
ONE_AFTER_ANOTHER = ("device", "campaigns")
# Minutes each: whichever process began one last would end alone.
FIRST = ("whole/test_runbook.py", "docs/test_tutorial.py", "whole/test_older_lines.py")


@pytest.hookimpl(tryfirst=True)  # before the terminal reporter reads them
def pytest_configure(config: pytest.Config) -> None:
    """List what did not pass, and what took more than some seconds: time is what the tests are shortest of."""
    option = config.option
    option.reportchars = "a" if option.reportchars == "fE" else option.reportchars
    if option.durations is None:
        option.durations, option.durations_min = 40, 5.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: not item.nodeid.partition("::")[0].endswith(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What shares fixtures stays in one process, and no device is measured twice at once.

    By a scheduler and not by marks: those reach xdist's own in a node id, which pytest 9.2 has it no longer change, so
    that nothing is grouped and nothing says so (pytest-xdist issue 1386).
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        """One file, or all that measures, at a time."""

        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::", 1)[0]
            room = path.removeprefix("tests/").split("/", 1)[0]
            return "devices" if room in ONE_AFTER_ANOTHER else path

    config.option.loadscopereorder = False  # the file with most tests is not the longest
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def locks_of_ones_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Device locks and compiled kernels apart from those of whoever else runs on this machine, and no pages."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("locks")
        patch.setenv("WEEKOPS_LOCK_DIR", str(place))
        patch.setenv("WEEKOPS_LOCK_NAMESPACE", f"tests {place}")
        patch.setenv("WEEKOPS_NO_PAGE", "1")  # two seconds of drawing behind each of some hundred gates
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(COMPILED), os.environ.get("PYTHONPATH")])))
        if not os.environ.get("COMPILED_FOR_TESTS"):  # the same kernels in some hundred workers
            base = tmp_path_factory.getbasetemp()  # with xdist a directory of each process of its, side by side
            shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
            patch.setenv("COMPILED_FOR_TESTS", str(shared / "compiled"))
        patch.delenv("WEEKOPS_LEDGER", raising=False)
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)  # the job's page is for what the tests came to
        yield


@pytest.fixture(scope="session")
def need_platform(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """``need_platform(name)``: the name where that driver is installed; else skip, or fail where it is required."""
    from pytest_weekops.drivers.platforms import resolve_platforms

    scratch = tmp_path_factory.mktemp("platforms")

    def need(name: str) -> str:
        required = os.environ.get("WEEKOPS_REQUIRE_PLATFORMS", "").split(",")
        try:
            resolve_platforms([name], scratch=scratch)
        except InputError as error:
            if name in required:
                pytest.fail(f"platform {name} is required here and missing: {error}")
            pytest.skip(f"platform {name} is not installed: {error}")
        return name

    return need


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server that all tests of this process share; each takes a ledger of its own name."""
    with started() as server:
        yield server


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's root directory."""
    return Path(__file__).resolve().parents[1]

"""Cold starts: each failure is told, the rate has an exact interval, and one is enough to block."""

from __future__ import annotations

import math
import sys
from pathlib import Path

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.run.cold_starts import cold_rate, cold_starts
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

DOUBLE = str(Path(__file__).resolve().parents[1] / "support" / "double.py")


def start_double(tmp_path: Path, fault: str, phase: str, flag: str = "") -> PlatformSupervisor:
    """A supervisor of a double that has not been started."""
    flags = (str(tmp_path / flag),) if flag else ()
    command = (sys.executable, DOUBLE, fault, phase, *flags)
    launch = Launch(label="cold", profile="double", open=OpenRequest(profile="double"), command=command)
    return PlatformSupervisor(launch, Deadlines(), tmp_path)


def test_the_rate_has_an_exact_interval() -> None:
    """Clopper and Pearson's, checked against the published values of 1 in 50, and the closed form for none."""
    assert cold_rate(1, 50) == "1 of 50 cold starts failed (2 %, 95 % interval 0.0506 to 10.6 %)"
    assert cold_rate(0, 100) == "none of 100 cold starts failed (0 %, 95 % interval 0 to 3.62 %)"
    assert math.isclose(100 * (1 - 0.025 ** (1 / 100)), 3.62, abs_tol=5e-3)
    assert cold_rate(3, 3).endswith("(100 %, 95 % interval 29.2 to 100 %)")


def test_one_failure_in_fifty_fails_the_step() -> None:
    """Its number and words are there; more than three are counted."""
    answers = iter([""] * 36 + ["ended in phase enumerate\nwith SIGSEGV"] + [""] * 13)
    step = cold_starts(lambda: next(answers), 50)
    assert step.status == "failed"
    assert "1 of 50 cold starts failed" in step.detail
    assert step.detail.endswith("start 37: ended in phase enumerate with SIGSEGV")
    assert step.recommendation
    assert cold_starts(lambda: "no", 5).detail.endswith("start 3: no; and 2 more")
    assert cold_starts(lambda: "", 5).status == "ok"


def test_a_start_that_fails_once_is_found_among_others(tmp_path: Path) -> None:
    """Real processes: the driver crashes in one start, in the phase that is named, and leaves nothing in scratch."""
    supervisor = start_double(tmp_path, "segv", "context", "flag")
    step = cold_starts(supervisor.cold_start, 3)
    assert "1 of 3 cold starts failed" in step.detail
    assert "start 1: cold ended in phase context with SIGSEGV" in step.detail
    assert not list(tmp_path.glob("worker-*"))


def test_a_driver_that_cannot_end_fails_its_cold_start(tmp_path: Path) -> None:
    """To open is not enough."""
    assert "exit status 0" in start_double(tmp_path, "exit0", "close").cold_start()


def test_another_driver_is_no_start_of_this_one(tmp_path: Path) -> None:
    """A start that leads to another library than the run's is a failure."""
    supervisor = start_double(tmp_path, "segv", "never", "replaced")
    supervisor.start()
    assert supervisor.cold_start() == ""
    (tmp_path / "replaced").touch()
    assert "another driver answered: " in supervisor.cold_start()
    supervisor.close()

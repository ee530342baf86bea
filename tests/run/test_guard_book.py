"""The guards' states on disk: they outlive the process and block until enabled again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.run.guard_book import GuardBook, guard_key
from tests.support.synthetic import make_measurement, make_plan

PLAN = make_plan("weekly", kernels=("auto_t5_guarded",))


def measured(overhead: float = 1.0, *, size: int = 1400) -> Measurement:
    """A guarded measurement with this overhead."""
    case = Case(platform="pocl", kernel="auto_t5_guarded", size=size, seed=11, snapshot=1)
    guard = GuardEvidence(overhead_percent=overhead, false_positive_rate=0.0, disable_events=0, checks=16)
    return make_measurement(case, plan=PLAN).model_copy(update={"guard": guard, "variant": "packed"})


def book(directory: Path, run_id: str = "run-1") -> GuardBook:
    """The book as a run opens it."""
    return GuardBook(directory, rules=GuardRules(clean_to_enable=2), bounded_from=1024, run_id=run_id)


def disable_events(directory: Path, run_id: str, overhead: float = 1.0) -> int:
    """What a measurement of that run says about its guard."""
    noted = book(directory, run_id).note(measured(overhead), when="2026-11-24T12:00:00+00:00")
    assert noted is not None
    return noted.evidence.disable_events


def test_a_disable_outlives_the_run_and_blocks_until_a_clean_run_ends_it(tmp_path: Path) -> None:
    """The next run's measurements still say that the guard was disabled; the one after it is free."""
    assert disable_events(tmp_path, "run-1", overhead=9.0) == 1
    assert [disable_events(tmp_path, "run-2") for _ in range(2)] == [1, 1]
    assert disable_events(tmp_path, "run-2") == 0
    assert disable_events(tmp_path, "run-3") == 0


def test_a_story_names_run_and_reason(tmp_path: Path) -> None:
    """Whoever reads the verdict can find the run that disabled it."""
    disable_events(tmp_path, "run-1", overhead=9.0)
    noted = book(tmp_path, "run-2").note(measured(), when="later")
    assert noted is not None
    assert "by run run-1: overhead 9.00 %" in (noted.evidence.disable_reason or "")


def test_guards_are_kept_apart(tmp_path: Path) -> None:
    """By size, variant and driver."""
    disable_events(tmp_path, "run-1", overhead=9.0)
    other = book(tmp_path, "run-2").note(measured(size=2048), when="later")
    assert other is not None
    assert other.evidence.disable_events == 0
    assert len({guard_key(measured()), guard_key(measured(size=2048))}) == 2


def test_the_cost_of_a_workloads_guard_disables_nothing(tmp_path: Path) -> None:
    """It reads what its launch wrote, and is told; a wrong result disables it as it does any."""
    costly = measured(40.0).model_copy(update={"operation": "scan"})
    noted = book(tmp_path).note(costly, when="now")
    assert noted is not None
    assert (noted.event, noted.evidence.disable_events) == (None, 0)
    wrong = costly.model_copy(update={"status": MeasurementStatus.WRONG})
    noted = book(tmp_path).note(wrong, when="now")
    assert noted is not None
    assert noted.event == "disabled"


def test_a_measurement_without_a_guard_is_not_noted(tmp_path: Path) -> None:
    """Nothing is written for it."""
    assert book(tmp_path).note(measured().model_copy(update={"guard": None}), when="now") is None
    assert not (tmp_path / "guards.json").exists()


@pytest.mark.parametrize("error", [0.002, float("nan"), float("inf")])
def test_an_error_beyond_the_guards_own_limit_disables_it(tmp_path: Path, error: float) -> None:
    """Where a policy states one: the measurement is ok by the policy's bound, and the guard still missed too much."""
    measurement = measured()
    session = measurement.sessions[0].model_copy(update={"max_abs_error": error})
    measurement = measurement.model_copy(update={"sessions": (session, *measurement.sessions[1:])})
    without = book(tmp_path / "without").note(measurement, when="now")
    rules = GuardRules(max_correctness_error=0.001)
    noted = GuardBook(tmp_path, rules=rules, bounded_from=1024, run_id="run-1").note(measurement, when="now")
    assert without is not None
    assert noted is not None
    assert (without.event, noted.event) == (None, "disabled")
    assert "above 0.001" in noted.reason


def test_a_wrong_measurement_that_the_guard_was_silent_on_disables_it(tmp_path: Path) -> None:
    """Whatever the policy states."""
    wrong = measured().model_copy(update={"status": MeasurementStatus.WRONG, "reason": "error 3 exceeds 0.001; row 7"})
    noted = book(tmp_path).note(wrong, when="now")
    assert noted is not None
    assert noted.event == "disabled"
    assert "row 7" in noted.reason


NEWER, ODD = '{"version": 2, "guards": {}}', '{"version": 1, "guards": {"a": 3}}'


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 5000, NEWER, ODD])
def test_a_state_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    """Starting anew would enable a disabled guard unseen."""
    (tmp_path / "guards.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        book(tmp_path).note(measured(), when="now")
    assert (tmp_path / "guards.json").read_text(encoding="utf-8") == content


DISABLER = """
import sys
from pathlib import Path
from tests.run.test_guard_book import book, measured
print(book(Path(sys.argv[1]), "run-1").note(measured(overhead=9.0), when="now").event)
"""


def test_a_disable_outlives_its_process(tmp_path: Path, repository: Path) -> None:
    """Another process reads it, and says which run it was."""
    command = [sys.executable, "-c", DISABLER, str(tmp_path)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "disabled"
    noted = book(tmp_path, "run-2").note(measured(), when="later")
    assert noted is not None
    assert noted.evidence.disable_events == 1
    assert "by run run-1" in (noted.evidence.disable_reason or "")


WRITER = """
import sys
from pathlib import Path
from tests.run.test_guard_book import book, measured
for size in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    book(Path(sys.argv[1])).note(measured(size=size), when="now")
"""


SAME = """
import sys
from pathlib import Path
from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.run.guard_book import GuardBook
from tests.run.test_guard_book import measured
rules = GuardRules(overhead_violations=10**6, clean_to_enable=10**6)
book = GuardBook(Path(sys.argv[1]), rules=rules, bounded_from=1024, run_id="run")
for _ in range(40):
    book.note(measured(4.0), when="now")
"""


def test_two_writers_of_one_guard_count_every_violation(tmp_path: Path, repository: Path) -> None:
    """Neither process's count is lost to the other's."""
    command = [sys.executable, "-c", SAME, str(tmp_path)]
    writers = [subprocess.Popen(command, cwd=repository) for _ in range(2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    (state,) = book(tmp_path).states().values()
    assert state.overhead_violations == 80


def test_two_writers_lose_nothing(tmp_path: Path, repository: Path) -> None:
    """Runs that share a report directory wait for each other."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(first)], cwd=repository) for first in (2000, 3000)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert len(book(tmp_path).states()) == 40

"""What progress says at each verbosity, and what happens where nobody reads it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.plugin.progress import Progress

PLAN = CampaignPlan(kind="weekly", platforms=("pocl",), kernels=("auto",), sizes=(96,), seeds=(11,), snapshots=2)


class Terminal:
    """As much of pytest's terminal reporter as progress uses."""

    def __init__(self, error: OSError | None = None) -> None:
        self.lines: list[str] = []
        self._error = error

    def ensure_newline(self) -> None:
        """Nothing to end."""

    def write_line(self, line: str) -> None:
        """Keep a line, or fail as a file does."""
        if self._error:
            raise self._error
        self.lines.append(line)

    def flush(self) -> None:
        """Nothing to write."""


@pytest.fixture
def progress() -> Callable[..., tuple[Progress, Terminal]]:
    """``progress(verbosity, error=None)``: begun for two cases, on a terminal that keeps its lines."""

    def make(verbosity: int, error: OSError | None = None) -> tuple[Progress, Terminal]:
        terminal = Terminal(error)
        plugins: dict[str, Any] = {"terminalreporter": terminal}
        config: Any = SimpleNamespace(
            get_verbosity=lambda: verbosity, pluginmanager=SimpleNamespace(get_plugin=plugins.get)
        )
        begun = Progress(config)
        run: Any = SimpleNamespace(identities={}, platforms={}, operations={})
        begun.begin(PLAN, run, cases=PLAN.all_cases())
        return begun, terminal

    return make


def run_through(progress: Progress, status: MeasurementStatus = MeasurementStatus.OK) -> None:
    """Both cases of the plan."""
    for case in PLAN.all_cases():
        progress.case(case)
        progress.measured(Measurement(case=case, status=status))


def test_each_case_is_one_line(progress: Callable[..., tuple[Progress, Terminal]]) -> None:
    """The estimate first, a headline per snapshot, a line per case, none over 79 columns."""
    begun, terminal = progress(0)
    run_through(begun)
    starts = [
        "weekops: 2 cases, about",
        "snapshot 1/2, 0s",
        "1/2 s1 pocl auto 96  ",
        "snapshot 2/2, 0s",
        "2/2 s2 pocl auto",
    ]
    assert [line.startswith(start) for line, start in zip(terminal.lines, starts, strict=True)] == [True] * 5
    assert max(map(len, terminal.lines)) <= 79
    assert terminal.lines[2].endswith(" left")
    assert terminal.lines[4].endswith(" done")


def test_a_platform_that_is_gone_is_told_once(progress: Callable[..., tuple[Progress, Terminal]]) -> None:
    """No line for each of its cases, none for its snapshots, and nobody waits for them."""
    begun, terminal = progress(0)
    run: Any = SimpleNamespace(
        identities={}, operations={}, platforms={"pocl": SimpleNamespace(unusable="it is wrong", probe_ms={})}
    )
    begun.begin(PLAN, run, cases=PLAN.all_cases())
    run_through(begun, MeasurementStatus.SKIPPED)
    assert terminal.lines == ["  pocl: 2 cases are not measured"]
    both = PLAN.model_copy(update={"platforms": ("pocl", "intel")})
    run.platforms["intel"] = SimpleNamespace(unusable="", probe_ms={})
    begun.begin(both, run, cases=both.all_cases())
    for case in both.all_cases():
        begun.case(case)
        status = MeasurementStatus.SKIPPED if case.platform == "pocl" else MeasurementStatus.OK
        begun.measured(Measurement(case=case, status=status))
    assert terminal.lines[1] == "  pocl: 2 cases are not measured"
    assert [line[:12] for line in terminal.lines if line[1:2] == "/"] == ["1/2 s1 intel", "2/2 s2 intel"]


def test_quiet_is_quiet(progress: Callable[..., tuple[Progress, Terminal]]) -> None:
    """With ``-q`` the verdict alone is said, and that is not said here."""
    begun, terminal = progress(-1)
    run_through(begun, MeasurementStatus.WRONG)
    assert terminal.lines == []


def test_verbose_leaves_good_cases_to_pytest(progress: Callable[..., tuple[Progress, Terminal]]) -> None:
    """With ``-v`` pytest has a line per item; what went wrong is said all the same."""
    begun, terminal = progress(1)
    run_through(begun)
    assert not [line for line in terminal.lines if " pocl " in line]
    begun, terminal = progress(1)
    run_through(begun, MeasurementStatus.WRONG)
    assert sum(" pocl auto 96 " in line and "WRONG" in line for line in terminal.lines) == 2
    assert "worst so far: pocl-auto-96-seed11-s1 WRONG" in terminal.lines[-2]


def test_a_case_whose_item_failed_is_not_waited_for(progress: Callable[..., tuple[Progress, Terminal]]) -> None:
    """A fixture that breaks before the measurement leaves no time to come."""
    begun, terminal = progress(0)
    first, second = PLAN.all_cases()
    begun.case(first)
    begun.over(second)
    begun.measured(Measurement(case=first, status=MeasurementStatus.OK))
    assert terminal.lines[-1].endswith("~0s left")


def test_nobody_reads_it_any_more(
    progress: Callable[..., tuple[Progress, Terminal]], capsys: pytest.CaptureFixture[str]
) -> None:
    """``pytest suites/weekly | head``: a sentence where pytest itself would end without a word."""
    with pytest.raises(BrokenPipeError):
        progress(0, BrokenPipeError(32, "Broken pipe"))[0].stage("opening gate on pocl")
    assert "takes nothing more: Broken pipe. The run breaks off here and cannot promote." in capsys.readouterr().err

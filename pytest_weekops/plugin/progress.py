"""Progress lines: where the run is, how long it will take, and the worst thing seen so far.

Whole lines only, never a cursor movement, so that a terminal and a log file read the same. With ``-q`` nothing but
the verdict is printed; with ``-v`` pytest prints its own line per item and this prints the snapshots.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from pytest_weekops.core.measurement.kernel_operation import PROBE_SIZE
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement, MeasurementStatus
from pytest_weekops.core.units import throughput
from pytest_weekops.report.saying import wrapped

if TYPE_CHECKING:
    from pytest_weekops.run.live import Run

WARM_UP_SHARE = 0.35  # warm-up, verification and anchor beside the timed launches, as a first guess only
_SMALL_SPEED = 0.8  # a large case runs at about this share of the probe's speed


def clock(seconds: float) -> str:
    """``1h02m``, ``3m05s`` or ``12s``."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


class Progress:
    """Talks through pytest's terminal reporter, where there is one."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._plan: CampaignPlan | None = None
        self._run: Run | None = None
        self._cases = 0
        self._done = 0
        self._work_done = 0.0
        self._work_left = 0.0
        self._begun = time.monotonic()
        self._first_case: float | None = None
        self._snapshot = 0
        self._worst = ""
        self.snapshot_started: dict[int, float] = {}

    def say(self, line: str) -> None:
        """Print one line, unless ``-q``."""
        if self._config.get_verbosity() >= 0:
            self.shout(line)

    def shout(self, line: str) -> None:
        """Print a line, in several where it is long, even with ``-q``.

        Capturing is suspended, or the line would land in an item's output.
        """
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if terminal is None:
            return
        with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
            terminal.ensure_newline()
            for part in wrapped(line, indent="    "):
                terminal.write_line(part)
            terminal.flush()

    def quiet_headers(self) -> None:
        """Stop pytest from printing the file's name between progress lines, once campaign items run."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and self._config.get_verbosity() == 0:
            terminal.showfspath = False

    def begin(self, plan: CampaignPlan, run: Run, *, cases: int) -> None:
        """Start counting."""
        self._plan, self._run, self._cases = plan, run, cases
        self._work_left = sum(self._work(case) for case in plan.all_cases())
        for label, identity in run.identities.items():
            self.say(f"  {label}: {identity.platform_name}, {identity.device_name}, driver {identity.driver_version}")

    def stage(self, words: str) -> None:
        """A gate or a smoke begins; with ``-v`` pytest says so itself."""
        if self._config.get_verbosity() == 0:
            self.say(f"  {words}")

    def gate(self, record: GateRecord) -> None:
        """A gate or a smoke ended."""
        if not record.passed:
            self.say(f"  FAILED {record.stage} on {record.platform}: {record.reason}")

    def case(self, case: Case) -> None:
        """A case begins: print the estimate before the first, and a headline per snapshot."""
        if self._first_case is None:
            self._first_case = time.monotonic()
            self._estimate()
        if case.snapshot != self._snapshot and self._plan is not None:
            self._snapshot = case.snapshot
            worst = f", worst so far: {self._worst}" if self._worst else ""
            self.say(f"snapshot {case.snapshot}/{self._plan.snapshots}, {self._times()}{worst}")

    def measured(self, answer: Measurement) -> None:
        """A case ended: one line with its result."""
        self._done += 1
        work = self._work(answer.case)
        self._work_done += work
        self._work_left = max(0.0, self._work_left - work)
        bad = answer.status is not MeasurementStatus.OK or answer.flaky or answer.void
        if bad:
            self._note_worst(answer)
        if self._config.get_verbosity() > 0 and not bad:
            return
        self.say(f"{self._done:>4}/{self._cases} {_name(answer.case):<34} {_result(answer):<22} {self._times()}")

    def _estimate(self) -> None:
        if self._plan is None or self._run is None:
            return
        seconds, unknown = 0.0, False
        for case in self._plan.all_cases():
            operation = self._run.operation_of(case.kernel)
            probe_ms = self._run.platforms[case.platform].probe_ms.get(operation.name, 0.0)
            unknown = unknown or probe_ms <= 0
            growth = operation.nominal_s(case.size) / operation.nominal_s(PROBE_SIZE)
            launch_s = probe_ms * 1e-3 * growth / _SMALL_SPEED
            seconds += self._plan.sessions * max(self._plan.iterations * launch_s, self._plan.session_ms * 1e-3)
        seconds = seconds * (1.0 + WARM_UP_SHARE) + 0.3 * self._cases
        seconds = max(seconds, self._plan.snapshot_interval_s * (self._plan.snapshots - 1))
        more = " (a platform without a speed is not counted)" if unknown else ""
        self.say(f"weekops: {self._cases} cases, about {clock(seconds)} from now{more}")

    def _work(self, case: Case) -> float:
        """What a case weighs among the others, in nominal seconds."""
        return self._run.operation_of(case.kernel).nominal_s(case.size) if self._run is not None else 0.0

    def _times(self) -> str:
        now = time.monotonic()
        elapsed = clock(now - self._begun)
        if not self._work_done or self._first_case is None:
            return f"{elapsed} elapsed"
        left = (now - self._first_case) * self._work_left / self._work_done
        return f"{elapsed}, ~{clock(left)} left"

    def _note_worst(self, answer: Measurement) -> None:
        words = f"{answer.case.id} {_result(answer)}"
        severe = answer.status in (MeasurementStatus.WRONG, MeasurementStatus.CRASHED, MeasurementStatus.HUNG)
        if not self._worst or severe:
            self._worst = words


def _name(case: Case) -> str:
    return f"s{case.snapshot} {case.platform} {case.kernel} {case.size} seed {case.seed}"


def _result(answer: Measurement) -> str:
    if answer.status is not MeasurementStatus.OK:
        return answer.status.value.upper()
    times = [ns for session in answer.sessions for ns in session.wall_ns]
    mean_ns = sum(times) / len(times) if times else 0.0
    speed = throughput(answer.unit, answer.flops, answer.bytes_moved, mean_ns) if mean_ns > 0 else 0.0
    said = f"{speed:.1f} {answer.unit}" if speed > 0 else "ok"
    return said + (" VOID" if answer.void else "") + (" FLAKY" if answer.flaky else "")

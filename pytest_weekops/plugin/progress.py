"""Progress lines: where the run is, how long it will take, and the worst thing seen so far.

Whole lines only, never a cursor movement, so that a terminal and a log file read the same. With ``-q`` nothing but
the verdict is printed; with ``-v`` pytest prints its own line per item and this prints the snapshots.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement, MeasurementStatus
from pytest_weekops.report.saying import say, wrapped

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.duration import Duration
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.run.live import Run

_BROKEN_OFF = "The run breaks off here and cannot promote. Let whatever reads it read to the end, or send it to a file."


class Progress:
    """Talks through pytest's terminal reporter, where there is one."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._plan: CampaignPlan | None = None
        self._run: Run | None = None
        self._cases = self._done = 0
        self._left: list[Case] = []
        self._duration: Duration | None = None
        self._begun = self._case_begun = time.monotonic()
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
            try:
                terminal.ensure_newline()
                for part in wrapped(line, indent="    "):
                    terminal.write_line(part)
                terminal.flush()
            except OSError as error:  # pytest ends in silence, with 1 where nobody reads any more
                with contextlib.suppress(OSError, ValueError):
                    say(f"weekops: standard output takes nothing more: {error.strerror}. {_BROKEN_OFF}", sys.stderr)
                raise

    def quiet_headers(self) -> None:
        """Stop pytest from printing the file's name between progress lines, once campaign items run."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and self._config.get_verbosity() == 0:
            terminal.showfspath = False

    def begin(self, plan: CampaignPlan, run: Run, *, cases: Sequence[Case]) -> None:
        """Say who answered; ``cases`` are those that will be measured, in that order."""
        self._plan, self._run, self._cases, self._left = plan, run, len(cases), list(cases)
        for label, identity in run.identities.items():
            self.say(f"  {label}: {identity.platform_name}, {identity.device_name}, driver {identity.driver_version}")
        for words in _apart(plan, run):
            self.say(f"  {words}")

    def stage(self, words: str) -> None:
        """A gate or a smoke begins; with ``-v`` pytest says so itself."""
        if self._config.get_verbosity() == 0:
            self.say(f"  {words}")

    def gate(self, record: GateRecord) -> None:
        """A gate or a smoke ended."""
        if not record.passed:
            ended, why = ("NOT HELD", record.undone) if record.undone else ("FAILED", record.reason)
            self.say(f"  {ended} {record.stage} on {record.platform}: {why}")

    def case(self, case: Case) -> None:
        """A case begins: print the estimate before the first, and a headline per snapshot."""
        if self._plan is None:
            return
        from pytest_weekops.report.case_line import clock

        self._leave_out_unusable()
        if case not in self._left:
            return
        self._case_begun = time.monotonic()
        duration = self._learned(self._plan)
        if case.snapshot == self._snapshot:
            return
        duration.begin_snapshot(
            case.snapshot, self._case_begun - self.snapshot_started.get(case.snapshot, self._case_begun)
        )
        if not self._snapshot:
            left = clock(duration.left_s(self._ahead(case.snapshot)))
            cases = f"{self._cases} {'case' if self._cases == 1 else 'cases'}"
            self.say(f"weekops: {cases}{self._looks(self._plan, left)}")
        self._snapshot = case.snapshot
        worst = f", worst so far: {self._worst}" if self._worst else ""
        elapsed = clock(self._case_begun - self._begun)
        self.say(f"snapshot {case.snapshot}/{self._horizon(case.snapshot)}, {elapsed} elapsed{worst}")

    def measured(self, answer: Measurement) -> None:
        """A case ended: one line with its result; none for one that a platform which is gone has not measured."""
        if self._plan is None or answer.status is MeasurementStatus.SKIPPED:
            return
        from pytest_weekops.core.measurement.duration import spent_on
        from pytest_weekops.report.case_line import case_line, result_words

        duration = self._learned(self._plan)
        duration.add(spent_on(answer, time.monotonic() - self._case_begun))
        self._done += 1
        self.over(answer.case)
        bad = answer.status is not MeasurementStatus.OK or answer.flaky or answer.void
        if bad:
            self._note_worst(answer, result_words(answer, self._plan))
        if self._config.get_verbosity() > 0 and not bad:
            return
        ahead = self._ahead(answer.case.snapshot)
        then = "look" if self._left else "done"
        cases, left = self._cases - len(self._left) + len(ahead), duration.left_s(ahead)
        self.say(case_line(answer, self._plan, done=self._done, cases=cases, left_s=left, then=then))

    def decided(self, snapshots: int) -> None:
        """Say once that no further snapshot is needed."""
        if self._left and self._plan is not None:
            more = self._plan.snapshots - snapshots
            self._left = []
            self.say(f"all is decided after {snapshots} snapshots: {more} more are not needed")

    def _horizon(self, snapshot: int) -> int:
        """The look that is due next; the last snapshot of a run without."""
        looks = self._plan.looks if self._plan is not None else ()
        last = self._plan.snapshots if self._plan is not None else snapshot
        return next((look for look in looks if look >= snapshot), last)

    def _ahead(self, snapshot: int) -> list[Case]:
        """What is left until the next look: how much comes after it nobody knows."""
        horizon = self._horizon(snapshot)
        return [case for case in self._left if case.snapshot <= horizon]

    @staticmethod
    def _looks(plan: CampaignPlan, left: str) -> str:
        if len(plan.looks) < 2:
            return f", about {left} from now"
        looks = ", ".join(map(str, plan.looks[:-1]))
        often = "a look" if len(plan.looks) == 2 else "the first look"
        return f" at most, fewer if all is decided after {looks} of {plan.looks[-1]} snapshots; {often} in about {left}"

    def _leave_out_unusable(self) -> None:
        """Wait no longer for cases of platforms that are gone, and say once how many are not measured."""
        platforms = self._run.platforms.items() if self._run is not None else ()
        for label in [label for label, platform in platforms if platform.unusable]:
            kept = [case for case in self._left if case.platform != label]
            if gone := len(self._left) - len(kept):
                self._left, self._cases = kept, self._cases - gone
                self.say(f"  {label}: {gone} {'case is' if gone == 1 else 'cases are'} not measured")

    def over(self, gone: Case | None) -> None:
        """A case is not waited for any longer: it was measured, or its item failed before that."""
        self._left = [case for case in self._left if case != gone]

    def _learned(self, plan: CampaignPlan) -> Duration:
        """What was learned so far; made at the first case, when the opening gate has probed the platforms."""
        if self._duration is None:
            from pytest_weekops.core.measurement.duration import Duration

            platforms = self._run.platforms.items() if self._run is not None else ()
            probes = {(label, name): ms * 1e-3 for label, each in platforms for name, ms in each.probe_ms.items()}
            self._duration = Duration(plan, self._run.operations if self._run is not None else {}, probes)
        return self._duration

    def _note_worst(self, answer: Measurement, result: str) -> None:
        severe = answer.status in (MeasurementStatus.WRONG, MeasurementStatus.CRASHED, MeasurementStatus.HUNG)
        if not self._worst or severe:
            self._worst = f"{answer.case.id} {result}"


def _apart(plan: CampaignPlan, run: Run) -> tuple[str, ...]:
    """What the drivers of a split share and what each has for itself, before they are compared."""
    from pytest_weekops.core.judge.campaign import live_campaign
    from pytest_weekops.core.judge.drivers import split_drivers

    if plan.kind != "split":
        return ()
    return split_drivers(live_campaign(plan, run.records, identities=run.identities))

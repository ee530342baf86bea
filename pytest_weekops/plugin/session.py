"""The gate inside one pytest run: opened before the first item, asked by items, ended in an exit status."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.plugin import tiers
from pytest_weekops.plugin.attendance import Attendance, CallWatch
from pytest_weekops.plugin.benchmark import quiet_benchmark
from pytest_weekops.plugin.choices import Choices, usage
from pytest_weekops.plugin.failure import GateFailure, GateSkip, explain
from pytest_weekops.plugin.items import CampaignItems, is_campaign, parameter
from pytest_weekops.plugin.microscope import Microscope
from pytest_weekops.plugin.options import report_directory
from pytest_weekops.plugin.progress import Progress
from pytest_weekops.plugin.spellings import Spellings
from pytest_weekops.plugin.summary import print_conclusion, tell_junit
from pytest_weekops.plugin.termination import Termination

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.run.conclusion import Conclusion
    from pytest_weekops.run.live import Run
    from pytest_weekops.run.request import RunRequest

T = TypeVar("T")
AA_REMARK = (
    "One driver against itself: the verdict says what this machine's noise does to a gate, and nothing of a driver. "
    "It lies in a directory of its own and moves no channel."
)
CHANNEL_REMARK = (
    "This suite has a channel of its own, {0}, below the report directory, with a ledger and pins: its verdict stands "
    "for its own kernels and for no week. `weekops status --report-dir` names it."
)
_latest: list[Conclusion] = []
ASSERTIONS_SENTENCE = (
    "Python was started with -O (PYTHONOPTIMIZE), which removes assert statements from every module that pytest does "
    "not rewrite, and from all with --assert=plain. A campaign's own assertions would pass unasked. Run it "
    "without -O, and unset PYTHONOPTIMIZE."
)


def assertions_stand() -> bool:
    """Whether Python keeps assert statements in this process."""
    return __debug__


def kept_from_leaving(hook: Callable[[], T], name: str) -> tuple[T | None, str]:
    """What a user's hook answers, or what it raised in words: it must not end the run with a status of its own."""
    try:
        return hook(), ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit(0) and pytest.exit(returncode=0) are such ways
        return None, f"a hook {name} raised {type(error).__name__}: {error}"


def current_verdict_document() -> dict[str, Any] | None:
    """The latest decision of this process, for reports that have no config at hand."""
    return _latest[-1].document if _latest else None


class GateSession:
    """State of the gate in one pytest run; made when the first campaign test is collected."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.choices = Choices(config)
        self.items = CampaignItems(self.choices)
        self.progress = Progress(config)
        self.termination = Termination()
        self.termination.begin()
        self.run: Run | None = None
        self.conclusion: Conclusion | None = None
        self.attendance = Attendance()
        self.microscope = Microscope(self.choices, self.progress.say)
        self._broken_off = ""

    @property
    def policy(self) -> Policy:
        """The policy of this run."""
        return self.choices.policy

    @property
    def plan(self) -> CampaignPlan:
        """The frozen plan of this run."""
        return self.items.plan

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the kernel variants in the catalogues."""
        return self.choices.variants

    # -- running -----------------------------------------------------------------------------------------------

    def open(self, items: Sequence[pytest.Item]) -> None:
        """Refuse what cannot work, then start workers, journal and progress."""
        mine = [item for item in items if is_campaign(item)]
        if not mine or tiers.is_parallel(self.config):
            return
        if not assertions_stand():
            raise pytest.UsageError(ASSERTIONS_SENTENCE)
        self.config.pluginmanager.register(CallWatch(self.attendance))
        from pytest_weekops.run.opening import open_run

        quiet_benchmark(self.config)
        for launch in self.choices.launches:
            for words in launch.passed_over:
                self.progress.say(f"weekops: auto passed over {words}")
        if note := Spellings.of(self.config).note():
            self.progress.say(f"weekops: {note}")
        if self.choices.options.given("validation-report-dir"):
            said = self.choices.options.said("validation-report-dir")
            self.progress.say(f"weekops: {said} is not used; the gate's records lie in the run's own directory")
        partner = f", in turns with {self.plan.partner.label}" if self.plan.partner is not None else ""
        self.progress.say(f"weekops: starting {', '.join(self.plan.platforms)}{partner}")
        self.run = usage(lambda: open_run(self._request()))
        cases = [c for i in mine if (c := parameter(i, "weekops_case")) is not None]
        run, has = self.run, self.run.applicable.has
        self.progress.begin(self.plan, run, cases=[c for c in cases if has(c) and not run.is_measured(c)])

    def _request(self) -> RunRequest:
        from pytest_weekops.run.request import RunRequest

        choices = self.choices
        return RunRequest(
            plan=self.plan,
            policy=choices.policy,
            launches=tuple(choices.launches),
            partner=choices.partner,
            kernel_dirs=choices.kernel_dirs,
            report_dir=choices.report_dir,
            scratch=choices.scratch,
            prefix=choices.options.text("report-prefix") or "",
            baseline=choices.options.text("baseline") or "",
            tuning=choices.tuning,
            resume=self._resumed(),
            evidence=choices.evidence,
            conformance=report_directory(self.config),
            calibrations=choices.report_dir.parent if choices.is_aa else None,
            command=("pytest", *map(str, self.config.invocation_params.args)),
            say=self.progress.say,
        )

    def _resumed(self) -> Path | None:
        """The directory of the run to go on with: a path from here, or its name in the report directory."""
        asked = self.choices.options.asked("resume")
        if asked is None:
            return None
        here = Path(self.config.invocation_params.dir, asked)
        return here if here.exists() else self.choices.report_dir / asked

    def require_run(self) -> Run:
        """The open run, or a failure that says why there is none."""
        if self.run is None:
            raise GateFailure(tiers.PARALLEL_SENTENCE if tiers.is_parallel(self.config) else "No run was started.")
        return self.run

    def wait_for_snapshot(self, snapshot: int) -> None:
        """Keep the snapshot interval, and journal the time that was really kept.

        Skips the item where all was decided before its snapshot.
        """
        run = self.require_run()
        started = self.progress.snapshot_started
        if snapshot in started or run.is_measured(snapshot):
            return
        if run.look(snapshot - 1):
            self.progress.decided(run.ended_after or 0)
            raise GateSkip(f"decided after {run.ended_after} snapshots")
        since = self._since_snapshot(run)
        if since is not None and (left := self.plan.snapshot_interval_s - since) > 0:
            self.progress.say(f"snapshot {snapshot}: waiting {left:.0f} s for the snapshot interval")
            time.sleep(left)
        since = self._since_snapshot(run) or 0.0
        started[snapshot] = time.monotonic()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        run.journal.append("snapshot", {"snapshot": snapshot, "started_at": now, "since_previous_s": round(since, 3)})

    def _since_snapshot(self, run: Run) -> float | None:
        """Seconds since the last snapshot began, None before the first; by the host's clock since one before a gap."""
        started = self.progress.snapshot_started
        if started:
            return time.monotonic() - max(started.values())
        before = run.earlier.last_snapshot if run.earlier is not None else None
        return None if before is None else max(0.0, (datetime.now(UTC) - before).total_seconds())

    def note_report(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Remember what no record explains: other tests, broken fixtures, a user's own assertion."""
        self.attendance.reported(item, call, report)
        explain(report, call)
        if report.when == "teardown":
            self.progress.over(parameter(item, "weekops_case"))
        report.weekops = is_campaign(item)  # type: ignore[attr-defined]  # our own mark on our own items' reports

    def note_broken_off(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that the run was ended before its end, whatever status that was to have."""
        self._broken_off = f"the run was ended by {excinfo.typename}: {excinfo.value}"

    def teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """No letter for a campaign item at normal verbosity."""
        if self.config.get_verbosity() != 0 or not getattr(report, "weekops", False) or self.run is None:
            return None
        told = report.outcome != "skipped" or getattr(report, "weekops_explained", False)
        if report.when == "call" and told:
            return report.outcome, "", report.outcome.upper()
        return None

    # -- the end -----------------------------------------------------------------------------------------------

    def finish(self, exitstatus: int) -> int:
        """Write the last gate, judge, write the artifacts; the exit status of the pytest run."""
        self.termination.ending()
        if self.run is None:
            return exitstatus
        from pytest_weekops.rollback.reaction import react

        try:
            if exitstatus == pytest.ExitCode.INTERRUPTED:
                self.run.break_off()
            self.conclusion = self._conclude(self.run, exitstatus)
        except WeekopsError as error:
            self.progress.shout(f"weekops: {error}")
            return exitstatus or int(pytest.ExitCode.INTERNAL_ERROR)
        finally:
            self.run.close()
        self.conclusion = self._told(self.conclusion)
        mode = self.choices.options.text("rollback") or self.policy.rollback.mode
        self.conclusion = react(self.conclusion, mode, self.choices.report_dir, self.choices.platform_files)
        return self.conclusion.exit_status

    def _conclude(self, run: Run, exitstatus: int) -> Conclusion:
        from pytest_weekops.run.conclusion import conclude, end_suite, run_checks

        asked = partial(self.config.hook.pytest_weekops_checks, config=self.config)
        checks, raised = kept_from_leaving(asked, "pytest_weekops_checks")
        end_suite(run, self._suite_problem(exitstatus) or raised)
        run_checks(run, checks or ())
        left_out = self.items.deselected
        remarks = [AA_REMARK] if self.choices.is_aa else []
        remarks += [CHANNEL_REMARK.format(self.choices.channel)] if self.choices.channel else []
        remarks += [f"{left_out} items were deselected: for the judge they are missing evidence."] if left_out else []
        return conclude(run, status=exitstatus, remarks=remarks)

    def _told(self, conclusion: Conclusion) -> Conclusion:
        """The conclusion once reports have it; it stands, and none of them can take it back."""
        _latest.append(conclusion)
        tell_junit(self.config, conclusion.document)
        hook = self.config.hook.pytest_weekops_report
        asked = partial(hook, config=self.config, run_dir=conclusion.run_dir, verdict=conclusion.verdict)
        _answers, raised = kept_from_leaving(asked, "pytest_weekops_report")
        if not raised:
            return conclusion
        status = conclusion.exit_status or int(pytest.ExitCode.INTERNAL_ERROR)
        remarks = (*conclusion.remarks, f"{raised}; what it was to write is missing, and the verdict stands")
        return replace(conclusion, exit_status=status, remarks=remarks)

    def _suite_problem(self, exitstatus: int) -> str:
        """Why the suite around the run does not stand for it; empty where it does."""
        failed = list(self.attendance.unexplained.items())
        reason = f"{len(failed)} other tests failed, the first is {': '.join(failed[0])}" if failed else ""
        if exitstatus in (2, 3):
            by = " by SIGTERM" if self.termination.came else ""
            return reason or f"the run was interrupted{by}" if exitstatus == 2 else "pytest had an internal error"
        if reason or self._broken_off:
            return reason or self._broken_off
        assert self.run is not None
        unusable = {label for label, platform in self.run.platforms.items() if platform.unusable}
        unasked = list(self.attendance.unasked(self.run.records, unusable).items())
        if not unasked:
            return ""
        return (
            f"{len(unasked)} tests of the campaign did not come to their end, so what they assert was not asked; the "
            f"first is {unasked[0][0]}, which {unasked[0][1]}"
        )

    def print_summary(self, terminal: pytest.TerminalReporter) -> None:
        """Print what people read at the end."""
        if self.conclusion is not None:
            print_conclusion(self.conclusion, terminal, self.config)

    def close(self) -> None:
        """Stop what still runs, remove scratch files, print the machine-readable line."""
        if self.run is not None:
            self.run.close()
        self.choices.close()
        self.termination.end()
        if self.conclusion is not None and self.plan.mode == "ci":
            print(self.conclusion.machine_line(), file=sys.stdout, flush=True)  # noqa: T201 - the contract of --mode ci

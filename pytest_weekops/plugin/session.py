"""The gate inside one pytest run: opened before the first item, asked by items, ended in an exit status."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.plugin import tiers
from pytest_weekops.plugin.benchmark import quiet_benchmark
from pytest_weekops.plugin.choices import Choices, usage
from pytest_weekops.plugin.failure import GateFailure
from pytest_weekops.plugin.items import CampaignItems, is_campaign, parameter
from pytest_weekops.plugin.progress import Progress
from pytest_weekops.plugin.spellings import Spellings
from pytest_weekops.plugin.summary import print_conclusion, tell_junit

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.run.conclusion import Conclusion
    from pytest_weekops.run.live import Run
    from pytest_weekops.run.request import RunRequest

AA_REMARK = (
    "One driver against itself: the verdict says what this machine's noise does to a gate, and nothing of a driver. "
    "It lies in a directory of its own and moves no channel."
)
_latest: list[Conclusion] = []


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
        self.run: Run | None = None
        self.conclusion: Conclusion | None = None
        self._unexplained: list[str] = []

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
        self.progress.say(f"weekops: starting {', '.join(self.plan.platforms)}")
        self.run = usage(lambda: open_run(self._request()))
        self.progress.begin(
            self.plan, self.run, cases=[c for i in mine if (c := parameter(i, "weekops_case")) is not None]
        )

    def _request(self) -> RunRequest:
        from pytest_weekops.run.request import RunRequest

        choices = self.choices
        return RunRequest(
            plan=self.plan,
            policy=choices.policy,
            launches=tuple(choices.launches),
            kernel_dirs=choices.kernel_dirs,
            report_dir=choices.report_dir,
            scratch=choices.scratch,
            prefix=choices.options.text("report-prefix") or "",
            baseline=choices.options.text("baseline") or "",
            tuning=choices.tuning,
            calibrations=choices.report_dir.parent if choices.is_aa else None,
            command=("pytest", *map(str, self.config.invocation_params.args)),
            say=self.progress.say,
        )

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
        if snapshot in started:
            return
        if run.look(snapshot - 1):
            self.progress.decided(run.ended_after or 0)
            pytest.skip(f"decided after {run.ended_after} snapshots")
        if started and self.plan.snapshot_interval_s:
            left = max(started.values()) + self.plan.snapshot_interval_s - time.monotonic()
            if left > 0:
                self.progress.say(f"snapshot {snapshot}: waiting {left:.0f} s for the snapshot interval")
                time.sleep(left)
        since = time.monotonic() - max(started.values()) if started else 0.0
        started[snapshot] = time.monotonic()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        run.journal.append("snapshot", {"snapshot": snapshot, "started_at": now, "since_previous_s": round(since, 3)})

    def note_report(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Remember failures that no record explains: other tests, broken fixtures, a user's own assertion."""
        explained = call.excinfo is not None and isinstance(call.excinfo.value, GateFailure) and self.run is not None
        if report.failed and not explained:
            self._unexplained.append(report.nodeid)
        if report.when == "teardown":
            self.progress.over(parameter(item, "weekops_case"))
        report.weekops = is_campaign(item)  # type: ignore[attr-defined]  # our own mark on our own items' reports

    def teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """No letter for a campaign item at normal verbosity."""
        if self.config.get_verbosity() != 0 or not getattr(report, "weekops", False) or self.run is None:
            return None
        if report.when == "call" and (report.outcome != "skipped" or self.run.ended_after is not None):
            return report.outcome, "", report.outcome.upper()
        return None

    # -- the end -----------------------------------------------------------------------------------------------

    def finish(self, exitstatus: int) -> int:
        """Write the last gate, judge, write the artifacts; the exit status of the pytest run."""
        if self.run is None:
            return exitstatus
        from pytest_weekops.rollback.reaction import react

        try:
            self.conclusion = self._conclude(self.run, exitstatus)
        except WeekopsError as error:
            self.progress.say(f"weekops: {error}")
            return exitstatus or int(pytest.ExitCode.INTERNAL_ERROR)
        finally:
            self.run.close()
        mode = self.choices.options.text("rollback") or self.policy.rollback.mode
        self.conclusion = react(self.conclusion, mode, self.choices.report_dir, self.choices.platform_files)
        _latest.append(self.conclusion)
        return self.conclusion.exit_status

    def _conclude(self, run: Run, exitstatus: int) -> Conclusion:
        from pytest_weekops.run.conclusion import conclude, end_suite, run_checks

        end_suite(run, self._suite_problem(exitstatus))
        run_checks(run, self.config.hook.pytest_weekops_checks(config=self.config))
        left_out = self.items.deselected
        remarks = [AA_REMARK] if self.choices.is_aa else []
        remarks += [f"{left_out} items were deselected: for the judge they are missing evidence."] if left_out else []
        conclusion = conclude(run, status=exitstatus, remarks=remarks)
        tell_junit(self.config, conclusion.document)
        self.config.hook.pytest_weekops_report(
            config=self.config, run_dir=conclusion.run_dir, verdict=conclusion.verdict
        )
        return conclusion

    def _suite_problem(self, exitstatus: int) -> str:
        """Why the suite around the run does not stand for it; empty where it does."""
        failed = self._unexplained
        reason = f"{len(failed)} other tests failed, the first is {failed[0]}" if failed else ""
        if exitstatus in (2, 3):
            return reason or "the run was interrupted" if exitstatus == 2 else "pytest had an internal error"
        return reason

    def print_summary(self, terminal: pytest.TerminalReporter) -> None:
        """Print what people read at the end."""
        if self.conclusion is not None:
            print_conclusion(self.conclusion, terminal, self.config)

    def close(self) -> None:
        """Stop what still runs, remove scratch files, print the machine-readable line."""
        if self.run is not None:
            self.run.close()
        self.choices.close()
        if self.conclusion is not None and self.plan.mode == "ci":
            print(self.conclusion.machine_line(), file=sys.stdout, flush=True)  # noqa: T201 - the contract of --mode ci

"""The gate inside one pytest run: from options to plan, from items to records, from records to an exit status."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_weekops.core.errors import DeviceError, InputError, WeekopsError
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement
from pytest_weekops.core.measurement.schedule import measuring_order
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.plugin import tiers
from pytest_weekops.plugin.options import Options, build_plan, report_directory
from pytest_weekops.plugin.progress import Progress
from pytest_weekops.run.conclusion import Conclusion, conclude, react

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.run.live import Run
    from pytest_weekops.worker.process import Launch

T = TypeVar("T")
_SPLIT_DEFAULTS = (("baseline-platform", "clover"), ("candidate-platform", "rusticl"))
_OPENING, _SNAPSHOTS, _CLOSING = 0, 1, 2
_PARAMETERS = {"weekops_gate", "weekops_pulse", "weekops_case", "weekops_smoke", "weekops_platform"}
_latest: list[Conclusion] = []


class GateFailure(AssertionError):
    """A gate item's failure that the journal explains: the verdict already counts it."""


def current_verdict_document() -> dict[str, Any] | None:
    """The latest decision of this process, for reports that have no config at hand."""
    return _latest[-1].document if _latest else None


class GateSession:
    """State of the plugin in one pytest run; made when the first campaign test is collected."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = Options(config)
        self.scratch = Path(tempfile.mkdtemp(prefix="weekops-"))
        self.kind = ""
        self.run: Run | None = None
        self.conclusion: Conclusion | None = None
        self._launches: list[Launch] = []
        self._plan: CampaignPlan | None = None
        self._policy: Policy | None = None
        self._canonical_gates: list[str] = []
        self._unexplained: list[str] = []
        self._deselected = 0
        self._refusal: pytest.UsageError | None = None
        self.progress = Progress(config)

    # -- plan --------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """The policy of this run; refused policies are usage errors."""
        if self._policy is None:
            from pytest_weekops.policies.files import default_policy, load_lane_policy, load_policy

            path = self.options.text("policy")
            policy = _usage(lambda: load_policy(Path(path)) if path else default_policy())
            t3, t5 = self.options.text("t3-policy"), self.options.text("t5-policy")
            policy = _usage(lambda: load_lane_policy(policy, "t3", Path(t3))) if t3 else policy
            self._policy = _usage(lambda: load_lane_policy(policy, "t5", Path(t5))) if t5 else policy
        return self._policy

    @property
    def platform_files(self) -> tuple[Path, ...]:
        """Files with platform profiles of the user's own: from the ini option, then from hooks."""
        files = [Path(p) for p in self.config.getini("weekops_platform_files")]
        for more in self.config.hook.pytest_weekops_platform_files(config=self.config):
            files.extend(more)
        return tuple(files)

    @property
    def launches(self) -> list[Launch]:
        """How to start each selected platform."""
        if not self._launches:
            from pytest_weekops.drivers.platforms import resolve_platforms

            names = self._platform_names()
            self._launches = _usage(
                lambda: resolve_platforms(
                    names,
                    scratch=self.scratch,
                    device_pattern=self.options.text("device"),
                    profile_files=self.platform_files,
                )
            )
        return self._launches

    def _platform_names(self) -> list[str]:
        if self.kind == "split":
            return [self.options.text(name) or default for name, default in _SPLIT_DEFAULTS]
        return self.options.words("platforms") or ["auto"]

    @property
    def kernel_dirs(self) -> tuple[str, ...]:
        """Kernel directories, the user's first."""
        dirs = [Path(p) for p in self.config.getini("weekops_kernel_dirs")]
        for more in self.config.hook.pytest_weekops_kernel_dirs(config=self.config):
            dirs.extend(more)
        own = self.config.rootpath / "kernels"
        shipped = data_dir("kernels")
        if (own / "catalog.yaml").is_file() and own.resolve() != shipped.resolve():
            dirs.append(own)
        return tuple(str(path) for path in (*dirs, shipped))

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the kernel variants in the catalogues."""
        from pytest_weekops.files.catalog import variant_names

        return _usage(lambda: variant_names(self.kernel_dirs))

    @property
    def plan(self) -> CampaignPlan:
        """The frozen plan; made once all campaign tests are known."""
        if self._plan is None:
            labels = [launch.label for launch in self.launches]
            self._plan = build_plan(
                self.config, self.kind, labels=labels, variants=self.variants, gates=self._canonical_gates
            )
        return self._plan

    # -- collection --------------------------------------------------------------------------------------------

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Give a campaign test its items.

        What the user got wrong is kept until collection ends: raised here, pytest would call it a collection error and
        end with status 2 instead of 4.
        """
        try:
            self._parametrize(metafunc)
        except pytest.UsageError as error:
            self._refusal = self._refusal or error
            for name in _PARAMETERS & set(metafunc.fixturenames):
                metafunc.parametrize(name, [], indirect=True)

    def _parametrize(self, metafunc: pytest.Metafunc) -> None:
        marker = metafunc.definition.get_closest_marker("weekops_campaign")
        self._settle_kind(str(marker.args[0]) if marker and marker.args else "weekly")
        names = set(metafunc.fixturenames)
        gate = metafunc.definition.get_closest_marker("weekops_gate_name")
        if "weekops_gate" in names:
            labels = [launch.label for launch in self.launches]
            stages = [(stage, label) for stage in ("opening", "closing") for label in labels]
            metafunc.parametrize("weekops_gate", stages, indirect=True, ids=[f"{s}-{p}" for s, p in stages])
        elif "weekops_pulse" in names:
            pulses = self._pulses()
            metafunc.parametrize("weekops_pulse", pulses, indirect=True, ids=[f"{p}-s{s}" for p, s in pulses])
        elif "weekops_case" in names:
            cases = list(measuring_order(self._draft()))
            metafunc.parametrize("weekops_case", cases, indirect=True, ids=[case.id for case in cases])
        elif "weekops_smoke" in names:
            smoke = [launch.label for launch in self.launches] if self.config.getoption("driver_smoke") else []
            metafunc.parametrize("weekops_smoke", smoke, indirect=True)
        elif "weekops_platform" in names:
            if gate and gate.args[0] not in self._canonical_gates:
                self._canonical_gates.append(str(gate.args[0]))
            labels = [launch.label for launch in self.launches]
            metafunc.parametrize("weekops_platform", labels, indirect=True)

    def _settle_kind(self, kind: str) -> None:
        if kind not in ("canonical", "weekly", "split"):
            raise pytest.UsageError(
                f"weekops_campaign({kind!r}) is no kind of campaign. Give canonical, weekly or split."
            )
        if {kind, self.kind} == {"weekly", "split"}:
            raise pytest.UsageError(
                "A weekly and a split campaign were collected in one run. Each has its own verdict and its own exit "
                "status. Run them one after the other: pytest suites/weekly, then pytest suites/split."
            )
        if not self.kind or (kind != "canonical" and kind != self.kind):
            self.kind, self._launches = kind, []

    def _draft(self) -> CampaignPlan:
        labels = [launch.label for launch in self.launches]
        return build_plan(self.config, self.kind, labels=labels, variants=self.variants)

    def _pulses(self) -> list[tuple[str, int]]:
        plan = self._draft()
        if not (plan.pressure.pulses and plan.pressure.iterations) or plan.pressure.mode == "during":
            return []
        return [(label, snapshot) for snapshot in range(1, plan.snapshots + 1) for label in plan.platforms]

    def arrange(self, items: list[pytest.Item]) -> None:
        """Sort campaign items into measuring order behind all others, and drop empty parameter sets."""
        if self._refusal is not None:
            raise self._refusal
        mine = [item for item in items if _is_campaign(item)]
        others = [item for item in items if not _is_campaign(item)]
        order = {case.id: place for place, case in enumerate(measuring_order(self.plan))}
        kept = [item for item in mine if not _is_empty(item)]
        kept.sort(key=lambda item: _place(item, order))
        for item in kept:
            if isinstance(_parameter(item, "weekops_case"), Case):
                case = item.callspec.params["weekops_case"]  # type: ignore[attr-defined]  # a parametrized function
                item.add_marker(pytest.mark.benchmark(timer=device_clock, group=f"{case.kernel}:{case.size}"))
        items[:] = others + kept

    def note_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember how many campaign items will give no data."""
        self._deselected += sum(_is_campaign(item) and not _is_empty(item) for item in items)

    # -- running -----------------------------------------------------------------------------------------------

    def open(self, items: Sequence[pytest.Item]) -> None:
        """Refuse what cannot work, then start workers, journal and progress."""
        mine = [item for item in items if _is_campaign(item)]
        if not mine or tiers.is_parallel(self.config):
            return
        from pytest_weekops.run.opening import open_run

        self._quiet_benchmark()
        self.progress.say(f"weekops: starting {', '.join(self.plan.platforms)}")
        self.run = _usage(lambda: open_run(self))
        self.progress.begin(self.plan, self.run, cases=sum(_parameter(i, "weekops_case") is not None for i in mine))

    def _quiet_benchmark(self) -> None:
        """Leave pytest-benchmark's wide table out, unless one of its options asks for its reports."""
        benchmark = getattr(self.config, "_benchmarksession", None)
        asked = any(str(word).startswith("--benchmark") for word in self.config.invocation_params.args)
        if benchmark is not None and not asked:
            benchmark.quiet = True

    def require_run(self) -> Run:
        """The open run, or a failure that says why there is none."""
        if self.run is None:
            raise GateFailure(tiers.PARALLEL_SENTENCE if tiers.is_parallel(self.config) else "No run was started.")
        return self.run

    def wait_for_snapshot(self, snapshot: int) -> None:
        """Keep the snapshot interval, and journal the time that was really kept."""
        run = self.require_run()
        started = self.progress.snapshot_started
        if snapshot in started:
            return
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
        report.weekops = _is_campaign(item)  # type: ignore[attr-defined]  # our own mark on our own items' reports

    def teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """No letter for a campaign item at normal verbosity."""
        if self.config.get_verbosity() != 0 or not getattr(report, "weekops", False) or self.run is None:
            return None
        if report.when == "call" and report.outcome != "skipped":
            return report.outcome, "", report.outcome.upper()
        return None

    # -- the end -----------------------------------------------------------------------------------------------

    def finish(self, exitstatus: int) -> int:
        """Write the last gate, judge, write the artifacts; the exit status of the pytest run."""
        if self.run is None:
            return exitstatus
        failed = self._unexplained
        reason = f"{len(failed)} other tests failed, the first is {failed[0]}" if failed else ""
        if exitstatus in (2, 3):
            reason = reason or "the run was interrupted" if exitstatus == 2 else "pytest had an internal error"
        try:
            self.run.record(GateRecord(gate="pytest", stage="suite", passed=not reason, reason=reason))
            self.conclusion = conclude(self, exitstatus)
        except WeekopsError as error:
            self.progress.say(f"weekops: {error}")
            return exitstatus or int(pytest.ExitCode.INTERNAL_ERROR)
        finally:
            self.run.close()
        mode = self.options.text("rollback") or self.policy.rollback.mode
        self.conclusion = react(self.conclusion, mode, report_directory(self.config), self.platform_files)
        _latest.append(self.conclusion)
        return self.conclusion.exit_status

    @property
    def deselected(self) -> int:
        """How many campaign items were deselected."""
        return self._deselected

    def print_summary(self, terminal: pytest.TerminalReporter) -> None:
        """Print what people read at the end."""
        if self.conclusion is not None:
            self.conclusion.print(terminal, self.config)

    def close(self) -> None:
        """Stop what still runs, remove scratch files, print the machine-readable line."""
        if self.run is not None:
            self.run.close()
        shutil.rmtree(self.scratch, ignore_errors=True)
        if self.conclusion is not None and self.plan.mode == "ci":
            print(self.conclusion.machine_line(), file=sys.stdout, flush=True)  # noqa: T201 - the contract of --mode ci


def _usage(action: Callable[[], T]) -> T:
    """Run an action; what the user got wrong becomes a usage error (status 4)."""
    try:
        return action()
    except (InputError, DeviceError) as error:
        raise pytest.UsageError(str(error)) from error


def _is_campaign(item: pytest.Item) -> bool:
    return item.get_closest_marker("weekops_campaign") is not None


def _parameter(item: pytest.Item, name: str) -> Any:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(name) if callspec is not None else None


def _is_empty(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and "NOTSET" in callspec.id and any(m.name == "skip" for m in item.own_markers)


def _place(item: pytest.Item, order: dict[str, int]) -> tuple[int, int, int, int]:
    """Sort key: opening gate, then per snapshot pulses before cases, then the closing gate."""
    if (gate := _parameter(item, "weekops_gate")) is not None:
        return (_OPENING if gate[0] == "opening" else _CLOSING, 0, 0, 0)
    if (pulse := _parameter(item, "weekops_pulse")) is not None:
        return (_SNAPSHOTS, pulse[1], 0, 0)
    if isinstance(case := _parameter(item, "weekops_case"), Case):
        return (_SNAPSHOTS, case.snapshot, 1, order.get(case.id, 0))
    return (_OPENING, -1, 0, 0)


class DeviceClock:
    """A clock that only advances by what a worker measured; pytest-benchmark reads kernel times from it."""

    def __init__(self) -> None:
        self._ns = 0

    def advance(self, ns: int) -> None:
        """Move on by one launch."""
        self._ns += ns

    def now(self) -> float:
        """Seconds of device work so far."""
        return self._ns * 1e-9


CLOCK = DeviceClock()


def device_clock() -> float:
    """pytest-benchmark's timer for cases, in seconds."""
    return CLOCK.now()


def feed_benchmark(request: pytest.FixtureRequest, measurement: Measurement) -> None:
    """Replay a measurement's launch times through pytest-benchmark, where that plugin is on."""
    times = [ns for session in measurement.sessions for ns in session.wall_ns]
    if not times or not request.config.pluginmanager.hasplugin("benchmark"):
        return
    benchmark = request.getfixturevalue("benchmark")
    left = iter(times)
    benchmark.pedantic(lambda: CLOCK.advance(next(left, 0)), rounds=len(times), iterations=1)
    benchmark.extra_info.update(
        {
            "status": measurement.status.value,
            "variant": measurement.variant,
            "flops": measurement.flops,
            "bytes_moved": measurement.bytes_moved,
        }
    )

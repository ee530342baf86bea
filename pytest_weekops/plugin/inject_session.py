"""The fault campaigns of one pytest run: items from the options, a worker per platform, and when the run suffices.

No journal, no verdict and no run directory: a fault campaign is evidence for later runs, never a promote. The exit
status is pytest's own, but that 0 needs every campaign and every control, whatever was selected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from pytest_weekops.core.errors import DeviceError, InputError, WeekopsError
from pytest_weekops.core.measurement.modes import T5_KERNEL
from pytest_weekops.plugin import tiers
from pytest_weekops.plugin.spellings import Spellings
from pytest_weekops.plugin.termination import Termination

if TYPE_CHECKING:
    from pytest_weekops.core.guard.injection import Injection
    from pytest_weekops.evidence.tunings import PlatformTuning
    from pytest_weekops.plugin.choices import Choices
    from pytest_weekops.worker.supervisor import PlatformSupervisor

Control = Literal["", "infinite-threshold", "idle-check"]
CONTROLS: tuple[Control, ...] = ("infinite-threshold", "idle-check")
INSUFFICIENT = 11  # the exit status of evidence that does not suffice
SMALLEST, LARGEST = 2, 16384
_CONTROL_FLIPS, _CONTROL_FAULTS, _CONTROL_CLEAN = 12, 3, 24
_FIXTURE = "weekops_injection"


class CampaignFailure(AssertionError):
    """A fault campaign that does not suffice, or a control that does not fail; its text has the figures."""


@dataclass(frozen=True)
class Injector:
    """One platform at one size: what the fixture ``weekops_injection`` gives."""

    session: InjectSession
    label: str
    size: int

    def campaign(self) -> Injection:
        """Run the campaign and keep it for later runs. Raises ``CampaignFailure`` where it does not suffice."""
        return self.session.campaign(self.label, self.size)

    def control(self, name: Control) -> Injection:
        """Break the guard on purpose. Raises ``CampaignFailure`` where the campaign does not fail for it."""
        return self.session.control(self.label, self.size, name)


class InjectSession:
    """State of the fault campaigns in one pytest run; made when the first test marked for one is collected."""

    def __init__(self, choices: Choices) -> None:
        self.config = choices.config
        self._choices = choices
        self._refusal: pytest.UsageError | None = None
        self._workers: dict[str, PlatformSupervisor] = {}
        self._unusable: dict[str, str] = {}
        self._begun: set[tuple[str, int, Control]] = set()
        self._done: set[tuple[str, int, Control]] = set()
        self._lines: list[str] = []
        self._tunings: dict[str, PlatformTuning] = {}
        self._opened = False
        self.ended: int | None = None
        self._termination = Termination()
        self._termination.begin()

    # -- collection --------------------------------------------------------------------------------------------

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """One item per platform and size; what the user got wrong is kept until collection ends, for status 4."""
        try:
            cells = self._cells()
        except pytest.UsageError as error:
            self._refusal, cells = self._refusal or error, []
        if _FIXTURE in metafunc.fixturenames:
            metafunc.parametrize(_FIXTURE, cells, indirect=True, ids=[f"{label}-{size}" for label, size in cells])

    def _cells(self) -> list[tuple[str, int]]:
        options = self._choices.options
        options.refuse_strangers()
        plan, _policy = self._choices.plan(), self._choices.policy  # refused before any worker starts
        if bad := [size for size in plan.sizes if not SMALLEST <= size <= LARGEST]:
            raise pytest.UsageError(
                f"{options.said('sizes')} {bad[0]} is no size to plant faults in. "
                f"Give sizes from {SMALLEST} to {LARGEST}."
            )
        kernels = options.words("kernels")
        for name, values in (("seeds", plan.seeds), ("kernels", kernels)):
            if len(values) > 1:
                raise pytest.UsageError(
                    f"{options.said(name)} names {len(values)}; a fault campaign takes one. A second would "
                    "overwrite the first's record. Give one, or run the suite once for each."
                )
        return [(label, size) for size in plan.sizes for label in plan.platforms]

    def arrange(self, *, beside_gate: bool) -> None:
        """Refuse what cannot be run. Raises ``pytest.UsageError``."""
        if beside_gate:
            raise pytest.UsageError(
                "Fault campaigns and a gate's campaign were collected in one run. The gate's verdict would be made "
                "beside planted faults, and both want the device. Run them one after the other: pytest suites/inject, "
                "then pytest suites/weekly."
            )
        if self._refusal is not None:
            raise self._refusal

    # -- running -----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start a worker per platform. Raises ``pytest.UsageError`` where a driver is missing or a size too large."""
        if tiers.is_parallel(self.config):
            return
        from pytest_weekops.core.errors import WorkerError
        from pytest_weekops.core.measurement.kernel_operation import gemm_needs
        from pytest_weekops.run.capacity import memory_problem
        from pytest_weekops.worker.supervisor import PlatformSupervisor

        plan = self._choices.plan()
        for launch in self._choices.launches:
            worker = PlatformSupervisor(launch, plan.deadlines, self._choices.scratch)
            self._workers[launch.label] = worker
            self._lines += [f"auto passed over {words}" for words in launch.passed_over]
            try:
                identity = worker.start()
            except WorkerError as error:  # a driver that crashes is evidence, not a mistake of the user's
                self._unusable[launch.label] = str(error)
                continue
            except (InputError, DeviceError) as error:
                raise pytest.UsageError(str(error)) from error
            if problem := memory_problem(map(gemm_needs, plan.sizes), identity):
                raise pytest.UsageError(problem)
        self._take_tunings()
        if note := Spellings.of(self.config).note():
            self._lines.append(f"weekops: {note}")
        self._opened = True

    def _take_tunings(self) -> None:
        """The build parameters that runs would use: the guard's recall is that of the kernels they measure."""
        from pytest_weekops.evidence.tunings import load_kernels, load_tunings

        directory = self._choices.tuning
        if directory is None:
            return
        identities = {label: worker.identity for label, worker in self._workers.items() if worker.identity}
        self._tunings, notes = load_tunings(directory, identities, load_kernels(self._choices.kernel_dirs))
        self._lines += notes
        self._lines += [f"{label}: tuned by {t.file}: {t.words}" for label, t in self._tunings.items() if t.tuned]

    def campaign(self, label: str, size: int) -> Injection:
        """A whole campaign, kept in ``reports/injections`` whatever it shows."""
        from pytest_weekops.campaigns.faults import FAULTS, FLIPS_PER_BIT, clean_launches, demands_at, keep, render
        from pytest_weekops.core.guard.injection import shortfalls

        amounts = (FLIPS_PER_BIT, FAULTS, clean_launches(size))
        found = self._inject(label, size, "", *amounts)
        identity = self._workers[label].identity
        if identity is None:
            raise CampaignFailure(f"{label} at n = {size}: nobody knows which driver answered")
        missing = shortfalls(found, demands_at(size, self._choices.policy.guard))
        keep(self._choices.report_dir, label, identity, found)
        self._lines += render(label, identity, found, missing)
        if missing:
            raise CampaignFailure(f"{label} at n = {size}: {'; '.join(missing)}")
        self._done.add((label, size, ""))
        return found

    def control(self, label: str, size: int, name: Control) -> Injection:
        """A small campaign of a guard that was broken on purpose; not kept."""
        from pytest_weekops.core.guard.injection import control_problem

        found = self._inject(label, size, name, _CONTROL_FLIPS, _CONTROL_FAULTS, _CONTROL_CLEAN)
        problem = control_problem(found)
        self._lines.append(f"{label}, n = {size}, control {name}: {problem or 'fails, as it must'}")
        if problem:
            raise CampaignFailure(
                f"{label} at n = {size}: the control {name} does not fail: {problem}. Then a campaign that passes "
                "proves nothing here."
            )
        self._done.add((label, size, name))
        return found

    def _inject(self, label: str, size: int, control: Control, flips: int, faults: int, clean: int) -> Injection:
        from pytest_weekops.core.guard.settings import settings_of
        from pytest_weekops.worker.protocol import InjectRequest

        if tiers.is_parallel(self.config):
            raise CampaignFailure(tiers.PARALLEL_SENTENCE)
        if not self._opened or label in self._unusable:
            raise CampaignFailure(f"{label}: {self._unusable.get(label, 'no worker was started')}")
        self._begun.add((label, size, control))
        request = InjectRequest(
            kernel=next(iter(self._choices.options.words("kernels")), T5_KERNEL),
            size=size,
            seed=self._choices.plan().seeds[0],
            flips_per_bit=flips,
            faults=faults,
            clean_launches=clean,
            guard=settings_of(self._choices.policy.guard),
            control=control,
            kernel_dirs=self._choices.kernel_dirs,
            tuned=self._tunings[label].tuned if label in self._tunings else (),
        )
        try:
            return self._workers[label].inject(request)
        except WeekopsError as error:
            raise CampaignFailure(f"{label} at n = {size}: {error}") from error

    # -- the end -----------------------------------------------------------------------------------------------

    @property
    def missing(self) -> list[str]:
        """Campaigns and controls of the options that were not seen to end as they must."""
        wanted = [(label, size, name) for label, size in self._cells() for name in ("", *CONTROLS)]
        left = [cell for cell in wanted if cell not in self._done]
        said = {cell: "" if cell in self._begun else " was not run" for cell in left}
        return [f"{label} {size} {name or 'campaign'}{said[label, size, name]}" for label, size, name in left]

    def finish(self, exitstatus: int) -> int:
        """The exit status: 0 stays 0 only where every campaign and every control ended as it must."""
        self._termination.ending()
        short = exitstatus == 0 and not self.config.option.collectonly and bool(self.missing)
        status = INSUFFICIENT if short else exitstatus
        self.ended = status if self._opened else None
        return status

    def print_summary(self, say: Callable[[str], None]) -> None:
        """Figures, then what is not shown."""
        from pytest_weekops.report.saying import wrapped

        lines = list(self._lines)
        if self._opened:
            missing = self.missing
            lines.append(f"fault campaigns: {'NOT ENOUGH: ' + ', '.join(missing) if missing else 'every one suffices'}")
        for line in lines:
            for part in wrapped(line, indent="    "):
                say(part)

    def close(self) -> None:
        """Stop the workers and remove scratch files."""
        for worker in self._workers.values():
            worker.close()
        self._choices.close()
        self._termination.end()

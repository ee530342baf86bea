"""The items of a campaign: made from the options, sorted into measuring order, counted where they are deselected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_weekops.core.measurement.microscope import GATE
from pytest_weekops.core.measurement.records import Case
from pytest_weekops.core.measurement.schedule import measuring_order
from pytest_weekops.plugin.benchmark import device_clock

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.plugin.choices import Choices

_OPENING, _SNAPSHOTS, _CLOSING = 0, 1, 2
_PARAMETERS = {
    "weekops_gate",
    "weekops_pulse",
    "weekops_case",
    "weekops_smoke",
    "weekops_microscope",
    "weekops_platform",
}


class CampaignItems:
    """The campaign items of one pytest run, and the plan that they add up to."""

    def __init__(self, choices: Choices) -> None:
        self.deselected = 0
        self.kinds: set[str] = set()
        self._choices = choices
        self._config = choices.config
        self._plan: CampaignPlan | None = None
        self._canonical_gates: list[str] = []
        self._refusal: pytest.UsageError | None = None

    @property
    def plan(self) -> CampaignPlan:
        """The frozen plan; made once all campaign tests are known."""
        if self._plan is None:
            self._plan = self._choices.plan(tuple(self._canonical_gates))
        return self._plan

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
        from pytest_weekops.plugin.choices import SuiteKernels

        self._choices.options.refuse_strangers()
        marker = metafunc.definition.get_closest_marker("weekops_campaign")
        kind = str(marker.args[0]) if marker and marker.args else "weekly"
        names = set(metafunc.fixturenames)
        if is_asked := self._is_asked(names):
            self.kinds.add(kind)
        self._settle_kind(kind)
        if kind != "canonical":
            self._choices.settle_suite(SuiteKernels.of(marker))
        gate = metafunc.definition.get_closest_marker("weekops_gate_name")
        if "weekops_gate" in names:
            stages = [(stage, label) for stage in ("opening", "closing") for label in self._choices.labels]
            metafunc.parametrize("weekops_gate", stages, indirect=True, ids=[f"{s}-{p}" for s, p in stages])
        elif "weekops_pulse" in names:
            pulses = self._pulses()
            metafunc.parametrize("weekops_pulse", pulses, indirect=True, ids=[f"{p}-s{s}" for p, s in pulses])
        elif "weekops_case" in names:
            cases = list(measuring_order(self._choices.plan()))
            metafunc.parametrize("weekops_case", cases, indirect=True, ids=[case.id for case in cases])
        elif "weekops_smoke" in names:
            metafunc.parametrize("weekops_smoke", self._choices.labels if is_asked else [], indirect=True)
        elif "weekops_microscope" in names:
            if is_asked and GATE not in self._canonical_gates:
                self._canonical_gates.append(GATE)
            metafunc.parametrize("weekops_microscope", self._choices.labels if is_asked else [], indirect=True)
        elif "weekops_platform" in names:
            if gate and gate.args[0] not in self._canonical_gates:
                self._canonical_gates.append(str(gate.args[0]))
            metafunc.parametrize("weekops_platform", self._choices.labels, indirect=True)

    def _is_asked(self, names: set[str]) -> bool:
        """Whether a test gives a verdict anything: those of an option that was not given stand for nothing."""
        options = self._choices.options
        if "weekops_smoke" in names:
            return options.given("driver-smoke")
        return "weekops_microscope" not in names or options.asked("tier") == "full"

    def _settle_kind(self, kind: str) -> None:
        settled = self._choices.kind
        if kind not in ("canonical", "weekly", "split"):
            raise pytest.UsageError(
                f"weekops_campaign({kind!r}) is no kind of campaign. Give canonical, weekly or split."
            )
        if {kind, settled} == {"weekly", "split"}:
            raise pytest.UsageError(
                "A weekly and a split campaign were collected in one run. Each has its own verdict and its own exit "
                "status. Run them one after the other: pytest suites/weekly, then pytest suites/split."
            )
        if not settled or (kind != "canonical" and kind != settled):
            self._choices.settle_kind(kind)

    def _pulses(self) -> list[tuple[str, int]]:
        plan = self._choices.plan()
        if not (plan.pressure.pulses and plan.pressure.iterations) or plan.pressure.mode == "during":
            return []
        return [(label, snapshot) for snapshot in range(1, plan.snapshots + 1) for label in plan.platforms]

    def arrange(self, items: list[pytest.Item]) -> None:
        """Raise what was refused, drop empty parameter sets, and sort the rest."""
        if self._refusal is not None:
            raise self._refusal
        items[:] = [item for item in items if not (is_campaign(item) and is_empty(item))]
        for item in items:
            case = parameter(item, "weekops_case")
            if isinstance(case, Case) and self._config.pluginmanager.hasplugin("benchmark"):
                item.add_marker(pytest.mark.benchmark(timer=device_clock, group=f"{case.kernel}:{case.size}"))
        self.sort(items)

    def sort(self, items: list[pytest.Item]) -> None:
        """Bring campaign items into measuring order, behind all others."""
        order = {case.id: place for place, case in enumerate(measuring_order(self.plan))}
        mine = sorted((item for item in items if is_campaign(item)), key=lambda item: _place(item, order))
        items[:] = [item for item in items if not is_campaign(item)] + mine

    def note_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember how many campaign items will give no data."""
        self.deselected += sum(is_campaign(item) and not is_empty(item) for item in items)


def is_campaign(item: pytest.Item) -> bool:
    """Whether an item belongs to a campaign."""
    return item.get_closest_marker("weekops_campaign") is not None


def parameter(item: pytest.Item, name: str) -> Any:
    """The value that an item was parametrized with under this name, or None."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(name) if callspec is not None else None


def is_empty(item: pytest.Item) -> bool:
    """Whether an item only stands for an empty set of parameters."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and "NOTSET" in callspec.id and any(m.name == "skip" for m in item.own_markers)


def _place(item: pytest.Item, order: dict[str, int]) -> tuple[int, int, int, int]:
    """Sort key: opening gate, then per snapshot pulses before cases, then the closing gate."""
    if (gate := parameter(item, "weekops_gate")) is not None:
        return (_OPENING if gate[0] == "opening" else _CLOSING, 0, 0, 0)
    if (pulse := parameter(item, "weekops_pulse")) is not None:
        return (_SNAPSHOTS, pulse[1], 0, 0)
    if isinstance(case := parameter(item, "weekops_case"), Case):
        return (_SNAPSHOTS, case.snapshot, 1, order.get(case.id, 0))
    return (_OPENING, -1, 0, 0)

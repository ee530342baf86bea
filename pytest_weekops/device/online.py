"""T3 on a device: tries variants, verifies each trial, remembers across processes, and survives one that crashes.

The memory is a file per driver. Before a variant is built or launched for the first time, its name is written there; a
worker that finds such a name left behind knows which variant took the one before it down, and never tries it again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.errors import BuildError, DeviceError
from pytest_weekops.core.measurement.lane_records import SelectorEvidence, Trial
from pytest_weekops.core.measurement.records import DeviceIdentity, Phase
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.core.selection.online import (
    Choice,
    OnlineState,
    again,
    choose,
    confirm,
    forget,
    hopeless,
    is_faster,
    is_slower,
    is_unconfirmed,
    next_trial,
    observe,
    settle,
)
from pytest_weekops.core.selection.selector import choose_variant, usable, worth_trying
from pytest_weekops.core.selection.tuning import ArmPrior, trial_order
from pytest_weekops.device.duel import batch, paired_ratios
from pytest_weekops.device.launcher import Launcher, make_launcher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Array, Operation, Shape
from pytest_weekops.device.timing import SHORT_NS, time_launch
from pytest_weekops.device.verify import compare, scaled_error
from pytest_weekops.files.kernel_sources import Source

PROBE_SIZE = 256  # variants meet here first: a launch costs next to nothing, and tells which are far behind
PROBE = f"probe:{PROBE_SIZE}"
SECOND_ASK_S = 2.0  # before a comparison that would change what is taken is made again

Judge = Callable[[Any, float], str]


@dataclass
class Memory:
    """The file: states by context, hashes of the variants they speak of, and what is being tried right now."""

    path: Path | None
    driver: str
    states: dict[str, OnlineState] = field(default_factory=dict)
    kernels: dict[str, str] = field(default_factory=dict)
    crashed: tuple[str, ...] = ()
    ignored: str = ""

    @classmethod
    def load(cls, path: str, identity: DeviceIdentity, kernels: Mapping[str, str]) -> Memory:
        """Read the file; one that is of another driver, damaged or absent counts as empty, the damage is told."""
        memory = cls(Path(path) if path else None, identity.library_sha256 + identity.device_name)
        trying: dict[str, str] = {}
        try:
            data = json.loads(memory.path.read_text(encoding="utf-8")) if memory.path else {}
            if data.get("version") == 1 and data.get("driver") == memory.driver:
                memory.states = {str(k): OnlineState.model_validate(v) for k, v in data["states"].items()}
                memory.kernels = {str(k): str(v) for k, v in data["kernels"].items()}
                trying = data.get("trying") or {}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            memory.ignored = f"{memory.path} is ignored: {str(error).splitlines()[0]}"
        memory._forget_changed(kernels)
        if name := str(trying.get("arm", "")):
            memory._blame(name, str(trying.get("context", PROBE)))
        return memory

    def _forget_changed(self, kernels: Mapping[str, str]) -> None:
        """Drop what is known of variants whose source changed or is gone."""
        changed = {name for name, digest in self.kernels.items() if kernels.get(name) != digest}
        for context, state in self.states.items():
            unknown = set(state.arms) - set(self.kernels)
            self.states[context] = forget(state, frozenset(changed | unknown))
        self.kernels = dict(kernels)

    def _blame(self, name: str, context: str) -> None:
        self.crashed = (name,)
        for place in {context, PROBE}:
            self.states[place] = observe(self.state(place), name, 0.0, problem="took its worker down")
        self.save()

    def state(self, context: str) -> OnlineState:
        """What is known in a context."""
        return self.states.get(context, OnlineState())

    def save(self, trying: Mapping[str, str] | None = None) -> None:
        """Write the file whole, synced: the next thing may take this process down."""
        if self.path is None:
            return
        states = {key: state.model_dump(mode="json") for key, state in self.states.items()}
        document = {"version": 1, "driver": self.driver, "kernels": self.kernels, "states": states, "trying": trying}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        with beside.open("w", encoding="utf-8") as stream:
            json.dump(document, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self.path)


@dataclass
class Online:
    """The selection of one measurement. ``inputs`` and ``reference`` are those of its first session.

    ``priors`` are what a tuning knows of the arms: the fastest of them is tried right after the static one.
    ``most_delay_percent`` is how long launches that are compared may have waited for a CPU; None asks nobody.
    """

    device: OpenDevice
    sources: Mapping[str, Source]
    operation: Operation
    shape: Shape
    rules: SelectorRules
    inputs: dict[str, Array]
    reference: Array
    judge: Judge
    notify: Callable[[Phase], None]
    memory: Memory
    priors: Sequence[ArmPrior] = ()
    most_delay_percent: float | None = None
    trials: list[Trial] = field(default_factory=list)
    _launches: int = 0

    def __post_init__(self) -> None:
        """Settle the arms: every variant that can run here and is made for it, and the static one."""
        shape, identity = self.shape, self.device.identity
        entries = {mode: source.entry for mode, source in self.sources.items()}
        static = self.rules.static_arm or choose_variant("auto", identity, shape.m, shape.n, shape.k, entries).mode
        arms = [mode for mode, entry in entries.items() if mode == static or worth_trying(entry, identity)]
        self.arms = trial_order(arms, self.priors, shape.n)
        if static not in entries or usable(entries[static], identity):
            raise DeviceError(f"The static arm {static} of T3 cannot run on this device. Name another in the policy.")
        self.static = static
        self.context = f"{identity.device_name}:{shape.m}x{shape.n}x{shape.k}"

    def choose(self, draw: float, pick: float) -> Choice:
        """Explore as far as it is due, then choose."""
        size = self.shape.n
        without: frozenset[str] = frozenset()
        if size > PROBE_SIZE and size not in self.rules.freeze_sizes and not self._state.disabled:
            without = self._probe()
        while name := next_trial(self._state, self.rules, self.arms, static=self.static, size=size, without=without):
            before = self._launches
            self._try(name, self.context, self.shape, self.inputs, self.reference)
            spent = max(1, self._launches - before)
            self._set(self._state.model_copy(update={"explored": self._state.explored + spent}))
        if name := again(self._state, self.rules, size=size, draw=draw, pick=pick):
            self._try(name, self.context, self.shape, self.inputs, self.reference)
        choice = choose(self._state, self.rules, static=self.static, size=size)
        if not is_unconfirmed(self._state, choice, static=self.static):
            return choice
        ratios = self._compared(choice.arm, is_faster)
        state, choice = confirm(self._state, self.rules, choice, static=self.static, ratios=ratios)
        self._set(state)
        self.memory.save()
        return choice

    @property
    def _state(self) -> OnlineState:
        return self.memory.state(self.context)

    def _set(self, state: OnlineState) -> None:
        self.memory.states[self.context] = state

    def _probe(self) -> frozenset[str]:
        """Let every variant meet at a small size once per driver; which are not worth a launch at a large one."""
        shape = Shape(PROBE_SIZE, PROBE_SIZE, PROBE_SIZE)
        missing = [name for name in self.arms if name not in self.memory.state(PROBE).arms]
        if missing:
            inputs = self.operation.inputs(shape, 1, 1)
            reference = self.operation.reference(shape, inputs)
            for name in missing:
                self._try(name, PROBE, shape, inputs, reference)
        probe = self.memory.state(PROBE)
        if probe.disabled:
            self._set(self._state.model_copy(update={"disabled": probe.disabled}))
        return hopeless(probe)

    def _try(self, name: str, context: str, shape: Shape, inputs: dict[str, Array], reference: Array) -> None:
        """Take a variant's time once, verified: a variant's first launch at a size also compiles, and is not timed."""
        self.memory.save(trying={"arm": name, "context": context})
        self.notify(Phase.BUILD)
        ms, problem, wrong = 0.0, "", False
        try:
            first = not self.memory.state(context).arm(name).times_ms
            ms, found = self._launch(name, shape, inputs, reference, first=first)
            problem, wrong = found, bool(found)
        except (BuildError, DeviceError, cl.Error) as error:
            problem = str(error).splitlines()[0][:200]
        state = observe(self.memory.state(context), name, ms, problem=problem, wrong=wrong)
        self.memory.states[context] = state
        self.memory.save()
        self.trials.append(Trial(arm=name, size=shape.n, ms=ms, problem=problem))

    def _launch(
        self, name: str, shape: Shape, inputs: dict[str, Array], reference: Array, *, first: bool
    ) -> tuple[float, str]:
        launcher = make_launcher(self.device.queue, self.device.programs, self.sources[name], shape)
        try:
            self.notify(Phase.UPLOAD)
            launcher.upload(inputs)
            launcher.poison()
            self.notify(Phase.WARM_UP)
            if first:
                time_launch(self.device.queue, launcher.enqueue)
            times = [launch.wall_ns for launch in batch(self.device.queue, launcher)]
            if shape == self.shape:  # a trial of short launches takes no longer than one long launch, and counts as one
                self._launches += 1 if times[0] < SHORT_NS else first + 1
            if len(times) > 1:
                launcher.poison()
                time_launch(self.device.queue, launcher.enqueue)  # the one that is verified
            return float(np.median(times)) * 1e-6, self._verify(launcher, shape, inputs, reference)
        finally:
            launcher.release()

    def _verify(self, launcher: Launcher, shape: Shape, inputs: dict[str, Array], reference: Array) -> str:
        """What is wrong with the result that is on the device, or nothing."""
        self.notify(Phase.READ_BACK)
        found = compare(launcher.read(), reference)
        unit = self.operation.error_unit(shape, inputs)
        return self.judge(found, scaled_error(found.max_abs_error, unit))

    def _duel(self, name: str) -> tuple[float, ...]:
        """Time of a variant / time of the static one in pairs on the first session's data.

        NaN for a wrong result, nothing where other programs left no calm pairs.
        """
        self.notify(Phase.BUILD)
        pair = []
        try:
            for mode in (name, self.static):
                pair.append(make_launcher(self.device.queue, self.device.programs, self.sources[mode], self.shape))
                self.notify(Phase.UPLOAD)
                pair[-1].upload(self.inputs)
                pair[-1].poison()
                self.notify(Phase.WARM_UP)
                time_launch(self.device.queue, pair[-1].enqueue)
                if self._verify(pair[-1], self.shape, self.inputs, self.reference):
                    return (float("nan"),)
            self.notify(Phase.WARM_UP)
            return paired_ratios(self.device.queue, pair[0], pair[1], self.most_delay_percent)
        finally:
            for launcher in pair:
                launcher.release()

    def _compared(self, name: str, changes: Callable[[SelectorRules, Sequence[float]], bool]) -> tuple[float, ...]:
        """A duel, and another where it would change what is taken: a disturbance of half a second is in each pair."""
        ratios = self._duel(name)
        if not changes(self.rules, ratios):
            return ratios
        time.sleep(SECOND_ASK_S)
        more = self._duel(name)
        return (*ratios, *more) if more else ()

    def settle(self, choice: Choice, ms: float) -> bool:
        """Credit the chosen arm with its median launch; whether to fall back to the static one."""
        alone = choice.arm == self.static or self._state.arm(self.static).failed
        ratios = (1.0,) if alone else self._compared(choice.arm, is_slower)
        state, fell = settle(self._state, self.rules, choice, static=self.static, ms=ms, ratios=ratios)
        self._set(state)
        self.memory.save()
        return fell

    def wrong(self, arm: str, reason: str) -> None:
        """The chosen arm gave a wrong result where it counts: the selection is off from here on."""
        self._set(observe(self._state, arm, 0.0, problem=reason[:200], wrong=True))
        self.memory.save()

    def evidence(self, choice: Choice) -> SelectorEvidence:
        """What was tried, taken and why; the regret is in launches of the best arm known."""
        state = self._state
        best = state.arm(state.best).estimate_ms if state.best else float("nan")
        spent = [trial.ms for trial in self.trials if trial.size == self.shape.n and not trial.problem]
        return SelectorEvidence(
            fallback_rate=state.fallback_rate,
            policy_disabled=bool(state.disabled),
            disabled_reason=state.disabled,
            chosen=choice.arm,
            static=self.static,
            reason=choice.reason,
            decisions=state.decisions,
            fallbacks=state.fallbacks,
            trials=tuple(self.trials),
            regret_launches=sum(ms / best - 1.0 for ms in spent) if spent else 0.0,
            crashed=self.memory.crashed,
            note=self.memory.ignored,
        )

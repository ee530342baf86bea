"""The problems of one gate of the canonical tier: asked one by one, and journalled with how each that failed did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pytest_weekops.core.judge.expected import day_of, is_in_force
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.records import UNTRIED, GateFault, GateRecord, Measurement, MeasurementStatus
from pytest_weekops.run.attempt import story
from pytest_weekops.run.live import Run

_SHOWN = 3


class GateProblems:
    """What a gate asks of one platform. Known faults of its driver are noted and do not end it; the judge decides."""

    def __init__(self, run: Run, platform: str, gate: str) -> None:
        self._run, self._platform, self._gate = run, platform, gate
        today, driver = day_of(run.created_at), run.platforms[platform].identity
        mine = [one for one in run.plan.expected if one.gate == gate and one.driver.is_of(driver)]
        self._known = [one for one in mine if is_in_force(one, today)]
        self._found: dict[tuple[object, ...], GateFault | None] = {}
        self._told: dict[str, None] = {}
        self._undone: dict[str, None] = {}

    def ask(self, variant: str, m: int, n: int, k: int, *, alpha: float = 1.0, beta: float = 0.0, seed: int = 1) -> str:
        """Run a variant once at one shape, m x n x k: what went wrong, empty where it is right or a known fault."""
        problem = f"{variant}@{m}x{n}x{k}"
        known = [one for one in self._known if one.covers(problem)]
        retry = not any(one.kind == "crashed" for one in known)  # two crashes each would lose the platform
        answer = self._run.verify(self._platform, variant, m, n, k, seed=seed, alpha=alpha, beta=beta, retry=retry)
        words = f"{variant} on {self._platform} at {m}x{n}x{k}, alpha {alpha}, beta {beta}: {story(answer)}"
        if answer.status in UNTRIED:
            self._undone[words] = None
            return words
        fault = self._note((variant, m, n, k, alpha, beta, seed), answer)
        if fault is None:
            return ""
        if (one := self._expected(fault, known)) is None:
            return words
        self._told[f"{words}, {one.words}"] = None
        return ""

    def _note(self, key: tuple[object, ...], answer: Measurement) -> GateFault | None:
        fault = fault_of(answer, str(key[0]), f"{key[1]}x{key[2]}x{key[3]}")
        before = self._found.get(key, fault)
        either = fault or before
        if either is not None and fault != before:
            fault = either.model_copy(update={"besides": "not each time"})
        self._found[key] = fault
        return fault

    @staticmethod
    def _expected(fault: GateFault, known: Sequence[Expectation]) -> Expectation | None:
        return next((one for one in known if one.is_of_gate(fault)), None)

    def record(self, failures: Sequence[str], left_out: Mapping[str, str], *, whole: bool = True) -> GateRecord:
        """Journal the gate: it passed where nothing failed, known or not. ``whole``: it asked for all that it meant to.

        Where nothing failed but what the host could not verify, it was not held. What was left out stands in its
        reason, too: the verdict's line says it from the record.
        """
        faults = tuple(fault for fault in self._found.values() if fault is not None)
        asked = Counter(f"{variant}@{m}x{n}x{k}" for variant, m, n, k, *_rest in self._found)
        is_hosts = bool(self._undone) and not faults and all(words in self._undone for words in failures)
        said = [*failures, *self._told][:_SHOWN] + [f"left out: {variant} {why}" for variant, why in left_out.items()]
        return self._run.record(
            GateRecord(
                gate=self._gate,
                stage="canonical",
                platform=self._platform,
                passed=not (failures or faults or self._undone),
                reason="; ".join(said),
                undone=next(iter(self._undone)) if is_hosts else "",
                asked=dict(asked) if whole else {},
                faults=faults if whole else (),
                left_out=dict(left_out),
            )
        )


def fault_of(answer: Measurement, kernel: str, shape: str) -> GateFault | None:
    """The fault that a problem ended with; None where its result is right at the first try."""
    if answer.status is MeasurementStatus.OK and not answer.flaky:
        return None
    besides = "flaky" if answer.flaky else answer.changed
    besides = next((session.outside for session in answer.sessions if session.outside), besides)
    return GateFault(kernel=kernel, shape=shape, kind=answer.status, phase=answer.phase, besides=besides)

"""The search of ``weekops tune``: which build parameters of a variant are fastest on a device, every one verified.

A candidate is built and verified in the worker at two odd shapes first; one that takes the worker down costs a restart
and is written down at once. Survivors are timed beside the shipped default by successive halving, and the one that is
left is compared with it again on rounds of its own: those that chose it would flatter it.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.measurement.kernel_operation import Problem
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.selection.halving import HOPELESS, interleaved, survivors
from pytest_weekops.core.selection.tuning import Decision, Kernel, Rejected, TunedVariant, VariantTuning, decide
from pytest_weekops.core.selection.tuning_space import candidates
from pytest_weekops.evidence.tunings import TuningBook
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from pytest_weekops.worker.verified import measure_verified

TUNING_RESTARTS = 32  # fresh workers that one search on one platform may cost
# What a candidate may take before it counts as hung: a search has many, and none is worth a run's patience.
DEADLINES = Deadlines(build_s=60.0, warm_up_s=60.0, launch_s=30.0)
# Primes: no tile, vector or block divides them; the second is deeper than the deepest k block.
VERIFY_SHAPES = ((61, 67, 71, 1.5, -0.5), (131, 137, 521, 1.0, 0.0))
VERIFY_EDGES = (61, 521)  # of a workload, which has one size
VERIFY_SHARE, HALVING_SHARE = 0.4, 0.75  # of a variant's time, until which each stage may go on
LAUNCHES = 3
LEAST_TIMED_MS = 20.0
SEED = 3

Candidate = Mapping[str, int]


@dataclass(frozen=True)
class Bounds:
    """By which a result is called right, as in a run of the shipped policy."""

    max_abs_error: float | None
    k_scaled_bound: float | None


@dataclass
class Tuner:
    """One platform's search; ``supervisor`` is started. ``say`` prints a line for people.

    ``broke_off`` is set where the driver is lost: nothing more can be searched then.
    """

    supervisor: PlatformSupervisor
    host: HostWorker
    book: TuningBook
    kernels: Mapping[str, Kernel]
    kernel_dirs: tuple[str, ...]
    sizes: tuple[int, ...]
    rounds: int
    count: int
    bounds: Bounds
    command: tuple[str, ...] = ()
    say: Callable[[str], None] = lambda _line: None
    broke_off: str = ""

    def tune(self, variant: str, *, budget_s: float) -> VariantTuning:
        """Search one variant within ``budget_s`` seconds, give or take one measurement, and write down what came of it.

        Where the driver is lost on the way, ``broke_off`` says so, and what is written is that the default is kept.
        """
        search = _Search(self, self.kernels[variant], budget_s)
        found = search.run()
        self.book.update(lambda file: file.with_variant(found))
        return found

    def measure(self, kernel: Kernel, candidate: Candidate | None, shape: Problem, launches: int) -> Measurement:
        """Build, launch and verify one candidate (None: the shipped default) at one shape, in the worker."""
        m, n, k, alpha, beta = shape
        mode, operation = kernel.entry.mode, kernel.entry.operation
        tuned = (
            ()
            if candidate is None
            else (TunedVariant(variant=mode, kernel_sha256=kernel.sha256, defines=dict(candidate)),)
        )
        request = MeasureRequest(
            kernel=mode,
            operation=operation,
            m=m,
            n=n,
            k=k,
            seed=SEED,
            sessions=1,
            iterations=launches,
            least_session_ms=LEAST_TIMED_MS,
            warmup_min=1,
            warmup_max=2,
            alpha=alpha,
            beta=beta,
            kernel_dirs=self.kernel_dirs,
            # Made for GEMM: a workload's own error unit decides alone.
            max_abs_error=self.bounds.max_abs_error if operation == "gemm" else None,
            k_scaled_bound=self.bounds.k_scaled_bound,
            tuned=tuned,
        )
        return measure_verified(self.supervisor, self.host, request, retry=False)


@dataclass
class _Search:
    tuner: Tuner
    kernel: Kernel
    budget_s: float
    tried: Counter[str] = field(default_factory=Counter)
    default_ms: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    best_ms: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    _pool: dict[int, Candidate] = field(default_factory=dict)
    _halted: str = ""

    def __post_init__(self) -> None:
        """The clock starts."""
        self._began = time.monotonic()

    def _stopped(self) -> bool:
        return bool(self._halted)

    def _late(self, share: float) -> bool:
        return time.monotonic() - self._began > share * self.budget_s

    def run(self) -> VariantTuning:
        """Verify, halve, confirm; or keep the default and say why."""
        identity = self.tuner.supervisor.identity
        if identity is None:  # pragma: no cover - the command starts the supervisor first
            raise WorkerError("the platform was not started")
        if problem := self._default_problem():
            return self._kept(Decision(wins=False, reason=f"the shipped default itself fails: {problem}"))
        pool = candidates(self.kernel.entry, identity, count=self.tuner.count, k=max(self.tuner.sizes))
        self._verify(pool)
        winner = self._halve()
        if winner is None:
            said = self._halted or f"none of {len(pool)} candidates came through"
            return self._kept(Decision(wins=False, reason=said))
        decision = self._confirm(winner)
        if not decision.wins:
            return self._kept(decision)
        return self._result("tuned", decision, dict(winner), self.best_ms)

    def _odd_shapes(self) -> tuple[Problem, ...]:
        """At which every candidate is verified before it is timed."""
        if self.kernel.entry.operation == "gemm":
            return VERIFY_SHAPES
        return tuple((n, n, n, 1.0, 0.0) for n in VERIFY_EDGES)

    def _default_problem(self) -> str:
        for shape in self._odd_shapes():
            answer = self.tuner.measure(self.kernel, None, shape, LAUNCHES)
            if answer.status is not MeasurementStatus.OK:
                self._lost()
                return f"{answer.status.value}: {answer.reason}"[:400]
            self._reference_ms = _median_ms(answer)
        return ""

    # -- the stages ----------------------------------------------------------------------------------------------

    def _verify(self, pool: Sequence[Candidate]) -> None:
        """Build and verify every candidate at the odd shapes; those that fail there are never timed."""
        known = {tuple(r.defines.items()): r.status for r in self._rejected()}
        for number, candidate in enumerate(pool):
            if self._late(VERIFY_SHARE) or self._stopped():
                self.tried["not reached"] += len(pool) - number
                return
            if before := known.get(tuple(candidate.items())):
                self.tried[f"{before} before"] += 1
                continue
            self.tried[self._verified(number, candidate)] += 1

    def _rejected(self) -> list[Rejected]:
        mine = (self.kernel.entry.mode, self.kernel.sha256)
        return [r for r in self.tuner.book.read()[0].rejected if (r.variant, r.kernel_sha256) == mine]

    def _verified(self, number: int, candidate: Candidate) -> str:
        for shape in self._odd_shapes():
            answer = self.tuner.measure(self.kernel, candidate, shape, LAUNCHES)
            if answer.status is not MeasurementStatus.OK:
                self._note(candidate, answer)
                return answer.status.value
        if _median_ms(answer) > HOPELESS * self._reference_ms:
            return "far behind"
        self._pool[number] = candidate
        return "verified"

    def _halve(self) -> Candidate | None:
        """One round over everybody at the smallest size, then over all sizes, until one is left."""
        alive = list(self._pool)
        sizes = self.tuner.sizes
        turn = 0
        while len(alive) > 1 and not self._stopped():
            if self._late(HALVING_SHARE):
                self._halted = "the time was spent before the candidates were down to one"
                break
            alive = survivors(self._round(alive, sizes if turn else (min(sizes),), turn))
            turn += 1
        return self._pool[alive[0]] if alive and not self._stopped() else None

    def _round(self, alive: Sequence[int], sizes: Sequence[int], turn: int) -> dict[int, list[float]]:
        """Everybody once at each size, with the default before and after: one ratio per candidate and size."""
        ratios: dict[int, list[float]] = {number: [] for number in alive}
        for size in sizes:
            before = self._timed(None, size)
            times = {number: self._timed(self._pool[number], size) for number in interleaved(alive, turn=turn)}
            after = self._timed(None, size)
            for number, ms in times.items():
                ratios[number].append(math.sqrt(before * after) / ms)
            if self._stopped():
                break
        return ratios

    def _confirm(self, winner: Candidate) -> Decision:
        """Rounds of default and winner alone, in counterbalanced order; the geometric mean over sizes is a round's."""
        ratios: list[float] = []
        self.best_ms.clear()
        self.default_ms.clear()
        for turn in range(self.tuner.rounds):
            if self._late(1.0) and turn:
                self.tuner.say(f"{self.kernel.entry.mode}: the time was spent after {turn} rounds")
                break
            logs = []
            for size in self.tuner.sizes:
                order = (None, winner) if turn % 2 == 0 else (winner, None)
                ms = {candidate is None: self._timed(candidate, size) for candidate in order}
                if self._stopped() or not math.isfinite(ms[False]):
                    reason = self._halted or f"it failed at {size} in round {turn + 1}, after it was verified"
                    return Decision(wins=False, rounds=len(ratios), reason=reason)
                self.best_ms[size].append(ms[False])
                logs.append(math.log(ms[True] / ms[False]))
            ratios.append(math.exp(statistics.fmean(logs)))
        return decide(ratios)

    def _timed(self, candidate: Candidate | None, size: int) -> float:
        """Median milliseconds at a size, verified; infinite for a candidate that fails, NaN where nothing can go on."""
        if self._stopped():
            return math.nan
        answer = self.tuner.measure(self.kernel, candidate, (size, size, size, 1.0, 0.0), LAUNCHES)
        if answer.status is MeasurementStatus.OK:
            ms = _median_ms(answer)
            if candidate is None:
                self.default_ms[size].append(ms)
            return ms
        self._lost()
        if candidate is None:
            self._halted = self._halted or f"the shipped default at {size} is {answer.status.value}: {answer.reason}"
            return math.nan
        self._note(candidate, answer)
        self.tried[f"{answer.status.value} at {size}"] += 1
        return math.inf

    # -- writing down --------------------------------------------------------------------------------------------

    def _note(self, candidate: Candidate, answer: Measurement) -> None:
        """Write a candidate that took its worker down into the file at once: the next may end this process too."""
        self._lost()
        if answer.status not in (MeasurementStatus.CRASHED, MeasurementStatus.HUNG):
            return
        rejected = Rejected(
            variant=self.kernel.entry.mode,
            kernel_sha256=self.kernel.sha256,
            defines=dict(candidate),
            status="crashed" if answer.status is MeasurementStatus.CRASHED else "hung",
            signal=answer.signal or "",
            phase=answer.phase.value if answer.phase else "",
            reason=answer.reason[:400],
        )
        self.tuner.book.update(lambda file: file.with_rejected(rejected))
        self.tuner.say(f"{self.kernel.entry.mode} {_words(candidate)}: {rejected.status} {rejected.signal}".rstrip())

    def _lost(self) -> None:
        if self.tuner.supervisor.lost:
            self._halted = self.tuner.broke_off = f"the search broke off: {self.tuner.supervisor.lost}"

    def _kept(self, decision: Decision) -> VariantTuning:
        return self._result("default kept", decision, {}, self.default_ms)

    def _result(
        self, outcome: str, decision: Decision, defines: dict[str, int], times: Mapping[int, Sequence[float]]
    ) -> VariantTuning:
        return VariantTuning.model_validate(
            {
                "variant": self.kernel.entry.mode,
                "kernel_sha256": self.kernel.sha256,
                "outcome": outcome,
                "defines": defines,
                "decision": decision,
                "sizes": self.tuner.sizes,
                "expected_ms": {size: statistics.median(each) for size, each in times.items() if each},
                "tried": dict(self.tried),
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": self.tuner.command,
            }
        )


def _median_ms(answer: Measurement) -> float:
    return statistics.median(ns for session in answer.sessions for ns in session.wall_ns) * 1e-6


def _words(candidate: Candidate) -> str:
    return " ".join(f"{name}={value}" for name, value in candidate.items())

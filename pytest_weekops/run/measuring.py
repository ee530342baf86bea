"""Measuring the cases of a live run: by themselves, or in turns with a partner; again while the host was disturbed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.judge.host_rules import beside_void_reason, pairs_void_reason, void_reason
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus, Turns
from pytest_weekops.run.attempt import without_reference
from pytest_weekops.run.host import Anchors, HostWatch
from pytest_weekops.run.partners import partner_case, with_partner
from pytest_weekops.run.wait_budget import WaitBudget
from pytest_weekops.worker.turns import Comparison, Side, TurnTaker
from pytest_weekops.worker.verified import with_references

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.kernel_operation import KernelOperation
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.evidence.journal import Journal
    from pytest_weekops.run.applicable import Applicable
    from pytest_weekops.run.guard_book import GuardBook
    from pytest_weekops.run.worker_requests import WorkerRequests
    from pytest_weekops.worker.host import HostWorker
    from pytest_weekops.worker.protocol import MeasureRequest
    from pytest_weekops.worker.supervisor import PlatformSupervisor

_OK = MeasurementStatus.OK


class MeasuredPlatform(Protocol):
    """A platform of the run, as far as measuring knows it."""

    supervisor: PlatformSupervisor
    identity: DeviceIdentity | None
    unusable: str


class MeasuredRun(Protocol):
    """A run, as far as measuring knows it."""

    plan: CampaignPlan
    policy: Policy
    host: HostWorker
    journal: Journal
    guards: GuardBook | None

    @property
    def say(self) -> Callable[[str], None]:
        """Prints a line for people."""

    @property
    def partner(self) -> MeasuredPlatform | None:
        """Who takes turns with the platforms and is none of them."""

    def partner_for(self, case: Case) -> MeasuredPlatform | None:
        """The same, where it is on the case's device and can run its kernel."""

    def list_partner(self) -> None:
        """Write down which files the partner's driver has by now."""

    @property
    def platforms(self) -> Mapping[str, MeasuredPlatform]:
        """By label."""

    @property
    def requests(self) -> WorkerRequests:
        """What workers are asked for."""

    @property
    def applicable(self) -> Applicable:
        """Which kernels the devices can run, and which are measured for their results alone."""

    def operation_of(self, kernel: str) -> KernelOperation:
        """What a kernel computes."""

    def record(self, record: Measurement) -> Measurement:
        """Journal it and keep it for the judge."""


@dataclass
class Measuring:
    """What measures for a run. A partner's measurement waits here until its own case is asked for.

    ``attempts`` were made in vain before a run was gone on with, and ``order`` is that of its last measurement.
    """

    run: MeasuredRun
    anchors: Anchors
    attempts: Mapping[Case, int] = field(default_factory=dict)
    order: int = 0
    _waiting: dict[Case, Measurement] = field(default_factory=dict)
    _snapshot: int = 1

    def __post_init__(self) -> None:
        """Begin with all of the policy's time for waiting."""
        self._budget = WaitBudget(self.run.policy.host)

    def measure(self, case: Case) -> Measurement:
        """Measure one case, again while it is void and may be; every attempt is journalled before the next begins."""
        if case in self._waiting:
            return self._count(self._waiting.pop(case))
        self._renew(case.snapshot)
        take = self._way(case)
        attempt = min(1 + self.attempts.get(case, 0), self.run.policy.host.max_attempts)
        while True:
            answer = take(attempt)
            if not answer.void:
                return answer
            if not self._budget.is_for(attempt + 1):
                self.run.say(f"{case.id}: void, {answer.void_reason}; a later snapshot can stand in for it")
                return answer
            self.run.say(f"{case.id}: void, {answer.void_reason}; waiting for the host, then again")
            with self._budget.settling():
                self.anchors.settle(self.run.policy.host)
            attempt += 1

    def _way(self, case: Case) -> Callable[[int], Measurement]:
        """How a case is measured: with the other side of a split, beside the run's partner, or by itself."""
        if self._is_untimed(case):
            return lambda attempt: self._alone(case, attempt)
        if (other := self._partner(case)) is not None:
            return lambda attempt: self._compared(case, other, attempt)
        partner = self.run.partner_for(case)
        if partner is not None and not self.run.platforms[case.platform].unusable:
            return lambda attempt: self._beside(case, partner, attempt)
        return lambda attempt: self._alone(case, attempt)

    def _is_untimed(self, case: Case) -> bool:
        return not self.run.applicable.is_timed(case)

    def _renew(self, snapshot: int) -> None:
        """Give each snapshot of a comparison workers of its own, started in an order that is drawn.

        A process has a level that it keeps: with one pair of workers all snapshots would be off by the same. A
        reference driver is begun anew alone, so that a driver under test that tires is seen beside a fresh one.
        """
        if snapshot == self._snapshot:
            return
        self._snapshot = snapshot
        workers = self._renewed()
        draw = random.Random(f"workers of snapshot {snapshot}")  # noqa: S311 - replayed
        for worker in draw.sample(workers, len(workers)):
            worker.supervisor.renew()

    def _renewed(self) -> list[MeasuredPlatform]:
        run = self.run
        partners = [run.partner] if run.partner is not None else []
        if run.plan.in_turns or run.plan.service is not None:
            return [*(run.platforms[label] for label in run.plan.platforms), *partners]
        return partners

    def _partner(self, case: Case) -> Case | None:
        """The other side's case, where the two take turns and both can be measured."""
        plan = self.run.plan
        sides = (plan.baseline_platform, plan.candidate_platform)
        if not plan.in_turns or case.platform not in sides or None in sides:
            return None
        other = sides[case.platform == sides[0]]
        if any(self.run.platforms[str(side)].unusable for side in sides):
            return None
        return case.model_copy(update={"platform": other})

    # -- by itself ---------------------------------------------------------------------------------------------

    def _alone(self, case: Case, attempt: int) -> Measurement:
        self._start(case, attempt)
        platform = self.run.platforms[case.platform]
        if platform.unusable:
            reason = platform.unusable
            return self.run.record(
                Measurement(case=case, status=MeasurementStatus.SKIPPED, reason=reason, attempt=attempt)
            )
        request = self._request(case)
        if isinstance(request, Measurement):
            return self.run.record(request.model_copy(update={"attempt": attempt}))
        identity = platform.identity
        watch = HostWatch(self.anchors, with_pace=identity is not None and identity.is_cpu, device=identity)
        started, clock = _now(), time.monotonic()
        answer = platform.supervisor.measure(case, request, retry=self._may_retry(case))
        elapsed = time.monotonic() - clock
        host = watch.end(answer.sessions)
        void = ""
        if answer.status is _OK and not self._is_untimed(case):  # what the host does changes no result
            void = void_reason(host, self.run.policy.host, answer.sessions, self.run.plan, on_cpu=answer.on_cpu)
        self._budget.spend(answer.waited_s, elapsed, is_void=bool(void))
        facts = self._facts(attempt, void, started, elapsed)
        return self._count(answer.model_copy(update={"host": host, **facts}))

    # -- beside a partner ---------------------------------------------------------------------------------------

    def _beside(self, case: Case, partner: MeasuredPlatform, attempt: int) -> Measurement:
        """Measure a case in turns with the run's partner, whose launches stand in the case's own record."""
        run, plan, platform = self.run, self.run.plan, self.run.platforms[case.platform]
        assert plan.partner is not None
        self._start(case, attempt)
        theirs = partner_case(case, plan.partner)
        asked = self._request(theirs, partner), self._request(case)
        if isinstance(asked[0], Measurement) or isinstance(asked[1], Measurement):  # no reference to verify with
            lost = next(each for each in asked if isinstance(each, Measurement))
            return run.record(lost.model_copy(update={"case": case, "attempt": attempt}))
        sides = (
            Side(partner.supervisor, theirs, asked[0].model_copy(update={"in_turns": True}), retry=False),
            Side(
                platform.supervisor,
                case,
                asked[1].model_copy(update={"in_turns": True}),
                retry=self._may_retry(case),
            ),
        )
        on_cpu = platform.identity is None or platform.identity.is_cpu
        watch = HostWatch(self.anchors, with_pace=False, device=platform.identity)
        started, clock = _now(), time.monotonic()
        limit = plan.max_run_delay_percent if on_cpu else None
        found = TurnTaker(sides, _draw(case, attempt), limit, max_wait_s=self._budget.of_attempt_s).compare()
        elapsed = time.monotonic() - clock
        run.list_partner()
        host = watch.end(())
        waited = {"host": host, "waited_s": round(found.waited_s, 6)}
        mine = with_partner(found.second, found.first, found).model_copy(update=waited)
        void = ""
        if mine.status is _OK and mine.turns is not None and not mine.turns.broken_off:
            void = beside_void_reason(mine, plan, run.policy.host)
        elif mine.status is _OK:
            void = void_reason(host, run.policy.host, mine.sessions, plan, on_cpu=mine.on_cpu)
        self._budget.spend(found.waited_s, elapsed, is_void=bool(void))
        return self._count(mine.model_copy(update=self._facts(attempt, void, started, elapsed)))

    # -- in turns ----------------------------------------------------------------------------------------------

    def _compared(self, case: Case, partner: Case, attempt: int) -> Measurement:
        """Measure a case and its partner in turns.

        The partner's answer waits for its own case; a void one is recorded at once where both are measured again.
        """
        plan = self.run.plan
        cases = (case, partner) if case.platform == plan.baseline_platform else (partner, case)
        sides: list[Side] = []
        for mine in cases:
            self._start(mine, attempt)
            request = self._request(mine)
            if isinstance(request, Measurement):  # no reference: neither side could be verified
                self._wait(request.model_copy(update={"case": partner, "attempt": attempt}))
                return self.run.record(request.model_copy(update={"case": case, "attempt": attempt}))
            supervisor = self.run.platforms[mine.platform].supervisor
            asked = request.model_copy(update={"in_turns": True})
            sides.append(Side(supervisor, mine, asked, retry=self._may_retry(mine)))
        watch = HostWatch(self.anchors, with_pace=False, device=self.run.platforms[case.platform].identity)
        started, clock = _now(), time.monotonic()
        taker = TurnTaker(
            (sides[0], sides[1]), _draw(case, attempt), plan.max_run_delay_percent, max_wait_s=self._budget.of_attempt_s
        )
        found = taker.compare()
        elapsed = (time.monotonic() - clock) / 2
        host = watch.end(())
        answers = [mine.model_copy(update={"host": host}) for mine in self._turned(found, cases)]
        void = ""
        if all(answer.status is _OK for answer in answers) and not found.broken_off:
            void = pairs_void_reason(answers[0], answers[1], plan, self.run.policy.host)
        self._budget.spend(found.waited_s, 2 * elapsed, is_void=bool(void))
        whole = {mine.case: mine.model_copy(update=self._facts(attempt, void, started, elapsed)) for mine in answers}
        if void and self._budget.is_for(attempt + 1):
            self._count(whole[partner])
        else:
            self._wait(whole[partner])
        return self._count(whole[case])

    @staticmethod
    def _turned(found: Comparison, cases: tuple[Case, Case]) -> list[Measurement]:
        """Both measurements, each with the order of turns and its partner's name."""
        return [
            measurement.model_copy(
                update={
                    "waited_s": round(found.waited_s / 2, 6),
                    "turns": Turns(
                        letter=letter,
                        order=found.order,
                        launches=found.launches,
                        with_platform=other.platform,
                        broken_off=found.broken_off,
                    ),
                }
            )
            for letter, measurement, other in zip(("A", "B"), (found.first, found.second), reversed(cases), strict=True)
        ]

    def _wait(self, measurement: Measurement) -> None:
        self._waiting[measurement.case] = measurement

    # -- both --------------------------------------------------------------------------------------------------

    def _may_retry(self, case: Case) -> bool:
        """Not a crash that is expected: two of them each time would use up the restarts, and lose the platform."""
        identity = self.run.platforms[case.platform].identity
        return not any(one.kind == "crashed" and one.is_about(case, identity) for one in self.run.plan.expected)

    def _start(self, case: Case, attempt: int) -> None:
        self.run.journal.append("start", {"case": case.model_dump(mode="json"), "attempt": attempt})

    def _request(self, case: Case, platform: MeasuredPlatform | None = None) -> MeasureRequest | Measurement:
        """What the worker is asked for; a measurement that does not count where there is no reference."""
        run = self.run
        try:
            identity = (platform or run.platforms[case.platform]).identity
            asked = run.requests.measure(case, identity, timed=not self._is_untimed(case))
            return with_references(run.host, asked.model_copy(update={"max_wait_s": self._budget.of_attempt_s}))
        except WorkerError as error:
            return without_reference(case, run.operation_of(case.kernel), error)

    def _facts(self, attempt: int, void: str, started: str, elapsed: float) -> dict[str, Any]:
        self.order += 1
        return {
            "attempt": attempt,
            "void": bool(void),
            "void_reason": void,
            "order": self.order,
            "started_at": started,
            "elapsed_s": round(elapsed, 6),
        }

    def _count(self, answer: Measurement) -> Measurement:
        """Record a measurement, and advance the state of the guard behind one that counts."""
        run = self.run
        if run.guards is None or answer.void:
            return run.record(answer)
        noted = run.guards.note(answer, when=datetime.now(UTC).isoformat(timespec="seconds"))
        if noted is None:
            return run.record(answer)
        if noted.event:
            run.journal.append("guard", {"event": noted.event, "guard": noted.key, "reason": noted.reason})
            run.say(f"{answer.case.id}: guard {noted.event}: {noted.reason}")
        return run.record(answer.model_copy(update={"guard": noted.evidence}))


def _draw(case: Case, attempt: int) -> random.Random:
    """Draws the order of turns: the same for both sides, and the same where it is looked up again."""
    return random.Random(f"{case.kernel} {case.size} {case.seed} {case.snapshot} {attempt}")  # noqa: S311 - replayed


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

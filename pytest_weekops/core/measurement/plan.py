"""The campaign plan: every option of a run, resolved and frozen before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from pytest_weekops.core.measurement.capabilities import KnownLoss
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.known_test import KnownTest
from pytest_weekops.core.measurement.needs import KernelNeeds
from pytest_weekops.core.measurement.records import Case, LookRecord
from pytest_weekops.core.record import Record
from pytest_weekops.core.units import RESULTS_ONLY


class Deadlines(Record):
    """Seconds a worker may stay in a phase before it is killed; held by the controller.

    ``first_build_s`` is that of a worker's first build, for which a driver loads its compiler and has no cache; it is
    ``build_s`` where that alone is given. A launch may take longer than ``launch_s`` where those of the warm-up did.
    No time passes while a worker's main thread is ready to run and other programs have the CPUs, up to three times what
    is stated; in a launch it does.
    """

    import_s: float = Field(default=60.0, gt=0)
    enumerate_s: float = Field(default=30.0, gt=0)
    context_s: float = Field(default=30.0, gt=0)
    first_build_s: float = Field(default=300.0, gt=0)
    build_s: float = Field(default=120.0, gt=0)
    upload_s: float = Field(default=120.0, gt=0)
    warm_up_s: float = Field(default=300.0, gt=0)
    launch_s: float = Field(default=120.0, gt=0)
    read_back_s: float = Field(default=60.0, gt=0)
    verify_s: float = Field(default=120.0, gt=0)
    send_s: float = Field(default=30.0, gt=0)
    close_s: float = Field(default=10.0, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _a_first_build_is_a_build(cls, data: Any) -> Any:
        if isinstance(data, dict) and "build_s" in data and "first_build_s" not in data:
            return {**data, "first_build_s": data["build_s"]}
        return data

    def on(self, driver: Mapping[str, float]) -> Deadlines:
        """These with what a driver's profile asks for, by phase, where they are what nobody chose."""
        chosen = {name: value for name, value in self.model_dump().items() if value != _default(name)}
        theirs = {f"{phase.replace('-', '_')}_s": seconds for phase, seconds in driver.items()}
        return Deadlines(**{**_PLAIN, **theirs, **chosen})


def _default(name: str) -> Any:
    return Deadlines.model_fields[name].default


_PLAIN = {name: _default(name) for name in Deadlines.model_fields}


def deadline_phases() -> tuple[str, ...]:
    """The phases that have a deadline, as an option or a profile spells them."""
    return tuple(name.removesuffix("_s").replace("_", "-") for name in Deadlines.model_fields)


class PressurePlan(Record):
    """Bursts of other work on the device's queue: how big, how often, and where they go."""

    size: int = Field(default=896, gt=0)
    iterations: int = Field(default=3, ge=0)
    pulses: int = Field(default=3, ge=0)
    mode: Literal["before", "during"] = "before"


UNASKED_FROM = 1024  # threads of shorter launches wait for each other in turns, so that beside a program none is calm


class Partner(Record):
    """A driver that takes turns with those under test and is never judged.

    ``label`` is its worker's, ``asked`` how it was named. In ``service``: their speed is judged against its own. As a
    ``reference`` it is a clock. One that is not ``required`` takes turns with GEMM alone, from :data:`UNASKED_FROM` on,
    and stands aside where no driver under test is on its device.
    """

    label: str
    role: Literal["service", "reference"]
    asked: str = ""
    required: bool = True


class CampaignPlan(Record):
    """What will be run. ``platforms`` are worker labels; in a split: baseline first, then candidate.

    ``required_sizes`` empty means every size in ``sizes``. ``gates`` are the gate records a promote needs, each as
    ``stage/gate/platform``: one that is absent is as bad as one that failed. ``session_ms`` is what a session's timed
    launches fill at least; runs from before it was written down filled 80. ``in_turns``: baseline and candidate of a
    split take turns, launch by launch. ``max_run_delay_percent`` is the policy's limit for a calm launch on a CPU,
    None where it has none. ``looks`` are the numbers of snapshots after which the run is looked at, and may end where
    all is decided: rising, from two on, the last one being ``snapshots``. Runs from before looks have none.
    ``every_launch``: the result of each launch is compared, not only of a session's last. ``lock_namespace`` is not
    empty where the device was held against some gates only, so that another may have measured beside this one.
    ``no_baseline`` says in words why a weekly run is judged without a pinned baseline. ``partner`` takes turns with
    each platform of a weekly run that is judged by looks. ``cold_starts`` is how often the driver smoke opens each
    driver anew. ``expected`` are the known faults of a weekly run's file, ``expectations_sha256`` the hash of its text.
    ``evidence`` names the conformance suites whose results the verdict takes in, ``known_tests`` what is known of them.
    ``needs`` is what its kernels need that not every device has: where one lacks it, the kernel is not applicable.
    ``results_only`` are the kernels whose results are judged and whose times are not. ``known_losses`` are capabilities
    that drivers are known to lack. ``variants`` are the kernels that the canonical tier's gates ask for, and what each
    needs; empty where the run has none of these gates.
    """

    kind: Literal["canonical", "weekly", "split"]
    platforms: tuple[str, ...]
    kernels: tuple[str, ...]
    sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    snapshots: int = Field(default=6, ge=1)
    snapshot_interval_s: float = Field(default=0.0, ge=0)
    sessions: int = Field(default=2, ge=1)
    iterations: int = Field(default=8, ge=1)
    session_ms: float = Field(default=80.0, ge=0)
    pressure: PressurePlan = PressurePlan()
    deadlines: Deadlines = Deadlines()
    device_pattern: str | None = None
    baseline_platform: str | None = None
    candidate_platform: str | None = None
    min_rusticl_ratio: float | None = None
    required_sizes: tuple[int, ...] = ()
    mode: Literal["local", "ci"] = "local"
    in_turns: bool = False
    max_run_delay_percent: float | None = None
    every_launch: bool = False
    gates: tuple[str, ...] = ()
    lock_namespace: str = ""
    no_baseline: str = ""
    looks: tuple[int, ...] = ()
    partner: Partner | None = None
    cold_starts: int = Field(default=0, ge=0)
    expected: tuple[Expectation, ...] = ()
    expectations_sha256: str = ""
    evidence: tuple[str, ...] = ()
    known_tests: tuple[KnownTest, ...] = ()
    needs: tuple[KernelNeeds, ...] = ()
    results_only: tuple[str, ...] = ()
    known_losses: tuple[KnownLoss, ...] = ()
    variants: tuple[KernelNeeds, ...] = ()

    @model_serializer(mode="wrap")
    def _as_before_these(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without one of these a plan is what it was before there was any, to the byte."""
        data: dict[str, Any] = handler(self)
        for name in ("evidence", "known_tests", "needs", "results_only", "known_losses", "variants"):
            if not data.get(name):
                data.pop(name, None)
        return data

    @model_validator(mode="after")
    def _looks_end_with_the_budget(self) -> Self:
        looks = self.looks
        if looks and (looks[0] < 2 or looks[-1] != self.snapshots or any(a >= b for a, b in pairwise(looks))):
            raise ValueError(f"looks rise from two snapshots to the last, {self.snapshots}, and {looks} do not")
        return self

    @model_validator(mode="after")
    def _partner_is_asked_about(self) -> Self:
        partner = self.partner
        if partner is None:
            return self
        if self.kind != "weekly" or not self.looks:
            raise ValueError(f"{partner.label} takes turns with drivers of a weekly run with looks, and this is none")
        if partner.label in self.platforms:
            raise ValueError(f"{partner.label} is under test, and cannot be its own partner")
        return self

    @model_validator(mode="after")
    def _times_are_judged(self) -> Self:
        if others := [name for name in self.results_only if name not in self.kernels or name not in RESULTS_ONLY]:
            raise ValueError(f"the times of {', '.join(others)} are judged wherever these kernels are measured")
        needy = [each.kernel for each in self.needs]
        if others := [name for name in needy if name not in self.kernels or needy.count(name) > 1]:
            raise ValueError(f"{', '.join(others)} needs something, and is no kernel of the plan, or twice in it")
        return self

    @property
    def service(self) -> Partner | None:
        """The driver in service, where speed is judged against it."""
        return self.partner if self.partner is not None and self.partner.role == "service" else None

    def cases(self, snapshot: int) -> tuple[Case, ...]:
        """All cases of one snapshot, in plan order (the schedule decides the order of measurement)."""
        return tuple(
            Case(platform=platform, kernel=kernel, size=size, seed=seed, snapshot=snapshot)
            for kernel in self.kernels
            for size in self.sizes
            for seed in self.seeds
            for platform in self.platforms
        )

    def all_cases(self) -> tuple[Case, ...]:
        """Every case the plan asks for: the evidence a promote needs in full."""
        return tuple(case for snapshot in range(1, self.snapshots + 1) for case in self.cases(snapshot))


def taken_plan(plan: CampaignPlan, records: Iterable[object]) -> CampaignPlan:
    """The plan as far as it was taken: up to the look that ended the run, where one did and the plan has that look.

    Whether all was decided there is for the judge to say, never for the record.
    """
    ends = [record.snapshots for record in records if isinstance(record, LookRecord) and record.ends]
    if len(ends) != 1 or ends[0] not in plan.looks:
        return plan
    return plan.model_copy(update={"snapshots": ends[0]})

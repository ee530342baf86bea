"""What the workers of a run are asked for: bounds, references, guard and selector of each launch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.plan import PressurePlan
from pytest_weekops.core.measurement.records import Case
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.selection.tuning import ArmPrior, TunedVariant
from pytest_weekops.evidence.tunings import PlatformTuning
from pytest_weekops.run.worker_requests import WorkerRequests
from tests.support.synthetic import make_identity, make_plan

ME = make_identity("pocl")
POLICY = Policy(policy_id="t")
PRIORS = (ArmPrior(variant="block", expected_ms={256: 0.5}),)
TUNED = TunedVariant(variant="block", kernel_sha256="a" * 64, defines={"MR": 5})
TRIAD = KernelOperation(name="triad")


def case_of(kernel: str, size: int = 96) -> Case:
    """The third snapshot's case of a kernel."""
    return Case(platform="pocl", kernel=kernel, size=size, seed=11, snapshot=3)


def requests(directory: Path | None = None, **changes: Any) -> WorkerRequests:
    """The requests of a small run with a triad beside GEMM's kernels."""
    facts: dict[str, Any] = {
        "plan": make_plan(),
        "policy": POLICY,
        "kernel_dirs": ("kernels",),
        "operations": {"triad": TRIAD},
        "tunings": {},
        "sources": {"kernels/gemm_scalar.cl": "0" * 64},
        "memory_dir": directory,
        **changes,
    }
    return WorkerRequests(**facts)


def test_t3_remembers_tuned_values_apart(tmp_path: Path) -> None:
    """A selection that was turned off stays off when the tuning is turned on and off again."""
    case = case_of("auto_t3_controlled")
    shipped = requests(tmp_path).selector(case, ME)
    tuned = requests(tmp_path, tunings={"pocl": PlatformTuning(tuned=(TUNED,), priors=PRIORS)}).selector(case, ME)
    kept = requests(tmp_path, tunings={"pocl": PlatformTuning(priors=PRIORS)}).selector(case, ME)
    assert shipped is not None
    assert tuned is not None
    assert kept is not None
    assert tuned.memory != shipped.memory == kept.memory
    assert Path(kept.memory).parent == tmp_path
    assert (shipped.priors, tuned.priors) == ((), PRIORS)


def test_t3_draws_again_from_the_case_alone(tmp_path: Path) -> None:
    """Replayable: the same case draws the same, another one draws something else; no directory is no memory."""
    asked = [requests().selector(case_of("auto_t3_controlled", size), ME) for size in (96, 96, 128)]
    draws = [(each.draw, each.pick) for each in asked if each is not None]
    assert draws[0] == draws[1] != draws[2]
    assert all(each is not None and each.memory == "" for each in asked)


def test_only_its_mode_is_guarded_or_selects() -> None:
    """T5 is guarded, T3 chooses, and nothing else is asked for either."""
    asked = {
        kernel: requests().measure(case_of(kernel), ME)
        for kernel in ("auto", "auto_t3_controlled", "auto_t5_guarded", "triad")
    }
    assert [kernel for kernel, request in asked.items() if request.guard is not None] == ["auto_t5_guarded"]
    assert [kernel for kernel, request in asked.items() if request.selector is not None] == ["auto_t3_controlled"]


@pytest.mark.parametrize(("kernel", "bound"), [("auto", POLICY.max_abs_error), ("triad", None)])
def test_the_absolute_bound_is_gemms(kernel: str, bound: float | None) -> None:
    """Measured or verified for a gate, another operation is held to its own error unit alone."""
    assert POLICY.max_abs_error is not None
    case, asked = case_of(kernel), requests()
    verified = asked.verify(case, (96, 96, 96, 1.0, 0.0), iterations=2)
    for request in (asked.measure(case, ME), verified):
        assert request.max_abs_error == bound
        assert request.k_scaled_bound == POLICY.k_scaled_bound


def test_a_case_is_its_operations_problem() -> None:
    """Square, with the operation's own scalar; the snapshot draws a sampled guard's lines."""
    request = requests().measure(case_of("triad", 128), ME)
    assert (request.operation, request.m, request.n, request.k, request.seed) == ("triad", 128, 128, 128, 11)
    assert (request.alpha, request.beta) == (TRIAD.alpha, 0.0)
    assert (request.guard_draw, request.references) == (3, {})
    plan = requests().plan
    assert (request.sessions, request.iterations) == (plan.sessions, plan.iterations)


def test_a_gate_verifies_the_very_problem_that_it_names() -> None:
    """Odd shapes and scalars, one session, as many launches as asked."""
    request = requests().verify(case_of("auto"), (3, 5, 7, 1.5, 0.25), iterations=2)
    assert (request.m, request.n, request.k, request.alpha, request.beta) == (3, 5, 7, 1.5, 0.25)
    assert (request.sessions, request.iterations, request.warmup_min, request.warmup_max) == (1, 2, 1, 1)
    assert (request.guard, request.selector, request.pressure_during) == (None, None, 0)


def test_tuned_values_travel_with_every_launch_of_their_platform() -> None:
    """In gates as in cases; another platform's launches keep what is shipped."""
    asked = requests(tunings={"pocl": PlatformTuning(tuned=(TUNED,))})
    mine, other = case_of("auto"), case_of("auto").model_copy(update={"platform": "other"})
    problem = (96, 96, 96, 1.0, 0.0)
    for case, tuned in ((mine, (TUNED,)), (other, ())):
        assert asked.measure(case, ME).tuned == tuned
        assert asked.verify(case, problem, iterations=1).tuned == tuned


@pytest.mark.parametrize(("mode", "during"), [("before", 0), ("during", 7)])
def test_pressure_beside_the_launches_is_asked_for_in_its_mode_alone(mode: str, during: int) -> None:
    """Pulses before the snapshot are a request of their own."""
    pressure = PressurePlan.model_validate({"pulses": 7, "iterations": 2, "size": 640, "mode": mode})
    asked = requests(plan=make_plan(pressure=pressure))
    assert asked.measure(case_of("auto"), ME).pressure_during == during
    pulses = asked.pressure()
    assert (pulses.pulses, pulses.iterations, pulses.size, pulses.kernel_dirs) == (7, 2, 640, ("kernels",))


def test_the_sources_of_the_opening_travel_with_every_request() -> None:
    """Cases, gates, pulses and the smoke: a worker refuses others."""
    asked = requests()
    case = case_of("auto")
    every = (
        asked.measure(case, ME),
        asked.verify(case, (1, 1, 1, 1.0, 0.0), iterations=1),
        asked.pressure(),
        asked.smoke(),
    )
    assert all(request.sources == dict(asked.sources) for request in every)

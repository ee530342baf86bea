"""The canonical gate: every kernel variant of every operation on every selected platform, against float64."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_weekops.api import GateFailure, GateProblems, GateSession, GateSkip, Run

pytestmark = [pytest.mark.weekops_campaign("canonical"), pytest.mark.device]

# m, n, k, alpha, beta: one element, K = 1, below every tile, primes, each remainder, alpha and beta of every kind.
SHAPES = (
    (1, 1, 1, 1.0, 0.0),
    (5, 3, 1, 1.0, 0.0),
    (19, 23, 17, 1.0, 0.0),
    (20, 24, 20, 1.0, 1.0),
    (61, 67, 71, -0.5, 2.0),
    (97, 101, 103, 0.0, 0.5),
    (127, 131, 257, 1.5, -1.0),
)
# An operation with one size, its edge, and at most one scalar, which stands where GEMM has alpha.
EDGES = tuple(
    (n, n, n, alpha, 0.0) for n, alpha in ((1, 1.0), (3, 0.0), (17, -0.5), (61, 3.0), (131, 1.5), (257, -2.0))
)
# A workload takes no scalar, and its kernels take long to build: one element, and primes beside whole groups.
BARE_EDGES = tuple((n, n, n, 1.0, 0.0) for n in (1, 17, 257))


def shapes_of(run: Run, variant: str) -> tuple[tuple[int, int, int, float, float], ...]:
    """The problems that a variant is asked for."""
    operation = run.operation_of(variant)
    return SHAPES if operation.is_gemm else BARE_EDGES if operation.is_workload else EDGES


def check(
    run: Run, problems: GateProblems, variant: str, shape: tuple[int, int, int, float, float], seed: int = 1
) -> None:
    """Run one variant once and refuse anything but a right answer, or a known fault; only GEMM has m, k and beta."""
    m, n, k, alpha, beta = shape if run.operation_of(variant).is_gemm else (shape[1],) * 3 + (shape[3], 0.0)
    if story := problems.ask(variant, m, n, k, alpha=alpha, beta=beta, seed=seed):
        raise GateFailure(story)


def end(problems: GateProblems, failures: list[str], left_out: dict[str, str], *, whole: bool = True) -> None:
    """Journal one gate of the canonical tier, fail with its reason, and skip what failed by known faults alone."""
    record = problems.record(failures, left_out, whole=whole)
    if failures:
        raise GateFailure("; ".join(failures))
    if not record.passed:
        raise GateSkip(record.reason)


def left_out_of(run: Run, platform: str, variants: tuple[str, ...]) -> dict[str, str]:
    """Variants that would take a worker down on this platform, which is known, and why."""
    found = run.known_aborts(platform)
    left_out = {variant: found[variant] for variant in variants if variant in found}
    for variant, why in left_out.items():
        run.say(f"  {platform}: left out: {variant} {why}")
    return left_out


@pytest.mark.weekops_gate_name("odd-shapes")
def test_odd_shapes(weekops_platform: str, weekops_run: Run, weekops_session: GateSession) -> None:
    """Every variant is right at shapes that fit no tile."""
    failures = []
    problems = GateProblems(weekops_run, weekops_platform, "odd-shapes")
    left_out = left_out_of(weekops_run, weekops_platform, weekops_session.variants)
    for variant in (v for v in (*weekops_session.variants, "auto") if v not in left_out):
        for shape in shapes_of(weekops_run, variant):
            try:
                check(weekops_run, problems, variant, shape)
            except GateFailure as failure:
                failures.append(str(failure))
    end(problems, failures, left_out)


@pytest.mark.weekops_gate_name("any-shape")
def test_any_shape(weekops_platform: str, weekops_run: Run, weekops_session: GateSession) -> None:
    """Every variant is right at whatever shape hypothesis thinks of."""
    left_out = left_out_of(weekops_run, weekops_platform, weekops_session.variants)
    variants = tuple(v for v in (*weekops_session.variants, "auto") if v not in left_out)
    problems = GateProblems(weekops_run, weekops_platform, "any-shape")
    failures: list[str] = []

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        variant=st.sampled_from(variants),
        m=st.integers(1, 130),
        n=st.integers(1, 130),
        k=st.integers(1, 300),
        alpha=st.sampled_from([1.0, 0.0, -1.0, 0.375]),
        beta=st.sampled_from([0.0, 1.0, -2.0]),
        seed=st.integers(0, 3),
    )
    def explore(variant: str, m: int, n: int, k: int, alpha: float, beta: float, seed: int) -> None:
        check(weekops_run, problems, variant, (m, n, k, alpha, beta), seed)

    try:
        explore()
    except GateFailure as failure:
        failures.append(str(failure))
    end(problems, failures, left_out, whole=not failures)  # it stops at what it finds, and looks for the least

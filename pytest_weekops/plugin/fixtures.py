"""Fixtures for the shipped suites and for users' own: platforms, measuring, pressure, policy, problem data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.measurement.records import Case, DeviceIdentity, Measurement
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.plugin.inject_session import Injector
    from pytest_weekops.plugin.session import GateSession
    from pytest_weekops.run.live import Run


def _given(request: pytest.FixtureRequest, mark: str = 'weekops_campaign("weekly")') -> Any:
    """What the plugin gave an item; an error of the test where it lacks the mark that makes the plugin do so."""
    given = getattr(request, "param", None)
    if given is None:
        pytest.fail(
            f"{request.fixturename} is given to tests of a campaign, and this one has not its mark. Nothing was "
            f"measured for it. Write pytestmark = pytest.mark.{mark} into its module, or mark the test.",
            pytrace=False,
        )
    return given


@pytest.fixture(scope="session")
def weekops_session(request: pytest.FixtureRequest) -> GateSession:
    """The gate of this pytest run."""
    from pytest_weekops.plugin.sessions import gate_session

    return gate_session(request.config)


@pytest.fixture(scope="session")
def weekops_run(weekops_session: GateSession) -> Run:
    """The open run: workers and journal."""
    return weekops_session.require_run()


@pytest.fixture(scope="session")
def weekops_plan(weekops_session: GateSession) -> CampaignPlan:
    """The frozen campaign plan."""
    return weekops_session.plan


@pytest.fixture(scope="session")
def weekops_policy(weekops_session: GateSession) -> Policy:
    """The policy that this run will be judged by."""
    return weekops_session.policy


@pytest.fixture(scope="session")
def opencl_identities(weekops_run: Run) -> Mapping[str, DeviceIdentity]:
    """Who answered, per platform label."""
    return weekops_run.identities


@pytest.fixture
def weekops_platform(request: pytest.FixtureRequest, weekops_run: Run, weekops_session: GateSession) -> str:
    """One selected platform's label; a test that uses it and is marked ``weekops_campaign`` runs on each."""
    label: str = _given(request)
    if weekops_run.platforms[label].unusable:
        from pytest_weekops.plugin.failure import GateFailure

        raise GateFailure(f"{label}: {weekops_run.platforms[label].unusable}")
    name = getattr(request.node, "originalname", "test").removeprefix("test_").replace("_", " ")
    weekops_session.progress.stage(f"{name} on {label}")
    return label


@pytest.fixture
def weekops_gate(request: pytest.FixtureRequest, weekops_session: GateSession) -> Callable[[], None]:
    """Run the canonical gate of one stage on one platform, or fail with its reason."""
    stage, label = _given(request)

    def check() -> None:
        weekops_session.progress.stage(f"{stage} gate on {label}")
        record = weekops_session.require_run().gate(stage, label)
        weekops_session.progress.gate(record)
        _fail_unless(record.passed, f"{stage} gate on {label}: {record.reason}")

    return check


@pytest.fixture
def weekops_smoke(request: pytest.FixtureRequest, weekops_session: GateSession) -> Callable[[], None]:
    """Run the driver smoke of one platform, or fail with what did not hold."""
    label: str = _given(request)

    def check() -> None:
        weekops_session.progress.stage(f"driver smoke on {label}")
        record = weekops_session.require_run().smoke(label)
        weekops_session.progress.gate(record)
        _fail_unless(record.passed, f"driver smoke on {label}: {record.reason}")

    return check


@pytest.fixture
def weekops_microscope(request: pytest.FixtureRequest, weekops_session: GateSession) -> Callable[[], None]:
    """Hold one platform's gate ``microscope``: each kernel variant under Oclgrind, once for all platforms of a run."""
    label: str = _given(request)

    def look() -> None:
        weekops_session.progress.stage(f"microscope for {label}")
        record = weekops_session.require_run().record(weekops_session.microscope.gate(label))
        weekops_session.progress.gate(record)
        _fail_unless(record.passed or bool(record.undone), f"kernels under Oclgrind: {record.reason}")

    return look


@pytest.fixture
def weekops_pulse(request: pytest.FixtureRequest, weekops_session: GateSession) -> Callable[[], None]:
    """Send one snapshot's pressure pulses to one platform, or fail with what they met."""
    label, snapshot = _given(request)

    def press() -> None:
        run = weekops_session.require_run()
        if run.platforms[label].unusable:
            _skip(f"{label}: {run.platforms[label].unusable}")
        weekops_session.wait_for_snapshot(snapshot)
        record = run.pulse(label, snapshot)
        done = record.completed == record.requested and not record.failures
        _fail_unless(done, f"pressure on {label}: {record.completed} of {record.requested} pulses; {record.errors}")

    return press


@pytest.fixture
def weekops_case(request: pytest.FixtureRequest) -> Case:
    """The case of this item."""
    case: Case = _given(request)
    return case


@pytest.fixture
def measure(request: pytest.FixtureRequest, weekops_session: GateSession) -> Callable[[Case], Measurement]:
    """Measure a case: journalled, fed to pytest-benchmark and JUnit; a bad measurement fails the item.

    The call skips the item where the platform's opening gate failed, and returns the measurement where it is ``ok``. In
    a run that is gone on with, what was measured before is returned as it was.
    """

    def measure_case(case: Case) -> Measurement:
        run = weekops_session.require_run()
        if run.is_measured(case) or not run.applicable.has(case):
            answer = run.measure(case)
        else:
            weekops_session.wait_for_snapshot(case.snapshot)
            weekops_session.progress.case(case)
            answer = run.measure(case)
            weekops_session.progress.measured(answer)
        request.node.user_properties += _properties(answer)
        from pytest_weekops.core.measurement.records import UNTRIED
        from pytest_weekops.plugin.benchmark import feed_benchmark

        if answer.status in UNTRIED:
            _skip(answer.reason)

        if answer.status != "ok" and (known := run.expects(answer)):
            _skip(f"{answer.case.id}: {known}")
        feed_benchmark(request, answer)
        _fail_unless(answer.status == "ok" and not answer.flaky, failure_sentence(answer))
        return answer

    return measure_case


@pytest.fixture
def weekops_injection(request: pytest.FixtureRequest) -> Injector:
    """One platform at one size, for fault campaigns; a test that uses it is marked ``weekops_injection``."""
    from pytest_weekops.plugin.inject_session import Injector
    from pytest_weekops.plugin.sessions import inject_session

    label, size = _given(request, "weekops_injection")
    return Injector(inject_session(request.config), label, size)


@pytest.fixture
def pressure_pulses(weekops_run: Run) -> Callable[[str, int], None]:
    """``pressure_pulses(platform, snapshot)``: pulses where your own suite wants them."""

    def press(platform: str, snapshot: int) -> None:
        weekops_run.pulse(platform, snapshot)

    return press


@pytest.fixture
def seeded_problem() -> Callable[..., tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """``seeded_problem(m=, n=, k=, seed=)``: the A (m x k) and B (k x n) float32 arrays that every worker uses."""
    from pytest_weekops.core.measurement.problem import gemm_inputs

    return gemm_inputs


def failure_sentence(answer: Measurement) -> str:
    """What happened to a case, for the item's failure text."""
    where = f" in phase {answer.phase.value}" if answer.phase else ""
    signal = f" ({answer.signal})" if answer.signal else ""
    if answer.flaky:
        return f"{answer.case.id}: crashed once and worked on the second try; a flaky driver is not promoted"
    tail = f"\nlast lines of the worker's stderr:\n{answer.stderr_tail}" if answer.stderr_tail else ""
    return f"{answer.case.id}: {answer.status.value}{signal}{where}: {answer.reason}{tail}"


def _fail_unless(good: bool, sentence: str) -> None:  # noqa: FBT001 - the one argument there is
    if not good:
        from pytest_weekops.plugin.failure import GateFailure

        raise GateFailure(sentence)


def _skip(reason: str) -> NoReturn:
    from pytest_weekops.plugin.failure import GateSkip

    raise GateSkip(reason)


def _properties(answer: Measurement) -> list[tuple[str, object]]:
    """What JUnit XML shows of a case; without pytest's own fixture, which goes where ``-p no:junitxml`` is given."""
    times = sorted(ns for session in answer.sessions for ns in session.wall_ns)
    found: list[tuple[str, object]] = [("weekops_case", answer.case.id), ("weekops_status", answer.status.value)]
    if times:
        mean_ns = sum(times) / len(times)
        found += [
            ("weekops_median_ms", round(times[len(times) // 2] * 1e-6, 6)),
            ("weekops_gflops", round(answer.flops / mean_ns, 4)),
            ("weekops_gbs", round(answer.bytes_moved / mean_ns, 4)),
            ("weekops_max_abs_error", max(session.max_abs_error for session in answer.sessions)),
        ]
    return found

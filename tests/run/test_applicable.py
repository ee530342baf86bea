"""What a live run leaves out, asks in its gates, and asks its workers for."""

from __future__ import annotations

from typing import Any

from pytest_weekops.core.measurement.catalog import CAPABILITIES
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.needs import KernelNeeds
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, MeasurementStatus
from pytest_weekops.policies.files import default_policy
from pytest_weekops.run.applicable import Applicable
from pytest_weekops.run.worker_requests import WorkerRequests
from tests.support.synthetic import make_identity, make_plan

IMAGES = CAPABILITIES["images"]
IDENTITIES = {"pocl": make_identity("pocl")}


def plan(**changes: Any) -> CampaignPlan:
    """One kernel that is timed, one that is not, one that the device cannot run."""
    return make_plan(
        kernels=("auto", "queue", "image2d"),
        needs=(KernelNeeds(kernel="image2d", capabilities=(IMAGES,)),),
        results_only=("queue", "image2d"),
        **changes,
    )


def case(kernel: str) -> Case:
    """A case of the first snapshot."""
    return Case(platform="pocl", kernel=kernel, size=128, seed=11, snapshot=1)


def test_what_cannot_run_is_said_and_skipped_with_its_reason() -> None:
    """Before anything is measured; the rest is asked."""
    found, said = Applicable(plan(), IDENTITIES), list[str]()
    found.tell(said.append)
    assert said == [f"  pocl: image2d is not applicable: the device has no {IMAGES}"]
    skipped = found.skipped(case("image2d"))
    assert (skipped.status, skipped.reason) == (MeasurementStatus.SKIPPED, said[0].removeprefix("  pocl: "))
    assert [found.has(case(kernel)) for kernel in ("auto", "queue", "image2d")] == [True, True, False]
    assert [found.is_timed(case(kernel)) for kernel in ("auto", "queue")] == [True, False]


def test_a_gate_asks_for_the_rest() -> None:
    """But for what is not timed and known to be wrong: its cells tell, and the platform is measured all the same."""
    assert Applicable(plan(), IDENTITIES).of_gate("pocl") == (
        ("auto", "queue"),
        {"image2d": f"is not applicable: the device has no {IMAGES}"},
    )
    known = [
        Expectation.model_validate(
            {
                "driver": {"profile": "pocl", "driver_version": version},
                "case": f"{kernel}:128",
                "kind": "wrong",
                "reason": "it drops one",
                "owner": "compute team",
                "expires": "2026-12-31",
            }
        )
        for kernel, version in (("queue", "1"), ("auto", "1"), ("queue", "2"))
    ]
    asked = [Applicable(plan(expected=(one,)), IDENTITIES).of_gate("pocl")[0] for one in known]
    assert asked == [("auto",), ("auto", "queue"), ("auto", "queue")]


def test_a_worker_is_asked_for_few_launches_where_no_time_counts() -> None:
    """However long a session is, and however busy the host."""
    requests = WorkerRequests(
        plan=plan(), policy=default_policy(), kernel_dirs=(), operations={}, tunings={}, sources={}, memory_dir=None
    )
    timed, other = (requests.measure(case("queue"), IDENTITIES["pocl"], timed=timed) for timed in (True, False))
    assert (timed.iterations, timed.least_session_ms, timed.max_run_delay_percent) == (8, 80.0, 5.0)
    assert (other.iterations, other.least_session_ms, other.max_run_delay_percent) == (4, 0.0, None)
    assert (other.sessions, other.k_scaled_bound) == (timed.sessions, timed.k_scaled_bound)

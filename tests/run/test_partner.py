"""A live run beside another driver: real turns, fresh workers per snapshot, and a partner that dies on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.metrics import partner_pair_logs
from pytest_weekops.core.measurement.plan import CampaignPlan, Partner, PressurePlan
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.drivers.platforms import resolve_against, resolve_platforms
from pytest_weekops.evidence.artifacts import judged_anew
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.policies.files import load_policy
from pytest_weekops.run.conclusion import Conclusion, conclude, end_suite
from pytest_weekops.run.live import Platform, Run
from pytest_weekops.run.opening import open_run
from pytest_weekops.run.partners import partner_case, strangers
from pytest_weekops.run.request import RunRequest
from tests.support.gates import POLICY
from tests.support.synthetic import make_identity, make_plan

pytestmark = pytest.mark.device
PLAN = CampaignPlan(
    kind="weekly",
    platforms=("pocl-system",),
    kernels=("auto",),
    sizes=(256,),
    seeds=(11,),
    snapshots=2,
    looks=(2,),
    sessions=1,
    iterations=30,
    session_ms=1.0,
    pressure=PressurePlan(pulses=0),
    partner=Partner(label="pocl-embedded", role="service", asked="pocl-embedded"),
)


def worker_pid(platform: Platform | None) -> int:
    """The process that a platform measures in."""
    worker: Any = platform.supervisor._worker if platform is not None else None
    return int(worker.pid)


@pytest.fixture(scope="module")
def ended(
    tmp_path_factory: pytest.TempPathFactory, need_platform: Callable[[str], str]
) -> tuple[Run, Conclusion, list[set[int]]]:
    """A run whose partner is killed in its second snapshot, its conclusion, and the workers of each snapshot."""
    need_platform("pocl-embedded")
    launches = resolve_platforms([need_platform("pocl-system")], scratch=tmp_path_factory.mktemp("scratch"))
    directory = tmp_path_factory.mktemp("beside")
    wide = "floors: {min_share_of_baseline_gflops: 0.05, max_share_of_baseline_p95: 90}\n"
    (directory / "policy.yaml").write_text(POLICY + wide, encoding="utf-8")
    request = RunRequest(
        plan=PLAN,
        policy=load_policy(directory / "policy.yaml"),
        launches=tuple(launches),
        partner=resolve_against("pocl-embedded", launches, scratch=directory),
        report_dir=directory / "reports",
        scratch=tmp_path_factory.mktemp("references"),
    )
    pids: list[set[int]] = []
    with open_run(request) as run:
        run.gate("opening", "pocl-system")
        for case in PLAN.all_cases():
            if case.snapshot == 2:
                assert run.partner is not None
                run._measuring._renew(2)
                pids.append({worker_pid(run.platforms["pocl-system"]), worker_pid(run.partner)})
                os.kill(worker_pid(run.partner), signal.SIGKILL)
            run.measure(case)
            if case.snapshot == 1:
                pids.append({worker_pid(run.platforms["pocl-system"]), worker_pid(run.partner)})
        run.gate("closing", "pocl-system")
        end_suite(run)
        return run, conclude(run), pids


def test_launches_alternate_and_stand_in_the_record(ended: tuple[Run, Conclusion, list[set[int]]]) -> None:
    """Whole pairs where both lived, none where the partner died; the driver under test is measured all the same."""
    first, second = (r for r in ended[0].records if isinstance(r, Measurement) and not r.void)
    assert len(partner_pair_logs(first, ended[0].plan)) >= 30
    assert second.status == "ok"
    assert second.turns is not None
    assert second.turns.broken_off.startswith("pocl-embedded: crashed")
    assert not partner_pair_logs(second, ended[0].plan)
    assert ended[0].partner is not None
    assert ended[0].partner.supervisor._restarts == 0, "nobody measures by itself who is not judged"


def test_a_partner_that_died_leaves_no_data_and_no_fault(ended: tuple[Run, Conclusion, list[set[int]]]) -> None:
    """Exit status 11, the table shows the partner beside its cell, and the journal gives the same verdict."""
    _run, conclusion, _pids = ended
    bad = {f.check: f.status for f in conclusion.verdict.findings if f.status != "pass"}
    assert bad["partner_beside"] == "no_data"
    assert "fail" not in bad.values(), bad
    assert conclusion.exit_status == 11
    assert [row["status"] for row in conclusion.verdict.rows if row.get("partner")] == ["beside"]
    verdict, _facts = judged_anew(read_run(conclusion.run_dir))
    assert verdict == conclusion.verdict
    assert "pocl-embedded" in conclusion.document["driver_files"]
    assert list(conclusion.document["identities"]) == ["pocl-system"]


def test_each_snapshot_has_workers_of_its_own(ended: tuple[Run, Conclusion, list[set[int]]]) -> None:
    """A process has a level that it keeps."""
    before, after = ended[2]
    assert not before & after
    assert len(before) == len(after) == 2


def test_a_partner_without_a_launch_is_refused(tmp_path: Path) -> None:
    """And a launch without a place in the plan: nothing would take turns, and nothing say so."""
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    facts: dict[str, Any] = {
        "policy": load_policy(tmp_path / "policy.yaml"),
        "launches": (),
        "report_dir": tmp_path / "reports",
        "scratch": tmp_path,
    }
    with pytest.raises(InputError, match="The plan's partner is pocl-embedded, and the launch of nobody"):
        open_run(RunRequest(plan=PLAN, **facts))


def test_a_driver_of_another_device_is_no_partner() -> None:
    """Beside a slower device every driver is fast."""
    mine, other = make_identity("pocl"), make_identity("old").model_copy(update={"hardware": "a GPU"})
    assert not strangers(make_identity("old"), {"pocl": mine}, must=True)
    assert "says nothing of two drivers" in strangers(other, {"pocl": mine}, must=True)
    assert not strangers(mine, {"pocl": mine, "gpu": other}, must=False)
    assert "pocl is on" in strangers(other, {"pocl": mine}, must=False)


def test_a_reference_launches_one_kernel_in_each_lane() -> None:
    """What T3 chooses there would be no clock; the driver in service has what it would have in service."""
    case = next(iter(make_plan(kernels=("auto_t3_controlled",)).cases(1)))
    roles: list[Any] = ["reference", "service"]
    kernels = [partner_case(case, Partner(label="old", role=role)).kernel for role in roles]
    assert kernels == ["auto", "auto_t3_controlled"]

"""Opening a run: policy, baselines, journal, workers, and every refusal that can be made before measuring."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops import __version__
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.kernel_operation import KernelOperation, SizeNeeds, gemm_needs
from pytest_weekops.core.measurement.modes import T5_KERNEL
from pytest_weekops.core.measurement.schedule import with_gates
from pytest_weekops.core.policy.row_units import misstated_rows
from pytest_weekops.evidence.baselines import load_baseline, pinned_path
from pytest_weekops.evidence.calibrations import calibration_records
from pytest_weekops.evidence.injections import find_injections
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.files.catalog import kernel_operations
from pytest_weekops.files.kernel_sources import hash_kernels, hash_sources
from pytest_weekops.run.capacity import memory_problem, scratch_problem
from pytest_weekops.run.guard_book import GuardBook
from pytest_weekops.run.live import Platform, Run
from pytest_weekops.run.request import RunRequest
from pytest_weekops.run.tuning import compare_with_baselines, put_in_force
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import DescribeRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.units import Unit


def open_run(request: RunRequest) -> Run:
    """Start workers and journal for what was asked. Raises ``InputError`` or ``DeviceError`` with a sentence."""
    plan, policy = _as_measured(request), request.policy
    _refuse(policy.refuses(plan))
    created = datetime.now(UTC)
    journal = Journal(_run_dir(request, created) / "journal.jsonl")
    run = Run(
        plan=plan,
        policy=policy,
        platforms={
            launch.label: Platform(launch.label, PlatformSupervisor(launch, plan.deadlines, request.scratch))
            for launch in request.launches
        },
        host=HostWorker(request.scratch, plan.deadlines),
        journal=journal,
        kernel_dirs=request.kernel_dirs,
        operations=kernel_operations(request.kernel_dirs),
        guards=GuardBook(
            request.report_dir,
            rules=policy.guard,
            bounded_from=policy.guardrails.t5_overhead_from_size,
            run_id=journal.path.parent.name,
        ),
        memory_dir=request.report_dir.resolve() / "selectors",
        say=request.say,
        created_at=created.isoformat(timespec="seconds"),
        command=request.command,
        sources=hash_sources(request.kernel_dirs),
        kernels=hash_kernels(request.kernel_dirs),
    )
    try:
        _start(request, run)
    except BaseException:
        run.close()
        _discard(journal.path)
        raise
    return run


def _as_measured(request: RunRequest) -> CampaignPlan:
    """The plan with its gates, and with what the policy asks of the host's witnesses."""
    update = {"max_run_delay_percent": request.policy.host.max_run_delay_percent, "every_launch": True}
    return with_gates(request.plan).model_copy(update=update)


def _start(request: RunRequest, run: Run) -> None:
    journal = run.journal
    journal.append(
        "run",
        {
            "run_id": journal.path.parent.name,
            "version": __version__,
            "python": sys.version.split()[0],
            "created_at": run.created_at,
            "command": list(run.command),
            "plan": run.plan.model_dump(mode="json"),
            "policy": run.policy.effective(),
            "kernels": dict(run.kernels),
        },
    )
    if run.guards is not None:
        run.guards.states()  # one that cannot be read is refused before anything is measured
    needs = describe_operations(run)
    run.open()
    put_in_force(run, request.tuning)
    if run.plan.kind != "canonical":
        for identity in run.identities.values():
            _refuse(memory_problem(needs, identity))
        free = shutil.disk_usage(request.scratch).free
        _refuse(scratch_problem(needs, len(run.plan.seeds), run.plan.sessions, free))
    if T5_KERNEL in run.plan.kernels:
        for injection in find_injections(request.report_dir, run.identities.values()):
            run.record(injection)
    if run.plan.in_turns:
        records, notes = calibration_records(
            request.calibrations or request.report_dir, run.identities, run.plan, datetime.fromisoformat(run.created_at)
        )
        for calibration in records:
            run.record(calibration)
        run.notes += notes
    if run.plan.kind == "weekly":
        run.baselines = find_baselines(request, run.identities)
        for baseline in run.baselines:
            journal.append("baseline", baseline)
        compare_with_baselines(run)


def describe_operations(run: Run) -> list[SizeNeeds]:
    """What each operation of the run needs per size, asked of the host worker before any driver is started.

    Raises ``InputError`` where a user's operation cannot be used, or where the policy bounds one in the wrong unit.
    """
    canonical = run.plan.kind == "canonical"
    kernels = tuple(run.operations) if canonical else run.plan.kernels
    units: dict[str, Unit] = {}
    asked: dict[KernelOperation, tuple[Unit, tuple[SizeNeeds, ...]]] = {}
    for kernel in kernels:
        operation = run.operation_of(kernel)
        if operation not in asked:
            sizes = tuple(dict.fromkeys(n for _m, n, *_ in operation.gate)) if canonical else run.plan.sizes
            asked[operation] = _describe(run, operation, sizes)
        units[kernel] = asked[operation][0]
    if not canonical:
        _refuse(misstated_rows(run.policy, units))
    return [need for _unit, needs in asked.values() for need in needs]


def _describe(run: Run, operation: KernelOperation, sizes: tuple[int, ...]) -> tuple[Unit, tuple[SizeNeeds, ...]]:
    if operation.is_gemm:
        return "GFLOPS", tuple(map(gemm_needs, sizes))
    request = DescribeRequest(operation=operation.name, operation_file=operation.file, sizes=sizes)
    described = run.host.describe(request)
    return described.unit, described.needs


def find_baselines(request: RunRequest, identities: Mapping[str, DeviceIdentity]) -> tuple[Baseline, ...]:
    """The pinned baselines that speak of these devices: the one named by ``--baseline``, else those pinned here."""
    named = request.baseline
    if named:
        baseline = load_baseline(Path(named))
        if not any(baseline.fits(identity) for identity in identities.values()):
            raise InputError(
                f"--baseline {named} was pinned for {baseline.profile} on {baseline.hardware}. None of the selected "
                "platforms is that device, so it can judge nothing here. Select that platform or pin a new baseline."
            )
        return (baseline,)
    directory = request.report_dir / "baselines"
    paths = [pinned_path(directory, identity.profile, identity.hardware) for identity in identities.values()]
    return tuple(load_baseline(path) for path in paths if path.exists())


def _run_dir(request: RunRequest, created: datetime) -> Path:
    prefix = request.prefix or request.plan.kind
    if "/" in prefix or prefix.startswith(".") or not prefix.isprintable():
        raise InputError(
            f"--report-prefix {prefix!r} is no plain name. It becomes part of a directory's name. "
            "Give letters, digits, dots and dashes; --report-dir sets the place."
        )
    name = f"{prefix}-{created:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    return request.report_dir / name


def _refuse(problem: str) -> None:
    if problem:
        raise InputError(problem)


def _discard(journal: Path) -> None:
    """Take back the empty run directory of a run that never measured anything."""
    journal.unlink(missing_ok=True)
    try:
        journal.parent.rmdir()
    except OSError:
        return

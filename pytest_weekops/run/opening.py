"""Opening a run: policy, baselines, journal, workers, and every refusal that can be made before measuring."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops import __version__
from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.applicability import not_applicable
from pytest_weekops.core.measurement.kernel_operation import KernelOperation, SizeNeeds, gemm_needs
from pytest_weekops.core.measurement.modes import T5_KERNEL
from pytest_weekops.core.measurement.schedule import with_gates
from pytest_weekops.core.policy.row_units import misstated_rows
from pytest_weekops.evidence.calibrations import calibration_records
from pytest_weekops.evidence.injections import find_injections
from pytest_weekops.evidence.journal import RESUME, Journal
from pytest_weekops.files.catalog import kernel_operations
from pytest_weekops.files.kernel_sources import hash_kernels, hash_sources
from pytest_weekops.run.baselines import hold_against
from pytest_weekops.run.capacity import memory_problem, scratch_problem
from pytest_weekops.run.circumstances import circumstances, opened_now
from pytest_weekops.run.conformance import take_evidence
from pytest_weekops.run.earlier import Earlier, read_earlier
from pytest_weekops.run.guard_book import GuardBook
from pytest_weekops.run.in_service import note_in_service
from pytest_weekops.run.live import Platform, Run
from pytest_weekops.run.peaks import take_peaks
from pytest_weekops.run.request import RunRequest
from pytest_weekops.run.resuming import refuse_other_driver, refuse_other_request
from pytest_weekops.run.tuning import compare_with_baselines, put_in_force
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.locking import lock_namespace
from pytest_weekops.worker.protocol import DescribeRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.units import Unit
    from pytest_weekops.worker.process import Launch


def open_run(request: RunRequest) -> Run:
    """Start workers and journal for what was asked. Raises ``InputError`` or ``DeviceError`` with a sentence."""
    plan, policy = _as_measured(request), request.policy
    _refuse(policy.refuses(plan))
    ledger = open_ledger(request.report_dir)
    if ledger.is_shared:  # a server that is away, or a ledger that does not verify, is found before the measuring
        ledger.entries()
    kernels = hash_kernels(request.kernel_dirs)
    earlier = _earlier(request, plan, kernels)
    created = datetime.now(UTC)
    now = created.isoformat(timespec="seconds")
    directory = request.report_dir / earlier.run_id if earlier else _run_dir(request, created)
    journal = Journal(directory / "journal.jsonl")
    run = Run(
        plan=plan,
        policy=policy,
        platforms={launch.label: _platform(request, plan, launch) for launch in request.launches},
        host=HostWorker(request.scratch, plan.deadlines),
        journal=journal,
        kernel_dirs=request.kernel_dirs,
        operations=kernel_operations(request.kernel_dirs),
        kernels=kernels,
        guards=GuardBook(
            request.report_dir,
            rules=policy.guard,
            bounded_from=policy.guardrails.t5_overhead_from_size,
            run_id=journal.path.parent.name,
        ),
        memory_dir=request.report_dir.resolve() / "selectors",
        say=request.say,
        created_at=earlier.stored.created_at if earlier else now,
        command=earlier.stored.command if earlier else request.command,
        earlier=earlier,
        sources=hash_sources(request.kernel_dirs),
        partner=_partner(request, plan),
    )
    try:
        if earlier is None:
            _begin(run)
        else:
            _go_on(run, earlier, request.command, now)
        _start(request, run)
    except BaseException:
        run.close()
        _discard(journal.path)
        raise
    return run


def _partner(request: RunRequest, plan: CampaignPlan) -> Platform | None:
    """Who takes turns with the platforms. Raises ``InputError`` where plan and request do not name the same one."""
    label = plan.partner.label if plan.partner is not None else None
    launch = request.partner
    if label != (launch.label if launch is not None else None):
        raise InputError(
            f"The plan's partner is {label or 'nobody'}, and the launch of {launch.label if launch else 'nobody'} was "
            "given. Without a worker nothing takes turns. Give both, or neither."
        )
    if launch is None:
        return None
    return _platform(request, plan, launch)


def _platform(request: RunRequest, plan: CampaignPlan, launch: Launch) -> Platform:
    """A driver that is not started yet; what it waits for, and each worker that is replaced, is said."""
    supervisor = PlatformSupervisor(launch, plan.deadlines, request.scratch, lambda line: request.say(f"  {line}"))
    return Platform(launch.label, supervisor)


def _earlier(request: RunRequest, plan: CampaignPlan, kernels: Mapping[str, str]) -> Earlier | None:
    """The run that is to be gone on with, None where none is. Raises ``InputError`` where that may not be done."""
    if request.resume is None:
        return None
    if request.prefix:
        raise InputError(
            "--report-prefix names a new run, and --resume goes on with one that has its name. Leave --report-prefix "
            "out."
        )
    earlier = read_earlier(request.resume, request.report_dir)
    refuse_other_request(earlier, plan, request.policy, kernels)
    return earlier


def _begin(run: Run) -> None:
    """Journal what is to be measured, and the opening of the first segment."""
    segment = opened_now(run.journal.path.parent.name, run.created_at)
    run.segments = (segment,)
    run.journal.append(
        "run",
        {
            "run_id": segment.run_id,
            "version": __version__,
            "python": sys.version.split()[0],
            "created_at": run.created_at,
            "command": list(run.command),
            "plan": run.plan.model_dump(mode="json"),
            "policy": run.policy.effective(),
            "kernels": dict(run.kernels),
            "circumstances": circumstances(),
            "segment": segment.model_dump(mode="json"),
        },
    )


def _go_on(run: Run, earlier: Earlier, command: Sequence[str], now: str) -> None:
    """Take over what the earlier run wrote, and journal the opening of a further segment."""
    run.journal.take_over(earlier.lines)
    segment = opened_now(
        earlier.run_id,
        now,
        first_order=earlier.last_order + 1,
        gap_s=round(max(0.0, (parse_time(now) - earlier.last_known).total_seconds()), 3),
        halves=earlier.halves,
    )
    run.segments = (*earlier.stored.segments, segment)
    run.records[:] = earlier.records
    run.journal.append(
        RESUME,
        {
            "run_id": segment.run_id,
            "resumes": earlier.stored.run_id,
            "sha256": earlier.sha256,
            "command": list(command),
            "segment": segment.model_dump(mode="json"),
        },
    )
    cases = set(run.plan.all_cases()) if run.plan.kind != "canonical" else set()
    out = not_applicable(run.plan, earlier.stored.identities)
    left = sum((case.platform, case.kernel) not in out for case in cases - set(earlier.measured))
    run.say(f"weekops: going on with {earlier.stored.run_id}, {left} cases are left to measure")


def _as_measured(request: RunRequest) -> CampaignPlan:
    """The plan with its gates, with what the policy asks of the host's witnesses, and with how the device is held."""
    update: dict[str, Any] = {
        "max_run_delay_percent": request.policy.host.max_run_delay_percent,
        "every_launch": True,
        "lock_namespace": lock_namespace(),
    }
    return with_gates(request.plan).model_copy(update=update)


def _start(request: RunRequest, run: Run) -> None:
    earlier = run.earlier
    if run.guards is not None:
        run.guards.states()  # one that cannot be read is refused before anything is measured
    needs = describe_operations(run)
    run.open()
    run.applicable.tell(run.say)
    tunings = put_in_force(run, request.tuning)
    if earlier is not None:
        refuse_other_driver(earlier, run, tunings)
    if run.plan.kind != "canonical":
        for identity in run.everybody.values():
            _refuse(memory_problem(needs, identity))
        free = shutil.disk_usage(request.scratch).free
        _refuse(scratch_problem(needs, len(run.plan.seeds), run.plan.sessions, free))
    if T5_KERNEL in run.plan.kernels and earlier is None:  # else those of its beginning stay in force
        for injection in find_injections(request.report_dir, run.identities.values()):
            run.record(injection)
    if (run.plan.in_turns or run.partner is not None) and earlier is None:
        records, notes = calibration_records(
            request.calibrations or request.report_dir, run.everybody, run.plan, datetime.fromisoformat(run.created_at)
        )
        for calibration in records:
            run.record(calibration)
        run.notes += notes
    if run.plan.kind != "canonical" and earlier is None:
        take_peaks(run, request.conformance or request.report_dir)
    if run.plan.evidence and earlier is None:
        take_evidence(run, request)
    note_in_service(run, request.report_dir)
    if run.plan.kind == "weekly":
        hold_against(run, request.report_dir, request.baseline)
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

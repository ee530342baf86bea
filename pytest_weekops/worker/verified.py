"""Measurements are verified: the host worker makes the references of the very problem that a request asks for."""

from __future__ import annotations

from pytest_weekops.core.measurement.kernel_operation import ROLLED
from pytest_weekops.core.measurement.records import Case, Measurement
from pytest_weekops.core.measurement.session import OTHER_DATA
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest, ProblemRequest, ReferenceRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor


def with_references(host: HostWorker, request: MeasureRequest) -> MeasureRequest:
    """The request with a reference of its very problem for each session. Raises ``WorkerError`` where none is made.

    Launches of a session take two sets of inputs in turn. The second result of GEMM and triad follows from the
    first one; any other operation has a reference for it.
    """
    problem = request.model_dump(include=set(ProblemRequest.model_fields))
    sessions = list(range(1, request.sessions + 1))
    if request.operation not in ROLLED:
        sessions += [session + OTHER_DATA for session in sessions]
    references = {
        session: str(host.reference(ReferenceRequest(session=session, path="", **problem))) for session in sessions
    }
    return request.model_copy(update={"references": references})


def measure_verified(
    supervisor: PlatformSupervisor, host: HostWorker, request: MeasureRequest, *, retry: bool = True
) -> Measurement:
    """Measure what ``request`` asks for, its references filled in. Raises ``WorkerError`` where one cannot be made.

    Without ``retry`` a crash is not tried again.
    """
    asked = with_references(host, request)
    case = Case(
        platform=supervisor.launch.label,
        kernel=request.kernel,
        size=max(request.m, request.n, request.k),
        seed=request.seed,
        snapshot=1,
    )
    return supervisor.measure(case, asked, retry=retry)

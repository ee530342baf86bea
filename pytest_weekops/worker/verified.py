"""One measurement outside of a campaign, verified: the host worker makes the references of the very problem asked."""

from __future__ import annotations

from pytest_weekops.core.measurement.records import Case, Measurement
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest, ProblemRequest, ReferenceRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor


def measure_verified(
    supervisor: PlatformSupervisor, host: HostWorker, request: MeasureRequest, *, retry: bool = True
) -> Measurement:
    """Measure what ``request`` asks for, its references filled in. Raises ``WorkerError`` where one cannot be made.

    Without ``retry`` a crash is not tried again.
    """
    problem = request.model_dump(include=set(ProblemRequest.model_fields))
    references = {
        session: str(host.reference(ReferenceRequest(session=session, path="", **problem)))
        for session in range(1, request.sessions + 1)
    }
    case = Case(
        platform=supervisor.launch.label,
        kernel=request.kernel,
        size=max(request.m, request.n, request.k),
        seed=request.seed,
        snapshot=1,
    )
    return supervisor.measure(case, request.model_copy(update={"references": references}), retry=retry)

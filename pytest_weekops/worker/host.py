"""The host worker: float64 references and the anchor, in a process without any driver.

It exists so that the pytest process stays small and its memory out of the measurement, and so that a reference never
depends on the driver under test.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_weekops.core.errors import InputError, WorkerError
from pytest_weekops.core.measurement.kernel_operation import ANCHOR_SIZE
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.record import Record
from pytest_weekops.worker.process import Worker
from pytest_weekops.worker.protocol import (
    Anchored,
    AnchorRequest,
    Described,
    DescribeRequest,
    Failed,
    Quanta,
    QuantaRequest,
    Referenced,
    ReferenceRequest,
)

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_TRIES = 2


class HostWorker:
    """References by problem, each computed once per run, what operations say of themselves, and the anchor."""

    def __init__(self, scratch: Path, deadlines: Deadlines) -> None:
        self._scratch = scratch
        self._deadlines = deadlines
        self._worker: Worker | None = None
        self._pacer: Worker | None = None
        self._references: dict[ReferenceRequest, Path] = {}

    def reference(self, request: ReferenceRequest) -> Path:
        """The ``.npy`` file with the float64 result; the request's own ``path`` is ignored. Raises ``WorkerError``."""
        key = request.model_copy(update={"path": ""})
        if key not in self._references:
            path = self._scratch / f"reference-{len(self._references)}.npy"
            reply = self._ask(request.model_copy(update={"path": str(path)}))
            if not isinstance(reply, Referenced):
                raise WorkerError(f"the host worker could not make a reference: {_reason(reply)}")
            self._references[key] = path
        return self._references[key]

    def describe(self, request: DescribeRequest) -> Described:
        """What an operation is at these sizes. Raises ``InputError`` with a sentence where it cannot be used."""
        where = request.operation_file.path if request.operation_file else request.operation
        try:
            reply = self._ask(request)
        except WorkerError as error:
            raise InputError(
                f"Operation {request.operation} ({where}) took down the worker that loaded it: {error}. Nothing of it "
                "could be verified. Correct the file."
            ) from error
        if not isinstance(reply, Described):
            raise InputError(_reason(reply))
        return reply

    def anchor(self, min_ms: float = 120.0, *, size: int = ANCHOR_SIZE) -> float:
        """Median milliseconds of the fixed host SGEMM (size x size). Raises ``WorkerError``."""
        reply = self._ask(AnchorRequest(min_ms=min_ms, size=size))
        if not isinstance(reply, Anchored):
            raise WorkerError(f"the host worker could not time the anchor: {_reason(reply)}")
        return reply.median_ms

    def begin_quanta(self) -> None:
        """Run fixed work quanta beside whatever comes next. Raises ``WorkerError``."""
        self._quanta(run=True)

    def end_quanta(self) -> Quanta:
        """Stop them, and what they took; none where nothing ran. Raises ``WorkerError``."""
        return self._quanta(run=False)

    def _quanta(self, *, run: bool) -> Quanta:
        """Ask the process of the quanta: one whose products take one thread, where the anchor's take all of them."""
        if self._pacer is None:
            self._pacer = self._start("pace", ONE_THREAD)
        try:
            reply = self._pacer.ask(QuantaRequest(run=run))
        except WorkerError:
            self._pacer.kill()
            self._pacer = None
            raise
        if not isinstance(reply, Quanta):
            raise WorkerError(f"the host's pace could not be watched: {_reason(reply)}")
        return reply

    def _start(self, label: str, environment: Mapping[str, str]) -> Worker:
        return Worker(label=label, environment=environment, deadlines=self._deadlines, scratch=self._scratch)

    def _ask(self, request: Record) -> Record:
        for attempt in range(1, _TRIES + 1):
            try:
                if self._worker is None:
                    self._worker = self._start("host", {})
                return self._worker.ask(request)
            except WorkerError:
                self.close()
                if attempt == _TRIES:
                    raise
        raise WorkerError("the host worker was not asked")  # pragma: no cover - the loop returns or raises

    def close(self) -> None:
        """Stop the workers."""
        for worker in (self._worker, self._pacer):
            if worker is not None:
                worker.kill()
        self._worker = self._pacer = None


def _reason(reply: Record) -> str:
    return reply.reason if isinstance(reply, Failed) else f"it answered {type(reply).__name__}"

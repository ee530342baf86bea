"""A cold start: a driver opened in a process of its own and ended again, for drivers that fail one time in fifty."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_weekops.core.errors import WorkerError, last_words
from pytest_weekops.core.measurement.driver_change import identity_changes, listed
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.worker.process import Launch, Worker
from pytest_weekops.worker.protocol import Failed, Opened


def cold_start(launch: Launch, deadlines: Deadlines, scratch: Path, expected: DeviceIdentity | None) -> str:
    """Why the driver did not open, was another one than ``expected``, or did not end well; empty where all is well."""
    worker: Worker | None = None
    try:
        worker = Worker(
            label=launch.label,
            environment=launch.environment,
            deadlines=deadlines,
            scratch=scratch,
            command=launch.command,
        )
        reply = worker.ask(launch.open)
        if not isinstance(reply, Opened):
            return reply.reason if isinstance(reply, Failed) else f"{launch.label} answered open with {reply.type}"
        changes = identity_changes(expected, reply.identity.model_copy(update={"profile": launch.label}))
        worker.close()
        return f"another driver answered: {listed(changes)}" if changes else ""
    except WorkerError as error:
        return last_words(error)
    finally:
        if worker is not None:
            worker.kill()
            shutil.rmtree(worker.home, ignore_errors=True)

"""Whether a driver works: opened and smoked once, in a worker that is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import DeviceBusy, InputError, WeekopsError
from pytest_weekops.core.measurement.advice import advise
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import SmokeRequest, SmokeStep
from pytest_weekops.worker.supervisor import PlatformSupervisor

_LEAVE_OUT = "Leave this driver out, or try another version of it; the others are not affected."

_LATER = "Wait until the other gate has ended."


@dataclass(frozen=True)
class Probe:
    """Who answered, what it did, and, where it did not answer at all, the ``refusal`` with what to do about it.

    ``busy``: another gate measures on the device, and nothing can be said of the driver.
    """

    identity: DeviceIdentity | None = None
    steps: tuple[SmokeStep, ...] = ()
    refusal: str = ""
    advice: tuple[str, ...] = ()
    busy: bool = False

    @property
    def failed(self) -> SmokeStep | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.status == "failed"), None)

    @property
    def works(self) -> bool:
        """It compiled, launched and answered right."""
        return bool(self.steps) and not self.refusal and self.failed is None


def probe(
    launch: Launch, scratch: Path, say: Callable[[str], None] | None = None, *, lock_wait_s: float | None = None
) -> Probe:
    """Open and smoke a platform; a driver that refuses, crashes or hangs is an answer, never an exception.

    ``say`` is told where another gate has the device, and how long it is waited for: ``lock_wait_s``, or what the
    environment says. Raises ``InputError`` where the user's settings are to blame.
    """
    supervisor = PlatformSupervisor(launch, Deadlines(), scratch, say, lock_wait_s=lock_wait_s)
    identity: DeviceIdentity | None = None
    try:
        identity = supervisor.start()
        steps = supervisor.smoke(SmokeRequest(kernel_dirs=(str(data_dir("kernels")),))).steps
    except InputError:
        raise
    except DeviceBusy as error:
        return Probe(identity=identity, refusal=str(error), advice=(_LATER,), busy=True)
    except WeekopsError as error:
        return Probe(identity=identity, refusal=str(error), advice=(advise(str(error), _LEAVE_OUT),))
    finally:
        supervisor.close()
    return Probe(identity, steps, advice=tuple(dict.fromkeys(s.recommendation for s in steps if s.recommendation)))

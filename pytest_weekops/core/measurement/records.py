"""The records of a campaign: what was asked for, what a driver is, what was measured.

Every record is a frozen pydantic model, because each crosses a boundary: a worker's pipe, the journal, an artifact.
Non-finite numbers are legal values (a driver may answer NaN) and travel as the strings ``NaN`` and ``Infinity``,
so that every artifact is strict JSON.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.lane_records import GuardEvidence, SelectorEvidence
from pytest_weekops.core.record import Record
from pytest_weekops.core.units import Unit


class MeasurementStatus(StrEnum):
    """How a measurement ended. Only ``ok`` carries times that count."""

    OK = "ok"  #: measured, and every result is right
    WRONG = "wrong"  #: a result is not within its error bound
    BUILD_FAILED = "build_failed"  #: the driver's compiler refused the kernel
    LAUNCH_FAILED = "launch_failed"  #: the driver refused a buffer or a launch
    CRASHED = "crashed"  #: the worker's process ended by itself
    HUNG = "hung"  #: the worker stayed in one phase past its deadline, and was killed
    LOST = "lost"  #: nothing can be measured on this platform any more
    SKIPPED = "skipped"  #: not tried: the platform's opening gate failed
    UNVERIFIABLE = "unverifiable"  #: not tried: the host could not make what its result is held against


UNTRIED = (MeasurementStatus.SKIPPED, MeasurementStatus.UNVERIFIABLE)  # they say nothing of the driver


class Phase(StrEnum):
    """What a worker is doing; named by the worker before it enters it, timed by the controller."""

    IMPORT = "import"
    ENUMERATE = "enumerate"
    CONTEXT = "context"
    BUILD = "build"
    UPLOAD = "upload"
    WARM_UP = "warm-up"
    LAUNCH = "launch"
    READ_BACK = "read-back"
    VERIFY = "verify"
    SEND = "send"
    CLOSE = "close"
    IDLE = "idle"


class Case(Record):
    """Kernel mode x size x seed x platform in one snapshot: one pytest item, one measurement."""

    platform: str
    kernel: str
    size: int = Field(gt=0)
    seed: int
    snapshot: int = Field(ge=1)

    @property
    def id(self) -> str:
        """Readable pytest id, e.g. ``rusticl-auto-2048-seed11-s3``."""
        return f"{self.platform}-{self.kernel}-{self.size}-seed{self.seed}-s{self.snapshot}"

    @property
    def row(self) -> str:
        """The policy row this case feeds: ``kernel:size``."""
        return f"{self.kernel}:{self.size}"


class HostKernel(Record):
    """What lies below a driver: the kernel's release, its drivers for the device, and firmware.

    ``drivers`` holds the version of each kernel driver (of a GPU), empty where a module tells none; ``firmware`` what
    is told of a GPU's, of a CPU its microcode. Both are empty where nothing was told.
    """

    release: str
    drivers: dict[str, str] = Field(default_factory=dict)
    firmware: dict[str, str] = Field(default_factory=dict)


class DeviceIdentity(Record):
    """Which driver answered. A version string alone does not identify a driver; its files' hashes do.

    ``library`` is the file that the ICD loader opened, and ``library_path`` where it lies; ``answered_by`` is another
    file behind it whose code answers, where there is one. All other files are in the run's :class:`DriverListing`.
    ``kernel`` is absent in records of versions that did not look at it.
    ``environment`` holds the variables that change this driver's behaviour, ``quirks`` the known defects seen.
    ``capabilities`` are those of OpenCL's optional features that it has and a shipped kernel may need.
    Memory is in bytes. ``native_vector_floats`` is the device's own vector width, 0 where unknown. ``hardware`` names
    the silicon without the driver (CPU model x cores, or the GPU's name). ``pci_address`` is where a GPU sits
    (``0000:41:00.0``), empty where the driver does not tell or the device is no GPU.
    """

    profile: str
    platform_name: str
    platform_vendor: str
    platform_version: str
    device_name: str
    device_vendor: str
    device_type: str
    driver_version: str
    device_version: str
    library: str
    library_sha256: str
    icd: str
    hardware: str
    host: str
    environment: dict[str, str] = Field(default_factory=dict)
    compute_units: int
    max_work_group_size: int
    local_mem_bytes: int
    global_mem_bytes: int
    max_alloc_bytes: int
    has_fp64: bool = False
    native_vector_floats: int = 0
    quirks: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    pci_address: str = ""
    pyopencl_version: str = ""
    library_path: str = ""
    answered_by: str = ""
    kernel: HostKernel | None = None

    @property
    def is_cpu(self) -> bool:
        """Whether the device is the host's CPU."""
        return self.device_type == "cpu"


class SessionSamples(Record):
    """One session of a case: the raw launches on one set of data, and whether its result was right.

    ``wall_ns`` are host ``perf_counter_ns`` intervals around enqueue and wait, in the order they were taken;
    ``device_ns`` are ``end - start`` of the event, same order, or None where the driver has no usable events.
    ``start_ns`` are host monotonic time stamps of each launch (for order and gaps). ``cpu_ns`` is the CPU time of all
    of the worker's threads during each launch, ``delay_ns`` their run delay (ready to run, and no CPU to run on), both
    summed over threads; None where the host does not tell.
    ``max_abs_error`` is max |C - C_ref| over all elements of the launches that were ``compared`` with the float64
    reference (numbers of timed launches, from 1: one drawn, and the last). ``looked_at`` counts the launches, warm-up
    included, whose result was looked at, ``same_bits`` those that left the very bits of one that was compared.
    ``outside`` says what was written beside a buffer.
    ``k_scaled_error`` is the same in the operation's error unit: for GEMM ``u * k * scale(A) * scale(B)``, u = 2**-24.
    """

    session: int = Field(ge=1)
    warmup_ns: tuple[int, ...] = ()
    wall_ns: tuple[int, ...]
    device_ns: tuple[int, ...] | None = None
    start_ns: tuple[int, ...] = ()
    cpu_ns: tuple[int, ...] | None = None
    delay_ns: tuple[int, ...] | None = None
    verified: bool
    max_abs_error: float
    k_scaled_error: float
    error_scale: float = 1.0
    nonfinite: int = 0
    compared: tuple[int, ...] = ()
    looked_at: int = 0
    same_bits: int = 0
    outside: str = ""


class TimerTrust(Record):
    """Whether the device timer proved itself on this measurement, and why not where it did not."""

    trusted: bool
    reason: str


class PartnerRecord(Record):
    """Who takes turns with the drivers under test over a whole run, and is never judged.

    ``role`` is why: the driver in service, against which speed is judged, or the reference driver, a clock. ``aside``
    is why a reference driver took no turns after all; empty where it did.
    """

    type: Literal["partner"] = "partner"
    label: str
    role: Literal["service", "reference"]
    identity: DeviceIdentity
    aside: str = ""


class PartnerSamples(Record):
    """A partner's launches beside those of a measurement: the same kernel on the same data, never judged.

    ``library_sha256`` is the hash of the driver's library, ``variant`` what was launched.
    """

    platform: str
    library_sha256: str
    driver_version: str
    variant: str
    kernel_sha256: str = ""
    sessions: tuple[SessionSamples, ...] = ()


class Turns(Record):
    """How a measurement took turns with its partner: launch by launch, never at the same time.

    ``order`` has a string per session, of one letter per turn: ``A`` the baseline's or the reference's, ``B`` the
    candidate's or that of the driver under test; ``letter`` is this measurement's own. A turn is ``launches`` launches.
    The partner is another case of the run (``with_platform``), or else ``partner``.
    """

    letter: Literal["A", "B"]
    order: tuple[str, ...]
    launches: int = Field(default=1, ge=1)
    with_platform: str = ""
    partner: PartnerSamples | None = None
    broken_off: str = ""


class Measurement(Record):
    """The answer to one case: every raw sample, or the error that stood in its place.

    ``flops`` and ``bytes_moved`` are those of one launch; ``unit`` is what the operation is judged in. ``changed`` says
    which source is no longer what it was when the run began; ``driver_files`` is the digest of the driver's listing
    that was true when it ended. ``waited_s`` are the seconds that its sessions waited while other programs ran.
    """

    type: Literal["measurement"] = "measurement"
    case: Case
    status: MeasurementStatus
    reason: str = ""
    phase: Phase | None = None
    signal: str | None = None
    stderr_tail: str = ""
    variant: str = ""
    operation: str = "gemm"
    unit: Unit = "GFLOPS"
    flops: float = 0.0
    bytes_moved: float = 0.0
    identity: DeviceIdentity | None = None
    kernel_sha256: str = ""
    build_options: tuple[str, ...] = ()
    sessions: tuple[SessionSamples, ...] = ()
    timer: TimerTrust | None = None
    guard: GuardEvidence | None = None
    selector: SelectorEvidence | None = None
    host: HostCondition = HostCondition()
    turns: Turns | None = None
    changed: str = ""
    pressure_completed: int = 0
    phase_s: dict[str, float] = Field(default_factory=dict)
    attempt: int = 1
    flaky: bool = False
    void: bool = False
    void_reason: str = ""
    order: int = 0
    started_at: str = ""
    elapsed_s: float = 0.0
    waited_s: float = 0.0
    driver_files: str = ""

    @property
    def on_cpu(self) -> bool:
        """Whether the device is the host's CPU, whose speed is then its own; also where nothing is known of it."""
        return self.identity is None or self.identity.is_cpu


class PressureRecord(Record):
    """The pressure pulses of one snapshot (or seed) on one platform: asked for, done, failed."""

    type: Literal["pressure"] = "pressure"
    platform: str
    snapshot: int | None = None
    seed: int | None = None
    requested: int
    completed: int
    failures: int
    errors: tuple[str, ...] = ()


class GateFault(Record):
    """How a kernel failed at one shape (``5x3x1``: rows, columns, and the length of a sum) in a gate.

    ``besides`` is what else was wrong, such as a write outside of a buffer: no expectation speaks of that.
    """

    kernel: str
    shape: str
    kind: MeasurementStatus
    phase: Phase | None = None
    besides: str = ""


class GateRecord(Record):
    """One gate item: what was checked on which platform, with what result.

    ``opening``, ``closing``, ``canonical`` and ``smoke`` speak of a platform. ``check`` is a user's own check and
    ``suite`` the other tests of the same pytest run; both may leave ``platform`` empty. Any failed gate blocks.
    ``undone`` says why a gate could not be held at all, and what helps: then there are no data, and it has not passed.
    ``asked`` counts the problems that were asked for, by ``kernel@shape``, and ``faults`` are those that failed, where
    each failure was one of them; otherwise both are empty. ``left_out`` has the kernels that were not asked, since they
    are not applicable on that device, each with the reason.
    """

    type: Literal["gate"] = "gate"
    gate: str
    stage: Literal["opening", "closing", "canonical", "smoke", "check", "suite"]
    platform: str = ""
    passed: bool
    reason: str = ""
    undone: str = ""
    asked: dict[str, int] = Field(default_factory=dict)
    faults: tuple[GateFault, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        """What a plan's ``gates`` lists: ``stage/gate/platform``."""
        return f"{self.stage}/{self.gate}/{self.platform}"


class LookRecord(Record):
    """A look at the run after so many snapshots: what was open then, and whether measuring ended there.

    ``open`` names what no answer was certain about, ``voids`` counts the measurements that were void so far. A record
    that ends the run makes the snapshots after it not asked for; it decides nothing.
    """

    type: Literal["look"] = "look"
    snapshots: int = Field(ge=2)
    ends: bool
    open: tuple[str, ...] = ()
    voids: int = 0

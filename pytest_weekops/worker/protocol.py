"""The protocol between controller and worker: versioned, typed messages in length-prefixed frames.

A frame is ``MAGIC`` (4 bytes), the payload length (4 bytes, big endian), the payload's CRC-32 (4 bytes), then the
payload: one UTF-8 JSON object with a ``type``. The worker speaks on a pipe of its own, never on stdout, so that a
driver that prints cannot corrupt it. The first message of a worker is ``hello``; every request gets any number of
``phase`` messages and then exactly one reply; a worker is done only after ``goodbye`` *and* exit status 0.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from pytest_weekops.core.guard.coverage import CostRule
from pytest_weekops.core.guard.injection import Injection
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.kernel_operation import OperationFile, SizeNeeds
from pytest_weekops.core.measurement.lane_records import GuardEvidence, SelectorEvidence
from pytest_weekops.core.measurement.records import DeviceIdentity, MeasurementStatus, Phase, SessionSamples, TimerTrust
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.core.record import Record
from pytest_weekops.core.selection.tuning import ArmPrior, TunedVariant
from pytest_weekops.core.units import Unit
from pytest_weekops.worker.peak_messages import Peaked, PeakRequest
from pytest_weekops.worker.seen_files import SeenFile

PROTOCOL_VERSION = 1
MAGIC = b"WKO1"
MAX_PAYLOAD_BYTES = 64 * 1024 * 1024


class OpenRequest(Record):
    """Enumerate, pick the device, make the context and queue, report the identity."""

    type: Literal["open"] = "open"
    profile: str
    platform_name: str | None = None  # regular expressions, matched with re.search, case-insensitive
    platform_vendor: str | None = None
    platform_version: str | None = None
    device_pattern: str | None = None
    device_types: tuple[str, ...] = ()
    icd: str = ""
    expected: tuple[str, ...] = ()  # files that the name in the ICD stands for on this system, where that is known
    environment: dict[str, str] = Field(default_factory=dict)


GuardRequest = GuardSettings  # what a request asks for is what a campaign's record says


class SelectorRequest(Record):
    """How a T3 case chooses its variant: the rules, the memory's file, and two draws in [0, 1) for exploration.

    ``priors`` are what a tuning knows of the variants: the order in which they are tried.
    """

    rules: SelectorRules = SelectorRules()
    memory: str = ""
    draw: float = 1.0
    pick: float = 0.0
    priors: tuple[ArmPrior, ...] = ()


class ProblemRequest(Record):
    """One problem: with the session, all that inputs and the float64 result are made from."""

    operation: str = "gemm"
    operation_file: OperationFile | None = None
    m: int
    n: int
    k: int
    seed: int
    alpha: float = 1.0
    beta: float = 0.0


class MeasureRequest(ProblemRequest):
    """One case: build if needed, warm up, then ``sessions`` x ``iterations`` timed launches, each session verified.

    ``references`` maps session number to a ``.npy`` file with the float64 result (shape m x n); inputs are generated
    from (seed, session, shape) by ``core.problem`` so that every worker has the same bytes. A session whose launches
    fill less than ``least_session_ms`` goes on, up to 200 launches: eight launches of 0.2 ms are no sample of anything.
    ``guard_draw`` (the snapshot) lets a guard draw other lines and launches where seed and launch are the same;
    ``guard_cost`` lets T5's check fewer launches where each check costs more.
    ``tuned`` are the build parameters in force instead of the shipped ones; a variant that is not named keeps those.
    A session goes on, up to three times its launches, until enough had at most ``max_run_delay_percent`` of run delay;
    while none has, all sessions together wait for ``max_wait_s`` at most.
    ``sources`` are hashes of the kernels' files by path; where one differs, the request is refused.
    With ``in_turns`` each session waits after its warm-up (:class:`Ready`) for :class:`TurnRequest` after another.
    """

    type: Literal["measure"] = "measure"
    kernel: str
    sessions: int
    iterations: int
    least_session_ms: float = 0.0
    warmup_min: int = 5
    warmup_max: int = 20
    references: dict[int, str] = Field(default_factory=dict)
    pressure_during: int = 0
    pressure_size: int = 896
    kernel_dirs: tuple[str, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)
    max_abs_error: float | None = None
    k_scaled_bound: float | None = None
    guard: GuardRequest | None = None
    guard_draw: int = Field(default=0, ge=0)
    guard_cost: CostRule | None = None
    selector: SelectorRequest | None = None
    tuned: tuple[TunedVariant, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)
    max_run_delay_percent: float | None = None
    max_wait_s: float = Field(default=0.0, ge=0)
    in_turns: bool = False


class TurnRequest(Record):
    """The next turn of a session that waits: so many timed launches. The ``last`` turn's last result is verified.

    A last turn without launches ends the session with those that it has.
    """

    type: Literal["turn"] = "turn"
    launches: int = Field(default=1, ge=0)
    last: bool = False


class PressureRequest(Record):
    """Pressure pulses: ``pulses`` bursts of ``iterations`` GEMM launches of ``size`` on the device's queue."""

    type: Literal["pressure"] = "pressure"
    pulses: int
    iterations: int
    size: int
    kernel_dirs: tuple[str, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)


class InjectRequest(Record):
    """The guard's fault campaign at one size: flips per bit, other faults of each kind, launches without a fault.

    ``control`` breaks the guard on purpose; a campaign that does not fail then proves nothing.
    """

    type: Literal["inject"] = "inject"
    kernel: str = "auto_t5_guarded"
    size: int = Field(gt=0)
    seed: int = 11
    flips_per_bit: int = Field(default=200, ge=0)
    faults: int = Field(default=20, ge=0)
    clean_launches: int = Field(default=300, ge=0)
    guard: GuardRequest = GuardRequest()
    control: Literal["", "infinite-threshold", "idle-check"] = ""
    kernel_dirs: tuple[str, ...] = ()
    tuned: tuple[TunedVariant, ...] = ()


class SmokeRequest(Record):
    """The driver smoke: compile, run, verify, timer trust, memory and work-group limits, known quirks."""

    type: Literal["smoke"] = "smoke"
    kernel_dirs: tuple[str, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)


class ReferenceRequest(ProblemRequest):
    """Host worker only: the float64 reference for one problem and session, written as ``.npy`` to ``path``."""

    type: Literal["reference"] = "reference"
    session: int
    path: str


class DescribeRequest(Record):
    """Host worker only: load an operation that is no GEMM and say what it is at these sizes."""

    type: Literal["describe"] = "describe"
    operation: str
    operation_file: OperationFile | None = None
    sizes: tuple[int, ...] = Field(min_length=1)


class AnchorRequest(Record):
    """Host worker only: time a fixed SGEMM for at least ``min_ms``; answers the median milliseconds per call."""

    type: Literal["anchor"] = "anchor"
    min_ms: float = 120.0
    size: int = 768


class QuantaRequest(Record):
    """Host worker only: run fixed work quanta from now on, or stop and answer those that ran."""

    type: Literal["quanta"] = "quanta"
    run: bool


class CloseRequest(Record):
    """Release everything and exit 0."""

    type: Literal["close"] = "close"


class Hello(Record):
    """First message of a worker."""

    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL_VERSION
    pid: int


class PhaseNotice(Record):
    """The worker is about to enter this phase; the controller restarts its deadline."""

    type: Literal["phase"] = "phase"
    phase: Phase


class Opened(Record):
    """Reply to ``open``: who answered, and which files of the driver were there then."""

    type: Literal["opened"] = "opened"
    identity: DeviceIdentity
    seen: tuple[SeenFile, ...] = ()


class Ready(Record):
    """Reply to ``measure`` in turns, and to a session's last turn where another session follows.

    Data are uploaded, the kernel is warm, a launch takes about ``usual_ns``; ``planned`` launches fill the session.
    """

    type: Literal["ready"] = "ready"
    session: int
    usual_ns: float
    planned: int


class Turned(Record):
    """Reply to ``turn``: wall time of each launch, run delay where the host tells; a ``problem`` ends the session."""

    type: Literal["turned"] = "turned"
    wall_ns: tuple[int, ...]
    delay_ns: tuple[int, ...] | None = None
    problem: str = ""


class Measured(Record):
    """Reply to ``measure``: samples, or a status with its reason (a build log, an OpenCL error, the worst element)."""

    type: Literal["measured"] = "measured"
    status: MeasurementStatus
    reason: str = ""
    phase: Phase | None = None
    variant: str = ""
    unit: Unit = "GFLOPS"
    flops: float = 0.0
    bytes_moved: float = 0.0
    kernel_sha256: str = ""
    build_options: tuple[str, ...] = ()
    sessions: tuple[SessionSamples, ...] = ()
    timer: TimerTrust | None = None
    guard: GuardEvidence | None = None
    selector: SelectorEvidence | None = None
    pressure_completed: int = 0
    waited_s: float = 0.0
    phase_s: dict[str, float] = Field(default_factory=dict)
    seen: tuple[SeenFile, ...] = ()
    retire: bool = False


class Pressed(Record):
    """Reply to ``pressure``."""

    type: Literal["pressed"] = "pressed"
    completed: int
    failures: int
    errors: tuple[str, ...] = ()


class Injected(Injection):
    """Reply to ``inject``."""

    type: Literal["injected"] = "injected"


class SmokeStep(Record):
    """One step of the driver smoke: what was tried, whether it held, and a recommendation in words where it did not."""

    name: str
    status: Literal["ok", "warning", "failed"]
    detail: str
    recommendation: str = ""


class Smoked(Record):
    """Reply to ``smoke``; ``seen`` are the driver's files by then, its compiler's among them."""

    type: Literal["smoked"] = "smoked"
    steps: tuple[SmokeStep, ...]
    seen: tuple[SeenFile, ...] = ()


class Referenced(Record):
    """Reply to ``reference``."""

    type: Literal["referenced"] = "referenced"
    path: str
    sha256: str = ""


class Described(Record):
    """Reply to ``describe``: the unit the operation is judged in, and what each size needs."""

    type: Literal["described"] = "described"
    unit: Unit
    needs: tuple[SizeNeeds, ...]


class Anchored(Record):
    """Reply to ``anchor``."""

    type: Literal["anchored"] = "anchored"
    median_ms: float
    calls: int


class Quanta(Record):
    """Reply to ``quanta``: when each quantum began (``perf_counter_ns``) and the CPU time that it took."""

    type: Literal["quanta_ran"] = "quanta_ran"
    start_ns: tuple[int, ...] = ()
    cpu_ns: tuple[int, ...] = ()


class Failed(Record):
    """A request failed with an exception the worker survived; ``retire`` asks for a fresh process.

    ``changed`` says which source is no longer what it was when the run began.
    """

    type: Literal["failed"] = "failed"
    status: MeasurementStatus
    phase: Phase
    reason: str
    retire: bool = False
    changed: str = ""


class Goodbye(Record):
    """Last message before exit status 0."""

    type: Literal["goodbye"] = "goodbye"


Request = Annotated[
    OpenRequest
    | MeasureRequest
    | TurnRequest
    | PressureRequest
    | InjectRequest
    | PeakRequest
    | SmokeRequest
    | ReferenceRequest
    | DescribeRequest
    | AnchorRequest
    | QuantaRequest
    | CloseRequest,
    Field(discriminator="type"),
]
Reply = (
    Opened
    | Ready
    | Turned
    | Measured
    | Pressed
    | Injected
    | Peaked
    | Smoked
    | Referenced
    | Described
    | Anchored
    | Quanta
    | Failed
    | Goodbye
)
Message = Annotated[Hello | PhaseNotice | Reply, Field(discriminator="type")]

REQUESTS: TypeAdapter[Request] = TypeAdapter(Request)
MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)

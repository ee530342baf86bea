"""Which operation a kernel mode computes, as the controller knows it: a name, and the file of a user's own."""

from __future__ import annotations

from pytest_weekops.core.record import Record
from pytest_weekops.core.units import LEVEL0, LEVEL1

# m, n, k, alpha, beta. GEMM: one element, less than any tile, primes, and every remainder at once.
_GEMM_GATE = ((1, 1, 1, 1.0, 0.0), (7, 5, 3, 1.0, 0.0), (61, 67, 71, 1.5, -0.5), (129, 130, 131, 1.0, 0.0))
# An operation of one size: one element, primes, and the neighbours of a power of two.
_EDGES = ((1, 1.0), (3, -0.5), (17, 3.0), (61, 1.5), (127, 3.0), (131, -2.0))
_BARE_EDGES = (1, 61, 131)  # the same of a workload, which takes no scalar and whose kernels take long to build
_TRIAD_SCALAR = 3.0  # STREAM's
SPARE_EDGE = 256  # GEMM's buffers are padded to a multiple of this at most, and the memory check reckons with it
PROBE_SIZE = 480  # a launch of this size is timed per operation, to say how long a run will take
MOST_ZONE_BYTES = 2**20  # of the red zone before a buffer, and of the one behind it
ANCHOR_SIZE = 768  # of the fixed host SGEMM that tells how fast the host is

ROLLED = ("gemm", "triad")  # where inputs are rolled by a row and a column, so is the result: one reference serves two

Problem = tuple[int, int, int, float, float]


class OperationFile(Record):
    """A user's Python file: its path, and the SHA-256 it had when the run began. Workers refuse another content."""

    path: str
    sha256: str


class KernelOperation(Record):
    """The operation of a kernel mode. All but GEMM have one size: the edge ``n``."""

    name: str = "gemm"
    file: OperationFile | None = None

    @property
    def is_gemm(self) -> bool:
        """Whether the GEMM-scaled absolute error bound, T3 and T5 speak of it."""
        return self.name == "gemm"

    @property
    def is_workload(self) -> bool:
        """Whether it is a shipped one of levels 0 and 1, whose launches take no scalar."""
        return self.file is None and (self.name in LEVEL1 or self.name in LEVEL0)

    @property
    def alpha(self) -> float:
        """The scalar of a campaign's launches: alpha of GEMM, s of triad."""
        return _TRIAD_SCALAR if self.name == "triad" else 1.0

    @property
    def gate(self) -> tuple[Problem, ...]:
        """Problems of the opening and closing gate: m, n, k, alpha, beta."""
        if self.is_workload:
            return tuple((n, n, n, 1.0, 0.0) for n in _BARE_EDGES)
        return _GEMM_GATE if self.is_gemm else tuple((n, n, n, alpha, 0.0) for n, alpha in _EDGES)

    def nominal_s(self, size: int) -> float:
        """Seconds of a launch on no machine in particular; only ratios of it are used, to say how long a run takes."""
        return 2.0 * size**3 / 1e11 if self.is_gemm else 12.0 * size**2 / 5e9


class SizeNeeds(Record):
    """What one size of an operation needs, in bytes: its largest buffer, all of them, and its float64 reference."""

    size: int
    largest: int
    total: int
    reference: int


def gemm_needs(size: int) -> SizeNeeds:
    """A and B twice, C and the packed copies of A and B, float32, padded, each between red zones."""
    edge = (size + SPARE_EDGE - 1) // SPARE_EDGE * SPARE_EDGE
    zones = 2 * MOST_ZONE_BYTES
    return SizeNeeds(
        size=size,
        largest=4 * size * size + zones,
        total=7 * (4 * edge * edge + zones),
        reference=8 * size * size,
    )

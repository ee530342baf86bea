"""What Oclgrind says of a launch, read from its words: invalid accesses, races, and values that were never written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pytest_weekops.core.measurement.kernel_operation import KernelOperation, OperationFile, Problem
from pytest_weekops.core.record import Record
from pytest_weekops.core.units import IMAGE, LEVEL0, MATH, QUEUE, STRICT_MATH, WIDE_VECTORS

# Small: a simulated launch takes ten thousand times as long. No shape fits a tile of any variant.
SHAPES: tuple[Problem, ...] = (
    (1, 1, 1, 1.0, 0.0),
    (5, 3, 1, 1.0, 0.0),
    (19, 23, 17, 1.5, -0.5),
    (41, 37, 29, 1.0, 0.0),
)
EDGES: tuple[Problem, ...] = tuple((n, n, n, 1.5, 0.0) for n in (1, 17, 37))

# The kernels that check others, as CPU drivers get them and as GPUs do, at shapes below a load and beyond a whole one.
CHECK = "check"
CHECK_OPTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "abft_check": (
        ("-DITEMS=1", "-DROWS=8", "-DVW=1"),
        ("-DITEMS=1", "-DROWS=8", "-DVW=16"),
        ("-DITEMS=8", "-DROWS=3", "-DVW=4"),
    ),
    "abft_sample": (("-DITEMS=1",), ("-DITEMS=8",)),
    "abft_words": (("-DITEMS=1", "-DROWS=8", "-DVW=1"), ("-DITEMS=8", "-DROWS=3", "-DVW=4")),
    "abft_sums": (("-DITEMS=1", "-DROWS=8", "-DVW=1"), ("-DITEMS=8", "-DROWS=3", "-DVW=4")),
    "abft_order": (("-DITEMS=1", "-DROWS=8"), ("-DITEMS=8", "-DROWS=3")),
    "digest": (("-DITEMS=1", "-DROWS=1"), ("-DITEMS=8", "-DROWS=3")),
}
CHECK_SHAPES: tuple[tuple[int, int], ...] = ((1, 1), (5, 3), (11, 37), (3, 141))

GATE = "microscope"
LAUNCH_MARK = "== weekops launch "  # begins the line before what is said of a launch
DONE_MARK = "== weekops done"
FAILED_MARK = "== weekops failed "
# The first words of each kind of message, and what it is called in a verdict.
_KINDS: tuple[tuple[str, str], ...] = (
    (r"Invalid (read|write)|.*(out of bounds|invalid address)", "invalid access"),
    (r".*data race", "data race"),
    (r"Uninitialized value|.*depends on uninitialized", "uninitialised value"),
    (r"Wrong result", "wrong result"),
    (r"(Work-group|Work-item) divergence|.*divergence", "work-items that part ways at a barrier"),
)
_BLIND = re.compile(r"OCLGRIND FATAL ERROR \(\S*Uninitialized\.cpp")
_PLACE = re.compile(r"\tAt line (\d+) (?:\(column \d+\) )?of (\S+?):?\s*$")
_KERNEL = re.compile(r"\tKernel: (.+)")


class CloseLook(Record):
    """One launch that is looked at: a variant of the catalogues in these directories, at a small odd shape.

    With the operation :data:`CHECK` it is a shipped kernel that checks others, built with ``options``, on m x n.
    """

    variant: str
    kernel_dirs: tuple[str, ...]
    operation: str = "gemm"
    operation_file: OperationFile | None = None
    options: tuple[str, ...] = ()
    m: int
    n: int
    k: int
    alpha: float = 1.0
    beta: float = 0.0

    @property
    def name(self) -> str:
        """For people: ``tile20 at 19 x 23 x 17``, or ``triad at 17``."""
        if self.operation == CHECK:
            built = " ".join(option.removeprefix("-D") for option in self.options)
            return f"{self.variant} {built} at {self.m} x {self.n}"
        edges = f"{self.m} x {self.n} x {self.k}" if self.operation == "gemm" else str(self.n)
        return f"{self.variant} at {edges}"


_UNSEEN = (*MATH, STRICT_MATH, *QUEUE, *IMAGE, WIDE_VECTORS, *LEVEL0)


def close_looks(operations: Mapping[str, KernelOperation], kernel_dirs: tuple[str, ...]) -> tuple[CloseLook, ...]:
    """The launches that look at each variant: one element, less than a tile, and a remainder in each direction.

    Not at built-in functions, which the simulator takes from the host, nor at host calls; nor at level 0, whose loops
    it would follow for minutes; nor at vectors of 64 bytes, of whose halves it says that nobody wrote them.
    """
    return tuple(
        CloseLook(
            variant=variant,
            kernel_dirs=kernel_dirs,
            operation=operation.name,
            operation_file=operation.file,
            m=m,
            n=n,
            k=k,
            alpha=alpha,
            beta=beta if operation.is_gemm else 0.0,
        )
        for variant, operation in operations.items()
        if operation.file is not None or operation.name not in _UNSEEN
        for m, n, k, alpha, beta in (SHAPES if operation.is_gemm else EDGES)
    )


def check_looks() -> tuple[CloseLook, ...]:
    """The launches that look at the kernels which check others: the guards', and the digest behind each launch."""
    return tuple(
        CloseLook(variant=kernel, kernel_dirs=(), operation=CHECK, options=options, m=m, n=n, k=1)
        for kernel, builds in CHECK_OPTIONS.items()
        for options in builds
        for m, n in CHECK_SHAPES
    )


class Defect(Record):
    """One kind of thing that a kernel did at one place: how often in a launch, and what was said the first time."""

    kind: str
    launch: str
    kernel: str = ""
    place: str = ""
    words: str = ""
    times: int = 1

    @property
    def sentence(self) -> str:
        """For people."""
        where = f", line {self.place.replace(' ', ' of ', 1)}" if self.place else ""
        often = f", {self.times} times" if self.times > 1 else ""
        return f"{self.launch}: {self.kind} in kernel {self.kernel or '?'}{where}{often} ({self.words})"


class Looked(Record):
    """What was looked at under the simulator: launches by name, what was found, and what ended it early, if anything.

    ``blind`` are the launches that the simulator itself cannot follow while it watches for uninitialised values.
    """

    launches: tuple[str, ...] = ()
    defects: tuple[Defect, ...] = ()
    blind: tuple[str, ...] = ()
    broken_off: str = ""


def read_words(text: str, asked: Sequence[str]) -> Looked:
    """What the simulator's output says of the launches that were asked for. Whatever it holds, this is total."""
    launches: list[str] = []
    blind: list[str] = []
    found: dict[tuple[str, ...], Defect] = {}
    broken = "it ended before its last launch was over"
    for launch, lines in _by_launch(text):
        launches.append(launch)
        if any(_BLIND.match(line) for line in lines):
            blind.append(launch)
            continue
        for defect in _defects(launch, lines):
            key = (launch, defect.kind, defect.kernel, defect.place)
            times = found[key].times + 1 if key in found else 1
            found[key] = (found.get(key) or defect).model_copy(update={"times": times})
    ends = [line for line in text.splitlines() if line.startswith((DONE_MARK, FAILED_MARK))]
    if ends:
        broken = ends[0].removeprefix(FAILED_MARK) if ends[0].startswith(FAILED_MARK) else ""
    if not broken and (lacking := [name for name in asked if name not in launches]):
        broken = f"{lacking[0]} was not launched"
    return Looked(launches=tuple(launches), defects=tuple(found.values()), blind=tuple(blind), broken_off=broken)


def _by_launch(text: str) -> Iterator[tuple[str, list[str]]]:
    for part in text.split(f"\n{LAUNCH_MARK}")[1:]:
        first, *lines = part.splitlines() or [""]
        yield first.strip(), lines


def _defects(launch: str, lines: Sequence[str]) -> Iterator[Defect]:
    """Each message of a launch: a line that begins at the margin, and those behind it that do not."""
    begins = [place for place, line in enumerate(lines) if line[:1].strip() and not line.startswith("== weekops")]
    for place, end in zip(begins, [*begins[1:], len(lines)], strict=False):
        facts: Mapping[str, str] = _facts(lines[place + 1 : end])
        words = lines[place].strip()[:200]
        kind = next((name for pattern, name in _KINDS if re.match(pattern, words, re.IGNORECASE)), "a complaint")
        yield Defect(kind=kind, launch=launch, words=words, **facts)


def _facts(lines: Sequence[str]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for line in lines:
        if "kernel" not in facts and (kernel := _KERNEL.match(line)):
            facts["kernel"] = kernel.group(1).strip()[:80]
        if "place" not in facts and (place := _PLACE.match(line)):
            facts["place"] = f"{place.group(1)} {place.group(2)}"[:120]
    return facts

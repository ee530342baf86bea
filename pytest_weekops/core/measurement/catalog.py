"""The kernel catalogue: which variants exist, how each is built and what it needs. Parsed strictly, read elsewhere."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.record import Record, as_record
from pytest_weekops.core.units import SHIPPED_UNITS

VECTOR_CPUS = re.compile(
    r"haswell|broadwell|skylake|cascadelake|icelake|sapphirerapids|alderlake|znver|cortex|neoverse|apple", re.IGNORECASE
)

_LAYOUT_OF = {"gemm": "", "triad": "vector"}  # of the shipped operations; GEMM has several


# Quirks of a device: over such code its compiler takes the process down.
ABORTS_ON_ATOMICS = "aborts-on-atomics"
ABORTS_ON_POINTER_RESULTS = "aborts-on-pointer-results"
ABORTS_ON_HALVES = "aborts-on-halves-in-memory"
ABORTS_ON_VECTOR_LOADS = "aborts-on-vector-loads"
# What a device may lack: OpenCL's name for it, by the name of the need.
CAPABILITIES = {
    "out_of_order": "CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE",
    "fill": "clEnqueueFillBuffer",
    "svm": "CL_DEVICE_SVM_COARSE_GRAIN_BUFFER",
    "images": "CL_DEVICE_IMAGE_SUPPORT",
}
DOUBLES = "cl_khr_fp64"
ABORTS_ON_IMAGES = "aborts-on-images"
ABORTS_ON_SUB_RECTANGLES = "aborts-on-rectangles-of-sub-buffers"
FORGETS_ARGUMENTS = "forgets-arguments-of-waiting-kernels"
WRONG_IN_STRICT_MATH = "wrong-in-strict-math"  # a quirk of one version: the next one is asked again
FUSES_NO_DOUBLES = "rounds-twice-in-fma-of-doubles"  # the same
WRONG_IN_MAD_SAT = "wrong-in-mad-sat"  # the same
FAILS_IN_WIDE_VECTORS = "fails-in-wide-vectors"  # the same


class Needs(Record):
    """What a device must have for a variant.

    Of its driver, which may be known to fail there: ``atomics``, ``pointer_results`` (built-in functions with a second
    result behind a pointer, as ``frexp`` has), ``halves`` (``vload_half`` and ``vstore_half``) and ``vector_loads``
    (``vload`` and ``vstore``) a compiler that survives them, ``wide_vectors`` right ones of 64 bytes and more,
    ``strict_math`` what conformance tests do not ask, ``fused_doubles`` an ``fma`` of doubles that rounds once,
    ``mad_sat`` one that saturates, ``sub_rectangles`` copies of them between sub-buffers, ``waiting_arguments`` that a
    kernel keeps the arguments it was enqueued with. Of its capabilities: ``out_of_order`` queues, ``fill``
    (OpenCL 1.2), ``svm`` (coarse-grained at least), ``images``, ``fp64`` (double precision).
    """

    work_group_size: int = Field(default=1, ge=1)
    local_mem_bytes: int = Field(default=0, ge=0)
    fp64: bool = False
    atomics: bool = False
    pointer_results: bool = False
    halves: bool = False
    vector_loads: bool = False
    wide_vectors: bool = False
    strict_math: bool = False
    fused_doubles: bool = False
    mad_sat: bool = False
    sub_rectangles: bool = False
    waiting_arguments: bool = False
    out_of_order: bool = False
    fill: bool = False
    svm: bool = False
    images: bool = False

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Those that a device has or has not, by OpenCL's names."""
        asked = {"out_of_order": self.out_of_order, "fill": self.fill, "svm": self.svm, "images": self.images}
        names = tuple(CAPABILITIES[name] for name, needed in asked.items() if needed)
        return (*names, DOUBLES) if self.fp64 else names


class KernelEntry(Record):
    """One variant. ``defines`` become ``-D`` options; ``quirks`` overrides them per device class.

    ``layout`` says how the NDRange covers the result: ``elementwise`` one item per output, ``tile`` groups of
    ``tile`` x ``tile`` outputs, ``block`` and ``packed`` one item per register block, ``lanes`` a group of ``LANES``
    items per row of register blocks, ``regtile`` a group of ``LANES`` x ``LINES`` items per tile of them, ``vector``
    items side by side along flat arrays,
    ``steps`` kernels one behind the other as the shipped operation says, ``own`` as the Python file of an operation of
    your own says. ``operation_file`` is that file, beside the catalogue.
    ``made_for`` keeps T3 from trying a variant on the other kind of device; by name it runs on any.
    """

    mode: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    operation: str = Field(default="gemm", pattern=r"^[a-z][a-z0-9_]*$")
    operation_file: str = Field(default="", pattern=r"^([\w.-]+\.py)?$")
    file: str = Field(pattern=r"^[\w.-]+\.cl$")
    layout: Literal["elementwise", "tile", "regtile", "block", "lanes", "packed", "vector", "steps", "own"]
    tile: int = Field(default=0, ge=0)
    defines: dict[str, int] = Field(default_factory=dict)
    quirks: dict[str, dict[str, int]] = Field(default_factory=dict)
    options: tuple[str, ...] = ()
    needs: Needs = Needs()
    made_for: Literal["any", "cpu", "gpu"] = "any"

    @field_validator("mode")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value.startswith("auto"):
            raise ValueError("names that start with auto are the selector's")
        return value

    @model_validator(mode="after")
    def _one_operation(self) -> KernelEntry:
        if self.operation_file and self.operation in SHIPPED_UNITS:
            raise ValueError(
                f"{self.operation} is a shipped operation and takes no operation_file; choose another name"
            )
        if not self.operation_file and self.operation not in SHIPPED_UNITS:
            raise ValueError(
                f"operation {self.operation}: name its file as operation_file; it is none of {', '.join(SHIPPED_UNITS)}"
            )
        layout = "own" if self.operation_file else _LAYOUT_OF.get(self.operation, "steps")
        if (layout or "gemm") != (self.layout if self.layout in ("own", "steps", "vector") else "gemm"):
            raise ValueError(f"operation {self.operation} has layout {layout or 'one of GEMM'}, not {self.layout}")
        return self

    def defines_for(self, device_class: str) -> dict[str, int]:
        """The ``-D`` values on this class of device."""
        return {**self.defines, **self.quirks.get(device_class, {})}


class Catalog(Record):
    """All variants of one ``catalog.yaml``."""

    version: Literal[1]
    kernels: dict[str, KernelEntry]


def parse_catalog(data: Any, source: str) -> Catalog:
    """Validate a parsed ``catalog.yaml``. Raises ``PolicyError`` that names the file, the key and the value."""
    why = "A kernel that is not described right would be launched wrong."
    return as_record(Catalog, data, what="Kernel catalogue", source=source, why=why)


_AVX512_FLOATS = 16
GPU_CLASSES = ("gpu", "polaris")
# Names of the fourth generation of GCN: as ROCm, rusticl on radeonsi, Clover and AMD's own driver spell them.
_POLARIS = re.compile(
    r"polaris|ellesmere|baffin|lexa|gfx803|\brx[ -]?(?:4[678]0|5[5-9]0)(?:x|d|xt)?\b|\bpro wx ?(?:[3457]100)\b",
    re.IGNORECASE,
)
WIDE_CPUS = re.compile(r"avx512|cascadelake|icelake|sapphirerapids|znver[4-9]", re.IGNORECASE)


def device_class(identity: DeviceIdentity) -> str:
    """Which of the catalogue's ``quirks`` apply.

    One of clover, llvmpipe, polaris, gpu, avx512, avx512-intel, baseline-x86 and cpu. Clover and rusticl on a GPU are
    that GPU; ``clover`` and ``llvmpipe`` are the two on a CPU. PoCL names its device after the CPU it
    compiles for (``pthread-haswell-...``); without such a name it compiles for plain x86-64. Intel's runtime names the
    processor, not what it compiles for; its native width says that.
    """
    on_clover = "clover" in identity.platform_name.lower()
    if "llvmpipe" in identity.device_name.lower():
        return "clover" if on_clover else "llvmpipe"
    if "gpu" in identity.device_type.lower():
        return "polaris" if _POLARIS.search(identity.device_name) else "gpu"
    if on_clover:
        return "clover"
    pocl = "portable computing" in identity.platform_name.lower()
    if pocl and not VECTOR_CPUS.search(identity.device_name):
        return "baseline-x86"
    # PoCL 3.0 and older abort on some float16 code, so they get the narrower block.
    wide = WIDE_CPUS.search(identity.device_name) and not (pocl and identity.driver_version.startswith(("1.", "3.0")))
    if "intel" in identity.platform_name.lower() and identity.native_vector_floats >= _AVX512_FLOATS:
        return "avx512-intel"
    return "avx512" if wide else "cpu"

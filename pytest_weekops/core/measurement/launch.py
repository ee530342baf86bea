"""What a launcher must know of an operation that is no GEMM: kernels, arguments, buffers, NDRanges. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DTYPES = ("float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
OUTPUTS = ("float32", "int32", "uint32")  # exact in float64, four bytes each: what results are compared in
_ITEM_BYTES = {name: int("".join(c for c in name if c.isdigit())) // 8 for name in DTYPES}


@dataclass(frozen=True)
class Buffer:
    """One input buffer: the shape of its array, C-ordered, and the name of its numpy dtype."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def nbytes(self) -> int:
        """Bytes on the device. Raises ``KeyError`` for a dtype that is not in :data:`DTYPES`."""
        return count(self.shape) * _ITEM_BYTES[self.dtype]


@dataclass(frozen=True)
class Local:
    """Local memory of a work-group as a kernel's argument, in bytes."""

    nbytes: int


@dataclass(frozen=True)
class Step:
    """One kernel enqueued: its arguments in its own order, and its NDRange as in :class:`Launch`."""

    kernel: str
    arguments: tuple[Any, ...]
    global_size: tuple[int, ...]
    local_size: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Launch:
    """One launch, the unit that is timed: a kernel, or several one behind the other.

    ``arguments`` stand in the kernel's order: the name of a buffer, a numpy scalar such as ``np.int32(n)``, or
    :class:`Local` memory. ``inputs`` are uploaded before a session. ``output`` is the one result, of ``output_shape``
    and ``output_dtype`` (one of :data:`OUTPUTS`); before launches it is filled with NaN, or with a pattern where it
    counts in whole numbers, so that a kernel must write every element. ``scratch`` are further buffers, in bytes.
    ``global_size`` and ``local_size`` are the NDRange, in one to three dimensions; the driver chooses where the local
    size is None. ``then`` are the kernels behind the first one, in order. Buffers named in ``zeroed``, the output or
    scratch, are filled with zero bytes on the device before the first kernel, as part of each launch.
    """

    kernel: str
    arguments: tuple[Any, ...]
    inputs: Mapping[str, Buffer]
    output: str
    output_shape: tuple[int, ...]
    global_size: tuple[int, ...]
    local_size: tuple[int, ...] | None = None
    scratch: Mapping[str, int] = field(default_factory=dict)
    then: tuple[Step, ...] = ()
    zeroed: tuple[str, ...] = ()
    output_dtype: str = "float32"

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every kernel of the launch, in order."""
        return (Step(self.kernel, self.arguments, self.global_size, self.local_size), *self.then)

    @property
    def buffer_bytes(self) -> dict[str, int]:
        """Bytes of every buffer by name."""
        sizes = {name: buffer.nbytes for name, buffer in self.inputs.items()}
        return {**sizes, self.output: 4 * count(self.output_shape), **self.scratch}

    def may_be_zeroed(self, name: object) -> bool:
        """Whether a buffer of that name can be filled before the first kernel."""
        if not isinstance(name, str):
            return False
        return name == self.output or (name in self.scratch and self.scratch[name] % 4 == 0)


def count(shape: tuple[int, ...]) -> int:
    """Elements of an array of that shape."""
    product = 1
    for edge in shape:
        product *= edge
    return product


def launch_problem(launch: object) -> str:
    """Why a launch cannot be carried out as it is described, or nothing. Nothing in it is believed."""
    if not isinstance(launch, Launch):
        return f"is {type(launch).__name__}, not a Launch"
    if not isinstance(launch.inputs, Mapping) or not all(isinstance(b, Buffer) for b in launch.inputs.values()):
        return f"has inputs {launch.inputs!r:.80}, not Buffers by name"
    shapes = {**{name: buffer.shape for name, buffer in launch.inputs.items()}, launch.output: launch.output_shape}
    for name, shape in shapes.items():
        if not _is_shape(shape):
            return f"gives buffer {name!r} the shape {shape!r:.60}, not a tuple of whole numbers above 0"
    for name, buffer in launch.inputs.items():
        if buffer.dtype not in DTYPES:
            return f"gives buffer {name!r} the dtype {buffer.dtype!r:.40}; known are {', '.join(DTYPES)}"
    if launch.output_dtype not in OUTPUTS:
        return f"gives its output the dtype {launch.output_dtype!r:.40}; known are {', '.join(OUTPUTS)}"
    if not isinstance(launch.scratch, Mapping) or not all(_is_whole(size) for size in launch.scratch.values()):
        return f"has scratch {launch.scratch!r:.80}, not bytes above 0 by name"
    return _names_problem(launch) or _steps_problem(launch)


def _names_problem(launch: Launch) -> str:
    if launch.output in launch.inputs or set(launch.scratch) & {*launch.inputs, launch.output}:
        return f"uses one name for two buffers; the output {launch.output!r} must be a buffer of its own"
    if not isinstance(launch.zeroed, tuple) or not all(map(launch.may_be_zeroed, launch.zeroed)):
        return f"has zeroed {launch.zeroed!r:.80}, not a tuple of names: the output, or scratch of whole 4 bytes"
    if not isinstance(launch.then, tuple) or not all(isinstance(step, Step) for step in launch.then):
        return f"has then {launch.then!r:.80}, not a tuple of Steps"
    return ""


def _steps_problem(launch: Launch) -> str:
    problems = (_arguments_problem(launch, step) or _range_problem(step) for step in launch.steps)
    for number, problem in enumerate(problems):
        if problem:
            return f"{problem}, in step {number + 1}" if launch.then else problem
    if not any(word == launch.output for step in launch.steps for word in step.arguments if isinstance(word, str)):
        return f"never passes its output {launch.output!r} to the kernel"
    return ""


def _arguments_problem(launch: Launch, step: Step) -> str:
    arguments: Any = step.arguments
    if not isinstance(arguments, tuple):
        return f"has arguments {step.arguments!r:.80}, not a tuple"
    known = set(launch.buffer_bytes)
    if strange := [word for word in arguments if isinstance(word, str) and word not in known]:
        return f"passes {strange[0]!r}, which is no buffer of it"
    if empty := [word for word in arguments if isinstance(word, Local) and not _is_whole(word.nbytes)]:
        return f"passes {empty[0]!r:.60}, not local memory of whole bytes above 0"
    plain = [word for word in arguments if not isinstance(word, str | Local) and not hasattr(word, "dtype")]
    if plain:
        return f"passes {plain[0]!r:.40}, whose size is unknown; write np.int32 or np.float32 around a number"
    return ""


def _range_problem(step: Step) -> str:
    if not _is_shape(step.global_size) or len(step.global_size) > 3:
        return f"has global_size {step.global_size!r:.60}, not one to three whole numbers above 0"
    local = step.local_size
    if local is None:
        return ""
    if not _is_shape(local) or len(local) != len(step.global_size):
        return f"has local_size {local!r:.60}, not as many whole numbers above 0 as global_size"
    if any(whole % part for whole, part in zip(step.global_size, local, strict=True)):
        return f"has global_size {step.global_size} that is no multiple of local_size {local}"
    return ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and bool(shape) and all(_is_whole(edge) for edge in shape)

"""Chains of x = x m + a by their definition, in whole numbers: what each item of peak_arithmetic.cl has to leave."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

MIXER = 31  # MIXER of peak_arithmetic.cl where nobody defines another
STEPS_PER_LOOP = 8
_LOOPS = 512
_STARTS = 256  # of chains: places in a group, lanes, keys and chains are 64 + 16 + 32 + 12 at most
_HALF_LOOPS = 192  # 1536 steps from at most 200 on: half counts exactly to 2048
_BYTES = 0x97B5D3F1  # whose dot product with the bytes of a chain's value is added to that
_MULTIPLIER, _ADDEND = 1664525, 1013904223  # of whole numbers (Knuth's and Lewis' generator)


@dataclass(frozen=True)
class Kind:
    """A type of the arithmetic: OpenCL's name, its build options, and whether fma is one of its functions."""

    scalar: str
    options: tuple[str, ...] = ()
    has_fma: bool = True
    is_dot: bool = False

    @property
    def operations(self) -> int:
        """Of a step of a chain: a product and a sum, or four of each."""
        return 8 if self.is_dot else 2

    @property
    def loops(self) -> int:
        """Iterations of the kernel's loop, of eight steps each."""
        return _HALF_LOOPS if self.scalar == "half" else _LOOPS

    @property
    def factors(self) -> tuple[int, int]:
        """Multiplier and addend: 1 and 1 where each step has to be exact, a generator's where all wraps; four bytes."""
        if self.is_dot:
            return _BYTES, 0
        return (_MULTIPLIER, _ADDEND) if self.scalar == "uint" else (1, 1)


KINDS = {
    "float": Kind("float"),
    "double": Kind("double", ("-DDOUBLE",)),
    "half": Kind("half", ("-DHALF",)),
    "int": Kind("uint", has_fma=False),
    "char_dot": Kind("uint", ("-DDOT=0",), has_fma=False, is_dot=True),
}


@functools.cache
def _dotted(loops: int) -> Words:
    """Where chains arrive that began at 0, 1, .. 255 and add the dot product of their bytes each time."""
    x = np.arange(_STARTS, dtype=np.uint32)
    factors = [np.uint32(_BYTES >> shift & 0xFF) for shift in (0, 8, 16, 24)]
    for _ in range(STEPS_PER_LOOP * loops):
        x = x + sum((x >> np.uint32(8 * k) & np.uint32(0xFF)) * factor for k, factor in enumerate(factors))
    return x


def after(kind: Kind, starts: Words) -> Words:
    """Where chains arrive that began there, modulo 2**32; in floating point these are the very numbers."""
    if kind.is_dot:
        return _dotted(kind.loops)[starts]
    multiplier, addend = kind.factors
    power, total = 1, 0
    for _ in range(STEPS_PER_LOOP * kind.loops):
        power, total = power * multiplier % 2**32, (total * multiplier + addend) % 2**32
    return starts * np.uint32(power) + np.uint32(total)


def digest(kind: Kind, starts: Words, chains: int, mixer: int = MIXER) -> Words:
    """What items leave whose first chain began at ``starts`` and each next one 1 further."""
    mixed = np.zeros_like(starts)
    for chain in range(chains):
        mixed = mixed * np.uint32(mixer) + after(kind, starts + np.uint32(chain))
    return mixed

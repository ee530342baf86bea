"""Chains of x = x m + a by their definition, in whole numbers: what each item of peak_arithmetic.cl has to leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

MIXER = 31  # MIXER of peak_arithmetic.cl where nobody defines another
STEPS_PER_LOOP = 8
_LOOPS = 512
_HALF_LOOPS = 192  # 1536 steps from at most 200 on: half counts exactly to 2048
_MULTIPLIER, _ADDEND = 1664525, 1013904223  # of whole numbers (Knuth's and Lewis' generator)


@dataclass(frozen=True)
class Kind:
    """A type of the arithmetic: OpenCL's name, its build options, and whether fma is one of its functions."""

    scalar: str
    options: tuple[str, ...] = ()
    has_fma: bool = True

    @property
    def loops(self) -> int:
        """Iterations of the kernel's loop, of eight steps each."""
        return _HALF_LOOPS if self.scalar == "half" else _LOOPS

    @property
    def factors(self) -> tuple[int, int]:
        """Multiplier and addend: 1 and 1 where each step has to be exact, a generator's where all wraps."""
        return (_MULTIPLIER, _ADDEND) if self.scalar == "uint" else (1, 1)


KINDS = {
    "float": Kind("float"),
    "double": Kind("double", ("-DDOUBLE",)),
    "half": Kind("half", ("-DHALF",)),
    "int": Kind("uint", has_fma=False),
}


def after(kind: Kind, starts: Words) -> Words:
    """Where chains arrive that began there, modulo 2**32; in floating point these are the very numbers."""
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

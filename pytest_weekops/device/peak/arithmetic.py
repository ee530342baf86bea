"""Arithmetic peaks by type: independent chains in the shape that is fastest, and one dependent chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_weekops.device.peak.capabilities import has_fma
from pytest_weekops.device.peak.digested import Digested, item_starts
from pytest_weekops.device.peak.probe import Bench, Taken, Words

FILE = "peak_arithmetic.cl"
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


class Chains(Digested):
    """``chains`` vectors of ``width`` in each item."""

    what = "arithmetic"

    def __init__(self, bench: Bench, kind: Kind, width: int, chains: int, *, fused: bool = False) -> None:
        self._kind, self._chains = kind, chains
        options = (
            f"-DSCALAR={kind.scalar}",
            f"-DWIDTH={width}",
            f"-DCHAINS={chains}",
            *(("-DFUSED=1",) if fused else ()),
            *kind.options,
        )
        kernel = bench.kernel(FILE, "peak_arithmetic", options)
        per_item = 2.0 * STEPS_PER_LOOP * kind.loops * width * chains
        how = f"{chains} chains of {kind.scalar}{width if width > 1 else ''}{', fma' if fused else ''}"
        super().__init__(bench, kernel, width, per_item, how.replace("1 chains", "1 chain", 1) if chains == 1 else how)

    def arguments(self, key: int) -> tuple[Any, ...]:
        """Factors, key and loops."""
        multiplier, addend = self._kind.factors
        return np.uint32(multiplier), np.uint32(addend), np.uint32(key), np.int32(self._kind.loops)

    def digests(self, key: np.uint32) -> Words:
        """By the definition of the chains."""
        return digest(self._kind, item_starts(self._width, key), self._chains)


def _independent(bench: Bench, kind: Kind) -> Taken:
    """The best width with the first number of chains, the best number of chains at it, and fma there."""
    shapes = {(width, bench.amounts.chains[0], False) for width in bench.amounts.widths}
    tried: dict[tuple[int, int, bool], float] = {}

    def speed(shape: tuple[int, int, bool]) -> float:
        if shape not in tried:
            width, chains, fused = shape
            taken = bench.trial(lambda: Chains(bench, kind, width, chains, fused=fused))
            tried[shape] = taken.amount / min(taken.times_ns) if taken else 0.0
        return tried[shape]

    width = max(sorted(shapes), key=speed)[0]
    chains = max(bench.amounts.chains, key=lambda count: speed((width, count, False)))
    can_fuse = kind.has_fma and has_fma(bench.device.device)
    fused = can_fuse and speed((width, chains, True)) > speed((width, chains, False))
    return bench.take(Chains(bench, kind, width, chains, fused=fused), bench.amounts.repeats)


def _dependent(bench: Bench, kind: Kind) -> Taken:
    return bench.take(Chains(bench, kind, 1, 1), bench.amounts.repeats)


def _both(name: str, kind: Kind) -> dict[str, Callable[[Bench], Taken]]:
    return {
        f"arithmetic_{name}": lambda bench: _independent(bench, kind),
        f"arithmetic_{name}_dependent": lambda bench: _dependent(bench, kind),
    }


MEASURES: Mapping[str, Callable[[Bench], Taken]] = {
    name: measure for kind_name, kind in KINDS.items() for name, measure in _both(kind_name, kind).items()
}

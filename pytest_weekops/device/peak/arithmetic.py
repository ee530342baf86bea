"""Arithmetic peaks by type: independent chains in the shape that is fastest, and one dependent chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pytest_weekops.device.level0.chains import KINDS, STEPS_PER_LOOP, Kind, digest
from pytest_weekops.device.peak.capabilities import has_fma
from pytest_weekops.device.peak.digested import Digested, item_starts
from pytest_weekops.device.peak.probe import Bench, Taken, Words

FILE = "peak_arithmetic.cl"
_DOT = "cl_khr_integer_dot_product"
_BUILT_IN = replace(KINDS["char_dot"], options=("-DDOT=1", "-cl-std=CL3.0"))


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
        per_item = float(kind.operations) * STEPS_PER_LOOP * kind.loops * width * chains
        how = f"{chains} chains of {kind.scalar}{width if width > 1 else ''}{', fma' if fused else ''}"
        how += (f", {_DOT}" if kind == _BUILT_IN else ", written out") if kind.is_dot else ""
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


def _dots(bench: Bench, kind: Kind) -> Taken:
    """The best width with the dot product written out, or the device's own with the best number of chains."""
    amounts = bench.amounts
    makers = [partial(Chains, bench, kind, width, amounts.chains[0]) for width in amounts.widths]
    if _DOT in bench.device.device.extensions.split():
        makers += [partial(Chains, bench, _BUILT_IN, 1, chains) for chains in amounts.chains]
    return bench.best(makers)


def _dependent(bench: Bench, kind: Kind) -> Taken:
    return bench.take(Chains(bench, kind, 1, 1), bench.amounts.repeats)


def _both(name: str, kind: Kind) -> dict[str, Callable[[Bench], Taken]]:
    return {
        f"arithmetic_{name}": lambda bench: (_dots if kind.is_dot else _independent)(bench, kind),
        f"arithmetic_{name}_dependent": lambda bench: _dependent(bench, kind),
    }


MEASURES: Mapping[str, Callable[[Bench], Taken]] = {
    name: measure for kind_name, kind in KINDS.items() for name, measure in _both(kind_name, kind).items()
}

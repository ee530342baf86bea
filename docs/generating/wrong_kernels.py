"""The set of wrong kernels as a table: what is wrong with each, and what catches it."""

from __future__ import annotations

from pathlib import Path

import yaml

from generating.words import table

SET = Path(__file__).resolve().parents[1] / "wrong-kernels.yaml"
CAUGHT = {
    "comparison": "the comparison with the float64 reference",
    "not finite": "the comparison: elements are not finite",
    "no work": "two sets of inputs in turn: the other set's result",
    "red zone": "the red zone around the result",
    "limit": "the limit of a function, in ULP",
    "bits": "the digest: other bits than those compared before",
}


def wrong_kernels() -> str:
    """One row per kernel, in the order of the file."""
    kernels = yaml.safe_load(SET.read_text(encoding="utf-8"))["kernels"]
    rows = [(f"`{wrong['mode']}`", wrong["what"], CAUGHT[wrong["caught"]]) for wrong in kernels]
    return table(("kernel", "what is wrong with it", "caught by"), rows)

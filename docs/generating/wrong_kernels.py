"""The set of wrong kernels as a table: what is wrong with each, and what catches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    "callback": "the host, which waits for it",
    "either": "the comparison, or the order of events",
}


def wrong_kernels() -> str:
    """One row per kernel and per host call, in the order of the file."""
    known = yaml.safe_load(SET.read_text(encoding="utf-8"))
    rows = [(_named(wrong), wrong["what"], CAUGHT[wrong["caught"]]) for wrong in (*known["kernels"], *known["calls"])]
    return table(("kernel", "what is wrong with it", "caught by"), rows)


def _named(wrong: dict[str, Any]) -> str:
    """The kernel mode, and the platform where it is none of PoCL's."""
    return f"`{wrong['mode']}`" + (f" on {wrong['platform']}" if "platform" in wrong else "")

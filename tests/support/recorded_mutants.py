"""Ways to break a recorded file: at random within what its rules speak of, or with one hole that must be seen."""

from __future__ import annotations

import copy
import json
import math
import pickle
import random
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.support import older_oracle
from tests.support.recorded_data import RECORDED

Document = dict[str, Any]
NUMBERS = (0.0, -0.0, math.nan, math.inf, -math.inf, -1.0, 1e-320, 1e300)
NAMES = (
    "peak_mean_gflops",
    "avg_mean_gflops",
    "p95_time_ms",
    "max_error_max",
    "t3_fallback_rate",
    "t5_overhead_percent",
    "t5_false_positive_rate",
    "t5_disable_events",
)


@cache
def document_of(name: str) -> Document:
    """A recorded file, never changed, without the second copy of its runs."""
    parsed: Document = json.loads((RECORDED / name).read_text(encoding="utf-8"))
    return {**parsed, "snapshots": []} if "snapshots" in parsed else parsed


@cache
def _packed(name: str) -> bytes:
    return pickle.dumps(document_of(name))


def copy_of(name: str) -> Document:
    """A recorded file to be changed."""
    document: Document = pickle.loads(_packed(name))
    return document


@cache
def slo_of(name: str) -> dict[str, Any]:
    """The limits of an older policy, read without the package."""
    slo: dict[str, Any] = json.loads((RECORDED / name).read_text(encoding="utf-8"))["weekly_slo"]
    return slo


def nudged(rng: random.Random, limit: float) -> float:
    """A limit itself, one ulp beyond it on either side, or a little further."""
    value = limit
    for _ in range(rng.choice((0, 1, 1, 2))):
        value = math.nextafter(value, rng.choice((-math.inf, math.inf)))
    return value


def _metrics(rng: random.Random, document: Document) -> dict[str, Any]:
    """The metrics of some run, the first and the last more often than others."""
    runs = document["runs"]
    metrics: dict[str, Any] = rng.choice((runs[0], runs[-1], rng.choice(runs), rng.choice(runs)))["metrics"]
    return metrics


def odd_number(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """Zero, NaN, infinity or a negative number somewhere."""
    metrics = _metrics(rng, document)
    present = [name for name in NAMES if name in metrics]
    if present:
        metrics[rng.choice(present)] = rng.choice(NUMBERS)


def absent_key(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """A metric, or the count of snapshots, is not there."""
    if rng.random() < 0.2:
        document["metadata"].pop("executed_snapshots", None)
    else:
        _metrics(rng, document).pop(rng.choice(NAMES), None)


def guard_at_limit(rng: random.Random, document: Document, slo: dict[str, Any]) -> None:
    """An error, rate, overhead or event count at its limit to the last bit."""
    rails = slo["global_guardrails"]
    name, limits = rng.choice(
        (
            ("max_error_max", (rails["max_correctness_error"], 1e-3)),
            ("t3_fallback_rate", (rails["max_t3_fallback_rate"], 0.08)),
            ("t5_overhead_percent", (rails["max_t5_overhead_percent"], 3.0, 5.0)),
            ("t5_false_positive_rate", (0.05,)),
            ("t5_disable_events", (rails["max_t5_disable_events_total"],)),
        )
    )
    holders = [run["metrics"] for run in document["runs"] if name in run["metrics"]]
    if holders:
        rng.choice(holders)[name] = nudged(rng, rng.choice(limits))


def row_at_limit(rng: random.Random, document: Document, slo: dict[str, Any]) -> None:
    """All runs of a policy row at its floor or ceiling."""
    key, row = rng.choice(sorted(slo["per_kernel_size"].items()))
    name, limit = rng.choice((("avg_mean_gflops", row["min_avg_gflops"]), ("p95_time_ms", row["max_p95_time_ms"])))
    value = nudged(rng, limit)
    for run in document["runs"]:
        if older_oracle.key_of(run) == key:
            run["metrics"][name] = value


def _some_row(rng: random.Random, document: Document) -> list[dict[str, Any]]:
    keys = sorted({older_oracle.key_of(run) for run in document["runs"]})
    key = rng.choice(keys)
    return [run for run in document["runs"] if older_oracle.key_of(run) == key]


def drift_at_limit(rng: random.Random, document: Document, slo: dict[str, Any]) -> None:
    """A row's last snapshot at the drift limit above or below its first."""
    row = sorted(_some_row(rng, document), key=lambda run: run.get("snapshot", 0))
    rails = slo["global_guardrails"]
    name, limit = rng.choice(
        (
            ("avg_mean_gflops", rng.choice((rails["max_abs_throughput_drift_percent"], 10.0))),
            ("p95_time_ms", rails["max_p95_drift_percent"]),
        )
    )
    first = row[0]["metrics"].get(name)
    if isinstance(first, float):
        row[-1]["metrics"][name] = nudged(rng, first * (1 + rng.choice((1, -1)) * limit / 100))


def step(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """From some snapshot on, everything is faster or slower."""
    factor, at = rng.choice((0.9, 0.96, 0.99, 1.02, 1.06)), rng.randint(1, 8)
    for run in document["runs"]:
        if run.get("snapshot", 0) > at:
            for name in ("avg_mean_gflops", "p95_time_ms"):
                value = run["metrics"].get(name)
                if isinstance(value, float):
                    run["metrics"][name] = value * factor if name == "avg_mean_gflops" else value / factor


def overheads(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """The guard costs more than the soft limit in some snapshots, perhaps two in a row."""
    dear = {number for number in range(1, 11) if rng.random() < 0.4}
    for run in document["runs"]:
        if "t5_overhead_percent" in run["metrics"] and run.get("snapshot", rng.randint(1, 10)) in dear:
            run["metrics"]["t5_overhead_percent"] = rng.choice((3.5, nudged(rng, 3.0), nudged(rng, 5.0)))


def ratio_at_limit(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """Both platforms constant, at a ratio to the last bit."""
    row = _some_row(rng, document)
    name, least = rng.choice((("avg_mean_gflops", 0.85), ("avg_mean_gflops", 0.92), ("peak_mean_gflops", 0.80)))
    for run in row:
        on_clover = older_oracle.platform_of(run) == "clover"
        run["metrics"][name] = 800.0 if on_clover else nudged(rng, 800.0 * least)


def crash(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """A run that did not end ok, with or without what it measured."""
    run = rng.choice(document["runs"])
    run["status"] = rng.choice(("error", "crash", "timeout", "OK", "", None))
    if rng.random() < 0.5:
        run["metrics"] = {}


def drop(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """A run, a row, a snapshot or a platform is missing."""
    lost = rng.choice(document["runs"])
    same: Callable[[dict[str, Any]], bool] = rng.choice(
        (
            lambda run: run is lost,
            lambda run: run is lost,
            lambda run: older_oracle.key_of(run) == older_oracle.key_of(lost),
            lambda run: run.get("snapshot") == lost.get("snapshot"),
            lambda run: older_oracle.platform_of(run) == older_oracle.platform_of(lost),
            lambda run: run["size"] == lost["size"],
        )
    )
    document["runs"] = [run for run in document["runs"] if not same(run)] or document["runs"]


def disorder(rng: random.Random, document: Document, _slo: dict[str, Any]) -> None:
    """Runs in another order, twice, or in a snapshot that is there already."""
    runs = document["runs"]
    what = rng.randrange(3)
    if what == 0:
        rng.shuffle(runs)
    elif what == 1:
        runs.insert(rng.randrange(len(runs)), copy.deepcopy(rng.choice(runs)))
    elif "snapshot" in runs[0]:
        rng.choice(runs)["snapshot"] = rng.choice(runs)["snapshot"]


def contradiction(rng: random.Random, document: Document, slo: dict[str, Any]) -> None:
    """Metadata, rollback event, pressure, platform or device that do not fit the runs."""
    run, what = rng.choice(document["runs"]), rng.randrange(6)
    if what == 0 and "executed_snapshots" in document["metadata"]:
        document["metadata"]["executed_snapshots"] = nudged(rng, float(slo["global_guardrails"]["minimum_snapshots"]))
    elif what == 1:
        document["rollback_event"] = rng.choice(({}, {"snapshot": 3}, "rolled back", None))
    elif what == 2:
        rng.choice(document["pressure"])["failures"] = rng.choice((0, 1, 3))
    elif what == 3:
        run["metrics"]["platform"] = rng.choice(("Clover", "rusticl", "pocl", ""))
    elif what == 4:
        run["metrics"]["device"] = "another card"
    else:
        run["platform_selector"] = rng.choice(("CLOVER", "Rusticl", "pocl", run["platform_selector"]))


KINDS = (
    odd_number,
    absent_key,
    guard_at_limit,
    row_at_limit,
    drift_at_limit,
    step,
    overheads,
    ratio_at_limit,
    crash,
    drop,
    disorder,
    contradiction,
)


def mutated(rng: random.Random, entry: dict[str, Any]) -> tuple[Document, str]:
    """A recorded file with one to three mutations, and their names."""
    document = copy_of(entry["input"])
    chosen = rng.choices(KINDS, k=rng.choice((1, 1, 2, 3)))
    slo = slo_of(entry.get("policy", "policies/policy_week19_block2_weekly_slo_v3.json"))
    for mutate in chosen:
        mutate(rng, document, slo)
    return document, " ".join(mutate.__name__ for mutate in chosen)


def _number_nowhere(rng: random.Random, document: Document) -> None:
    metrics = rng.choice(document["runs"])["metrics"]
    metrics[rng.choice(("avg_mean_gflops", "p95_time_ms", "max_error_max"))] = rng.choice(
        (0.0, math.nan, math.inf, -1.0)
    )


def _evidence_gone(rng: random.Random, document: Document) -> None:
    metrics = rng.choice(document["runs"])["metrics"]
    del metrics[rng.choice([name for name in metrics if name not in ("peak_mean_gflops", "t5_disable_reason")])]


def _crashed(rng: random.Random, document: Document) -> None:
    rng.choice(document["runs"])["status"] = "crash"


def _left_out(rng: random.Random, document: Document) -> None:
    del document["runs"][rng.randrange(len(document["runs"]))]


def _round_left_out(rng: random.Random, document: Document) -> None:
    name = "snapshot" if "snapshot" in document["runs"][0] else "seed"
    value = rng.choice(document["runs"])[name]
    document["runs"] = [run for run in document["runs"] if run[name] != value]


def _size_left_out(rng: random.Random, document: Document) -> None:
    size = rng.choice(document["runs"])["size"]
    document["runs"] = [run for run in document["runs"] if run["size"] != size]


def _twice(rng: random.Random, document: Document) -> None:
    document["runs"].append(copy.deepcopy(rng.choice(document["runs"])))


def _pulse_failed(rng: random.Random, document: Document) -> None:
    rng.choice(document["pressure"])["failures"] = 1


def _pulse_left_out(rng: random.Random, document: Document) -> None:
    del document["pressure"][rng.randrange(len(document["pressure"]))]


def _rolled_back(_rng: random.Random, document: Document) -> None:
    document["rollback_event"] = {"snapshot": 3}


def _other_device(rng: random.Random, document: Document) -> None:
    rng.choice(document["runs"])["metrics"]["device"] = "another card"


def _other_platform(rng: random.Random, document: Document) -> None:
    run = rng.choice(document["runs"])
    run["metrics"]["platform"] = "pocl"


def _disabled_in_silence(rng: random.Random, document: Document) -> None:
    metrics = rng.choice([run["metrics"] for run in document["runs"] if "t5_disable_events" in run["metrics"]])
    metrics.update(t5_disable_events=0, t5_disable_reason="guardrail_violation")


HOLES = (
    _number_nowhere,
    _evidence_gone,
    _crashed,
    _left_out,
    _round_left_out,
    _size_left_out,
    _twice,
    _pulse_failed,
    _pulse_left_out,
    _rolled_back,
    _other_device,
    _other_platform,
    _disabled_in_silence,
)

"""Gates of a driver against itself, and against itself with more work: how often each answer comes, on this host.

    python benchmarks/aa_gates.py measure --platforms pocl rusticl --work 1 1.05 1.1 1.2 --busy both --minutes 60
    python benchmarks/aa_gates.py judge

``measure`` takes snapshot after snapshot, two fresh workers each, at 256 and 512, with every platform, amount of work
and load in turn, until the time is over, and adds them to a file (``--raw``); it can be broken off and gone on with.
``judge`` reads that of ``--raw``, or what is kept beside this script. A gate is what comes of cutting that series: it
has the looks of a run, 3, 5, 8 and 12 snapshots, and the next one begins where it was decided. ``judge`` prints, for a
ratio of at least 0.97, how many passed, failed and stayed open, and what two other rules say of the same snapshots. The
spread is that of the first twenty idle snapshots of the unchanged driver, which take part in no gate.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_weekops.campaigns.calibrate import deeper
from pytest_weekops.campaigns.load import busy_loop
from pytest_weekops.core.guard.injection import clopper_pearson
from pytest_weekops.core.judge.certainty.answers import Errors, Requirement
from pytest_weekops.core.judge.certainty.multiplicity import answer_run
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.core.measurement.calibration import figures
from pytest_weekops.core.measurement.calm import limit_beside, pair_logs, turn_times

KEPT = Path(__file__).with_name("measured") / "aa_gates.jsonl.gz"  # judged again by a test
SIZES = (256, 512)
LIMIT, MAX_WAIT_S = 5.0, 20.0
FLOOR, CALIBRATION = 0.97, 20
LEAST_PAIRS = 8
MEAN_LIMIT, DRIFT_LIMIT = 1.05, 0.10

Snapshot = dict[str, Any]


@dataclass(frozen=True)
class Gate:
    """How one gate ended under each rule: pass, fail or inconclusive, and after how many snapshots."""

    answer: str
    snapshots: int
    mean_fails: bool
    drift_fails: bool


# -- judging ---------------------------------------------------------------------------------------------------------


def read(path: Path = KEPT) -> list[Snapshot]:
    """Every snapshot, in the order in which it was measured."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def series(snapshots: Sequence[Snapshot], platform: str, work: float, busy: bool) -> list[Snapshot]:  # noqa: FBT001
    """Those of one kind in which both sizes had enough calm pairs."""
    mine = [s for s in snapshots if (s["platform"], s["work"], s["busy"]) == (platform, work, busy)]
    return [s for s in mine if all(cell["log"] is not None for cell in s["cells"])]


def spreads(snapshots: Sequence[Snapshot], platform: str) -> list[Spread]:
    """One per size, from the first idle snapshots of the unchanged driver."""
    first = series(snapshots, platform, 1.0, busy=False)[:CALIBRATION]
    found = [figures([s["cells"][place]["log"] for s in first]) for place in range(len(SIZES))]
    return [Spread(each.sd, len(first) - 1, max(0.0, each.lag1)) for each in found]


def gates(snapshots: Sequence[Snapshot], platform: str, work: float, busy: bool) -> Iterator[Gate]:  # noqa: FBT001
    """The gates that a series holds, one behind the other; what is left at its end is none."""
    plan, known = LookPlan(), spreads(snapshots, platform)
    left = series(snapshots, platform, work, busy)[CALIBRATION if (work, busy) == (1.0, False) else 0 :]
    while True:
        for look in plan.looks:
            if look > len(left):
                return
            taken = left[:look]
            cells = [
                Requirement(f"{size}", tuple(s["cells"][place]["log"] for s in taken), math.log(FLOOR), spread)
                for place, (size, spread) in enumerate(zip(SIZES, known, strict=True))
            ]
            states = {each.status for each in answer_run(cells, plan, Errors()).answers}
            if CheckStatus.INCONCLUSIVE not in states or look == plan.budget:
                break
        worst = next(s for s in (CheckStatus.FAIL, CheckStatus.INCONCLUSIVE, CheckStatus.PASS) if s in states)
        yield Gate(worst.value, look, *_others(taken))
        left = left[look:]


def _others(taken: Sequence[Snapshot]) -> tuple[bool, bool]:
    """Whether ``mean:5%`` fails, and a change of more than 10 % from the first to the last snapshot."""
    columns = [[s["cells"][place] for s in taken] for place in range(len(SIZES))]
    means = [math.exp(statistics.fmean(cell["mean"] for cell in column)) > MEAN_LIMIT for column in columns]
    moved = [abs(column[-1]["ms"] / column[0]["ms"] - 1.0) > DRIFT_LIMIT for column in columns]
    return any(means), any(moved)


def table(snapshots: Sequence[Snapshot]) -> list[str]:
    """One row per platform, amount of work and load that has a gate; shares in percent with 95 % intervals."""
    kinds = sorted({(s["platform"], s["busy"], s["work"]) for s in snapshots})
    rows = [
        "| driver, host, work | gates | pass | fail | open | snapshots | void | `mean:5%` fails | first against last |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for platform, busy, work in kinds:
        if len(series(snapshots, platform, 1.0, busy=False)) < CALIBRATION:
            continue
        found = list(gates(snapshots, platform, work, busy))
        if not found:
            continue
        count = len(found)
        every = [s for s in snapshots if (s["platform"], s["work"], s["busy"]) == (platform, work, busy)]
        void = 1 - len(series(snapshots, platform, work, busy)) / len(every)
        shares = [_share(sum(g.answer == a for g in found), count) for a in ("pass", "fail", "inconclusive")]
        others = [_share(sum(getattr(g, f) for g in found), count) for f in ("mean_fails", "drift_fails")]
        name = f"{platform}, {'busy' if busy else 'idle'}, {work:g}"
        cells = [name, str(count), *shares, f"{statistics.fmean(g.snapshots for g in found):.1f}"]
        rows.append("| " + " | ".join([*cells, f"{100 * void:.0f} %", *others]) + " |")
    return rows


def _share(hits: int, count: int) -> str:
    low, high = clopper_pearson(hits, count)
    return f"{hits} ({100 * low:.0f} to {100 * high:.0f} %)"


# -- measuring -------------------------------------------------------------------------------------------------------


def measure(arguments: argparse.Namespace) -> None:
    """Add snapshots to the file until the time is over."""
    from pytest_weekops.core.measurement.plan import Deadlines
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.worker.host import HostWorker

    ends = time.monotonic() + 60.0 * arguments.minutes
    loads = {"no": (False,), "yes": (True,), "both": (False, True)}[arguments.busy]
    kinds = [(p, w, b) for b in loads for w in arguments.work for p in arguments.platforms]
    number = len(read(arguments.raw)) if arguments.raw.exists() else 0
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host:
        while time.monotonic() < ends:
            platform, work, busy = kinds[number % len(kinds)]
            with ExitStack() as stack:
                if busy:
                    stack.enter_context(busy_loop())
                taken = snapshot(platform, work, busy, host, scratch, number)
            number += 1
            with gzip.open(arguments.raw, "at", encoding="utf-8") as stream:
                stream.write(json.dumps(taken, separators=(",", ":")) + "\n")
            print(number, json.dumps(taken), flush=True)


def snapshot(platform: str, work: float, busy: bool, host: Any, scratch: Path, number: int) -> Snapshot:  # noqa: FBT001
    """Both sizes once, by two fresh workers that are started in an order that is drawn."""
    from pairs import request

    from pytest_weekops.core.measurement.plan import Deadlines
    from pytest_weekops.core.measurement.records import Case
    from pytest_weekops.drivers.platforms import resolve_platforms
    from pytest_weekops.worker.load import LoadMeter
    from pytest_weekops.worker.supervisor import PlatformSupervisor
    from pytest_weekops.worker.turns import Side, TurnTaker
    from pytest_weekops.worker.verified import with_references

    draw, cells = random.Random(number), []
    with ExitStack() as stack:
        pair = []
        for letter in "AB":
            (launch,) = resolve_platforms([platform], scratch=scratch)
            supervisor = PlatformSupervisor(
                launch.model_copy(update={"label": f"{launch.label}-{letter}"}), Deadlines(), scratch
            )
            stack.callback(supervisor.close)
            pair.append(supervisor)
        for supervisor in draw.sample(pair, 2):
            supervisor.start()
        for size in SIZES:
            sides = []
            for supervisor, depth in zip(pair, (size, size if work == 1.0 else deeper(size, work)), strict=True):
                asked = request(host, size).model_copy(
                    update={"k": depth, "least_session_ms": 500.0, "in_turns": False, "references": {}}
                )
                asked = with_references(host, asked).model_copy(update={"in_turns": True})
                case = Case(platform=supervisor.launch.label, kernel="auto", size=size, seed=3, snapshot=number + 1)
                sides.append(Side(supervisor, case, asked))
            load = LoadMeter()
            found = TurnTaker((sides[0], sides[1]), draw, LIMIT, max_wait_s=MAX_WAIT_S).compare()
            cells.append(cell(found, limit_beside(load.percent(), LIMIT)))
    return {"platform": platform, "work": work, "busy": busy, "cells": cells}


def cell(found: Any, limit: float | None) -> dict[str, Any]:
    """Of one comparison: the median log ratio of its calm pairs, that of all means, and the second side's time."""
    sides = (found.first, found.second)
    if any(each.status != "ok" for each in sides):
        sys.exit(f"a side ended in {[each.status for each in sides]}: {[each.reason for each in sides]}")
    pairs = pair_logs(*(turn_times(each.sessions, found.launches, limit) for each in sides))
    first, second = ([ns * 1e-6 for s in each.sessions for ns in s.wall_ns] for each in sides)
    return {
        "log": round(statistics.median(pairs), 6) if len(pairs) >= LEAST_PAIRS else None,
        "calm": len(pairs),
        "mean": round(math.log(statistics.fmean(second) / statistics.fmean(first)), 6),
        "ms": round(statistics.fmean(second), 5),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure or judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["measure", "judge"])
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--platforms", nargs="+", default=["pocl", "rusticl"])
    parser.add_argument("--work", nargs="+", type=float, default=[1.0, 1.05, 1.1, 1.2])
    parser.add_argument("--busy", choices=["no", "yes", "both"], default="no")
    parser.add_argument("--minutes", type=float, default=60.0)
    arguments = parser.parse_args(argv)
    if arguments.what == "measure":
        arguments.raw = arguments.raw or Path("aa_gates.jsonl.gz")
        measure(arguments)
    else:
        print("\n".join(table(read(arguments.raw or KEPT))))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Gates of a driver against itself, against itself with more work, and on one thread: how often each answer comes here.

    chrt -r 9 python benchmarks/aa_gates.py measure --minutes 60
    python benchmarks/aa_gates.py judge
    python benchmarks/aa_gates.py redraw
    python benchmarks/aa_gates.py redraw --in-service

``measure`` takes snapshot after snapshot until the time is over, two fresh workers each, at 256 and 512, of whatever is
furthest behind its goal in gates (``wanted``), and adds each to a file (``--raw``, that which is kept beside this
script); it can be broken off at any time and gone on with. Then it judges all of them, and writes the table into
docs/explanation/decision-quality.md where the file is the kept one. ``judge`` prints that table, ``redraw`` how often
each answer comes in gates whose snapshots are drawn anew from those measured; ``--in-service``: with the share that the
shipped policy asks beside the driver in service, and the spread that it assumes. A gate is what comes
of cutting a series of snapshots: it has the looks of a run, 3, 5, 8 and 12 snapshots, and the next one begins where it
was decided. The table has, for a ratio of at least 0.97, how many passed, failed and stayed open, and what two other
rules say of the same snapshots. The spread is that of the first twenty idle snapshots of the unchanged driver, which
take part in no gate.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import raw_files

from pytest_weekops.campaigns.calibrate import deeper
from pytest_weekops.campaigns.load import LONGEST_S, busy_loop
from pytest_weekops.core.binomial import clopper_pearson
from pytest_weekops.core.judge.asking.spreads import assumed
from pytest_weekops.core.judge.certainty.answers import Errors, Requirement
from pytest_weekops.core.judge.certainty.multiplicity import answer_run
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.core.measurement.calibration import figures
from pytest_weekops.core.measurement.calm import limit_beside, pair_logs, turn_times
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.policies.files import default_policy

KEPT = raw_files.KEPT / "aa_gates.jsonl.gz"  # judged again by a test
SIZES = (256, 512)
LIMIT, MAX_WAIT_S = 5.0, 20.0
FLOOR, CALIBRATION = 0.97, 20
REDRAWN = 10_000  # gates of each kind whose snapshots are drawn anew
LEAST_PAIRS = 8
MEAN_LIMIT, DRIFT_LIMIT = 1.05, 0.10
UNCHANGED = {"pocl": 200}  # gates of the unchanged driver on an idle host that are wanted; 50 of any other
MORE_WORK = {1.05: 12.0, 1.1: 3.0, 1.2: 3.0}  # times the work, and about how many snapshots a gate of it takes
ONE_THREAD = {"pocl": "POCL_MAX_PTHREAD_COUNT", "rusticl": "LP_NUM_THREADS"}
SNAPSHOTS_A_GATE = 4.0

Snapshot = dict[str, Any]


@dataclass(frozen=True)
class Gate:
    """How one gate ended under each rule: pass, fail or inconclusive, and after how many snapshots."""

    answer: str
    snapshots: int
    mean_fails: bool
    drift_fails: bool


# -- judging ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Kind:
    """What snapshots are of: a driver against itself, with so many times the work, or on one thread."""

    platform: str
    busy: bool = False
    work: float = 1.0
    one_thread: bool = False

    def has(self, taken: Snapshot) -> bool:
        """Whether a snapshot is of this kind."""
        return kind_of(taken) == self

    @property
    def name(self) -> str:
        """For the table."""
        work = "one thread" if self.one_thread else f"{self.work:g}"
        return f"{self.platform}, {'busy' if self.busy else 'idle'}, {work}"


def kind_of(taken: Snapshot) -> Kind:
    """What a snapshot is of."""
    return Kind(taken["platform"], taken["busy"], taken["work"], taken.get("one_thread", False))


def series(snapshots: Sequence[Snapshot], kind: Kind) -> list[Snapshot]:
    """Those of one kind in which both sizes had enough calm pairs."""
    return [s for s in snapshots if kind.has(s) and all(cell["log"] is not None for cell in s["cells"])]


def spreads(snapshots: Sequence[Snapshot], platform: str) -> list[Spread]:
    """One per size, from the first idle snapshots of the unchanged driver."""
    first = series(snapshots, Kind(platform))[:CALIBRATION]
    found = [figures([s["cells"][place]["log"] for s in first]) for place in range(len(SIZES))]
    return [Spread(each.sd, len(first) - 1, max(0.0, each.lag1)) for each in found]


def gates(snapshots: Sequence[Snapshot], kind: Kind) -> Iterator[Gate]:
    """The gates that a series holds, one behind the other; what is left at its end is none."""
    plan, known = LookPlan(), spreads(snapshots, kind.platform)
    left = judged(snapshots, kind)
    while (found := gate(left, plan, known)) is not None:
        yield found
        left = left[found.snapshots :]


def judged(snapshots: Sequence[Snapshot], kind: Kind) -> list[Snapshot]:
    """Those of a kind that take part in gates: all but the calibration."""
    return series(snapshots, kind)[CALIBRATION if kind == Kind(kind.platform) else 0 :]


def gate(left: Sequence[Snapshot], plan: LookPlan, known: Sequence[Spread], floor: float = FLOOR) -> Gate | None:
    """The gate that these begin with, None where they end before it is decided."""
    for look in plan.looks:
        if look > len(left):
            return None
        taken = left[:look]
        cells = [
            Requirement(f"{size}", tuple(s["cells"][place]["log"] for s in taken), math.log(floor), spread)
            for place, (size, spread) in enumerate(zip(SIZES, known, strict=True))
        ]
        states = {each.status for each in answer_run(cells, plan, Errors()).answers}
        if CheckStatus.INCONCLUSIVE not in states or look == plan.budget:
            break
    worst = next(s for s in (CheckStatus.FAIL, CheckStatus.INCONCLUSIVE, CheckStatus.PASS) if s in states)
    return Gate(worst.value, look, *_others(taken))


def redrawn(
    snapshots: Sequence[Snapshot], kind: Kind, count: int, *, policy: Policy | None = None
) -> tuple[Counter[str], float]:
    """Answers of so many gates, and how many snapshots they took on average.

    Each gate's are drawn anew, with replacement, from those of a kind. It says more of rare answers than the gates that
    a short series can be cut into, and takes snapshots to be independent. The draws are the same each time. With a
    ``policy`` the gates have its share of the driver in service for a floor, and the spread that it assumes. Raises
    ``ValueError`` where the kind has fewer than a gate may take.
    """
    plan, pool = LookPlan(), judged(snapshots, kind)
    known = [assumed(policy)] * len(SIZES) if policy is not None else spreads(snapshots, kind.platform)
    floor = policy.floors.share_of_service if policy is not None else FLOOR
    if len(pool) < plan.budget:
        raise ValueError(f"{kind.name} has {len(pool)} snapshots, and a gate takes up to {plan.budget}: measure more")
    draw, found, taken = random.Random(kind.name), Counter[str](), 0
    for _ in range(count):
        ended = gate(draw.choices(pool, k=plan.budget), plan, known, floor)
        assert ended is not None  # the budget is decided, one way or another
        found[ended.answer] += 1
        taken += ended.snapshots
    return found, taken / count


def redraw(snapshots: Sequence[Snapshot], policy: Policy | None = None) -> list[str]:
    """One row per kind of which there are enough snapshots; shares in percent."""
    names = ["driver, host, work", "measured", "pass", "fail", "open", "snapshots"]
    rows = [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]
    for kind in sorted(set(map(kind_of, snapshots))):
        if len(pool := judged(snapshots, kind)) >= LookPlan().budget:
            found, mean = redrawn(snapshots, kind, REDRAWN, policy=policy)
            shares = [f"{100 * found[a] / REDRAWN:.2f} %" for a in ("pass", "fail", "inconclusive")]
            rows.append(f"| {kind.name} | {len(pool)} | {' | '.join(shares)} | {mean:.1f} |")
    return rows


def _others(taken: Sequence[Snapshot]) -> tuple[bool, bool]:
    """Whether ``mean:5%`` fails, and a change of more than 10 % from the first to the last snapshot."""
    columns = [[s["cells"][place] for s in taken] for place in range(len(SIZES))]
    means = [math.exp(statistics.fmean(cell["mean"] for cell in column)) > MEAN_LIMIT for column in columns]
    moved = [abs(column[-1]["ms"] / column[0]["ms"] - 1.0) > DRIFT_LIMIT for column in columns]
    return any(means), any(moved)


def table(snapshots: Sequence[Snapshot]) -> list[str]:
    """One row per kind that has a gate; shares in percent with 95 % intervals."""
    rows = [
        "| driver, host, work | gates | pass | fail | open | snapshots | void | `mean:5%` fails | first against last |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for kind in sorted(set(map(kind_of, snapshots))):
        if len(series(snapshots, Kind(kind.platform))) < CALIBRATION:
            continue
        found = list(gates(snapshots, kind))
        if not found:
            continue
        count = len(found)
        void = 1 - len(series(snapshots, kind)) / sum(map(kind.has, snapshots))
        shares = [_share(sum(g.answer == a for g in found), count) for a in ("pass", "fail", "inconclusive")]
        others = [_share(sum(getattr(g, f) for g in found), count) for f in ("mean_fails", "drift_fails")]
        cells = [kind.name, str(count), *shares, f"{statistics.fmean(g.snapshots for g in found):.1f}"]
        rows.append("| " + " | ".join([*cells, f"{100 * void:.0f} %", *others]) + " |")
    return rows


def _share(hits: int, count: int) -> str:
    low, high = clopper_pearson(hits, count)
    return f"{hits} ({100 * low:.0f} to {100 * high:.0f} %)"


# -- measuring -------------------------------------------------------------------------------------------------------


def wanted(platforms: Sequence[str], loads: Sequence[bool]) -> dict[Kind, float]:
    """How many snapshots each kind should have for its goal in gates."""
    found: dict[Kind, float] = {}
    for platform in platforms:
        for busy in loads:
            unchanged = 40 if busy else UNCHANGED.get(platform, 50)
            found[Kind(platform, busy)] = SNAPSHOTS_A_GATE * unchanged + (0 if busy else CALIBRATION)
            for work, snapshots in MORE_WORK.items():
                found[Kind(platform, busy, work)] = snapshots * (10 if busy else 20)
            if platform in ONE_THREAD:
                found[Kind(platform, busy, one_thread=True)] = 3.0 * (5 if busy else 10)
    return found


def measure(arguments: argparse.Namespace) -> None:
    """Add snapshots to the file until the time is over."""
    from pytest_weekops.core.errors import DeviceBusy
    from pytest_weekops.core.measurement.plan import Deadlines
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.worker.host import HostWorker

    ends = time.monotonic() + 60.0 * arguments.minutes
    goals = wanted(arguments.platforms, raw_files.HOSTS[arguments.busy])
    if arguments.unchanged:
        goals = {kind: goal for kind, goal in goals.items() if kind == Kind(kind.platform, kind.busy)}
    raw_files.pack(arguments.raw)
    taken = Counter(map(kind_of, raw_files.read(arguments.raw)))
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host:
        while time.monotonic() < ends:
            kind = min(goals, key=lambda each: taken[each] / goals[each])
            with suppress(DeviceBusy):  # by another gate, for longer than a minute: it is tried again
                found = snapshot(kind, host, scratch, number := taken.total())
                taken[kind] += 1
                raw_files.add(arguments.raw, found)
                print(number, json.dumps(found), flush=True)


def snapshot(kind: Kind, host: Any, scratch: Path, number: int) -> Snapshot:
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
        if kind.busy:
            stack.enter_context(busy_loop(number, draw.uniform(0.0, 2.0 * LONGEST_S)))
        pair = []
        for letter in "AB":
            (launch,) = resolve_platforms([kind.platform], scratch=scratch)
            if kind.one_thread and letter == "B":
                launch.environment[ONE_THREAD[kind.platform]] = "1"
            supervisor = PlatformSupervisor(
                launch.model_copy(update={"label": f"{launch.label}-{letter}"}), Deadlines(), scratch
            )
            stack.callback(supervisor.close)
            pair.append(supervisor)
        for supervisor in draw.sample(pair, 2):
            supervisor.start()
        for size in SIZES:
            sides = []
            depths = (size, size if kind.work == 1.0 else deeper(size, kind.work))
            for supervisor, depth in zip(pair, depths, strict=True):
                asked = request(host, size).model_copy(
                    update={"k": depth, "least_session_ms": 500.0, "in_turns": False, "references": {}}
                )
                asked = with_references(host, asked).model_copy(update={"in_turns": True})
                case = Case(platform=supervisor.launch.label, kernel="auto", size=size, seed=3, snapshot=number + 1)
                sides.append(Side(supervisor, case, asked))
            load = LoadMeter()
            found = TurnTaker((sides[0], sides[1]), draw, LIMIT, max_wait_s=MAX_WAIT_S).compare()
            cells.append(cell(found, limit_beside(load.percent(), LIMIT)))
    also = {"one_thread": True} if kind.one_thread else {}
    return {"platform": kind.platform, "work": kind.work, "busy": kind.busy, **also, "cells": cells}


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
    """Measure, judge, or draw anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["measure", "judge", "redraw"])
    parser.add_argument("--raw", type=Path, default=KEPT)
    parser.add_argument("--platforms", nargs="+", default=["pocl", "rusticl"])
    parser.add_argument("--busy", choices=[*raw_files.HOSTS], default="both")
    parser.add_argument("--unchanged", action="store_true", help="only the unchanged driver against itself")
    parser.add_argument("--in-service", action="store_true", help="redraw by the shipped policy's share and spread")
    parser.add_argument("--minutes", type=float, default=60.0)
    arguments = parser.parse_args(argv)
    if arguments.in_service and arguments.what != "redraw":
        parser.error("--in-service is of redraw: what is measured and judged has a floor of its own")
    if arguments.what == "measure":
        with suppress(KeyboardInterrupt):
            measure(arguments)
        raw_files.pack(arguments.raw)
    in_docs = arguments.what == "measure" and arguments.raw == KEPT
    policy = default_policy() if arguments.in_service else None
    rows = functools.partial(redraw, policy=policy) if arguments.what == "redraw" else table
    raw_files.show(arguments.raw, rows, "aa-gates", in_docs=in_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())

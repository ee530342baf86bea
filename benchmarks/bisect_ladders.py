"""Simulated ladders of builds, one of which adds 5 %: python benchmarks/bisect_ladders.py.

Each step is drawn snapshot by snapshot and decided by what decides a split, in the way that `weekops bisect` asks: the
two ends first, halfway between them as the limit, their scatter as the spread, a share of the error for each step. A
line per noise says how many ladders ended with the right build, with a range that has it, with ends that were not
certain to differ, and with a wrong answer. Pairs in turns had a standard deviation of 0.003 to 0.029 a snapshot on
machines of two cores.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_weekops.core.bisect.search import Said, narrowed
from pytest_weekops.core.bisect.surety import answer_error, halfway, spread_percent, step_error
from pytest_weekops.core.judge.certainty.answers import Answer, Errors, Requirement, answer
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus

NOISES = ("normal", "disturbed")
SPREADS = (0.003, 0.01, 0.02, 0.029)
ASSUMED = Spread(0.05)
DISTURBED, HOW_OFTEN = math.log(1.3), 0.1  # one snapshot in ten takes that much longer, whichever side it is
_SAID = {CheckStatus.PASS: Said.GOOD, CheckStatus.FAIL: Said.BAD}


@dataclass(frozen=True)
class Asked:
    """What is simulated: so many builds, one of which is slower by ``slower`` (a share), at some noise."""

    builds: int
    slower: float
    noise: str
    sd: float
    budget: int
    error: float
    mute: float = 0.0  # share of builds that cannot be judged

    @property
    def step(self) -> Errors:
        """What a step may err."""
        own = step_error(self.error, self.builds - 1)
        return Errors(own, own)


@dataclass(frozen=True)
class Outcome:
    """How a ladder ended: right, range, wrong or ends; after how many steps and snapshots, and what it may err."""

    how: str
    steps: int
    snapshots: int
    error: float = 0.0


def ladder(asked: Asked, draw: random.Random) -> Outcome:
    """One ladder from its two ends to its answer."""
    first_bad = draw.randrange(1, asked.builds)
    plan = LookPlan.between(6, asked.budget)
    ends = _step(_snapshots(asked, math.log1p(-asked.slower), draw), plan, asked.step, 0.0, ASSUMED)
    taken = len(ends[1])
    if ends[0].status is not CheckStatus.FAIL:
        return Outcome("ends", 1, taken)
    scatter = spread_percent(ends[1])
    spread = Spread(scatter / 100.0) if scatter is not None else ASSUMED
    limit = math.log(halfway(ends[0].interval.estimate))
    answers: dict[int, Said] = {}
    errors = [asked.step.false_fail]
    while (place := (state := narrowed(asked.builds - 1, answers)).next_place) is not None:
        truth = math.log1p(-asked.slower) if place >= first_bad else 0.0
        if draw.random() < asked.mute:
            answers[place] = Said.SKIPPED
            continue
        found, values = _step(_snapshots(asked, truth, draw), plan, asked.step, limit, spread)
        answers[place] = _SAID.get(found.status, Said.SKIPPED)
        errors += [asked.step.false_fail] * (answers[place] is not Said.SKIPPED)
        taken += len(values)
    how = ("right" if state.is_exact else "range") if first_bad in state.suspects else "wrong"
    return Outcome(how, len(answers) + 1, taken, answer_error(errors) or 0.0)


def _step(
    snapshots: Iterator[float], plan: LookPlan, errors: Errors, limit: float, spread: Spread
) -> tuple[Answer, Sequence[float]]:
    """Snapshots until a look decides, or until the budget is spent."""
    values: list[float] = []
    for look in plan.looks:
        values += [next(snapshots) for _ in range(look - len(values))]
        found = answer(Requirement("ratio", tuple(values), limit, spread), plan, errors)
        if found.is_decided:
            break
    return found, values


def _snapshots(asked: Asked, truth: float, draw: random.Random) -> Iterator[float]:
    while True:
        off = 0.0
        if asked.noise == "disturbed" and draw.random() < HOW_OFTEN:
            off = DISTURBED * draw.choice((-1, 1))
        yield truth + draw.gauss(0.0, asked.sd) + off


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per noise. Exit status 1 where fewer than asked are right at the noise of a calm machine, 1 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ladders", type=int, default=100)
    parser.add_argument("--builds", type=int, default=16)
    parser.add_argument("--slower", type=float, default=0.05)
    parser.add_argument("--budgets", type=int, nargs="+", default=[12, 40])
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=NOISES)
    parser.add_argument("--spreads", type=float, nargs="+", default=SPREADS)
    parser.add_argument("--error", type=float, default=0.05)
    parser.add_argument("--mute", type=float, default=0.0)
    parser.add_argument("--asked", type=int, default=95)
    options = parser.parse_args(argv)
    print("| noise | sd | budget | right | a range that has it | ends open | wrong | snapshots | may err |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    short = False
    for noise in options.noises:
        for sd in options.spreads:
            for budget in options.budgets:
                asked = Asked(options.builds, options.slower, noise, sd, budget, options.error, options.mute)
                draw = random.Random(f"{noise} {sd} {budget}")
                found = [ladder(asked, draw) for _ in range(options.ladders)]
                how = Counter(each.how for each in found)
                snapshots = sum(each.snapshots for each in found) / len(found)
                told = max(each.error for each in found)
                counts = f"{how['right']} | {how['range']} | {how['ends']} | {how['wrong']}"
                print(f"| {noise} | {sd} | {budget} | {counts} | {snapshots:.0f} | {100 * told:.2g} % |", flush=True)
                calm = noise == "normal" and sd <= 0.01
                short |= calm and how["right"] * 100 < options.asked * options.ladders
    return int(short)


if __name__ == "__main__":
    sys.exit(main())

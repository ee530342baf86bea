"""How often the rules between hosts err: python benchmarks/fleet_rules.py.

Fleets of hosts that are alike, or of which one is slow, are drawn with a fixed seed and asked as a fleet's verdict
asks. The first table says how often some host is called an outlier though none is, the second the same of a rule that
was not taken, the third how often a host that is so many standard deviations (between hosts) slow is found, the fourth
how often the interval over all hosts' ratios misses on its upper side, the fifth the same of two drivers' difference.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Callable, Iterator

from pytest_weekops.core.fleet.outliers import low_outliers
from pytest_weekops.core.fleet.together import common_ratio, difference

HOSTS = (5, 8, 10, 20, 50)
LEVELS = (0.01, 0.05)
SLOW = (3, 4, 6, 8, 12)
Draw = Callable[[random.Random], float]


def normal(drawn: random.Random) -> float:
    """What the rules take hosts to scatter like."""
    return drawn.gauss(0, 1)


def heavy(drawn: random.Random) -> float:
    """Student's t with five degrees of freedom, of standard deviation 1: a few hosts lie far out, on either side."""
    return drawn.gauss(0, 1) / math.sqrt(drawn.gammavariate(2.5, 2.0) / 5) / math.sqrt(5 / 3)


def skewed(drawn: random.Random) -> float:
    """A lognormal's logarithm is no normal either: an exponential tail to the slow side, of standard deviation 1."""
    return 1.0 - drawn.expovariate(1.0)


NOISES: dict[str, Draw] = {"normal": normal, "heavy": heavy, "skewed": skewed}


def rack(drawn: random.Random, draw: Draw, hosts: int, slow: float = 0.0) -> dict[str, float]:
    """One fleet of which host 0 is this much slower."""
    return {str(host): draw(drawn) - slow * (host == 0) for host in range(hosts)}


def alarms(trials: int) -> Iterator[str]:
    """False alarms in percent of fleets, by noise, hosts and level."""
    for name, draw in NOISES.items():
        for hosts in HOSTS:
            drawn = random.Random(hosts)
            racks = [rack(drawn, draw, hosts) for _ in range(trials)]
            told = [sum(bool(low_outliers(each, level)) for each in racks) / trials for level in LEVELS]
            yield f"{name:<8}{hosts:>6}" + "".join(f"{100 * each:>9.2f} %" for each in told)


def robust(trials: int) -> Iterator[str]:
    """What a robust z with its usual limit of 3.5 (Iglewicz and Hoaglin 1993) would alarm, on the slow side alone."""
    for hosts in HOSTS:
        drawn = random.Random(hosts)
        alarmed = 0
        for _ in range(trials):
            values = list(rack(drawn, normal, hosts).values())
            middle = statistics.median(values)
            distance = statistics.median(abs(value - middle) for value in values)
            alarmed += 0.6745 * (min(values) - middle) < -3.5 * distance
        yield f"{hosts:>6}{100 * alarmed / trials:>9.2f} %"


def found(trials: int) -> Iterator[str]:
    """Slow hosts that are found, in percent, at 1 %."""
    for hosts in HOSTS:
        drawn = random.Random(hosts)
        shares = [sum("0" in low_outliers(rack(drawn, normal, hosts, s), 0.01) for _ in range(trials)) for s in SLOW]
        yield f"{hosts:>6}" + "".join(f"{100 * each / trials:>8.1f} %" for each in shares)


def missed(trials: int) -> Iterator[str]:
    """Upper limits of a common ratio below the truth, in percent, at 1 % and 5 %; errors differ fourfold."""
    for draw in (normal, heavy):
        for hosts in (3, 4, 6, 10, 30):
            for between in (0.0, 0.01, 0.03):
                drawn = random.Random(hosts)
                counts = [0, 0]
                for _ in range(trials):
                    errors = [drawn.choice((0.005, 0.01, 0.02)) for _ in range(hosts)]
                    logs = [between * draw(drawn) + drawn.gauss(0, error) for error in errors]
                    for at, level in enumerate(LEVELS):
                        common = common_ratio(logs, errors, level)
                        counts[at] += common is not None and common.upper < 0
                words = "".join(f"{100 * each / trials:>9.2f} %" for each in counts)
                yield f"{draw.__name__:<8}{hosts:>6}{between:>9.2f}{words}"


def differences(trials: int) -> Iterator[str]:
    """The same of a difference between two drivers; the second one's hosts scatter three times as much."""
    for one, other in ((2, 2), (3, 3), (3, 10), (10, 3), (10, 10)):
        drawn = random.Random(one * 100 + other)
        counts = [0, 0]
        for _ in range(trials):
            first = [drawn.gauss(0, 0.01) for _ in range(one)]
            second = [drawn.gauss(0, 0.03) for _ in range(other)]
            for at, level in enumerate(LEVELS):
                common = difference(first, second, level)
                counts[at] += common is not None and common.upper < 0
        yield f"{one:>6}{other:>6}" + "".join(f"{100 * each / trials:>9.2f} %" for each in counts)


def main() -> None:
    """Print the five tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--trials",
        type=int,
        default=10_000,
        help="fleets for each figure, a fifth for the third and the fifth table (default: 10000)",
    )
    trials = parser.parse_args().trials
    print(f"False alarms at {LEVELS}, by noise and hosts")
    print("\n".join(alarms(trials)))
    print("\nFalse alarms of a robust z beyond 3.5, by hosts")
    print("\n".join(robust(trials)))
    print(f"\nA host found that is {SLOW} standard deviations slow, at 0.01, by hosts")
    print("\n".join(found(max(100, trials // 5))))
    print(f"\nCommon ratio: upper limit missed at {LEVELS}, by noise, hosts and standard deviation between them")
    print("\n".join(missed(trials)))
    print(f"\nTwo drivers: upper limit missed at {LEVELS}, by hosts of each")
    print("\n".join(differences(max(100, trials // 5))))


if __name__ == "__main__":
    main()

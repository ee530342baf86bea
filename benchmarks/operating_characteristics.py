"""What the gate answers, how often and after how many snapshots: python benchmarks/operating_characteristics.py.

Simulated runs of six cells, with a fixed seed, judged by what `core/judge/certainty` does, by others on samples of the
same noise, and by the rules before. Writes its tables into docs/explanation/decision-quality.md, and its picture into
docs/pictures; `--gates N` takes fewer gates a row, `--dry` prints and writes nothing.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from raw_files import put_into_docs
from simulated_rules import DRIFT_RULES, FLOOR_RULES, LIVE_DRIFT_RULES, NOISES, Rates, Row, simulate

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "pictures" / "operating-characteristics.svg"

RATIOS = (1.00, 0.95, 0.90, 0.88, 0.85, 0.82, 0.80)
SPREADS = (0.01, 0.02, 0.05, 0.10)
DRIFTS = (0.0, 3.0, 5.0, 10.0)
DRIFT_NOISES = (
    *(("normal", sd, 3.0) for sd in (0.003, 0.01, 0.02, 0.05, 0.10)),
    ("lag", 0.02, 3.0),
    ("contaminated", 0.02, 3.0),
    ("normal", 0.05, 10.0),
    ("contaminated", 0.05, 10.0),
)
LIVE_DRIFTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
LIVE_DRIFT_NOISES = (
    *(("normal", sd, 10.0) for sd in (0.003, 0.01, 0.02, 0.05)),
    ("contaminated", 0.02, 10.0),
    ("normal", 0.003, 3.0),
    ("normal", 0.01, 3.0),
)
PROMISED = ("trend, one lane", "trend, two lanes", "fall of two snapshots, two lanes")
CURVE = tuple(0.76 + 0.01 * step for step in range(25))
Found = dict[Row, Rates]


def chosen_rows() -> list[list[Row]]:
    """Lines of the first table: all six cells at each ratio, and one cell at the floor."""
    return [
        [*(Row("chosen", kind, sd, ratio) for ratio in RATIOS), Row("chosen", kind, sd, 0.85, lone=True)]
        for kind in NOISES
        for sd in SPREADS
    ]


def rule_rows() -> list[list[Row]]:
    """Lines of the second table: every rule on four noises, at what matters most."""
    return [
        [
            Row(rule, kind, 0.02, 1.00),
            Row(rule, kind, 0.02, 0.95),
            Row(rule, kind, 0.02, 0.85, lone=True),
            Row(rule, kind, 0.02, 0.80),
        ]
        for kind in ("normal", "skewed", "both", "wider")
        for rule in FLOOR_RULES
    ]


def drift_rows() -> list[list[Row]]:
    """Lines of the third table."""
    return [
        [Row(rule, kind, sd, drift=drift, limit=limit) for drift in DRIFTS]
        for kind, sd, limit in DRIFT_NOISES
        for rule in DRIFT_RULES
    ]


def live_drift_rows() -> list[list[Row]]:
    """Lines of the fourth table: drifts that are so many times the limit."""
    return [
        [Row(rule, kind, sd, drift=round(times * limit, 3), limit=limit) for times in LIVE_DRIFTS]
        for kind, sd, limit in LIVE_DRIFT_NOISES
        for rule in LIVE_DRIFT_RULES
    ]


def curve_rows() -> list[Row]:
    """Points of the picture."""
    return [
        Row(rule, "normal", sd, round(ratio, 2))
        for rule in ("chosen", "mean of six")
        for sd in (0.02, 0.05)
        for ratio in CURVE
    ]


def gates_of(row: Row, most: int) -> int:
    """How many gates a row takes: all where a small rate was asked for, else a fifth, or of live ones a twentieth."""
    if row.rule in LIVE_DRIFT_RULES:
        return max(1, most // 20)
    asked = row.drift == 0 and row.rule in PROMISED if row.limit else row.rule == "chosen"
    return most if asked else max(1, most // 5)


def percent(share: float) -> str:
    """A share in percent, with as many digits as it has."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") if 0 < share < 1 else f"{100 * share:.0f}"


def told(rates: Rates) -> str:
    """Pass / fail / inconclusive in percent, and the mean number of snapshots."""
    return f"{percent(rates.passed)} / {percent(rates.failed)} / {percent(max(rates.open, 0.0))}, {rates.snapshots:.1f}"


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, ["---"] * len(heads), *lines))


def chosen_table(found: Found) -> str:
    """Pass / fail / inconclusive and snapshots of what was chosen."""
    heads = ["noise", "sd", *(f"{ratio:.2f}" for ratio in RATIOS), "one cell of six at 0.85"]
    lines = [[NOISES[row[0].kind], f"{row[0].sd:g}", *(told(found[each]) for each in row)] for row in chosen_rows()]
    return table(heads, lines)


def rule_table(found: Found) -> str:
    """The same for every rule, at an sd of 0.02."""
    heads = ["noise", "rule", "1.00", "0.95", "one cell of six at 0.85", "0.80"]
    lines = [[NOISES[row[0].kind], row[0].rule, *(told(found[each]) for each in row)] for row in rule_rows()]
    return table(heads, lines)


def drift_table(found: Found) -> str:
    """How often a run fails for its drift."""
    heads = ["noise, sd, limit", "rule", *(f"drift {drift:g} %" for drift in DRIFTS)]
    return table(heads, [_drift_line(row, [percent(found[each].failed) for each in row]) for row in drift_rows()])


def live_drift_table(found: Found) -> str:
    """What a weekly run answers to a fall, by how many times the limit it is."""
    heads = ["noise, sd, limit", "the fall", *(f"{times:g} of the limit" for times in LIVE_DRIFTS)]
    return table(heads, [_drift_line(row, [told(found[each]) for each in row]) for row in live_drift_rows()])


def _drift_line(row: Sequence[Row], said: Sequence[str]) -> list[str]:
    return [f"{NOISES[row[0].kind]}, {row[0].sd:g}, {row[0].limit:g} %", row[0].rule, *said]


def required_table(found: Found) -> str:
    """What was asked for beside what was found; the worst of the rows it speaks of."""

    def of(kind: str, sd: float, ratio: float, *, lone: bool = False) -> Rates:
        return found[Row("chosen", kind, sd, ratio, lone=lone)]

    lines = []
    for kind, name in NOISES.items():
        block = max(of(kind, sd, 1.0).failed for sd in SPREADS)
        promote = max(of(kind, sd, 0.85, lone=True).passed for sd in SPREADS)
        clear = [of(kind, 0.02, ratio).snapshots for ratio in (1.00, 0.95, 0.80)]
        lines.append(
            [
                name,
                percent(block),
                percent(promote),
                percent(of(kind, 0.02, 0.80).failed),
                ", ".join(f"{count:.1f}" for count in clear),
            ]
        )
    heads = [
        "noise",
        "false block at 1.00, worst sd (asked: at most 1)",
        "false promote with one cell at the floor, worst sd (at most 2.5)",
        "fail at 0.80, sd 0.02 (at least 99)",
        "snapshots at 1.00, 0.95, 0.80, sd 0.02 (at most 5)",
    ]
    return table(heads, lines)


def draw(found: Found, path: Path) -> None:
    """The operating characteristic: what is answered at each true ratio, and after how many snapshots."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "weekops", "svg.fonttype": "none", "font.size": 9})
    figure, (answers, snapshots) = plt.subplots(2, 1, figsize=(7, 6), sharex=True, height_ratios=(2, 1))
    for sd, style in ((0.02, "-"), (0.05, "--")):
        rates = [found[Row("chosen", "normal", sd, round(ratio, 2))] for ratio in CURVE]
        before = [found[Row("mean of six", "normal", sd, round(ratio, 2))] for ratio in CURVE]
        for name, color in (("passed", "tab:green"), ("failed", "tab:red"), ("open", "tab:gray")):
            label = f"{'inconclusive' if name == 'open' else name}, sd {sd:g}"
            answers.plot(CURVE, [100 * getattr(r, name) for r in rates], style, color=color, label=label)
        rule = [100 * r.failed for r in before]
        answers.plot(CURVE, rule, style, color="tab:orange", linewidth=0.8, label=f"mean of six fails, sd {sd:g}")
        snapshots.plot(CURVE, [r.snapshots for r in rates], style, color="tab:blue", label=f"sd {sd:g}")
    for axis in (answers, snapshots):
        axis.axvline(0.85, color="black", linewidth=0.6)
        axis.grid(visible=True, linewidth=0.3)
        axis.legend(fontsize=7)
    answers.set_ylabel("runs of six cells, %")
    snapshots.set_ylabel("mean snapshots")
    snapshots.set_xlabel("true ratio of all six cells; the floor is 0.85")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--only", choices=["live-drift"], help="this table alone, which is done in a minute")
    arguments = parser.parse_args(argv)
    lines = (*chosen_rows(), *rule_rows(), *drift_rows(), curve_rows(), *live_drift_rows())
    every = dict.fromkeys(row for line in lines for row in line)
    wanted = dict.fromkeys(row for line in live_drift_rows() for row in line) if arguments.only else every
    jobs = [(place, row, gates_of(row, arguments.gates)) for place, row in enumerate(every) if row in wanted]
    found: Found = {}
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        for (_place, row, _gates), rates in zip(jobs, pool.imap(simulate, jobs, chunksize=4), strict=True):
            found[row] = rates
            if sys.stderr.isatty():
                print(f"\r{len(found)} of {len(jobs)}", end="", file=sys.stderr, flush=True)
    tables = (
        {}
        if arguments.only
        else {
            "required": required_table(found),
            "chosen": chosen_table(found),
            "rules": rule_table(found),
            "drift": drift_table(found),
        }
    )
    tables["live-drift"] = live_drift_table(found)
    print("\n\n".join(tables.values()))
    if not arguments.dry:
        for name, content in tables.items():
            put_into_docs(name, [content])
        if not arguments.only:
            draw(found, PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

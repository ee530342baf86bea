"""``weekops compare``: what two runs were made of, and how fast they were."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.cli.places import refuse_evidence, write_asked
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import finite_from
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.judge.run_speed import SpeedChange
    from pytest_weekops.evidence.stored_run import StoredRun


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from pytest_weekops.core.judge.run_speed import MARGIN_PERCENT

    default = f"{MARGIN_PERCENT:g}"
    parser.add_argument("before", type=Path, metavar="A", help="a run directory or its journal")
    parser.add_argument("after", type=Path, metavar="B", help="the run that came after it, or beside it")
    parser.add_argument(
        "--margin",
        default=default,
        metavar="PERCENT",
        help=f"how much slower is slower, beyond the interval (default: {default})",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the same as a page, too: a file in .html")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, or 1 where a cell of B is slower beyond its interval and the margin, or has no numbers any more.

    Each file of a driver, kernel release, firmware, policy, kernel and setting that differs is named. Whether one of
    them explains a change of speed is not said: only one run more can tell.
    """
    from pytest_weekops.core.judge.run_difference import difference_word
    from pytest_weekops.report.speed_change import speed_document, speed_lines
    from pytest_weekops.week.comparing import compare_runs, compared_text
    from pytest_weekops.week.witnesses import read_uncontradicted

    margin = _margin(arguments.margin)
    if arguments.output is not None:
        refuse_evidence(arguments.output)
    before, after = read_uncontradicted(arguments.before), read_uncontradicted(arguments.after)
    compared = compare_runs(before, after, margin)
    found, speed = compared.differences, compared.speed
    if arguments.json:
        document = {"a": before.run_id, "b": after.run_id, "differences": found, "speed": speed_document(speed)}
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        say(f"{before.run_id} -> {after.run_id}")
        for what, words in found.items():
            say(f"{what}: {difference_word(words)}")
            for line in words:
                say(f"  {line}")
        for line in speed_lines(speed):
            say(line)
    status = _status(speed, before, after)
    if arguments.output is not None:
        write_asked(arguments.output, compared_text(before.run_id, after.run_id, compared))
        say(f"{arguments.output} written", sys.stderr)
    return status


def _margin(text: str) -> float:
    margin = finite_from(text)
    if margin is None or not 0 <= margin < 100:
        raise InputError(
            f"--margin {text!r:.40} is no share of a speed. Whether a cell is slower could not be said. Give percent, "
            "0 or more and below 100."
        )
    return margin


def _status(speed: SpeedChange, before: StoredRun, after: StoredRun) -> int:
    """1 for what got slower. Raises ``InputError`` where measured runs have no cell in common: 0 would say too much."""
    if not (speed.cells or speed.lost) and "canonical" not in (before.kind, after.kind):
        raise InputError(
            f"Runs {before.run_id} and {after.run_id} have no cell in common that both measured, so that nothing is "
            "known of their speed. Compare runs of the same platforms, kernels and sizes."
        )
    return int(speed.is_worse)

"""``weekops comment``: a verdict as short Markdown, for a merge request."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory or journal.jsonl")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where it was printed; the verdict is in it, and ``weekops judge`` exits with it."""
    from pytest_weekops.evidence.artifacts import judged_anew
    from pytest_weekops.report.comment import render_comment
    from pytest_weekops.week.witnesses import read_uncontradicted

    verdict, facts = judged_anew(read_uncontradicted(arguments.run))
    print(render_comment(verdict, facts.decision(verdict)), end="")
    return 0

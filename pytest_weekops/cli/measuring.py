"""What commands that measure share: which platforms they are given, at which sizes, and what ``auto`` passed over."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.worker.process import Launch

LARGEST_SIZE = 16384


def add_platforms(parser: argparse.ArgumentParser) -> None:
    """Add ``--platforms`` and ``--platform-file``."""
    parser.add_argument(
        "--platforms",
        nargs="+",
        default=["auto"],
        metavar="NAME",
        help="profiles, or auto: the best device (default: auto)",
    )
    parser.add_argument(
        "--platform-file", action="append", default=[], type=Path, metavar="FILE", help="platform profiles of your own"
    )


def refuse_sizes(sizes: Sequence[int], purpose: str) -> None:
    """Raise ``InputError`` for a size that is none to ``purpose``, such as "tune at", and for one named twice."""
    if bad := [size for size in sizes if not 2 <= size <= LARGEST_SIZE]:
        raise InputError(f"--sizes {bad[0]} is no size to {purpose}. Give sizes from 2 to {LARGEST_SIZE}.")
    if len(set(sizes)) < len(sizes):
        raise InputError("--sizes names a size twice. It would be measured, and would count, twice. Name it once.")


def say_aside(line: str) -> None:
    """Say on standard error what is going on: standard output is for answers."""
    say(line, sys.stderr)


def say_passed_over(launch: Launch) -> None:
    """Say on standard error which drivers ``auto`` tried before this one, and why each does not work."""
    for words in launch.passed_over:
        say(f"auto passed over {words}", sys.stderr)

"""``weekops metrics``: a run as OpenMetrics text, for a node exporter; as ``weekops export --format openmetrics``."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.cli import export


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory or journal.jsonl")
    parser.add_argument("--output", type=Path, metavar="FILE", help="a .prom or .txt file (default: standard output)")
    parser.set_defaults(format="openmetrics", location=None)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where it was written; the verdict is in it, and `weekops judge` exits with it."""
    return export.run(arguments)

"""``weekops baseline pin RUN`` and ``weekops baseline show``."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    pin = actions.add_parser("pin", help="pin a promoted weekly run as the baseline of its devices")
    pin.add_argument("run", type=Path, metavar="RUN", help="run directory or journal")
    show = actions.add_parser("show", help="show the pinned baselines")
    for child in (pin, show):
        child.add_argument(
            "--report-dir",
            type=Path,
            default=Path("reports"),
            metavar="DIR",
            help="where baselines are (default: reports)",
        )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where that was done."""
    from pytest_weekops.evidence import baselines

    directory = arguments.report_dir / "baselines"
    if arguments.action == "pin":
        for path in baselines.pin(arguments.run, directory):
            say(f"pinned {baselines.load_baseline(path).run_id} as {path}")
        return 0
    paths = sorted(directory.glob("*.json"))
    for path in paths:
        baseline = baselines.load_baseline(path)
        say(f"{baseline.profile} on {baseline.hardware}: run {baseline.run_id} of {baseline.created_at}")
        for row in baseline.rows:
            say(f"  {row.kernel}:{row.size}  {row.throughput or 0.0:.2f} {row.unit}  p95 {row.p95_ms:.3f} ms")
    if not paths:
        say(f"No baseline is pinned in {directory}. Pin a promoted run: weekops baseline pin RUN.")
    return 0

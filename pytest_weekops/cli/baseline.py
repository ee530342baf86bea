"""``weekops baseline pin RUN`` and ``weekops baseline show``."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    pin = actions.add_parser("pin", help="pin a promoted weekly run as the baseline of its devices")
    pin.add_argument("run", nargs="?", type=Path, metavar="RUN", help="run directory or journal")
    pin.add_argument(
        "--again", action="store_true", help="enter baselines that were pinned before the ledger knew of pins"
    )
    show = actions.add_parser("show", help="show the pinned baselines")
    add_report_dir(pin, show, what="where baselines are")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where that was done."""
    from pytest_weekops.evidence import baselines
    from pytest_weekops.week.ledger import open_ledger
    from pytest_weekops.week.pins import changed_baselines

    directory = arguments.report_dir / "baselines"
    if arguments.action == "pin":
        return _pin(arguments.run, arguments.report_dir, again=arguments.again)
    for problem in changed_baselines(arguments.report_dir, open_ledger(arguments.report_dir).entries()):
        raise InputError(problem)
    paths = sorted(directory.glob("*.json"))
    for path in paths:
        baseline = baselines.load_baseline(path)
        say(f"{baseline.profile} on {baseline.hardware}: run {baseline.run_id} of {baseline.created_at}")
        for row in baseline.rows:
            say(f"  {row.kernel}:{row.size}  {row.throughput or 0.0:.2f} {row.unit}  p95 {row.p95_ms:.3f} ms")
    if not paths:
        say(f"No baseline is pinned in {directory}. Pin a promoted run: weekops baseline pin RUN.")
    return 0


def _pin(run: Path | None, report_dir: Path, *, again: bool) -> int:
    from pytest_weekops.evidence.baselines import load_baseline
    from pytest_weekops.week.pins import enter_older, pin_run

    if (run is None) != again:
        both = "A RUN stands beside --again" if again else "Neither a RUN nor --again is named"
        raise InputError(
            f"{both}. `weekops baseline pin RUN` makes a baseline of a run; --again enters those that lie there. Give "
            "one of the two."
        )
    if run is not None:
        for path in pin_run(run, report_dir):
            say(f"pinned {load_baseline(path).run_id} as {path}")
        return 0
    told = list(enter_older(report_dir))
    for line in told or [f"No baseline is pinned in {report_dir / 'baselines'}, so there is none to enter."]:
        say(line)
    return 0

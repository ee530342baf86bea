"""``weekops calibrate``: how much two runs of one unchanged driver differ here, and what a run can therefore see."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.cli.measuring import add_platforms, refuse_sizes, say_passed_over
from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.campaigns.calibrate import Asked, CalibratedPlatform
    from pytest_weekops.core.measurement.calibration import CalibratedSeries, Calibration
    from pytest_weekops.report.calibration import CalibratedCell

MOST_SNAPSHOTS, MOST_HOURS = 1000, 168.0
RUNS = 4000  # simulated on each cell's noise


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_platforms(parser)
    parser.add_argument(
        "--sizes", nargs="+", type=int, default=[512, 1400], metavar="N", help="sizes to measure (default: 512 1400)"
    )
    parser.add_argument("--snapshots", type=int, default=20, metavar="N", help="20, the least, or more (default: 20)")
    parser.add_argument(
        "--slowdowns",
        nargs="*",
        type=float,
        default=[1.02, 1.05, 1.10, 1.20],
        metavar="F",
        help="known slowdowns, as multiples of the work; one a snapshot, in turn (default: 1.02 1.05 1.10 1.20)",
    )
    parser.add_argument(
        "--load-snapshots",
        type=int,
        default=8,
        metavar="N",
        help="snapshots beside a busy loop that it starts, 0 for none (default: 8)",
    )
    parser.add_argument("--hours", type=float, default=1.0, metavar="H", help="time for all platforms (default: 1)")
    add_report_dir(parser, what="where it is kept")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write what was found as one JSON object")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="ratios as a picture")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where every platform has a calibration that was stored, 1 where one does not suffice."""
    _refuse(arguments)
    try:
        asked, platforms = _measured(arguments)
    except KeyboardInterrupt:
        _say("weekops calibrate: interrupted. Nothing was stored.")
        return 2
    from pytest_weekops.campaigns.calibrate import record
    from pytest_weekops.core.measurement.calibration import LEAST_SNAPSHOTS
    from pytest_weekops.evidence.calibrations import write_calibration

    stored: list[tuple[Path, Calibration]] = []
    problems: dict[str, str] = {}
    for platform in platforms:
        if shortage := platform.shortage(LEAST_SNAPSHOTS):
            problems[platform.launch.label] = shortage
            continue
        calibration = with_power(record(platform, asked))
        stored.append((write_calibration(arguments.report_dir, calibration), calibration))
    _show(stored, problems, arguments)
    return 1 if problems else 0


def _refuse(arguments: argparse.Namespace) -> None:
    from pytest_weekops.core.measurement.calibration import LEAST_SNAPSHOTS, MOST_WORK

    refuse_sizes(arguments.sizes, "calibrate at")
    if not LEAST_SNAPSHOTS <= arguments.snapshots <= MOST_SNAPSHOTS:
        raise InputError(
            f"--snapshots {arguments.snapshots} is not from {LEAST_SNAPSHOTS} to {MOST_SNAPSHOTS}. With fewer the "
            f"spread itself is hardly known. Give {LEAST_SNAPSHOTS}."
        )
    if not 0 < arguments.hours <= MOST_HOURS:
        raise InputError(f"--hours {arguments.hours:g} is no time to measure in. Give hours, 1 or so.")
    if bad := [work for work in arguments.slowdowns if not 1 < work <= MOST_WORK]:
        raise InputError(
            f"--slowdowns {bad[0]:g} is no slowdown. Give multiples of the work, above 1 and at most {MOST_WORK:g}."
        )
    if not 0 <= arguments.load_snapshots <= MOST_SNAPSHOTS:
        raise InputError(
            f"--load-snapshots {arguments.load_snapshots} is not from 0 to {MOST_SNAPSHOTS}. Give 8 or so."
        )
    if arguments.plot and importlib.util.find_spec("matplotlib") is None:
        raise InputError(
            "--plot needs matplotlib, which is not installed. Nothing was measured. Install it with "
            '`pip install "pytest-weekops[plot]"`, or leave --plot out.'
        )


def _measured(arguments: argparse.Namespace) -> tuple[Asked, list[CalibratedPlatform]]:
    from pytest_weekops.campaigns.calibrate import Asked, Calibrator
    from pytest_weekops.core.measurement.plan import Deadlines
    from pytest_weekops.drivers.platforms import resolve_platforms
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.files.shipped import data_dir
    from pytest_weekops.policies.files import default_policy
    from pytest_weekops.worker.host import HostWorker

    policy = default_policy()
    asked = Asked(
        sizes=tuple(arguments.sizes),
        snapshots=arguments.snapshots,
        ends=time.monotonic() + 3600.0 * arguments.hours,
        kernel_dirs=(str(data_dir("kernels")),),
        max_abs_error=policy.max_abs_error,
        k_scaled_bound=policy.k_scaled_bound,
        max_run_delay_percent=policy.host.max_run_delay_percent,
        max_wait_s=policy.host.max_wait_s,
        slowdowns=tuple(arguments.slowdowns),
        load_snapshots=arguments.load_snapshots,
    )
    with Scratch() as scratch:
        launches = resolve_platforms(
            arguments.platforms, scratch=scratch, profile_files=arguments.platform_file, say=_say
        )
        for launch in launches:
            say_passed_over(launch)
        host = HostWorker(scratch, Deadlines())
        try:
            calibrator = Calibrator(launches, asked, host, scratch, _say)
            calibrator.open()
            calibrator.measure()
        finally:
            host.close()
    return asked, calibrator.platforms


def worth(platform: str, series: CalibratedSeries) -> CalibratedCell:
    """What a series lets a run of six cells see, and what such runs would have said on its noise."""
    from pytest_weekops.core.judge.certainty.answers import Errors
    from pytest_weekops.core.judge.certainty.realised import CELLS, realised
    from pytest_weekops.core.judge.certainty.resolution import resolution
    from pytest_weekops.core.judge.certainty.sequential import LookPlan
    from pytest_weekops.core.judge.certainty.spread import Spread
    from pytest_weekops.report.calibration import CalibratedCell

    plan, errors = LookPlan(), Errors()
    spread = Spread(series.sd, degrees=series.snapshots - 1, lag1=series.lag1)
    own = Errors(errors.false_fail / CELLS, errors.false_pass)
    seen = {look: resolution(plan, look, spread, own) for look in plan.looks}
    return CalibratedCell(platform, series, seen, realised(series.logs, spread, plan, errors, runs=RUNS))


def with_power(calibration: Calibration) -> Calibration:
    """The calibration with what a run would see of each known slowdown."""
    from pytest_weekops.core.judge.certainty.answers import Errors
    from pytest_weekops.core.judge.certainty.realised import power
    from pytest_weekops.core.judge.certainty.sequential import LookPlan
    from pytest_weekops.core.judge.certainty.spread import Spread
    from pytest_weekops.core.measurement.calibration import Power

    series = []
    for each in calibration.series:
        spread = Spread(each.sd, degrees=each.snapshots - 1, lag1=each.lag1)
        slowed = []
        for known in each.slowed:
            rate = power(each.logs, known.logs, spread, LookPlan(), Errors(), runs=RUNS)
            slowed.append(known.model_copy(update={"power": Power(share=rate.share, low=rate.low, high=rate.high)}))
        series.append(each.model_copy(update={"slowed": tuple(slowed)}))
    return calibration.model_copy(update={"series": tuple(series)})


def _show(stored: Sequence[tuple[Path, Calibration]], problems: dict[str, str], arguments: argparse.Namespace) -> None:
    from pytest_weekops.report.calibration import render_calibration, render_slowed

    cells = [worth(calibration.platform, series) for _path, calibration in stored for series in calibration.series]
    for line in (*render_calibration(cells), *(["", *slowed] if (slowed := render_slowed(cells)) else [])):
        say(line)
    for path, calibration in stored:
        say(f"{calibration.platform}: kept in {path}")
    for problem in problems.values():
        _say(f"weekops calibrate: {problem}")
    if arguments.output:
        from pytest_weekops.files.atomic import write_atomic

        text = json.dumps(_document(stored, cells, problems), indent=2, sort_keys=True, allow_nan=False)
        write_atomic(arguments.output, text + "\n")
    if arguments.plot and cells:
        plot(cells, arguments.plot)


def _document(
    stored: Sequence[tuple[Path, Calibration]], cells: Sequence[CalibratedCell], problems: dict[str, str]
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "schema": "weekops-calibration/1",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "calibrations": [{"file": str(path), **found.model_dump(mode="json")} for path, found in stored],
        "cells": [
            {
                "platform": cell.platform,
                "kernel": cell.series.kernel,
                "size": cell.series.size,
                "void_share": cell.series.void_share,
                "resolution": {str(look): log for look, log in cell.resolution.items()},
                **asdict(cell.realised),
            }
            for cell in cells
        ],
        "problems": problems,
    }


def plot(cells: Sequence[CalibratedCell], path: Path) -> None:
    """Each snapshot's ratio, and the smallest slowdown that is seen, one line per cell."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from pytest_weekops.report.calibration import slowdown_percent

    figure, (ratios, seen) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for cell in cells:
        logs = cell.series.logs
        ratios.plot(range(1, len(logs) + 1), [100 * log for log in logs], marker="o", markersize=3, label=cell.name)
        looks = list(cell.resolution)
        seen.plot(looks, [slowdown_percent(cell.resolution[look]) for look in looks], marker="o", markersize=3)
    ratios.axhline(0, color="0.7", linewidth=1, zorder=0)
    ratios.set(xlabel="snapshot", ylabel="one worker against the other [%]")
    ratios.legend(frameon=False, fontsize="small")
    seen.set(xlabel="snapshots", ylabel="slowdown seen with 95 % power [%]", ylim=(0, None))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _say(line: str) -> None:
    say(line, sys.stderr)

"""``weekops peak``: what a device can do, each number verified."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.cli.measuring import add_platforms, say_passed_over
from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.peak import PlatformPeak


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_platforms(parser)
    parser.add_argument(
        "--items", nargs="+", metavar="NAME", help="what to measure (default: all); the others count as not measured"
    )
    parser.add_argument(
        "--repeats", type=int, default=11, metavar="N", help="batches of launches behind each number (default: 11)"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep it: no launch of a later run on this device and driver is far beyond it",
    )
    add_report_dir(parser, what="where it is kept")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Measure each platform. Exit status 0 where each item was right or is not applicable, 1 where one was not.

    1 also where one was to be kept, and could not be.
    """
    from pytest_weekops.report.peak import peak_lines

    _refuse(arguments)
    platforms = _measured(arguments)
    if arguments.json:
        found = [platform.model_dump(mode="json") for platform in platforms]
        print(json.dumps({"schema": "weekops-peak/1", "platforms": found}, indent=2, sort_keys=True))
    else:
        for line in peak_lines(platforms):
            say(line)
    unkept = _keep(platforms, arguments.report_dir) if arguments.keep else []
    for problem in unkept:
        _say(f"weekops peak: {problem}")
    return status_of(platforms, arguments.items) or int(bool(unkept))


def _keep(platforms: list[PlatformPeak], report_dir: Path) -> list[str]:
    """Keep what was measured, and say where; why each that was not kept could not be."""
    from pytest_weekops.core.measurement.peak_bound import peak_record
    from pytest_weekops.evidence.peaks import write_peak

    problems = []
    for platform in platforms:
        try:
            peak = peak_record(platform.identity, platform.items, datetime.now(UTC), platform.others_percent)
        except ValueError as error:
            problems.append(f"{platform.platform} is not kept: {error}. Measure again, on a host that is quiet.")
            continue
        _say(f"{platform.platform}: kept in {write_peak(report_dir, peak)}")
    return problems


def status_of(platforms: list[PlatformPeak], asked: list[str] | None) -> int:
    """0 where each platform has every item that was asked for, measured or not applicable; else 1."""
    return 0 if platforms and all(platform.has(asked) for platform in platforms) else 1


def _refuse(arguments: argparse.Namespace) -> None:
    from pytest_weekops.core.measurement.peak import ITEMS
    from pytest_weekops.core.suggestion import suggest

    for name in arguments.items or ():
        if name not in ITEMS:
            raise InputError(
                f"--items {name!r} is no item of level 0. Nothing was measured.{suggest(name, list(ITEMS))} "
                f"Known: {', '.join(ITEMS)}."
            )
    if len(set(arguments.items or ())) < len(arguments.items or ()):
        raise InputError("--items names an item twice. It would be measured twice. Name it once.")
    if not 5 <= arguments.repeats <= 1000:
        raise InputError(f"--repeats {arguments.repeats} is not from 5 to 1000. Fewer give no interval. Give 11 or so.")


def _measured(arguments: argparse.Namespace) -> list[PlatformPeak]:
    from pytest_weekops.campaigns.peak import survey
    from pytest_weekops.core.measurement.peak import ITEMS, PeakAmounts
    from pytest_weekops.drivers.platforms import resolve_platforms
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.files.shipped import data_dir

    amounts = PeakAmounts(repeats=arguments.repeats)
    found = []
    with Scratch() as scratch:
        for launch in resolve_platforms(
            arguments.platforms, scratch=scratch, profile_files=arguments.platform_file, say=_say
        ):
            say_passed_over(launch)
            items = tuple(arguments.items or ITEMS)
            found.append(survey(launch, amounts, data_dir("kernels"), scratch, _say, items))
    return found


def _say(line: str) -> None:
    say(line, sys.stderr)

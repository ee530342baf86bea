"""``weekops conformance``: what suites that others wrote find of a driver, kept with the driver's identity."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.cli.measuring import add_platforms, say_passed_over
from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.conformance.results import SUITES
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.conformance.results import SuiteResults
    from pytest_weekops.worker.process import Launch


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("suite", choices=SUITES, help="piglit is run here; the results of any are read with --results")
    add_platforms(parser)
    parser.add_argument("-t", "--include", action="append", default=[], metavar="REGEX", help="tests that match, only")
    parser.add_argument("-x", "--exclude", action="append", default=[], metavar="REGEX", help="no tests that match")
    parser.add_argument(
        "--test-timeout", type=int, default=60, metavar="S", help="seconds until a test is ended (default: 60)"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="tests at once (default: 1)")
    parser.add_argument(
        "--reruns", type=int, default=2, metavar="N", help="how often a bad test is run again (default: 2)"
    )
    parser.add_argument(
        "--results", type=Path, metavar="PATH", help="results that the suite left on this driver, here and just now"
    )
    parser.add_argument("--suite-version", default="", metavar="WORDS", help="which version of the suite left them")
    add_report_dir(parser, what="runs find it there")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Run or read a suite for each platform, and keep it. Exit status 0 where all was kept, 1 where some was not.

    It judges nothing: `--evidence` has a run do that.
    """
    from pytest_weekops.drivers.platforms import resolve_platforms
    from pytest_weekops.files.scratch import Scratch

    _refuse(arguments)
    with Scratch() as scratch:
        launches = resolve_platforms(
            arguments.platforms, scratch=scratch, profile_files=arguments.platform_file, say=_say
        )
        if arguments.results is not None and len(launches) > 1:
            raise InputError("--results are those of one driver, and --platforms names several. Name the one.")
        found = [_on_platform(launch, scratch, arguments) for launch in launches]
    if arguments.json:
        print(json.dumps({"schema": "weekops-conformance/1", "platforms": found}, indent=2, sort_keys=True))
    else:
        for entry in found:
            _print(entry)
    return 0 if found and all(entry["file"] for entry in found) else 1


def _refuse(arguments: argparse.Namespace) -> None:
    reads = arguments.results is not None
    if not reads and arguments.suite != "piglit":
        raise InputError(
            f"{arguments.suite} is not run by this program. Run it with this driver alone, and have its results kept: "
            f"weekops conformance {arguments.suite} --results PATH --suite-version WORDS --platforms NAME."
        )
    if reads and not arguments.suite_version.strip():
        raise InputError(
            "--results needs --suite-version: results of two versions cannot be compared, and the files do not say "
            "which it was. Give a tag or a commit."
        )
    if reads and (arguments.include or arguments.exclude):
        raise InputError("-t and -x choose tests to run, and --results were made already. Leave them out.")
    for name, least, most in (("test_timeout", 1, 86_400), ("jobs", 1, 1024), ("reruns", 0, 20)):
        if not least <= getattr(arguments, name) <= most:
            said = f"--{name.replace('_', '-')} {getattr(arguments, name)}"
            raise InputError(f"{said} is not from {least} to {most}. Give a number between them.")


def _on_platform(launch: Launch, scratch: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    from pytest_weekops.evidence.conformance.store import DIRECTORY, keep

    say_passed_over(launch)
    try:
        results = _results(launch, scratch, arguments)
        file = keep(arguments.report_dir / DIRECTORY, results)
    except InputError:
        raise
    except WeekopsError as error:  # this platform's end is not the other platforms'
        return {"platform": launch.label, "driver": "", "file": "", "counts": {}, "bad": {}, "broke_off": str(error)}
    who = results.identity
    return {
        "platform": launch.label,
        "driver": f"{who.platform_name} {who.driver_version}",
        "version": results.version,
        "file": str(file),
        "counts": results.counts,
        "bad": {each.test: each.status for each in results.tests if each.status not in ("pass", "skip")},
        "broke_off": "",
    }


def _results(launch: Launch, scratch: Path, arguments: argparse.Namespace) -> SuiteResults:
    from pytest_weekops.campaigns.conformance import held_driver, run_piglit, tied
    from pytest_weekops.campaigns.piglit import Piglit
    from pytest_weekops.evidence.conformance.reading import read_results

    if arguments.results is not None:
        read = read_results(arguments.suite, arguments.results)
        with held_driver(launch, scratch, _say) as driver:
            return tied(arguments.suite, arguments.suite_version.strip(), read, arguments.results, driver)
    piglit = Piglit(
        program=Piglit.installed(),
        include=tuple(arguments.include),
        exclude=tuple(arguments.exclude),
        timeout_s=arguments.test_timeout,
        jobs=arguments.jobs,
        reruns=arguments.reruns,
    )
    return run_piglit(piglit, launch, scratch, _say)


def _print(entry: dict[str, Any]) -> None:
    if entry["broke_off"]:
        say(f"{entry['platform']}: {entry['broke_off']}")
        return
    counts = ", ".join(f"{count} {status}" for status, count in sorted(entry["counts"].items()))
    say(f"{entry['platform']}: {entry['driver']}, {counts or 'no test'}")
    for test, status in sorted(entry["bad"].items(), key=lambda item: (item[1], item[0])):
        say(f"  {status} {test}")
    say(f"  kept in {entry['file']}")


def _say(line: str) -> None:
    say(line, sys.stderr)

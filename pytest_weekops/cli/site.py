"""``weekops site``: static pages of all weeks, cells and runs of a ledger."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_report_dir(parser)
    parser.add_argument("--output", metavar="DIR", help="where the pages go (default: site in the report directory)")
    parser.add_argument(
        "--copy", action="store_true", help="copy each run's report.html into the site, instead of linking it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where the site was written. Its pages are views: whatever they say, nothing is gated by them.

    Runs again write the pages that changed. Give ``--copy`` where the site is served without the report directory.
    """
    from pytest_weekops.week.site import SITE_NAME, build_site

    report_dir: Path = arguments.report_dir
    output = Path(arguments.output) if arguments.output else report_dir / SITE_NAME
    built = build_site(report_dir, output, copy=arguments.copy)
    say(f"{built.index}: {built.pages} pages, {built.written} written, {built.removed} removed")
    for note in built.notes:
        say(note)
    return 0

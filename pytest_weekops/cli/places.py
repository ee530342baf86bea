"""Where a command looks and writes: the report directory, an option of every command that keeps something."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.core.errors import InputError, WeekopsError


def add_report_dir(
    *parsers: argparse.ArgumentParser, what: str = "where the ledger is", said_before: bool = False
) -> None:
    """Declare ``--report-dir``, a path. ``said_before``: it may stand before the verb, and holds from there."""
    for parser in parsers:
        parser.add_argument(
            "--report-dir",
            type=Path,
            default=argparse.SUPPRESS if said_before else Path("reports"),
            metavar="DIR",
            help=f"{what} (default: reports)",
        )


def refuse_evidence(output: Path) -> None:
    """A page must not take the place of what a verdict rests on. Raises ``InputError`` for any name but a page's."""
    if output.is_dir() or output.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"--output {output} is no name of a page. Whatever lies there would be replaced, evidence as well. Give a "
            "file that ends in .html."
        )


def nothing_in(report_dir: Path, what: str) -> str:
    """A report directory without any of ``what``, and how another one is named."""
    return f"No {what} was recorded in {report_dir}/ yet. If the runs are elsewhere, name it: --report-dir DIR."


def write_asked(path: Path, text: str) -> None:
    """Write the file that a command was asked for, whole or not at all. Raises ``InputError`` where it cannot be."""
    from pytest_weekops.files.atomic import write_atomic

    try:
        write_atomic(path, text)
    except WeekopsError as error:  # nothing else was begun, so that this is a refusal and nothing that broke on the way
        raise InputError(str(error)) from error

"""``weekops page``: the page of a run, made anew from its journal."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory or journal.jsonl")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it (default: report.html beside)")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where the page was written; the verdict is on it, and ``weekops judge`` exits with it."""
    from pytest_weekops.evidence.artifacts import judged_anew
    from pytest_weekops.evidence.journal import find_journal
    from pytest_weekops.evidence.page import PAGE_NAME, files_beside, page_text, policy_before
    from pytest_weekops.files.atomic import write_atomic
    from pytest_weekops.week.witnesses import read_uncontradicted

    stored = read_uncontradicted(arguments.run)
    verdict, facts = judged_anew(stored)
    document = facts.decision(verdict)
    place = find_journal(arguments.run).parent
    output: Path = arguments.output or place / PAGE_NAME
    _refuse_evidence(output)
    text = page_text(verdict, facts, document, files_beside(place), policy_before(place, verdict.kind))
    write_atomic(output, text)
    say(f"{output} written, {len(text.encode()) / 1024:.0f} KiB")
    say(f"verdict: {document['decision']} (SEV{document['severity']}), exit status {document['exit_status']}")
    return 0


def _refuse_evidence(output: Path) -> None:
    """A page must not take the place of what a verdict rests on."""
    if output.is_dir() or output.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"--output {output} is no name of a page. Whatever lies there would be replaced, evidence as well. Give a "
            "file that ends in .html."
        )

"""``weekops report``: a run's summary, JUnit XML and decision, made anew from its journal."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.judge.finding import Verdict
    from pytest_weekops.evidence.artifacts import RunFacts

JUNIT_NAME = "junit.xml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where all of it was written; the verdict is in it, and ``weekops judge`` exits with it.

    A decision that is there stays, byte for byte; one that says something else than the journal is refused.
    """
    from pytest_weekops.core.measurement.plan import taken_plan
    from pytest_weekops.core.measurement.records import Measurement
    from pytest_weekops.evidence.artifacts import judged_anew, read_decision, write_artifacts
    from pytest_weekops.evidence.journal import JOURNAL_NAME
    from pytest_weekops.evidence.stored_run import read_run
    from pytest_weekops.files.atomic import write_atomic
    from pytest_weekops.report.junit import render_junit
    from pytest_weekops.week.witnesses import refuse_contradicted

    directory: Path = arguments.run
    _refuse_file(directory)
    stored = read_run(directory)
    verdict, facts = judged_anew(stored)
    decision = read_decision(directory)
    if decision is None:
        refuse_contradicted(stored.run_id, directory / JOURNAL_NAME)
        document = write_artifacts(directory, verdict, facts)
        say(f"{directory}: summary.md and decision.json written")
    else:
        document = facts.decision(verdict)
        _refuse_contradiction(directory, document, decision)
        _restore_summary(directory, verdict, facts, decision)
    seen = {record.case for record in stored.records if isinstance(record, Measurement)}
    from pytest_weekops.core.measurement.applicability import not_applicable

    out = not_applicable(stored.plan, stored.identities)
    cases = taken_plan(stored.plan, stored.records).all_cases()
    missing = [case.id for case in cases if case not in seen and (case.platform, case.kernel) not in out]
    write_atomic(directory / JUNIT_NAME, render_junit(verdict, document, stored.records, missing))
    say(f"{directory}: {JUNIT_NAME} written")
    if stored.ended is None:
        say("The journal has no end: the run was broken off, and this is the verdict on what it had measured.")
    say(f"verdict: {document['decision']} (SEV{document['severity']}), exit status {document['exit_status']}")
    return 0


def _refuse_file(directory: Path) -> None:
    if not directory.is_dir():
        raise InputError(
            f"{directory} is no run directory. A report lies beside its journal, so a bare file has no place for one. "
            "Name the directory, such as reports/weekly-...; `weekops judge` takes a bare journal."
        )


def _refuse_contradiction(directory: Path, document: Mapping[str, Any], decision: Mapping[str, Any]) -> None:
    from pytest_weekops.evidence.artifacts import contradictions

    found = contradictions(directory, document, decision)
    if found:
        raise InputError(
            f"Run {directory}: decision.json and the journal contradict each other in {', '.join(found)}. One of the "
            "two was changed, or another version judged; which is right cannot be told from here, so nothing was "
            "written. Compare with the hashes in the ledger (`weekops status --verify`), or restore them from a copy."
        )


def _restore_summary(directory: Path, verdict: Verdict, facts: RunFacts, decision: Mapping[str, Any]) -> None:
    """Write the summary where it gives the very bytes that the decision recorded; any others would be no evidence."""
    from pytest_weekops.evidence.artifacts import SUMMARY_NAME, recorded_hash
    from pytest_weekops.files.atomic import write_atomic

    text = facts.summary(verdict)
    recorded = recorded_hash(decision, SUMMARY_NAME)
    if hashlib.sha256(text.encode()).hexdigest() == recorded:
        write_atomic(directory / SUMMARY_NAME, text)
        say(f"{directory}: {SUMMARY_NAME} written; decision.json says the same as the journal and stays as it is")
    else:
        say(
            f"{directory}: {SUMMARY_NAME} is left as it is: this version would write other bytes than decision.json "
            "recorded; decision.json says the same as the journal and stays"
        )

"""``report.html``: the page of a run beside its journal. It is a view and no evidence, and decides nothing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.judge.campaign import live_campaign
from pytest_weekops.evidence.artifacts import DECISION_NAME, SUMMARY_NAME
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.evidence.names import PAGE_NAME
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.strict_json import parse_json
from pytest_weekops.report.decision import artifact

if TYPE_CHECKING:
    from pytest_weekops.core.judge.finding import Verdict
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.recorded.campaign import RecordedCampaign
    from pytest_weekops.evidence.artifacts import RunFacts

_AGAIN = "`weekops page {run}` makes it once that is mended; the verdict, its files and the exit status stand."


def page_text(
    verdict: Verdict,
    facts: RunFacts,
    document: Mapping[str, Any],
    files: Sequence[Mapping[str, Any]],
    before: tuple[str, Policy] | None = None,
) -> str:
    """The page as HTML. ``files`` are those that lie beside it, with their hashes.

    ``before`` is the run before this one, with the policy by which that one was judged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a project that makes errors of warnings means its own
        from pytest_weekops.report.page.render import render_page
        from pytest_weekops.report.page.showing import show_page

    campaign = live_campaign(
        facts.plan,
        facts.records,
        identities=facts.identities,
        baseline=facts.baselines,
        created_at=facts.created_at,
        segments=facts.segments,
    )
    return render_page(show_page(facts.policy, campaign, verdict, document, files, before))


def recorded_page_text(path: Path, campaign: RecordedCampaign, verdict: Verdict, command: str) -> str:
    """The page of a campaign that somebody else recorded. ``command`` makes it again."""
    from pytest_weekops.files.hashing import hash_file
    from pytest_weekops.report.page.recorded import RecordedFile, show_recorded
    from pytest_weekops.report.page.render import render_page

    return render_page(show_recorded(campaign, verdict, RecordedFile(path.name, hash_file(path), command)))


def files_beside(run_dir: Path) -> list[dict[str, Any]]:
    """Journal, decision and summary as they lie there, with their hashes."""
    names = (JOURNAL_NAME, DECISION_NAME, SUMMARY_NAME)
    return [artifact(run_dir / name, run_dir) for name in names if (run_dir / name).is_file()]


def _text(run_dir: Path, verdict: Verdict, facts: RunFacts, document: Mapping[str, Any]) -> str:
    return page_text(verdict, facts, document, files_beside(run_dir), policy_before(run_dir, verdict.kind))


def policy_before(run_dir: Path, kind: str) -> tuple[str, Policy] | None:
    """The run of that kind before this one in the same report directory, by their names, with its policy.

    Nothing where there is none or where it cannot be read: what a page compares itself with decides nothing.
    """
    from pytest_weekops.core.policy.policy import Policy

    runs = (path.parent for path in run_dir.resolve().parent.glob(f"{kind}-*/{DECISION_NAME}"))
    earlier = max((each for each in runs if each.name < run_dir.resolve().name), default=None, key=lambda run: run.name)
    if earlier is None:
        return None
    try:
        document = parse_json((earlier / DECISION_NAME).read_text(encoding="utf-8"))
        return earlier.name, Policy.model_validate(document["policy"]["effective"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_page(run_dir: Path, verdict: Verdict, facts: RunFacts, document: Mapping[str, Any]) -> str:
    """Write the page of a run whose other artifacts are written; a sentence where that did not work, else nothing.

    Whatever goes wrong in making a picture turns no verdict around and loses no artifact.
    """
    if os.environ.get("WEEKOPS_NO_PAGE"):
        return ""
    try:
        write_atomic(run_dir / PAGE_NAME, _text(run_dir, verdict, facts, document))
    except WeekopsError as error:
        return f"the page was not written: {error} {_AGAIN.format(run=run_dir.name)}"
    except KeyboardInterrupt:
        return f"the page was not written: interrupted while it was made. {_AGAIN.format(run=run_dir.name)}"
    except Exception as error:  # noqa: BLE001 - a view; whatever breaks in it, the run has ended and is judged
        words = f"{type(error).__name__}: {error!s:.200}"
        return f"the page was not written ({words}). {_AGAIN.format(run=run_dir.name)}"
    return ""

"""From a verdict and its records to what the page of the run shows: pure, and every number is theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import CheckStatus, Decision, ExitStatus, Verdict
from pytest_weekops.core.measurement.modes import T5_KERNEL
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.report.certainty import certainty_lines
from pytest_weekops.report.page import provenance
from pytest_weekops.report.page.attendance import show_attendance, show_gates
from pytest_weekops.report.page.cells import show_cells, show_comparisons
from pytest_weekops.report.page.findings import Places, show_answers, show_findings
from pytest_weekops.report.page.lanes import show_guarded, show_recalls, show_selected
from pytest_weekops.report.page.shown import Cell, Comparison, Page, Results
from pytest_weekops.report.saying import as_sentence, duration
from pytest_weekops.report.summary import next_step, sort_findings, verdict_words
from pytest_weekops.report.table import tables

Document = Mapping[str, Any]


def show_page(
    policy: Policy,
    campaign: Campaign,
    verdict: Verdict,
    document: Document,
    files: Sequence[Mapping[str, Any]] = (),
    before: tuple[str, Policy] | None = None,
) -> Page:
    """Everything the page shows. ``campaign`` is the one that was judged, ``files`` lie beside the page."""
    cells = show_cells(policy, campaign, verdict)
    comparisons = show_comparisons(policy, campaign, verdict)
    guarded, selected = show_guarded(policy, campaign), show_selected(campaign)
    answers, gates = show_answers(verdict), show_gates(campaign)
    sections = {
        "limits": bool(answers),
        "attendance": bool(cells),
        "cells": bool(cells),
        "gates": True,
        "drivers": True,
        "provenance": True,
        "t3": bool(selected),
        "t5": bool(guarded or campaign.injections),
    }
    places = Places(campaign.plan, cells, comparisons, [name for name, is_there in sections.items() if is_there])
    open_findings, passed = show_findings(verdict.findings, places.of)
    return Page(
        run_id=document["run_id"],
        kind=document["kind"],
        announced=verdict_words(document),
        decision=document["decision"],
        severity=document["severity"],
        exit_status=document["exit_status"],
        owner=verdict.owner,
        within=duration(verdict.respond_within_minutes),
        action=verdict.action,
        next_step=next_step(document["exit_status"], verdict.kind),
        because=because(verdict, document),
        drivers=tuple(_drivers(campaign)),
        meaning=tuple(certainty_lines(verdict)),
        cannot_say=tuple(cannot_say(verdict, document, campaign)),
        notes=verdict.notes,
        open_findings=open_findings,
        passed=passed,
        results=tuple(_results(verdict, cells, comparisons)),
        answers=answers,
        attendance=show_attendance(campaign),
        gates=gates,
        cells=cells,
        comparisons=comparisons,
        guarded=guarded,
        recalls=show_recalls(campaign.injections),
        selected=selected,
        identities=provenance.show_identities(campaign, document),
        run_facts=provenance.show_run(document),
        policy_facts=(*provenance.show_policy(document), *provenance.show_policy_change(policy, before)),
        kernels=provenance.show_kernels(document),
        files=provenance.show_files(files),
    )


def because(verdict: Verdict, document: Document) -> str:
    """What decided it, in one sentence."""
    found = [finding for finding in sort_findings(verdict.findings) if finding.blocking]
    if document["decision"] == Decision.PROMOTE.value:
        return f"Each of {len(verdict.findings)} checks passed."
    if document["exit_status"] == ExitStatus.INTERRUPTED:
        counts = document["counts"]
        failed = next((f for f in found if f.status is CheckStatus.FAIL and f.check != "other_tests"), None)
        so_far = f" By then, {failed.check} had failed: {as_sentence(failed.message)}" if failed is not None else ""
        return f"The run was interrupted after {counts['measured']} of {counts['planned']} cases.{so_far}"
    if found:
        more = len(dict.fromkeys(finding.check for finding in found)) - 1
        rest = f" {more} more {'check does' if more == 1 else 'checks do'} not pass." if more else ""
        worst = found[0]
        if document["exit_status"] == ExitStatus.INCONCLUSIVE:  # where the host took it away, the rest comes of that
            worst = next((finding for finding in found if finding.check == "host_stable"), worst)
        return f"{worst.check}: {as_sentence(worst.message)}{rest}"
    return f"No check failed, and the run ended with exit status {document['exit_status']} all the same."


def cannot_say(verdict: Verdict, document: Document, campaign: Campaign) -> Iterator[str]:
    """What this verdict does not speak of, each in a sentence; a reader who sees none of it would take it for more."""
    found, counts = verdict.certainty, document["counts"]
    if document["exit_status"] == ExitStatus.INTERRUPTED:
        yield "Anything whole: it was interrupted, and what was not measured is missing from all that follows."
    if verdict.kind == "canonical":
        yield "How fast anything is: a canonical run asks whether results are right."
        return
    if verdict.kind == "weekly" and not any(cell.get("limits") for cell in verdict.rows if _holds(cell)):
        yield "Whether it is fast enough: nothing bounds the speed of any cell, since no baseline is pinned."
    if found is not None and found.resolution_percent is not None:
        yield (
            f"Small changes: a slowdown has to be {found.resolution_percent:.3g} % below a limit to be seen with 95 % "
            f"power, at a spread of {found.spread_source}."
        )
    if found is None:
        yield "How certain it is: this run was made without looks, and nothing bounds its error rates."
    elif found.open:
        yield f"{found.open} of {found.requirements} limits are open: neither kept nor broken for certain."
    if counts.get("void"):
        share = 100.0 * counts["void"] / max(1, len(campaign.measurements))
        yield (
            f"What the host took away: {counts['void']} of {len(campaign.measurements)} measurements "
            f"({share:.0f} %) were void, because it did not hold still."
        )
    if T5_KERNEL in campaign.plan.kernels and not campaign.injections:
        yield "What the T5 guard catches on this driver: no fault campaign vouches for it (`weekops inject`)."
    yield from (f"Left out: {words}." for words in verdict.left_out)


def _holds(row: Mapping[str, Any]) -> bool:
    return "ratio" not in row and not row.get("partner")


def _drivers(campaign: Campaign) -> Iterator[str]:
    for label, one in campaign.identities.items():
        yield f"{label}: {one.platform_name} {one.driver_version} on {one.device_name} ({one.hardware})"


def _results(verdict: Verdict, cells: Sequence[Cell], comparisons: Sequence[Comparison]) -> Iterator[Results]:
    at: dict[tuple[object, ...], str] = {(cell.platform, cell.kernel, cell.size): cell.anchor for cell in cells}
    at |= {(None, each.kernel, each.size): each.anchor for each in comparisons}
    for table in tables(verdict.kind, verdict.rows):
        keys = [(row.get("platform"), row.get("kernel"), row.get("size")) for row in table.rows]
        lines = zip((at.get(key, "") for key in keys), table.lines, strict=True)
        remarks = (f"{table.lines[place][0]}: {words}" for place, words in table.remarks)
        yield Results(table.columns, tuple(lines), tuple(remarks))

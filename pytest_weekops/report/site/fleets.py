"""From the ledger's fleet runs to their rows on the site. They count for no channel of this machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.week.entry import FLEET, Entry
from pytest_weekops.report.page.shown import Link
from pytest_weekops.report.site.names import week_name
from pytest_weekops.report.site.shown import FleetRow, Place


def show_fleets(
    entries: Sequence[Entry], pages: Mapping[str, tuple[str, str]], weeks: Mapping[Week, object]
) -> Iterator[FleetRow]:
    """The fleet runs, newest first. ``pages`` has for each one the target of its page, or why there is none.

    ``weeks`` are those that have a page.
    """
    links = {str(week): Link(week_name(week), str(week)) for week in weeks}
    for entry in reversed(entries):
        if entry.kind == FLEET:
            week = _text(entry.body, "week")
            yield _row(entry, Place(*pages[entry.key], links.get(week, Link("", week))))


def _row(entry: Entry, place: Place) -> FleetRow:
    body = entry.body
    states, failed, severity = body.get("states"), body.get("failed_checks"), body.get("severity")
    return FleetRow(
        fleet_run=entry.key,
        fleet_id=_text(body, "fleet_id"),
        place=place,
        suite=_text(body, "suite"),
        decision=_text(body, "decision") or "unknown",
        severity=f"SEV{severity}" if isinstance(severity, int) else "",
        states=", ".join(f"{count} {state}" for state, count in states.items()) if isinstance(states, dict) else "",
        failed=", ".join(map(str, failed)) if isinstance(failed, list) else "",
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""

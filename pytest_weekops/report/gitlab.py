"""Findings as GitLab's code quality report, which a merge request lists beside the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.report.alerts import alerts, strict_json
from pytest_weekops.report.saying import plain

_SEVERITY = {1: "blocker", 2: "critical", 3: "major", 4: "minor"}


def render_code_quality(verdict: Verdict, document: Mapping[str, Any], place: str) -> str:
    """The report as JSON. ``place`` is the file that findings are shown at, relative to the repository's root."""
    return strict_json(
        [
            {
                "description": f"{alert.level} {alert.check} {alert.status}: {alert.message}",
                "check_name": alert.check,
                "fingerprint": alert.fingerprint,
                "severity": _SEVERITY[alert.severity or 4] if alert.is_blocking else "info",
                "location": {"path": plain(place), "lines": {"begin": 1}},
            }
            for alert in alerts(verdict, document)
        ]
    )

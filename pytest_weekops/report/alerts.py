"""Findings as CI systems list them: whatever keeps a run from promote, each with a fingerprint that lasts."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.judge.finding import CheckStatus, Decision, Verdict
from pytest_weekops.report.saying import plain
from pytest_weekops.report.summary import sort_findings, verdict_line, verdict_words

VERDICT = "verdict"
_LENGTH, _MOST_ROWS = 4000, 100


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One finding that does not pass, or the verdict itself; all text is free of control characters.

    ``severity`` is 1 to 4, None for what does not block and has none. ``fingerprint`` is the same for the same check
    and reason in the next run of this kind, whatever the numbers are then.
    """

    check: str
    severity: int | None
    is_blocking: bool
    status: str
    reason_code: str
    message: str
    observed: float | int | str | None
    required: float | int | str | None
    rows: tuple[str, ...]
    fingerprint: str

    @property
    def level(self) -> str:
        """``SEV1`` to ``SEV4``, or ``info``."""
        return f"SEV{self.severity}" if self.severity else "info"


def alerts(verdict: Verdict, document: Mapping[str, Any]) -> tuple[Alert, ...]:
    """The verdict first where it is no promote, then each finding that does not pass, worst first.

    No alert at all is a promote: an interrupted run has no failed check and has the alert of its verdict.
    """
    found = [] if document["decision"] == Decision.PROMOTE.value else [_of_verdict(verdict, document)]
    seen: Counter[tuple[str, str]] = Counter()
    for finding in sort_findings(verdict.findings):
        key = finding.check, finding.reason_code
        seen[key] += 1
        found.append(
            Alert(
                check=finding.check,
                severity=int(finding.severity) if finding.severity else None,
                is_blocking=finding.blocking,
                status=finding.status.value,
                reason_code=finding.reason_code,
                message=_flat(finding.message),
                observed=_value(finding.observed),
                required=_value(finding.required),
                rows=tuple(_flat(row) for row in finding.rows[:_MOST_ROWS]),
                fingerprint=_fingerprint(verdict.kind, *key, str(seen[key])),
            )
        )
    return tuple(found)


def strict_json(value: object) -> str:
    """JSON in ASCII that no page ends its script at, should one hold it: angle brackets and ampersands are escapes."""
    text = json.dumps(value, indent=2, allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"


def _of_verdict(verdict: Verdict, document: Mapping[str, Any]) -> Alert:
    status, severity = document["exit_status"], document["severity"]
    said = verdict_line(verdict, document["decision"], severity, status, announced=verdict_words(document))
    return Alert(
        check=VERDICT,
        severity=severity,
        is_blocking=True,
        status=CheckStatus.FAIL.value,
        reason_code=f"exit_status_{status}",
        message=_flat(said),
        observed=document["decision"],
        required=Decision.PROMOTE.value,
        rows=(),
        fingerprint=_fingerprint(verdict.kind, VERDICT),
    )


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def _flat(text: str) -> str:
    return plain(" ".join(text.split()))[:_LENGTH]


def _value(value: float | str | None) -> float | int | str | None:
    """What strict JSON takes: a number that is not finite in words."""
    if isinstance(value, str):
        return _flat(value)
    return value if value is None or math.isfinite(value) else str(value)

"""Findings as SARIF 2.1.0, which code hosts list beside the code and keep track of over runs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pytest_weekops.core.judge.finding import ExitStatus, Verdict
from pytest_weekops.report.alerts import VERDICT, Alert, alerts, strict_json
from pytest_weekops.report.saying import plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_BROKEN_OFF = (ExitStatus.INTERRUPTED, ExitStatus.INTERNAL_ERROR, ExitStatus.USAGE_ERROR, ExitStatus.NOTHING_COLLECTED)


def render_sarif(verdict: Verdict, document: Mapping[str, Any], place: str) -> str:
    """The log as JSON. ``place`` is the file that results are shown at, relative to the repository's root."""
    found = alerts(verdict, document)
    rules = list(dict.fromkeys((VERDICT, *(finding.check for finding in verdict.findings))))
    run = {
        "tool": {
            "driver": {"name": "weekops", "version": plain(str(document["version"])), "rules": [*map(_rule, rules)]}
        },
        "automationDetails": {"id": f"weekops/{verdict.kind}/{plain(str(document['run_id']))}"},
        "invocations": [
            {
                "commandLine": plain(shlex.join(document["command"])),
                "exitCode": document["exit_status"],
                "executionSuccessful": document["exit_status"] not in _BROKEN_OFF,
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(alert, rules.index(alert.check), place) for alert in found],
        "properties": {
            "decision": document["decision"],
            "severity": document["severity"],
            "policy": plain(verdict.policy_id),
            "policySha256": verdict.policy_sha256,
        },
    }
    return strict_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(check: str) -> dict[str, Any]:
    words = check.replace("_", " ")
    about = "The verdict of the run." if check == VERDICT else f"The check {check} of the run."
    return {
        "id": check,
        "shortDescription": {"text": f"weekops: {words}"},
        "fullDescription": {"text": about},
        "help": {"text": "`weekops page RUN` shows what it saw, the reference of the checks says what it asks."},
    }


def _result(alert: Alert, rule: int, place: str) -> dict[str, Any]:
    properties = {
        "severity": alert.level,
        "status": alert.status,
        "reasonCode": alert.reason_code,
        "observed": alert.observed,
        "required": alert.required,
        "rows": list(alert.rows),
    }
    return {
        "ruleId": alert.check,
        "ruleIndex": rule,
        "level": "error" if alert.is_blocking else "warning",
        "message": {"text": message_text(f"{alert.level} {alert.status}: {alert.message}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(place)}, "region": {"startLine": 1}}}],
        # The one name is what a large code host knows, the other says what it is.
        "partialFingerprints": {"primaryLocationLineHash": alert.fingerprint, "weekopsFinding/v1": alert.fingerprint},
        "properties": {name: value for name, value in properties.items() if value is not None},
    }


def message_text(text: str) -> str:
    """Text in which nothing is a link or a placeholder, by SARIF's own escapes."""
    for plain_one, escaped in (("\\", "\\\\"), ("[", "\\["), ("]", "\\]"), ("{", "{{"), ("}", "}}")):
        text = text.replace(plain_one, escaped)
    return text


def _uri(place: str) -> str:
    """A path as a relative reference: what a URL has signs for is encoded, and so are bytes that are no text."""
    return quote(place, safe="/", errors="surrogateescape")

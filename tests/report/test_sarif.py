"""Findings as SARIF: valid by the published schema, nothing that is open left out, nothing of strangers alive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.report.alerts import alerts
from pytest_weekops.report.sarif import render_sarif
from pytest_weekops.report.summary import sort_findings
from tests.support.outputs import EVIL, MARKUP, promoted, split, wrong

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
PLACE = "suites/weekly/test_weekly.py"


def read(text: str) -> dict[str, Any]:
    """The one run of a valid log."""
    log = json.loads(text)
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    return dict(run)


@pytest.mark.parametrize("made", [promoted, split, wrong])
def test_it_is_valid_and_has_every_open_finding(made: Any) -> None:
    """As many results as findings that do not pass, and the verdict's own where it is no promote."""
    verdict, document = made()
    run = read(render_sarif(verdict, document, PLACE))
    asked = [finding.check for finding in sort_findings(verdict.findings)]
    found = [result["ruleId"] for result in run["results"]]
    assert found == ([] if document["decision"] == "promote" else ["verdict"]) + asked
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == found
    assert set(rules) == {"verdict", *(finding.check for finding in verdict.findings)}
    prints = [result["partialFingerprints"]["weekopsFinding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    assert run["invocations"][0]["exitCode"] == document["exit_status"]
    assert run["automationDetails"]["id"] == f"weekops/{document['kind']}/{document['run_id']}"


def test_the_schema_refuses_what_is_no_log() -> None:
    """The check above can fail."""
    log = json.loads(render_sarif(*wrong(), PLACE))
    log["runs"][0]["results"][0]["level"] = "terrible"
    assert not jsonschema.Draft4Validator(SCHEMA).is_valid(log)


def test_an_interrupted_run_is_no_empty_list() -> None:
    """No check failed in what it measured; a list without results would be read as a promote."""
    verdict, document = promoted()
    broken_off = {**document, "decision": "iterate", "exit_status": 2}
    run = read(render_sarif(verdict, broken_off, PLACE))
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [("verdict", "error")]
    assert run["results"][0]["message"]["text"].startswith("SEV4 fail: partial verdict")
    assert run["invocations"][0]["executionSuccessful"] is False


def test_names_of_strangers_are_text() -> None:
    """No tag that a page could take up, no link, no placeholder, no control character, and the words are there."""
    verdict, document = wrong()
    text = render_sarif(verdict, document, PLACE)
    assert "<" not in text
    assert text.isascii()
    results = read(text)["results"]
    messages = [result["message"]["text"] for result in results]
    said = next(message for message in messages if MARKUP in message)
    assert all(message.isprintable() for message in messages)
    assert "\\[x\\](http://y) {{0}} </script>" in said
    assert all("[x](" not in message for message in messages)
    assert any(MARKUP in row for result in results for row in result["properties"].get("rows", ()))


def test_a_path_is_one_reference() -> None:
    """Newlines, colons, hashes and bytes that are no text do not end it, and none of it is a scheme."""
    run = read(render_sarif(*wrong(), "java:run\nof #1/\udcff?/decision.json"))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "java%3Arun%0Aof%20%231/%FF%3F/decision.json"


def test_the_same_finding_has_the_same_fingerprint_whatever_it_measured() -> None:
    """So that a host knows it again the week after; another kind of run has others."""
    verdict, document = wrong()
    first = alerts(verdict, document)
    later = verdict.model_copy(
        update={
            "findings": tuple(
                finding.model_copy(update={"observed": 3.0, "message": "other numbers", "rows": ()})
                for finding in verdict.findings
            )
        }
    )
    assert [alert.fingerprint for alert in alerts(later, document)] == [alert.fingerprint for alert in first]
    split_ones = alerts(verdict.model_copy(update={"kind": "split"}), document)
    assert not {alert.fingerprint for alert in split_ones} & {alert.fingerprint for alert in first}


def test_numbers_that_are_not_finite_are_words() -> None:
    """Strict JSON has none; the finding keeps what was seen."""
    verdict, document = wrong()
    odd = verdict.findings[0].model_copy(
        update={
            "status": CheckStatus.FAIL,
            "observed": float("nan"),
            "required": EVIL,
            "severity": None,
            "blocking": False,
        }
    )
    run = read(render_sarif(verdict.model_copy(update={"findings": (odd,)}), document, PLACE))
    last = run["results"][-1]
    assert last["properties"]["observed"] == "nan"
    assert (last["level"], last["properties"]["severity"]) == ("warning", "info")
    assert last["properties"]["required"].isprintable()

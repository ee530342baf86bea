"""GitLab's two reports, by what its documentation and its parsers ask of them."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pytest_weekops.report.alerts import alerts
from pytest_weekops.report.gitlab import render_code_quality
from pytest_weekops.report.openmetrics import render_gitlab_metrics
from tests.support.outputs import EVIL, MARKUP, promoted, split, wrong

STRICT = ConfigDict(extra="forbid", strict=True)


class Lines(BaseModel):
    """Where a finding begins."""

    model_config = STRICT
    begin: int = Field(ge=1)


class Location(BaseModel):
    """Relative to the repository, without the prefix ``./``."""

    model_config = STRICT
    path: str = Field(pattern=r"^[^./][^\n]*$")
    lines: Lines


class Issue(BaseModel):
    """An entry of the code quality report as GitLab documents it."""

    model_config = STRICT
    description: str = Field(min_length=1)
    check_name: str = Field(min_length=1)
    fingerprint: str = Field(min_length=1)
    severity: Literal["info", "minor", "major", "critical", "blocker"]
    location: Location


def read(text: str) -> list[Issue]:
    """The entries of a report."""
    return TypeAdapter(list[Issue]).validate_python(json.loads(text))


@pytest.mark.parametrize("made", [promoted, split, wrong])
def test_each_alert_is_an_entry(made: Any) -> None:
    """A promote has none; each has a fingerprint of its own, by which GitLab tells them apart."""
    verdict, document = made()
    found = read(render_code_quality(verdict, document, "reports/run/decision.json"))
    expected = alerts(verdict, document)
    assert [issue.check_name for issue in found] == [alert.check for alert in expected]
    assert len({issue.fingerprint for issue in found}) == len(found)
    assert (document["decision"] == "promote") == (not found)


def test_severities_are_the_verdicts() -> None:
    """SEV1 is a blocker; what does not block is information."""
    verdict, document = wrong()
    found = read(render_code_quality(verdict, document, "x"))
    names = {"SEV1": "blocker", "SEV2": "critical", "SEV3": "major", "SEV4": "minor", "info": "info"}
    assert {issue.severity for issue in found} & {"blocker", "critical"}
    for issue, alert in zip(found, alerts(verdict, document), strict=True):
        assert issue.severity == (names[alert.level] if alert.is_blocking else "info")
        assert issue.description.startswith(f"{alert.level} {alert.check} {alert.status}: ")


def test_names_of_strangers_are_text() -> None:
    """A path with newlines is one line, markup is no tag in the file."""
    text = render_code_quality(*wrong(), f"a\nb/{MARKUP}")
    assert "<" not in text
    found = read(text)
    assert found[0].location.path == f"a\N{REPLACEMENT CHARACTER}b/{MARKUP}"
    assert any(MARKUP in issue.description for issue in found)
    assert all(issue.description.isprintable() for issue in found)


def shell_words(line: str) -> list[str]:
    """A line as GitLab takes it apart: a comment from the first ``#`` on, then the words of a shell."""
    return shlex.split(re.sub("#.*$", "", line))


@pytest.mark.parametrize("made", [promoted, split, wrong])
def test_each_metric_is_two_words(made: Any) -> None:
    """A name that is there once, and a number; nothing that is another one in each run."""
    verdict, document = made()
    row = {"platform": "pocl", "kernel": f"#1 {EVIL} 'x'", "size": 1, "status": "pass", "mean_gflops": 2.5}
    evil = verdict.model_copy(update={"rows": (*verdict.rows, row)})
    text = render_gitlab_metrics(evil, {**document, "run_id": EVIL})
    lines = [words for line in text.splitlines() if (words := shell_words(line))]
    assert all(len(words) == 2 and float(words[1]) is not None for words in lines)
    assert [float(value) for name, value in lines if " </script>" in name] == [1, 2.5]
    assert len({name for name, _value in lines}) == len(lines)
    assert "run_info" not in text
    assert "timestamp" not in text
    assert f"weekops_promoted{{kind={document['kind']}}}" in {name for name, _value in lines}

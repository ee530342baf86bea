"""The file of known faults on the command line and in the ini file: read before any driver."""

from __future__ import annotations

import hashlib

import pytest

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.plugin.planning import build_plan
from tests.support.readers import EXPECTATIONS


def _plan(pytester: pytest.Pytester, kind: str, *words: str) -> CampaignPlan:
    labels = ["clover", "rusticl"] if kind == "split" else ["pocl"]
    return build_plan(pytester.parseconfig(*words), kind, labels=labels, entries={})


@pytest.mark.parametrize("how", ["--expectations", "--weekops-expectations", "ini"])
def test_its_entries_and_its_hash_are_in_the_plan(pytester: pytest.Pytester, how: str) -> None:
    """However it is named; without it those of the shipped file, which has none."""
    before = _plan(pytester, "weekly")
    assert (before.expected, len(before.expectations_sha256)) == ((), 64)
    (pytester.path / "known.yaml").write_text(EXPECTATIONS, encoding="utf-8")
    if how == "ini":
        pytester.makeini("[pytest]\nweekops_expectations = known.yaml\n")
    plan = _plan(pytester, "weekly", *([] if how == "ini" else [how, "known.yaml"]))
    assert [one.case for one in plan.expected] == ["auto:2048"]
    assert plan.expectations_sha256 == hashlib.sha256(EXPECTATIONS.encode()).hexdigest()


@pytest.mark.parametrize("kind", ["canonical", "split"])
def test_each_kind_of_campaign_knows_them(pytester: pytest.Pytester, kind: str) -> None:
    """The whole file: which entry speaks of it is for the judge to say."""
    (pytester.path / "known.yaml").write_text(EXPECTATIONS, encoding="utf-8")
    plan = _plan(pytester, kind, "--expectations", "known.yaml")
    assert [one.case for one in plan.expected] == ["auto:2048"]
    assert len(plan.expectations_sha256) == 64


def test_a_size_that_is_required_has_no_excuse(pytester: pytest.Pytester) -> None:
    """Whoever names it means it."""
    (pytester.path / "known.yaml").write_text(EXPECTATIONS, encoding="utf-8")
    words = ("--expectations", "known.yaml", "--sizes", "1024", "2048")
    assert _plan(pytester, "split", *words, "--required-sizes", "1024").expected
    with pytest.raises(pytest.UsageError, match=r"expects auto:2048 to fail, and --required-sizes requires 2048\."):
        _plan(pytester, "split", *words, "--required-sizes", "2048")


def test_a_file_that_cannot_be_read_is_refused(pytester: pytest.Pytester) -> None:
    """With its name."""
    with pytest.raises(pytest.UsageError, match=r"^Expectations missing\.yaml cannot be read: No such file"):
        _plan(pytester, "weekly", "--expectations", "missing.yaml")

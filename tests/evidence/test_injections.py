"""Fault campaigns on disk: what ``weekops inject`` wrote is what a run takes along, of its own drivers only."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.evidence.injections import find_injections, write_injection
from tests.core.guard.test_injection import campaign
from tests.core.judge.test_recall import record
from tests.support.synthetic import make_identity


def test_a_campaign_comes_back(tmp_path: Path) -> None:
    """One per size; a later one takes the place of the earlier."""
    write_injection(tmp_path, record())
    write_injection(tmp_path, record(made_at="2026-11-24T12:00:00+00:00"))
    write_injection(tmp_path, record(result=campaign(size=1400)))
    found = list(find_injections(tmp_path, [make_identity("pocl")]))
    assert sorted((one.result.size, one.made_at[:10]) for one in found) == [(512, "2026-11-24"), (1400, "2026-11-23")]


def test_a_sampled_guards_campaign_does_not_take_the_place_of_full_coverage(tmp_path: Path) -> None:
    """Each guard keeps its own, and a second of the same guard replaces the first."""
    few = GuardSettings(row_samples=3, col_samples=3)
    for settings in (None, GuardSettings(), few, few, few.model_copy(update={"period": 2})):
        write_injection(tmp_path, record(result=campaign(settings=settings)))
    found = list(find_injections(tmp_path, [make_identity("pocl")]))
    assert sorted((one.result.guard.mode, one.result.guard.period) for one in found) == [
        ("full", 1),
        ("sampled", 1),
        ("sampled", 2),
    ]


def test_a_workloads_campaign_does_not_take_the_place_of_gemms(tmp_path: Path) -> None:
    """Nor of another workload's; a second of its own does."""
    for variant in ("auto", "scan", "sort", "scan"):
        write_injection(tmp_path, record(result=campaign().model_copy(update={"variant": variant})))
    found = find_injections(tmp_path, [make_identity("pocl")])
    assert sorted(one.result.variant for one in found) == ["auto", "scan", "sort"]


def test_campaigns_of_others_are_left_alone(tmp_path: Path) -> None:
    """Another driver's says nothing here."""
    write_injection(tmp_path, record(library_sha256="1" * 64))
    assert list(find_injections(tmp_path, [make_identity("pocl")])) == []


def test_hardware_never_becomes_a_path(tmp_path: Path) -> None:
    """Its name is a stranger's."""
    path = write_injection(tmp_path, record(hardware="../../etc/x y"))
    assert path.parent == tmp_path / "injections"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"type": "injection"}'])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: str) -> None:
    """It may be the evidence."""
    (tmp_path / "injections").mkdir()
    (tmp_path / "injections" / "x.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        list(find_injections(tmp_path, [make_identity("pocl")]))

"""``weekops peak``: what it refuses, what it prints, and what it exits with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops import cli
from pytest_weekops.core.measurement.peak import ITEMS, PlatformPeak, found, without_number
from pytest_weekops.evidence.peaks import read_peak
from tests.support.synthetic import make_identity

EVERY = tuple(found(item, [9.0] * 5, 9.0, "", 9.0) for item in ITEMS.values())
WHOLE = PlatformPeak(platform="pocl", device="d", driver="e", items=EVERY)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--items", "memory_cpoy"), "Did you mean memory_copy?"),
        (("--items", "memory_copy", "memory_copy"), "names an item twice"),
        (("--repeats", "4"), "--repeats 4 is not from 5"),
        (("--platforms", "nowhere"), "there is no profile 'nowhere'"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a sentence, and 4."""
    assert cli.main(["peak", *arguments]) == 4
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answers", "asked", "status"),
    [
        ([WHOLE], (), 0),
        ([WHOLE, WHOLE.model_copy(update={"ended": "it crashed"})], (), 1),
        ([WHOLE.model_copy(update={"items": WHOLE.items[1:]})], (), 1),
        ([WHOLE.model_copy(update={"items": WHOLE.items[:1]})], ("--items", "memory_copy"), 0),
        (
            [
                WHOLE.model_copy(
                    update={"items": (without_number(ITEMS["memory_copy"], "wrong", "w"), *WHOLE.items[1:])}
                )
            ],
            (),
            1,
        ),
    ],
)
def test_it_exits_with_0_only_where_every_platform_has_every_item(
    answers: list[PlatformPeak],
    asked: tuple[str, ...],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The other platforms are measured and shown whatever became of one."""
    given = [*answers]
    monkeypatch.setattr("pytest_weekops.campaigns.peak.survey", lambda *_a: given.pop(0))
    monkeypatch.setattr(
        "pytest_weekops.drivers.platforms.resolve_platforms", lambda *_a, **_k: [Launched()] * len(answers)
    )
    assert cli.main(["peak", *asked]) == status
    assert capsys.readouterr().out.count("pocl: d, e") == len(answers)


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With every item of every platform, and units."""
    monkeypatch.setattr("pytest_weekops.campaigns.peak.survey", lambda *_a: WHOLE)
    monkeypatch.setattr("pytest_weekops.drivers.platforms.resolve_platforms", lambda *_a, **_k: [Launched()])
    assert cli.main(["peak", "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["schema"] == "weekops-peak/1"
    (platform,) = told["platforms"]
    assert [(item["name"], item["unit"]) for item in platform["items"]] == [(i.name, i.unit) for i in ITEMS.values()]


def test_what_is_kept_and_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A peak of a quiet host, for later runs; a busy one's is told, and the exit status is 1."""
    calm = WHOLE.model_copy(update={"identity": make_identity("pocl"), "others_percent": 1.0})
    monkeypatch.setattr("pytest_weekops.drivers.platforms.resolve_platforms", lambda *_a, **_k: [Launched()])
    for update, status, words in (
        ({}, 0, "pocl: kept in"),
        ({"others_percent": 60.0}, 1, "pocl is not kept: other programs ran meanwhile, 60 % of the CPUs"),
        ({"identity": None}, 1, "pocl is not kept: its driver did not come up"),
    ):
        monkeypatch.setattr("pytest_weekops.campaigns.peak.survey", lambda *_a, u=update: calm.model_copy(update=u))
        assert cli.main(["peak", "--keep", "--report-dir", str(tmp_path)]) == status
        assert words in capsys.readouterr().err
    (kept,) = (tmp_path / "peaks").glob("*.json")
    assert read_peak(kept).gflops == 1.0
    assert cli.main(["peak", "--report-dir", str(tmp_path / "other")]) == 0
    assert not (tmp_path / "other").exists()


class Launched:
    """A platform that nothing is asked of."""

    passed_over: tuple[str, ...] = ()

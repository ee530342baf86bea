"""``weekops inject``: whose guard it tries, and what it refuses before a device is opened."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from pytest_weekops.campaigns.faults import demands_at, render
from pytest_weekops.cli import inject, main
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.guard.injection import Demands
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from tests.core.guard.test_injection import campaign
from tests.support.synthetic import make_identity

OLDER = {
    "abft_mode": {"sampling_period": 20, "row_samples": 3, "col_samples": 3, "residual_scale": 5.0},
    "runtime_guardrails": {"disable_if_critical_recall_lt": 0.99},
}


def rules(directory: Path, *words: str) -> GuardRules:
    """The guard that these words choose."""
    (directory / "older.json").write_text(json.dumps(OLDER), encoding="utf-8")
    parser = argparse.ArgumentParser()
    inject.configure(parser)
    return inject._rules(parser.parse_args(list(words)))


def test_without_a_policy_it_is_full_coverage(tmp_path: Path) -> None:
    """Of every launch."""
    assert settings_of(rules(tmp_path)) == GuardSettings()


def test_an_older_policys_guard_is_tried(tmp_path: Path) -> None:
    """Sampled, with its period and thresholds, and its recall is what is demanded."""
    found = rules(tmp_path, "--t5-policy", str(tmp_path / "older.json"))
    asked = settings_of(found)
    assert (asked.mode, asked.period, asked.lines(1400, 1400), asked.scale) == ("sampled", 20, (3, 3), 5.0)
    assert demands_at(512, found).critical_recall == 0.99
    assert demands_at(512, found, critical=0.001).critical_recall == 0.001
    assert demands_at(512, GuardRules()) == Demands(least_clean=3000)


def test_the_figures_of_a_sampled_guard_stand_beside_what_it_looks_at() -> None:
    """Mode, chance, threshold and the recall of any launch; nothing of it where coverage is full."""
    guard = GuardSettings(period=20, row_samples=3, col_samples=3, residual_floor=0.05)
    text = "\n".join(render("pocl", make_identity("pocl"), campaign(size=1400, settings=guard), ()))
    assert "sampled: 3 rows and 3 columns of one launch in 20" in text
    assert "looked at with a chance of 0.0214 %" in text
    assert "threshold max(0.05, 8 sd + 0)" in text
    assert "5 %: one launch in 20 is checked" in text
    full = "\n".join(render("pocl", make_identity("pocl"), campaign(), ()))
    assert "sampled" not in full
    assert "chance" not in full


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--t5-policy", "older.json", "--z", "5"), "--z 5 changes nothing"),
        (("--t5-policy", "missing.json"), "missing.json cannot be read"),
        (("--policy", "missing.yaml"), "missing.yaml"),
        (("--min-critical-recall", "1.5"), "--min-critical-recall 1.5 is no share"),
        (("--min-critical-recall", "nan"), "--min-critical-recall nan is no share"),
        (("--z", "nan"), "--z nan is no threshold"),
        (("--z", "0"), "--z 0.0 is no threshold"),
        (("--sizes", "64", "64"), "names a size twice"),
        (("--kernel", "sorted"), "Did you mean sort?"),
        (("--kernel", "triad"), "is no kernel whose launches are guarded"),
        (("--plot", "nowhere/recall.png"), "--plot nowhere/recall.png cannot be written"),
        (("--output", "nowhere/found.json"), "--output nowhere/found.json cannot be written"),
    ],
)
def test_bad_input_is_a_sentence_and_status_4(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    """Before a driver is loaded, and with nothing written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "older.json").write_text(json.dumps(OLDER), encoding="utf-8")
    assert main(["inject", *words]) == 4
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["older.json"]


@pytest.mark.parametrize("command", ["inject", "tune"])
def test_it_says_what_auto_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """On standard error, before the driver that was taken is started."""
    launch = Launch(
        label="pocl", profile="pocl", open=OpenRequest(profile="pocl"), passed_over=("intel: launch: it cannot link",)
    )

    def refuse(_supervisor: object) -> None:
        raise InputError("It goes no further here.")

    monkeypatch.setattr("pytest_weekops.drivers.platforms.resolve_platforms", lambda *_words, **_fields: [launch])
    monkeypatch.setattr("pytest_weekops.worker.supervisor.PlatformSupervisor.start", refuse)
    assert main([command, "--report-dir", str(tmp_path)]) == 4
    passed, refused = capsys.readouterr().err.splitlines()
    assert passed == "auto passed over intel: launch: it cannot link"
    assert refused == "weekops: It goes no further here."

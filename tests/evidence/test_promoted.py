"""Recalibration under attack: evidence counted twice, from elsewhere, or promoted by softer rules; files in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.policy.recalibration import CellEvidence, Recipe, recalibrate
from pytest_weekops.policies.files import default_policy, load_policy
from tests.support.recorded_data import weekly, weekly_slo
from tests.support.stored import write_run
from tests.support.synthetic import make_plan, make_records

EXAMPLE = Path(__file__).resolve().parents[2] / "reports" / "example"


def week(factor: float, **metrics: Any) -> dict[str, Any]:
    """A healthy weekly file, a little faster or slower."""
    document = weekly()
    for run in document["runs"]:
        run["metrics"].update(metrics, avg_mean_gflops=run["metrics"]["avg_mean_gflops"] * factor)
    return document


def recalibrate_from(tmp_path: Path, *documents: dict[str, Any], output: str = "new.yaml") -> int:
    """The exit status of the command on these files."""
    paths = []
    for number, document in enumerate(documents):
        paths.append(str(tmp_path / f"week{number}.json"))
        Path(paths[-1]).write_text(json.dumps(document, indent=number), encoding="utf-8")
    where = str(tmp_path / output)
    return main(["policy", "recalibrate", "rx590-weekly-v3", "--from", *paths, "--output", where])


def test_three_runs_of_one_device_are_enough(tmp_path: Path) -> None:
    """The refusals below start from evidence that is taken; what is written can be read."""
    assert recalibrate_from(tmp_path, week(1.0), week(1.001), week(0.999)) == 0
    notes = load_policy(tmp_path / "new.yaml").notes
    assert len(notes["recalibration_runs"].split(", ")) == 3
    assert notes["evidence auto_t5_guarded:2048"].count("GFLOPS") == 3


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """The same figures under other seeds, another time and in another order."""
    renamed = json.loads(json.dumps(document))
    renamed["metadata"]["timestamp_utc"] = "2026-01-01T00:00:00+00:00"
    renamed["runs"].reverse()
    for run in renamed["runs"]:
        run["seed"] += 1
    return dict(renamed)


def test_one_measurement_under_another_name_does_not_count_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spacing, order, seeds and dates may differ; figures that are the same to the last bit were measured once."""
    assert recalibrate_from(tmp_path, week(1.0), week(1.001), _renamed(week(1.001))) == 4
    assert "given twice" in capsys.readouterr().err
    assert not (tmp_path / "new.yaml").exists()


def test_runs_of_another_device_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A limit in between would fit neither."""
    assert recalibrate_from(tmp_path, week(1.0), week(1.001), week(0.999, device="another card")) == 4
    assert "different devices" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A link that leads nowhere is there as well: what it names is not made."""
    path = tmp_path / "new.yaml"
    path.write_text("mine", encoding="utf-8") if kind == "file" else path.symlink_to("elsewhere")
    assert recalibrate_from(tmp_path, week(1.0), week(1.001), week(0.999)) == 4
    assert "exists already" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
    assert kind != "file" or path.read_text(encoding="utf-8") == "mine"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["file/new.yaml", "nowhere/new.yaml", "a" * 300])
def test_a_place_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even taking the draft away, which is not there, may raise."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert recalibrate_from(tmp_path, week(1.0), week(1.001), week(0.999), output=name) == 4
    error = capsys.readouterr().err
    assert f"--output {tmp_path / name} cannot be written" in error
    assert "Choose another place" in error


def test_a_proposal_that_could_not_be_read_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An older JSON policy may hold limits that a YAML policy may not."""
    keys = [f"{kernel}:{size}" for kernel in ("auto_t3_controlled", "auto_t5_guarded") for size in (1400, 2048)]
    rows = {key: {"min_avg_gflops": 100.0, "max_p95_time_ms": 100.0} for key in keys}
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps({"weekly_slo": weekly_slo(rows, minimum_snapshots=1)}), encoding="utf-8")
    paths = []
    for number, factor in enumerate((1.0, 1.001, 0.999)):
        paths.append(str(tmp_path / f"week{number}.json"))
        Path(paths[-1]).write_text(json.dumps(week(factor)), encoding="utf-8")
    assert main(["policy", "recalibrate", str(odd), "--from", *paths, "--output", str(tmp_path / "new.yaml")]) == 4
    assert "minimum_snapshots" in capsys.readouterr().err
    assert not (tmp_path / "new.yaml").exists()


def test_a_run_counts_by_the_policy_in_service_and_not_by_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run may have promoted by a policy that asked for less."""
    plan = make_plan("weekly")
    run = write_run(tmp_path / "run", plan, make_records(plan))
    document = default_policy().effective()
    document["guardrails"]["max_correctness_error"] = 1e-9
    stricter = tmp_path / "stricter.json"
    stricter.write_text(json.dumps(document), encoding="utf-8")
    assert (
        main(["policy", "recalibrate", str(stricter), "--from", str(run), "--output", str(tmp_path / "new.yaml")]) == 4
    )
    assert "correctness_error_bound" in capsys.readouterr().err


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.999, 1.0, 1.1])
def test_no_limit_moves_away_from_the_runs_unasked(factor: float) -> None:
    """Runs that are worse than the limits, or hardly better, hold the row; better ones tighten it."""
    policy, key = load_policy("rx590-weekly-v3"), "auto_t5_guarded:1400"
    row = policy.rows[key]
    assert row.min_avg_gflops is not None
    assert row.max_p95_time_ms is not None
    gflops, p95 = row.min_avg_gflops * factor, row.max_p95_time_ms / factor
    evidence = [CellEvidence(key, f"run{n}", gflops * (1 + n / 1e4), p95 * (1 + n / 1e4)) for n in range(3)]
    unasked, asked = (
        next(p for p in recalibrate(policy, evidence, recipe=Recipe(), allow_looser=allow) if p.key == key)
        for allow in (False, True)
    )
    if factor <= 1.0:
        assert unasked.held
        assert asked.row is not None
        assert (asked.row.min_avg_gflops or 0) < row.min_avg_gflops
    else:
        assert unasked.row is not None
        assert (unasked.row.min_avg_gflops or 0) > row.min_avg_gflops
        assert (unasked.row.max_p95_time_ms or 0) < row.max_p95_time_ms


def test_a_run_that_only_its_own_policy_promotes_is_refused_by_the_name_of_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`weekops judge` says promote of it; without the name the two commands would contradict each other."""
    high = tmp_path / "high.yaml"
    limits = "guardrails: {max_abs_throughput_drift_percent: 0.001}\n"
    high.write_text(f"version: 1\npolicy_id: high\ninherits: portable.yaml\n{limits}", encoding="utf-8")
    assert main(["judge", str(EXAMPLE)]) == 0
    assert main(["policy", "recalibrate", str(high), "--from", str(EXAMPLE)]) == 4
    assert f"Run {EXAMPLE} is not promoted by high, which is to be recalibrated: " in capsys.readouterr().err

"""``weekops judge`` and ``weekops policy`` as processes: output and exit status."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import weekops
from tests.support.recorded_data import RECORDED, changed, needs_recorded, split, weekly

WEEK = "campaigns/week{}_block1_monthly_continuity_weekly_replay_canary_{}.json"


def written(tmp_path: Path, document: dict[str, Any]) -> Path:
    """A campaign file."""
    path = tmp_path / "campaign.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_json_goes_to_standard_output_and_words_to_standard_error(tmp_path: Path) -> None:
    """One strict JSON object with the keys a machine needs, and a verdict line for people."""
    done = weekops("judge", written(tmp_path, weekly()), "--policy", "rx590-weekly-v3", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    keys = {"kind", "rules", "decision", "failed_checks", "strict_only", "inconclusive_checks", "severity", "findings"}
    assert keys | {"policy_id", "policy_sha256"} <= set(document)
    assert (document["decision"], document["kind"], done.returncode) == ("promote", "weekly", 0)
    assert "verdict: promote" in done.stderr


@pytest.mark.parametrize(
    ("metric", "value", "status"),
    [("max_error_max", 0.01, 10), ("t5_overhead_percent", 4.0, 1), ("avg_mean_gflops", float("nan"), 1)],
)
def test_the_exit_status_follows_the_severity(tmp_path: Path, metric: str, value: float, status: int) -> None:
    """SEV1 ends in 10, other failures in 1; NaN in a file is judged, and printed as a word."""
    path = written(tmp_path, changed(weekly(), "runs", 6, "metrics", metric, to=value))
    done = weekops("judge", path, "--policy", "rx590-weekly-v3", "--json", cwd=tmp_path)
    assert done.returncode == status
    assert json.loads(done.stdout, parse_constant=lambda name: pytest.fail(name))["decision"] == "iterate"


def test_strict_only_names_what_compat_would_have_let_pass(tmp_path: Path) -> None:
    """Parity stays visible."""
    path = written(tmp_path, changed(weekly(), "pressure", 0, "failures", to=1))
    done = weekops("judge", path, "--policy", "rx590-weekly-v3", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert document["failed_checks"] == document["strict_only"] == ["pressure_failures_zero"]
    assert weekops("judge", path, "--policy", "rx590-weekly-v3", "--rules", "compat", cwd=tmp_path).returncode == 0


def test_split_options_reach_the_judge(tmp_path: Path) -> None:
    """Ratio and required sizes from the command line decide."""
    path = written(tmp_path, split())
    base = ("judge", path, "--policy", "rx590-weekly-v3", "--required-sizes", 1400, 2048)
    assert weekops(*base, cwd=tmp_path).returncode == 0
    assert weekops(*base, "--min-rusticl-ratio", 1.01, cwd=tmp_path).returncode == 1
    assert weekops(*base, 3072, cwd=tmp_path).returncode == 10


@pytest.mark.parametrize(
    "arguments",
    [
        ("judge", "nowhere"),
        ("judge", "CAMPAIGN", "--policy", "nowhere.yaml"),
        ("judge", "CAMPAIGN", "--min-rusticl-ratio", "nan"),
        ("judge", "CAMPAIGN", "--required-sizes", "2O48"),
        ("policy", "show", "nowhere.yaml"),
        ("policy", "recalibrate", "--from", "nowhere.json", "--output", "new.yaml"),
    ],
)
def test_bad_input_is_a_sentence_and_status_4(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """No traceback, nothing on standard output."""
    path = written(tmp_path, weekly())
    done = weekops(*(str(path) if a == "CAMPAIGN" else a for a in arguments), cwd=tmp_path)
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.startswith("weekops: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["campaign.jsonl", "campaign", "journal.jsonl"])
def test_a_campaign_is_recognised_from_its_content(tmp_path: Path, name: str) -> None:
    """Whatever its name says."""
    path = tmp_path / name
    path.write_text(json.dumps(weekly(), indent=2), encoding="utf-8")
    assert weekops("judge", path, "--policy", "rx590-weekly-v3", cwd=tmp_path).returncode == 0


def test_a_baseline_beside_a_policy_is_refused(tmp_path: Path) -> None:
    """It would be compared with nothing."""
    path = written(tmp_path, weekly())
    done = weekops("judge", path, "--policy", "rx590-weekly-v3", "--baseline", path, cwd=tmp_path)
    assert done.returncode == 4
    assert "--baseline stands beside --policy" in done.stderr


@pytest.mark.parametrize(
    ("document", "options", "words"),
    [
        (weekly(), ("--required-sizes", "1400"), "speaks of a split"),
        (weekly(), ("--policy", "rx590-weekly-v3", "--min-rusticl-ratio", "0.9"), "speaks of a split"),
        (split(), ("--rules", "compat", "--required-sizes", "1400"), "applied to themselves"),
        (split(), ("--rules", "compat", "--min-rusticl-ratio", "0.9"), "applied to themselves"),
    ],
    ids=["sizes of a week", "ratio of a week", "sizes under own rules", "ratio under own rules"],
)
def test_an_option_that_would_demand_nothing_is_refused(
    tmp_path: Path, document: dict[str, Any], options: tuple[str, ...], words: str
) -> None:
    """Whoever asks for a size believes that it was looked for."""
    done = weekops("judge", written(tmp_path, document), *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert words in done.stderr


def test_a_required_size_blocks_a_split_judged_by_its_own_rules(tmp_path: Path) -> None:
    """The option is not passed over where no policy is named."""
    done = weekops("judge", written(tmp_path, split()), "--required-sizes", 3072, cwd=tmp_path)
    assert done.returncode == 10
    assert "required_sizes_present_on_split" in done.stderr


def test_an_older_policy_with_an_endless_limit_is_a_sentence(tmp_path: Path) -> None:
    """An integer beyond every float once ended in a traceback and the status of a failed week."""
    slo = {"global_guardrails": {"minimum_snapshots": 10**400}, "per_kernel_size": {}}
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"weekly_slo": slo}), encoding="utf-8")
    done = weekops("judge", written(tmp_path, weekly()), "--policy", policy, cwd=tmp_path)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("judge", "FILE"),
        ("judge", "nowhere-\x1b[31m.json"),
        ("policy", "diff", "rx590-weekly-v3", "POLICY"),
    ],
    ids=["keys", "path", "diff"],
)
def test_no_escape_sequence_reaches_the_terminal(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Neither in refusals nor in answers, whatever a stranger's key, row or path is called."""
    red = "\x1b[31m"
    limits = {"min_avg_gflops": 1, "max_p95_time_ms": 1e6}
    rails = dict.fromkeys(("max_t3_fallback_rate", "max_t5_disable_events_total", "max_t5_overhead_percent"), 1)
    rails |= {"minimum_snapshots": 2, "max_correctness_error": 1}
    rails |= {"max_abs_throughput_drift_percent": 9, "max_p95_drift_percent": 9}
    rows = {f"{red}:1400": limits}
    slo = {"weekly_slo": {"global_guardrails": rails, "per_kernel_size": rows}, "policy_id": red}
    for name, content in {"FILE": {red: 1}, "POLICY": slo}.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    done = weekops(*arguments, cwd=tmp_path)
    assert "[31m" in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_names_of_strangers_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    """Control characters in a recorded name are not passed on."""
    path = written(tmp_path, changed(weekly(), "runs", 3, "platform_selector", to="\x1b[31mred"))
    done = weekops("judge", path, "--policy", "rx590-weekly-v3", cwd=tmp_path)
    assert "\x1b" not in done.stderr
    assert done.returncode == 10


@needs_recorded
def test_a_recorded_file_is_judged_from_the_command_line(tmp_path: Path) -> None:
    """As a process, start to end, by a shipped policy."""
    entry = RECORDED / WEEK.format("24", "20260212_013610")
    done = weekops("judge", entry, "--policy", "rx590-weekly-v3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_policy_show_prints_a_policy_that_reads_back(tmp_path: Path) -> None:
    """The effective policy as YAML is a policy file."""
    (tmp_path / "shown.yaml").write_text(weekops("policy", "show", "rx590-weekly-v3", cwd=tmp_path).stdout)
    assert weekops("policy", "diff", "rx590-weekly-v3", "shown.yaml", cwd=tmp_path).stdout == "no limit differs\n"


def test_policy_diff_says_what_became_looser(tmp_path: Path) -> None:
    """Swapping the two swaps the words."""
    there = weekops("policy", "diff", "rx590-weekly-v1", "rx590-weekly-v2", cwd=tmp_path).stdout
    back = weekops("policy", "diff", "rx590-weekly-v2", "rx590-weekly-v1", cwd=tmp_path).stdout
    assert "looser" not in there
    assert there.count("stricter") == back.count("looser") == 10


def _week(number: int, factor: float) -> dict[str, Any]:
    document = weekly()
    for run in document["runs"]:
        run["metrics"]["avg_mean_gflops"] *= factor
        run["seed"] += number
    return document


def _recalibrate(tmp_path: Path, factors: list[float], *more: str) -> subprocess.CompletedProcess[str]:
    paths = []
    for number, factor in enumerate(factors):
        path = tmp_path / f"week{number}.json"
        path.write_text(json.dumps(_week(number, factor)))
        paths.append(path)
    return weekops(
        "policy", "recalibrate", "rx590-weekly-v3", "--from", *paths, "--output", "new.yaml", *more, cwd=tmp_path
    )


def test_recalibration_proposes_tighter_rows_and_never_overwrites(tmp_path: Path) -> None:
    """Three promoted runs tighten; the file is new, and asking again refuses."""
    assert _recalibrate(tmp_path, [1.0, 1.001, 0.999]).returncode == 0
    changes = weekops("policy", "diff", "rx590-weekly-v3", "new.yaml", cwd=tmp_path).stdout
    assert "stricter: rows." in changes
    assert "looser" not in changes
    again = _recalibrate(tmp_path, [1.0, 1.001, 0.999])
    assert again.returncode == 4
    assert "exists already" in again.stderr


@pytest.mark.parametrize(("factors", "why"), [([1.0, 1.001], "3 are needed"), ([1.0, 1.06, 1.12], "scatters")])
def test_recalibration_is_held_where_the_evidence_does_not_allow_it(
    tmp_path: Path, factors: list[float], why: str
) -> None:
    """Too few runs or too wide a scatter: held, with the reason, and no floor moves."""
    done = _recalibrate(tmp_path, factors)
    assert done.returncode == 11
    assert f"held, {'throughput ' if why == 'scatters' else '2 promoted runs, '}{why}" in done.stdout
    assert not (tmp_path / "new.yaml").exists()


def test_recalibration_never_loosens_unasked(tmp_path: Path) -> None:
    """Runs near the floor do not pull it down."""
    done = _recalibrate(tmp_path, [0.97, 0.971, 0.969])
    assert done.returncode == 0
    assert "looser" not in done.stdout
    (tmp_path / "new.yaml").unlink()
    assert "looser" in _recalibrate(tmp_path, [0.97, 0.971, 0.969], "--allow-looser").stdout


def test_recalibration_refuses_runs_that_were_not_promoted(tmp_path: Path) -> None:
    """What is broken never becomes the rule."""
    done = _recalibrate(tmp_path, [1.0, 1.001, 0.5])
    assert done.returncode == 4
    assert "not promoted" in done.stderr


def test_the_older_evaluators_names_are_taken(tmp_path: Path) -> None:
    """The campaign, its policy, and where the verdict is kept, each time under a name of its own."""
    campaign = ("--split-artifact", written(tmp_path, split()), "--policy-path", "rx590-weekly-v3")
    line = (*campaign, "--required-sizes", 1400, 2048)
    for _ in range(2):
        done = weekops("judge", *line, "--output-dir", "evals", "--output-prefix", "week33", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    kept = sorted((tmp_path / "evals").iterdir())
    assert [path.name.split("-")[0] for path in kept] == ["week33", "week33"]
    assert json.loads(kept[0].read_text(encoding="utf-8")) == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "No campaign is named"),
        (("a.json", "--split-artifact", "b.json"), "Two campaigns are named"),
        (("a.json", "--output-prefix", "week33"), "--output-dir is missing"),
        (("a.json", "--output-dir", "evals", "--output-prefix", "../week33"), "is no plain name"),
    ],
)
def test_a_line_that_says_too_much_or_too_little_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Nothing is judged, and nothing kept."""
    done = weekops("judge", *arguments, cwd=tmp_path)
    assert done.returncode == 4
    assert words in done.stderr
    assert not list(tmp_path.iterdir())

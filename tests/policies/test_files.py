"""Policies are read strictly, and every refusal names file, line, key and value and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.policies.files import default_policy, load_policy, policies_dir
from tests.support.recorded_data import ROOT

SHIPPED = sorted(
    path.name for path in policies_dir().glob("*.yaml") if path.name not in ("platforms.yaml", "expectations.yaml")
)
HEAD = "version: 1\npolicy_id: mine\n"


def written(tmp_path: Path, text: str, name: str = "mine.yaml") -> Path:
    """A policy file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_is_valid_and_survives_its_own_dump(name: str) -> None:
    """Effective policies read back as the same policy with the same hash."""
    policy = load_policy(name)
    assert Policy.model_validate(policy.effective()) == policy


def test_the_default_policy_bounds_errors_and_waives_floors_in_words() -> None:
    """Portable holds on any device: guardrails stand, floors wait for a baseline."""
    policy = default_policy()
    assert policy.max_abs_error == 0.001
    assert "pin" in policy.floors.waiver
    assert policy.demanded_rows == {}


REFUSED = [
    (HEAD + "guard:\n  residual_floor: 0.05\n", "without row_samples or col_samples"),
    (HEAD + "guard:\n  row_samples: 3\n  residual_floor: 2\n", "guard.residual_floor"),
    (HEAD + "guard:\n  row_samples: 0\n", "guard.row_samples"),
    ("", "empty"),
    ("[1, 2]", "not a mapping"),
    ("version: 1\npolicy_id: [", "line 2"),
    ("policy_id: x\n", "version is missing"),
    ("version: 2\npolicy_id: x\n", "This program reads version 1"),
    ("version: 1\n", "policy_id"),
    (HEAD + "guardrail:\n  minimum_snapshots: 3\n", "Did you mean guardrails?"),
    (HEAD + "guardrails:\n  max_correctnes_error: 0.1\n", "line 4: guardrails.max_correctnes_error"),
    (
        HEAD + "guardrails:\n  max_correctness_error: -1\n",
        "guardrails.max_correctness_error is -1.0; it must be above 0",
    ),
    (HEAD + "guardrails:\n  max_correctness_error: .nan\n", "line 4"),
    (HEAD + "guardrails:\n  max_correctness_error: .inf\n", "line 4"),
    (HEAD + "guardrails:\n  max_correctness_error: '0.1'\n", "not a number"),
    (HEAD + "guardrails:\n  max_correctness_error: yes\n", "not a number"),
    (HEAD + "guardrails:\n  minimum_snapshots: 1\n", "at least 2"),
    (HEAD + "guardrails: 5\n", "guardrails is 5"),
    (HEAD + "guardrails:\n  minimum_snapshots: 3\n  minimum_snapshots: 4\n", "stands there twice"),
    (
        HEAD + "rows:\n  auto:1400:\n    min_avg_gflops: -5\n",
        "line 5: rows.auto:1400.min_avg_gflops is -5.0; it must be above 0",
    ),
    (HEAD + "rows:\n  auto-1400:\n    min_avg_gflops: 5\n", "can never match"),
    (HEAD + "rows:\n  auto:1400: {}\n", "neither limit nor waiver"),
    (HEAD + "rows:\n  auto:1400:\n    min_avg_gflop: 5\n", "Did you mean min_avg_gflops?"),
    (HEAD + "scope:\n  kernels: [auto]\n  sizes: [64]\n", "nothing for auto:64"),
    (HEAD + "scope:\n  kernels: [tile20]\nrows:\n  auto:64:\n    waiver: x\n", "scope.kernels does not list auto"),
    (HEAD + "split:\n  min_ratio: 85\n", "not percent"),
    (HEAD + "severity:\n  checks:\n    p95_drift_bound: 4\n", "is 1, 2 or 3"),
    (HEAD + "inherits: nowhere.yaml\n", "nowhere.yaml"),
    (HEAD + "inherits: mine.yaml\n", "circle"),
    ("version: 1\npolicy_id: 2026-99-99\n", "policy_id is '2026-99-99', which cannot be read as timestamp"),
    (HEAD + "description: !!int abc\n", "description is 'abc', which cannot be read as int"),
    (HEAD + "description: !!int ''\n", "description is '', which cannot be read as int"),
    (HEAD + "description: !!float abc\n", "which cannot be read as float"),
    (HEAD + "description: !!bool abc\n", "which cannot be read as bool"),
    (HEAD + f"guardrails:\n  minimum_snapshots: {'9' * 5000}\n", "which cannot be read as int"),
    (HEAD + "guardrails:\n  minimum_snapshots: 1:30\n", "line 4: guardrails.minimum_snapshots is '1:30', a spelling"),
    (HEAD + "guardrails:\n  minimum_snapshots: 1:30.5\n", "a spelling"),
    (HEAD + "guardrails:\n  minimum_snapshots: 010\n", "a spelling"),
    (HEAD + "guardrails:\n  minimum_snapshots: 0b11\n", "a spelling"),
    (HEAD + "guardrails:\n  minimum_snapshots: 1_0\n", "a spelling"),
    (HEAD + "inherits: " + "a" * 300 + "\n", "neither beside this file nor a shipped policy"),
    (HEAD + "severity:\n  levels:\n    1: {within_minutes: 525601}\n", "levels.1.within_minutes is 525601"),
    (HEAD + "severity:\n  levels:\n    7: {owner: a, action: b, within_minutes: 3}\n", "severity.levels.7 is '7'"),
    (HEAD + "severity:\n  levels:\n    1: {owner: ' '}\n", "levels.1.owner is ' '"),
    (HEAD + "severity:\n  levels:\n    1: {action: ''}\n", "levels.1.action is ''"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_a_policy_that_cannot_be_trusted_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    """The message names the file and what is wrong, and ends with what to do."""
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert message.endswith((".", "?", "`."))


@pytest.mark.parametrize("name", ["none.yaml", "a" * 300])
def test_a_missing_policy_is_refused_in_words(tmp_path: Path, name: str) -> None:
    """There is no default behind a name that is not there, or cannot be."""
    for path in (tmp_path / name, name):
        with pytest.raises(PolicyError, match="cannot be read"):
            load_policy(path)


def test_plain_numbers_are_read_as_they_stand(tmp_path: Path) -> None:
    """Only what YAML 1.1 turns into another number is refused."""
    text = HEAD + "guardrails: {minimum_snapshots: 10, max_correctness_error: 1.5e-3}\nnotes: {a: '1:30', b: \"010\"}\n"
    policy = load_policy(written(tmp_path, text))
    assert (policy.guardrails.minimum_snapshots, policy.max_abs_error) == (10, 1.5e-3)
    assert policy.notes == {"a": "1:30", "b": "010"}


def test_a_policy_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    """Sections merge key by key, rows by row; a shipped policy can be inherited by name."""
    written(
        tmp_path,
        "version: 1\npolicy_id: base\ninherits: portable.yaml\nguardrails:\n  minimum_snapshots: 4\n",
        "base.yaml",
    )
    path = written(tmp_path, HEAD + "inherits: base.yaml\nrows:\n  auto:64:\n    min_avg_gflops: 3\n")
    policy = load_policy(path)
    assert policy.policy_id == "mine"
    assert policy.guardrails.minimum_snapshots == 4
    assert policy.guardrails.max_k_scaled_error == default_policy().guardrails.max_k_scaled_error
    assert policy.rows["auto:64"].min_avg_gflops == 3


@pytest.mark.parametrize(
    ("floors", "in_force"),
    [
        ("{}", 0.96),
        ("{min_share_of_baseline_gflops: 0.99}", 0.99),
        ("{min_share_of_baseline_gflops: 0.9}", 0.9),
        ("{min_share_of_baseline_gflops: 0.9, min_share_of_service_gflops: 0.97}", 0.97),
        ("{min_share_of_service_gflops: 0.97}", 0.97),
    ],
)
def test_a_share_of_ones_own_stands_for_the_driver_in_service_too(tmp_path: Path, floors: str, in_force: float) -> None:
    """What is inherited for that driver makes nobody's own limit looser or stricter, over two generations as well."""
    written(tmp_path, f"version: 1\npolicy_id: base\ninherits: portable.yaml\nfloors: {floors}\n", "base.yaml")
    policy = load_policy(written(tmp_path, HEAD + "inherits: base.yaml\nfloors: {max_share_of_baseline_p95: 1.1}\n"))
    assert policy.floors.share_of_service == in_force


def test_a_policy_says_before_measuring_what_it_cannot_judge() -> None:
    """A plan that the policy does not cover is refused in a sentence."""
    plan = CampaignPlan(kind="weekly", platforms=("clover",), kernels=("auto",), sizes=(1400,), seeds=(1,))
    assert "auto:1400" in load_policy("rx590-weekly-v3").refuses(plan)
    assert default_policy().refuses(plan) == ""


def test_no_shipped_policy_names_a_home_directory() -> None:
    """Figures are taken from elsewhere, paths are not."""
    for name in SHIPPED:
        assert "/home" not in (policies_dir() / name).read_text(encoding="utf-8")


def test_what_is_no_regular_file_is_not_read() -> None:
    """A device has no size and no end."""
    with pytest.raises(PolicyError, match="no regular file"):
        load_policy(Path("/dev/zero"))


def test_the_documented_example_is_a_policy(tmp_path: Path) -> None:
    """The example of docs/reference/policy.md can be used as it stands."""
    text = (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert load_policy(written(tmp_path, example)).covers("auto:2048") == "waiver"

"""T3 on real drivers: finds the fast variant, verifies every trial, remembers, and survives one that crashes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.lane_records import SelectorEvidence
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import SelectorRequest
from tests.support.benches import Bench

Open = Callable[[str], Bench]
MINE = "  mine: {mode: mine, file: mine.cl, layout: elementwise}\n"


def online(
    bench: Bench, n: int, memory: Path, *, kernel_dir: Path | None = None, **rules: object
) -> tuple[Measurement, SelectorEvidence]:
    """A T3 measurement and its evidence."""
    selector = SelectorRequest(rules=SelectorRules.model_validate(rules), memory=str(memory))
    answer = bench.measure("auto_t3_controlled", (n, n, n), iterations=4, kernel_dir=kernel_dir, selector=selector)
    assert answer.selector is not None, answer.reason
    return answer, answer.selector


def kernels_with(tmp_path: Path, body: str) -> Path:
    """The scalar variant, and one more named ``mine`` with this in place of the scalar one's sum."""
    directory = tmp_path / "kernels"
    directory.mkdir()
    shipped = data_dir("kernels")
    scalar = (shipped / "gemm_scalar.cl").read_text(encoding="utf-8")
    catalog = (shipped / "catalog.yaml").read_text(encoding="utf-8")
    (directory / "gemm_scalar.cl").write_text(scalar, encoding="utf-8")
    assert "float sum = 0.0f;" in scalar
    (directory / "mine.cl").write_text(scalar.replace("float sum = 0.0f;", body), encoding="utf-8")
    (directory / "catalog.yaml").write_text(catalog[: catalog.index("  gemm_tile20:")] + MINE, encoding="utf-8")
    return directory


def test_arms_are_compared_by_the_policys_limit_on_run_delay(benches: Open, tmp_path: Path) -> None:
    """No launch is calm by a limit below nothing: the static arm stays, and the faster one is blamed for nothing."""
    bench, memory = benches("pocl"), tmp_path / "memory.json"
    rules = SelectorRules.model_validate({"static_arm": "tile24", "epsilon": 0, "min_gain": 0.01})
    selector = SelectorRequest(rules=rules, memory=str(memory))
    answer = bench.measure("auto_t3_controlled", (512, 512, 512), selector=selector, max_run_delay_percent=-1e6)
    assert answer.selector is not None, answer.reason
    found = answer.selector
    assert answer.status is MeasurementStatus.OK
    assert (found.chosen, found.fallbacks, found.policy_disabled) == ("tile24", 0, False), found.reason
    assert "no calm pairs" in found.reason


def test_the_fast_variant_is_found_from_a_slow_static_one(benches: Open, tmp_path: Path) -> None:
    """Within twelve launches at this size; the second measurement has at most a look at what is close."""
    memory = tmp_path / "memory.json"
    answer, found = online(benches("pocl"), 512, memory, static_arm="tile20", epsilon=0)
    assert answer.status is MeasurementStatus.OK
    assert answer.variant == found.chosen != "tile20"
    assert found.static == "tile20"
    assert "times as fast as tile20" in found.reason
    assert sum(trial.size == 512 for trial in found.trials) <= 6
    assert "regtile" not in {trial.arm for trial in found.trials}  # made for GPUs
    assert not any(trial.problem for trial in found.trials)
    again, later = online(benches("pocl"), 512, memory, static_arm="tile20", epsilon=0)
    assert {trial.arm for trial in later.trials} <= {"block", "packed"}
    assert (later.decisions, later.fallbacks) == (2, 0)
    assert again.variant == later.chosen != "tile20"  # block and packed are close here, and either may come out ahead


def test_a_static_variant_made_for_another_device_is_taken_at_its_word(benches: Open, tmp_path: Path) -> None:
    """The policy named it, and it can run here."""
    answer, found = online(benches("pocl"), 64, tmp_path / "m.json", static_arm="regtile", epsilon=0)
    assert answer.status is MeasurementStatus.OK
    assert (found.static, found.trials[0].arm) == ("regtile", "regtile")


def test_a_frozen_size_takes_the_static_variant(benches: Open, tmp_path: Path) -> None:
    """Nothing is tried there."""
    answer, found = online(benches("pocl"), 300, tmp_path / "m.json", static_arm="tile20", freeze_sizes=(300,))
    assert answer.variant == "tile20"
    assert found.trials == ()


def test_a_wrong_variant_turns_the_selection_off(benches: Open, tmp_path: Path) -> None:
    """It is never taken, and the evidence says so; so it does in the next measurement."""
    directory = kernels_with(tmp_path, "float sum = 1.0f;")
    for _ in range(2):
        answer, found = online(benches("pocl"), 64, tmp_path / "m.json", kernel_dir=directory, static_arm="scalar")
        assert (answer.status, answer.variant) == (MeasurementStatus.OK, "scalar")
        assert found.policy_disabled
        assert "mine" in found.disabled_reason


def test_a_variant_that_does_not_build_drops_out(benches: Open, tmp_path: Path) -> None:
    """The selection goes on without it."""
    directory = kernels_with(tmp_path, "float sum = nonsense;")
    answer, found = online(benches("pocl"), 64, tmp_path / "m.json", kernel_dir=directory, static_arm="scalar")
    assert answer.status is MeasurementStatus.OK
    assert not found.policy_disabled
    assert any(trial.arm == "mine" and "does not compile" in trial.problem for trial in found.trials)


def test_a_variant_that_crashes_its_compiler_costs_one_worker(start_bench: Open, tmp_path: Path) -> None:
    """Clover aborts on vload4: the measurement comes of it, not flaky, and the variant is not tried again."""
    bench = start_bench("clover")
    directory = kernels_with(tmp_path, "float sum = vload4(0, A).x * 0.0f;")
    memory = tmp_path / "m.json"
    answer, found = online(bench, 64, memory, kernel_dir=directory, static_arm="scalar")
    assert (answer.status, answer.flaky, answer.variant) == (MeasurementStatus.OK, False, "scalar")
    assert found.crashed == ("mine",)
    assert not found.policy_disabled
    again, later = online(bench, 64, memory, kernel_dir=directory, static_arm="scalar")
    assert (again.status, later.crashed, later.trials) == (MeasurementStatus.OK, (), ())
    other_size, fresh = online(bench, 300, memory, kernel_dir=directory, static_arm="scalar")
    assert other_size.status is MeasurementStatus.OK
    assert all(trial.arm != "mine" for trial in fresh.trials)


def remember(memory: Path, **changes: object) -> None:
    """Rewrite what is remembered of the only context beyond the probe."""
    document = json.loads(memory.read_text(encoding="utf-8"))
    (context,) = [name for name in document["states"] if not name.startswith("probe")]
    document["states"][context].update(changes)
    memory.write_text(json.dumps(document), encoding="utf-8")


def test_a_variant_that_only_its_trials_favour_loses_side_by_side(benches: Open, tmp_path: Path) -> None:
    """The same kernel under another name, remembered as faster: the static one is taken, and nothing falls back."""
    directory, memory = kernels_with(tmp_path, "float sum = 0.0f;"), tmp_path / "m.json"
    online(benches("pocl"), 192, memory, kernel_dir=directory, static_arm="scalar", epsilon=0)
    arms = {"scalar": {"times_ms": [1.3, 1.3, 1.3]}, "mine": {"times_ms": [1.0, 1.0]}}
    remember(memory, arms=arms, confirmed={})
    answer, found = online(benches("pocl"), 192, memory, kernel_dir=directory, static_arm="scalar", epsilon=0)
    assert answer.variant == found.chosen == "scalar"
    assert "of the static arm's time side by side" in found.reason
    assert (found.fallbacks, found.policy_disabled) == (0, False)


def test_a_variant_that_became_slow_falls_back(benches: Open, tmp_path: Path) -> None:
    """Confirmed once, and now at half the speed: the static one is measured in its place, and the fallback counts."""
    slow = "float sum = 0.0f; for (int r = 0; r < 2 * k; ++r) sum += 0.0f * A[i * k + r % k];"
    directory, memory = kernels_with(tmp_path, slow), tmp_path / "m.json"
    online(benches("pocl"), 192, memory, kernel_dir=directory, static_arm="scalar", epsilon=0)
    arms = {"scalar": {"times_ms": [9.0, 9.0]}, "mine": {"times_ms": [1.0, 1.0]}}
    remember(memory, arms=arms, confirmed={"mine": "scalar"})
    answer, found = online(benches("pocl"), 192, memory, kernel_dir=directory, static_arm="scalar", epsilon=0)
    assert (answer.status, answer.variant, found.chosen) == (MeasurementStatus.OK, "scalar", "scalar")
    assert found.reason.startswith("fallback: mine")
    assert found.fallbacks == 1


@pytest.mark.parametrize("content", ["", "{", "[" * 5000, '{"version": 1, "driver": "%s", "states": 3, "kernels": {}}'])
def test_a_memory_that_cannot_be_read_is_ignored_with_a_note(benches: Open, tmp_path: Path, content: str) -> None:
    """It is a cache: what it said is found out anew."""
    memory = tmp_path / "m.json"
    _answer, first = online(benches("pocl"), 64, memory)
    driver = json.loads(memory.read_text(encoding="utf-8"))["driver"]
    memory.write_text(content.replace("%s", driver), encoding="utf-8")
    answer, found = online(benches("pocl"), 64, memory)
    assert answer.status is MeasurementStatus.OK
    assert "is ignored" in found.note
    assert len(found.trials) >= len({trial.arm for trial in first.trials})


def test_what_was_learnt_from_another_driver_or_source_is_dropped(benches: Open, tmp_path: Path) -> None:
    """A new driver may have mended or broken anything."""
    memory = tmp_path / "m.json"
    _answer, first = online(benches("pocl"), 64, memory, epsilon=0)
    arms = {trial.arm for trial in first.trials}
    document = json.loads(memory.read_text(encoding="utf-8"))
    memory.write_text(json.dumps({**document, "driver": "another"}), encoding="utf-8")
    _answer, found = online(benches("pocl"), 64, memory, epsilon=0)
    assert {trial.arm for trial in found.trials} == arms
    # Known well enough, every one: what is tried now is tried because its source changed, whatever the clock said.
    remember(memory, arms={name: {"times_ms": [1.0] * 9} for name in arms})
    document = json.loads(memory.read_text(encoding="utf-8"))
    document["kernels"]["tile20"] = "another source"
    memory.write_text(json.dumps(document), encoding="utf-8")
    _answer, found = online(benches("pocl"), 64, memory, epsilon=0)
    assert {trial.arm for trial in found.trials} == {"tile20"}


def test_a_static_arm_that_cannot_run_is_refused(benches: Open, tmp_path: Path) -> None:
    """A sentence, not a guess."""
    selector = SelectorRequest(rules=SelectorRules(static_arm="nowhere"), memory=str(tmp_path / "m.json"))
    answer = benches("pocl").measure("auto_t3_controlled", (64, 64, 64), selector=selector)
    assert answer.status is MeasurementStatus.LAUNCH_FAILED
    assert "static arm nowhere" in answer.reason

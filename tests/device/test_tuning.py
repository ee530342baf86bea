"""Tuned build parameters in a worker: in force from the compiler's options to the NDRange, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.core.selection.tuning import ArmPrior, TunedVariant
from pytest_weekops.core.selection.tuning_space import default_defines
from pytest_weekops.evidence.tunings import load_kernels
from pytest_weekops.files.kernel_sources import expand
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import GuardRequest, InjectRequest, SelectorRequest
from tests.support.benches import Bench

Open = Callable[[str], Bench]
BARE = {"block": "-DVW=8", "lanes": "-DLANES=8", "regtile": "-DLINES=8", "packed": "-DNT=4"}
SHIPPED = (str(data_dir("kernels")),)
SHAPES = [((1, 1, 1), 1.0, 0.0), ((19, 23, 29), 1.0, 1.0), ((131, 67, 521), -0.5, 2.0)]


def tuned(
    bench: Bench, variant: str, changes: Mapping[str, int] | None = None, kernel_dirs: tuple[str, ...] = SHIPPED
) -> TunedVariant:
    """A variant with its defaults on this device, but for the values given."""
    kernel = load_kernels(kernel_dirs)[variant]
    identity = bench.supervisor.identity
    assert identity is not None
    values = {**default_defines(kernel.entry, identity), **(changes or {})}
    return TunedVariant(variant=variant, kernel_sha256=kernel.sha256, defines=values)


# Twelve columns divide no power of two, sixty-four lanes are a GPU's; odd rows, one panel, the smallest k block.
ODD = [
    ("block", {"MR": 7, "NV": 3, "VW": 4}),
    ("block", {"MR": 1, "NV": 1, "VW": 4}),
    ("lanes", {"MR": 8, "NV": 1, "LANES": 64}),
    ("lanes", {"MR": 5, "NV": 3, "LANES": 4}),
    ("regtile", {"MR": 4, "NV": 1, "LANES": 8, "LINES": 8, "KB": 8, "PAD": 0}),
    ("regtile", {"MR": 8, "NV": 2, "LANES": 16, "LINES": 16, "KB": 8, "USE_FMA": 1}),
    ("packed", {"MR": 5, "NV": 3, "VW": 4, "MT": 1, "NT": 32, "KC": 64}),
    ("packed", {"MR": 14, "NV": 1, "VW": 4, "MT": 4, "NT": 2, "KC": 512}),
    ("tile20", {"PAD": 0}),
    ("tile24", {"PAD": 4, "USE_FMA": 1}),
]


# Register blocks on shared tiles take the compilers of a CPU long, Clover's minutes.
LONG = {("clover", "regtile"), ("rusticl", "regtile")}
# The larger of two on Clover: half of the block, for a compiler that unrolls it all (minutes otherwise).
HALVED = {("clover", "regtile", 8): {"MR": 4, "NV": 2, "LANES": 8, "LINES": 16, "KB": 8, "USE_FMA": 1}}
EVERYWHERE = [
    pytest.param(*odd, platform, marks=[pytest.mark.long] if (platform, odd[0]) in LONG else [])
    for platform in ("pocl", "rusticl", "clover")
    for odd in [(name, HALVED.get((platform, name, values.get("MR", 0)), values)) for name, values in ODD]
]


@pytest.mark.parametrize(("variant", "changes", "platform"), EVERYWHERE, ids=str)
def test_launcher_and_compiler_take_the_same_values(
    benches: Open, platform: str, variant: str, changes: dict[str, int]
) -> None:
    """The options of the evidence name them, and NDRange and padding fit: the result is right at every shape."""
    bench = benches(platform)
    values = tuned(bench, variant, changes)
    for shape, alpha, beta in SHAPES:
        answer = bench.measure(variant, shape, alpha=alpha, beta=beta, iterations=1, tuned=[values])
        assert answer.status is MeasurementStatus.OK, f"{shape}: {answer.reason}"
        assert set(answer.build_options) >= {f"-D{name}={value}" for name, value in values.defines.items()}
        assert answer.kernel_sha256 == values.kernel_sha256


@pytest.mark.parametrize(
    ("workload", "defines"),
    [("reduce", {"SIDE_BY_SIDE": 1}), ("sort", {"BUCKETS": 0}), ("spmv", {"ROWS": 16}), ("transpose", {"BLOCKS": 0})],
    ids=str,
)
def test_a_workload_is_launched_as_it_is_built(benches: Open, workload: str, defines: dict[str, int]) -> None:
    """In the shape that is not shipped for this device, at sizes that fit neither."""
    bench = benches("pocl")
    for n in (1, 61, 521):
        operation = KernelOperation(name=workload)
        answer = bench.measure(workload, (n, n, n), operation=operation, tuned=[tuned(bench, workload, defines)])
        assert answer.status is MeasurementStatus.OK, f"n = {n}: {answer.reason}"
        assert {f"-D{name}={value}" for name, value in defines.items()} <= set(answer.build_options)


def test_a_block_of_twelve_columns_does_not_reach_into_the_next_row(benches: Open) -> None:
    """At n = 16 the second block covers columns 12 to 23: rows must be padded to 24, not to 16."""
    bench = benches("pocl")
    values = tuned(bench, "block", {"MR": 4, "NV": 3, "VW": 4})
    answer = bench.measure("block", (40, 16, 40), tuned=[values])
    assert answer.status is MeasurementStatus.OK, answer.reason


def test_what_is_not_tuned_keeps_the_shipped_values(benches: Open) -> None:
    """Other variants, and the same one in the next request."""
    bench = benches("pocl")
    values = tuned(bench, "packed", {"MR": 3})
    answers = [
        bench.measure(variant, (100, 100, 100), tuned=[values] if used else [])
        for variant, used in (("packed", False), ("packed", True), ("block", True), ("packed", False))
    ]
    # A program of other values under these options would not cover the result.
    assert [answer.status for answer in answers] == [MeasurementStatus.OK] * 4, [answer.reason for answer in answers]
    assert ["-DMR=3" in answer.build_options for answer in answers] == [False, True, False, False]
    assert answers[0].build_options == answers[3].build_options


def test_auto_and_the_guard_take_them(benches: Open) -> None:
    """Behind a kernel mode that chooses, and under the T5 guard."""
    bench = benches("pocl")
    values = [tuned(bench, "packed", {"MR": 5}), tuned(bench, "block", {"MR": 3})]
    for size, option in ((64, "-DMR=3"), (200, "-DMR=5")):
        answer = bench.measure("auto_t5_guarded", (size,) * 3, guard=GuardRequest(), tuned=values)
        assert answer.status is MeasurementStatus.OK, answer.reason
        assert option in answer.build_options
        assert answer.guard is not None
        assert answer.guard.checks == 2


def test_an_injection_campaign_takes_them(benches: Open) -> None:
    """The guard's recall is that of the kernel that runs use; values it cannot take are refused."""
    bench = benches("pocl")
    request = InjectRequest(size=96, flips_per_bit=1, faults=1, clean_launches=2, kernel_dirs=SHIPPED)
    good = request.model_copy(update={"tuned": (tuned(bench, "packed", {"MR": 5}),)})
    assert bench.supervisor.inject(good).variant == "packed"
    bad = tuned(bench, "packed").model_copy(update={"kernel_sha256": "0" * 64})
    with pytest.raises(Exception, match="another source"):
        bench.supervisor.inject(request.model_copy(update={"tuned": (bad,)}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kernel_sha256": "0" * 64}, "found for another source"),
        ({"variant": "nowhere"}, "found for another source"),
        ({"defines": {"MR": 99}}, "is refused"),
        ({"defines": {"MR": 4, "NV": 2, "VW": 8, "USE_FMA": 0, "EVIL": 1}}, "EVIL is no parameter"),
    ],
)
def test_values_that_do_not_belong_are_refused_in_the_worker(
    benches: Open, changes: dict[str, object], words: str
) -> None:
    """Whatever the controller let through: a failed launch with its reason, never the default in its place."""
    bench = benches("pocl")
    values = tuned(bench, "block").model_copy(update=changes)
    answer = bench.measure("block", (64, 64, 64), tuned=[values])
    assert answer.status is MeasurementStatus.LAUNCH_FAILED
    assert words in answer.reason
    assert answer.sessions == ()


def test_values_that_do_not_build_are_a_failed_build(benches: Open, tmp_path: Path) -> None:
    """Of that case, with the compiler's log; nothing else is measured in its place."""
    body = '#if MR == 3\n#error "three"\n#endif\n' + expand(data_dir("kernels") / "gemm_block.cl")
    (tmp_path / "mine.cl").write_text(body, encoding="utf-8")
    (tmp_path / "catalog.yaml").write_text(
        "version: 1\nkernels:\n  mine: {mode: mine, file: mine.cl, layout: block, defines: {MR: 4}}\n",
        encoding="utf-8",
    )
    bench = benches("pocl")
    values = tuned(bench, "mine", {"MR": 3}, (str(tmp_path),))
    answer = bench.measure("mine", (64, 64, 64), kernel_dir=tmp_path, tuned=[values])
    assert answer.status is MeasurementStatus.BUILD_FAILED
    assert "-DMR=3" in answer.reason
    assert bench.measure("mine", (64, 64, 64), kernel_dir=tmp_path).status is MeasurementStatus.OK


def test_a_catalogue_that_names_no_values_is_launched_by_those_it_is_built_with(benches: Open, tmp_path: Path) -> None:
    """The header's defaults are the launcher's too: else the blocks of a bare entry would reach beyond the buffers."""
    shipped = data_dir("kernels")
    for layout in BARE:
        (tmp_path / f"gemm_{layout}.cl").write_text(expand(shipped / f"gemm_{layout}.cl"), encoding="utf-8")
    lines = [f"  {layout}: {{mode: {layout}, file: gemm_{layout}.cl, layout: {layout}}}" for layout in BARE]
    (tmp_path / "catalog.yaml").write_text("\n".join(["version: 1", "kernels:", *lines, ""]), encoding="utf-8")
    for layout, option in BARE.items():
        answer = benches("pocl").measure(layout, (61, 67, 71), kernel_dir=tmp_path)
        assert answer.status is MeasurementStatus.OK, answer.reason
        assert option in answer.build_options


def test_t3_tries_the_arm_a_tuning_knows_right_after_the_static_one(benches: Open, tmp_path: Path) -> None:
    """And what it learnt of a variant is not believed of the same one with other values."""
    bench = benches("pocl")
    priors = (ArmPrior(variant="lanes", expected_ms={64: 0.001}), ArmPrior(variant="tile24", expected_ms={64: 0.1}))
    selector = SelectorRequest(
        rules=SelectorRules(static_arm="scalar"), memory=str(tmp_path / "memory.json"), priors=priors
    )
    first = bench.measure("auto_t3_controlled", (64, 64, 64), selector=selector)
    assert first.selector is not None, first.reason
    assert [trial.arm for trial in first.selector.trials][:3] == ["scalar", "lanes", "tile24"]
    values = [tuned(bench, "tile24", {"PAD": 3})]
    again = bench.measure("auto_t3_controlled", (64, 64, 64), selector=selector, tuned=values)
    assert again.selector is not None, again.reason
    assert "tile24" in {trial.arm for trial in again.selector.trials}
    assert "tile20" not in {trial.arm for trial in again.selector.trials}

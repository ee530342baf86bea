"""Runs with tuning files end to end: what was tuned stands in the evidence, what cannot be used is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.judge.campaign import Baseline, BaselineRow
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import DeviceIdentity, GateRecord, Measurement, MeasurementStatus
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.evidence import baselines
from pytest_weekops.evidence.journal import Event
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.evidence.tunings import TuningBook, load_kernels
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.kernel_sources import expand
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.core.selection.test_tuning import entry
from tests.support.gates import GateResult

pytestmark = pytest.mark.device

Gate = Callable[..., GateResult]
Need = Callable[[str], str]
# What these tests claim is not how steady the host is: one snapshot of few launches, whatever the judge makes of it.
TINY = (
    "--sizes",
    "96",
    "--snapshots",
    "1",
    "--sessions",
    "1",
    "--iterations",
    "4",
    "--session-ms",
    "80",
    "--pressure-pulses",
    "0",
)
BLOCK = {"MR": 3, "NV": 1, "VW": 4, "USE_FMA": 0}
OPTIONS = tuple(f"-D{name}={value}" for name, value in BLOCK.items())


@pytest.fixture(scope="module")
def identify(need_platform: Need, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], DeviceIdentity]:
    """``identify(name)``: who answers on a platform."""
    known: dict[str, DeviceIdentity] = {}

    def answer(name: str) -> DeviceIdentity:
        if name not in known:
            scratch = tmp_path_factory.mktemp(name)
            (launch,) = resolve_platforms([f"{name}.who={need_platform(name)}"], scratch=scratch)
            supervisor = PlatformSupervisor(launch, Deadlines(), scratch)
            known[name] = supervisor.start()
            supervisor.close()
        return known[name]

    return answer


@pytest.fixture
def store(identify: Callable[[str], DeviceIdentity], tmp_path: Path) -> Callable[..., Path]:
    """``store(platform, sha256="")``: a tuning file for its block variant in this test's report directory."""

    def write(name: str, *, sha256: str = "", defines: dict[str, int] | None = None) -> Path:
        kernels = load_kernels((str(data_dir("kernels")),))
        book = TuningBook(tmp_path / "reports" / "tuning", identify(name), kernels)
        found = entry(kernel_sha256=sha256 or kernels["block"].sha256, defines=defines or BLOCK, expected_ms={96: 0.2})
        book.update(lambda file: file.with_variant(found))
        return book.path

    return write


def measured(result: GateResult) -> list[Measurement]:
    """The measurements of the latest run, each of them right; the host may have been too busy for a promotion."""
    assert result.status in (0, 1, 11), result.output
    found = [record for record in read_run(result.run_dirs[-1]).records if isinstance(record, Measurement)]
    assert found, result.output
    assert all(measurement.status is MeasurementStatus.OK for measurement in found), result.output
    return found


def events(result: GateResult, kind: str) -> list[Event]:
    """The journal's lines of one kind."""
    return [event for event in read_run(result.run_dirs[-1]).events if event.type == kind]


def flat(result: GateResult) -> str:
    """The output without its line breaks."""
    return " ".join(result.output.split())


def test_a_run_uses_the_tuning_and_says_so(gate: Gate, need_platform: Need, store: Callable[..., Path]) -> None:
    """Every measurement's build options name the values; journal and terminal name the file."""
    path = store("pocl")
    result = gate("--platforms", need_platform("pocl"), *TINY, "--kernels", "block")
    for measurement in measured(result):
        assert measurement.build_options == OPTIONS
    (line,) = events(result, "tuning")
    assert (line.data["platform"], line.data["file"]) == ("pocl", path.name)
    assert line.data["variants"][0]["defines"] == BLOCK
    assert "tuned by" in flat(result)
    assert "MR=3 NV=1 VW=4" in flat(result)


@pytest.mark.long
def test_tuning_off_measures_what_is_shipped(gate: Gate, need_platform: Need, store: Callable[..., Path]) -> None:
    """And the journal says that it was off."""
    store("pocl")
    result = gate("--platforms", need_platform("pocl"), *TINY, "--kernels", "block", "--tuning", "off")
    assert all("-DMR=3" not in measurement.build_options for measurement in measured(result))
    assert [line.data for line in events(result, "tuning")] == [{"off": True}]


@pytest.mark.parametrize("damage", ["stale", "hostile"])
def test_a_file_that_cannot_be_used_is_told_and_not_used(
    gate: Gate, need_platform: Need, store: Callable[..., Path], damage: str
) -> None:
    """Another source, a value that is an option: the shipped kernels are measured, with a note."""
    path = store("pocl", sha256="b" * 64 if damage == "stale" else "")
    if damage == "hostile":
        path.write_text(path.read_text(encoding="utf-8").replace('"MR": 3', '"MR": "3 -w"'), encoding="utf-8")
    result = gate("--platforms", need_platform("pocl"), *TINY, "--kernels", "block")
    assert all("-DMR=3" not in measurement.build_options for measurement in measured(result))
    assert not events(result, "tuning")
    assert "is ignored" in flat(result)
    assert any("is ignored" in str(line.data.get("tuning")) for line in events(result, "note"))


@pytest.mark.long
def test_each_platform_of_a_split_gets_its_own(gate: Gate, need_platform: Need, store: Callable[..., Path]) -> None:
    """Clover's values are not rusticl's: both drivers have the same device."""
    store("clover")
    other = {**BLOCK, "MR": 2}
    store("rusticl", defines=other)
    need_platform("clover"), need_platform("rusticl")
    result = gate(*TINY, "--kernels", "block", suite="split")
    found = {m.case.platform: {o for o in m.build_options if o.startswith("-DMR")} for m in measured(result)}
    assert found == {"clover": {"-DMR=3"}, "rusticl": {"-DMR=2"}}, result.output


def pinned(directory: Path, identity: DeviceIdentity, tuned: tuple[str, ...]) -> None:
    """A baseline of this device that nothing can fall short of."""
    row = BaselineRow(kernel="block", size=96, mean_gflops=0.001, p95_ms=1e6)
    baseline = Baseline(
        profile="pocl",
        hardware=identity.hardware,
        run_id="an-earlier-run",
        created_at="2026-11-24T12:00:00+00:00",
        source_sha256="0" * 64,
        rows=(row,),
        tuned=tuned,
    )
    body = baseline.model_dump(mode="json")
    path = baselines.pinned_path(directory / "reports" / "baselines", "pocl", identity.hardware)
    document = {"schema": baselines.SCHEMA, "sha256": baselines._digest(body), "baseline": body}
    write_atomic(path, json.dumps(document))


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ((), "baseline an-earlier-run was measured with nothing tuned, this run with block"),
        (("block",), ""),
    ],
)
def test_a_baseline_that_was_tuned_differently_is_told(
    gate: Gate,
    need_platform: Need,
    store: Callable[..., Path],
    identify: Callable[[str], DeviceIdentity],
    tmp_path: Path,
    then: tuple[str, ...],
    words: str,
) -> None:
    """Comparing is fine, silence is not; a baseline that was tuned alike needs no word."""
    store("pocl")
    pinned(tmp_path, identify("pocl"), then)
    result = gate("--platforms", need_platform("pocl"), *TINY, "--kernels", "block")
    assert measured(result)
    said = [str(line.data["tuning"]) for line in events(result, "note") if "tuning" in line.data]
    if words:
        assert words in flat(result)
        assert words in said[0]
    else:
        assert "was measured with" not in flat(result)
        assert said == []


def test_a_journal_tells_what_was_tuned(gate: Gate, need_platform: Need, store: Callable[..., Path]) -> None:
    """What a baseline that is pinned from it will say."""
    store("pocl")
    result = gate("--platforms", need_platform("pocl"), *TINY, "--kernels", "block")
    run = read_run(result.run_dirs[0])
    assert baselines._tuned(run, "pocl") == ("block",)
    assert baselines._tuned(run, "another") == ()


def test_values_that_give_wrong_results_block(
    gate: Gate, need_platform: Need, store: Callable[..., Path], tmp_path: Path
) -> None:
    """A tuned variant passes the same gate as any: one that is wrong with its values fails the opening gate."""
    shipped = data_dir("kernels")
    own = tmp_path / "kernels"
    own.mkdir()
    source = expand(shipped / "gemm_block.cl")
    cheat = source.replace(
        "    EACH_ROW(STORE_ROW)", "#if MR == 3\n    if (m > 60) return;\n#endif\n    EACH_ROW(STORE_ROW)"
    )
    assert cheat != source
    (own / "gemm_block.cl").write_text(cheat, encoding="utf-8")
    (own / "catalog.yaml").write_text(
        "version: 1\nkernels:\n  gemm_block: {mode: block, file: gemm_block.cl, layout: block}\n", encoding="utf-8"
    )
    kernels = load_kernels((str(own), str(shipped)))
    store("pocl", sha256=kernels["block"].sha256)
    result = gate("--platforms", need_platform("pocl"), *TINY, "--kernels", "block")
    assert result.status not in (0, 4), result.output
    assert "tuned by" in flat(result)
    gates = [r for r in read_run(result.run_dirs[0]).records if isinstance(r, GateRecord) and r.stage == "opening"]
    assert [(record.passed, "block at 61x67x71: wrong" in record.reason) for record in gates] == [(False, True)]


def test_a_tuning_directory_that_is_not_there_stops_the_run(gate: Gate, need_platform: Need) -> None:
    """It was asked for: a sentence and status 4, before anything is measured."""
    result = gate("--platforms", need_platform("pocl"), *TINY, "--kernels", "block", "--tuning=nowhere")
    assert result.status == 4, result.output
    assert "--tuning nowhere" in flat(result)
    assert not result.run_dirs

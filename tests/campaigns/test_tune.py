"""The search on real drivers: verified, kept, and not stopped by candidates that take the compiler down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.campaigns.tune import Bounds, Tuner
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.selection.tuning import VariantTuning
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.evidence.tunings import DIRECTORY, TuningBook, load_kernels, load_tunings, read_tuning
from pytest_weekops.files.kernel_sources import expand
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.supervisor import PlatformSupervisor

Make = Callable[..., Tuner]


@pytest.fixture
def make_tuner(need_platform: Callable[[str], str], host: HostWorker, tmp_path: Path) -> Make:
    """``make_tuner(platform)``: a search on a fresh supervisor, closed at the end by the caller's ``supervisor``."""
    number = iter(range(9))

    def make(
        name: str, *, kernel_dir: Path | None = None, restarts: int = 8, count: int = 6, build_s: float = 60.0
    ) -> Tuner:
        label = f"{name}.tune{next(number)}"
        (launch,) = resolve_platforms([f"{label}={need_platform(name)}"], scratch=tmp_path)
        deadlines = Deadlines(build_s=build_s)
        supervisor = PlatformSupervisor(launch, deadlines, tmp_path, restart_budget=restarts)
        identity = supervisor.start()
        dirs = (*((str(kernel_dir),) if kernel_dir else ()), str(data_dir("kernels")))
        kernels = load_kernels(dirs)
        return Tuner(
            supervisor=supervisor,
            host=host,
            book=TuningBook(tmp_path / DIRECTORY, identity, kernels),
            kernels=kernels,
            kernel_dirs=dirs,
            sizes=(96, 128),
            rounds=3,
            count=count,
            bounds=Bounds(None, 12.0),
            command=("weekops", "tune"),
        )

    return make


def search(tuner: Tuner, variant: str, budget_s: float = 120.0) -> VariantTuning:
    """One search to its end, the worker closed behind it."""
    try:
        return tuner.tune(variant, budget_s=budget_s)
    finally:
        tuner.supervisor.close()


def own(tmp_path: Path, body: str) -> Path:
    """A directory with a block variant named ``mine`` whose kernel starts with this."""
    directory = tmp_path / "own"
    directory.mkdir()
    source = expand(data_dir("kernels") / "gemm_block.cl")
    place = "    EACH_ROW(DECLARE_ROW)\n"
    assert place in source
    (directory / "mine.cl").write_text(source.replace(place, f"{body}\n{place}"), encoding="utf-8")
    (directory / "catalog.yaml").write_text(
        "version: 1\nkernels:\n  mine: {mode: mine, file: mine.cl, layout: block, defines: {MR: 4, NV: 2, VW: 4}}\n",
        encoding="utf-8",
    )
    return directory


@pytest.mark.device
def test_a_search_ends_in_a_file_that_a_run_uses(make_tuner: Make, tmp_path: Path) -> None:
    """Whichever wins here: candidates were verified, the default was timed, and the next run takes what was stored."""
    tuner = make_tuner("pocl")
    found = search(tuner, "block")
    assert found.tried["verified"] >= 1, found.decision.reason
    assert sum(found.tried.values()) >= 6
    assert set(found.expected_ms) == {96, 128}
    assert found.decision.reason
    assert found.decision.rounds == 3
    assert (found.outcome == "tuned") == found.decision.wins
    identity = tuner.supervisor.identity
    assert identity is not None
    loaded, notes = load_tunings(tmp_path / DIRECTORY, {"pocl": identity}, tuner.kernels)
    assert notes == []
    assert [t.defines for t in loaded["pocl"].tuned] == ([found.defines] if found.outcome == "tuned" else [])
    assert loaded["pocl"].priors[0].expected_ms == found.expected_ms


# Many times the work in whatever has the default's rows: that another wins is no matter of noise.
SLOW = "#if MR == 4\n    volatile int busy = 0;\n    for (int s = 0; s < 6000; ++s) busy += s;\n#endif"


@pytest.mark.device
def test_a_workload_is_searched_at_square_sizes(make_tuner: Make, tmp_path: Path) -> None:
    """Each candidate right at odd edges; a search of one ends in its decision, in the same file."""
    found = search(make_tuner("pocl"), "transpose")
    assert found.tried in ({"verified": 1}, {"far behind": 1})
    (path,) = (tmp_path / DIRECTORY).glob("*.json")
    assert list(read_tuning(path)[0].variants) == ["transpose"]


def test_a_fast_candidate_is_found_and_the_slow_default_is_not_kept(make_tuner: Make, tmp_path: Path) -> None:
    """What is several times as fast as the default by construction wins, with its interval above 1."""
    found = search(make_tuner("pocl", kernel_dir=own(tmp_path, SLOW), count=8), "mine")
    assert found.outcome == "tuned", found.decision.reason
    assert found.defines["MR"] != 4
    assert found.decision.low > 1.0
    assert found.decision.rounds == 3


@pytest.mark.device
def test_wrong_candidates_are_never_timed(make_tuner: Make, tmp_path: Path) -> None:
    """A candidate that is fast because it does half of the work does not win, and is counted as wrong."""
    cheat = "#if MR != 4\n#define k (k / 2)\n#endif"
    found = search(make_tuner("pocl", kernel_dir=own(tmp_path, cheat), count=8), "mine")
    assert found.tried["wrong"] >= 1
    assert found.defines.get("MR", 4) == 4


@pytest.mark.long
@pytest.mark.device
def test_candidates_that_crash_clovers_compiler_cost_a_worker_each_and_are_not_tried_again(
    make_tuner: Make, tmp_path: Path
) -> None:
    """Clover aborts on vload4: recorded with its signal, the search goes on, and the next one passes them over."""
    body = "#if USE_FMA\n    if (m < 0) C[0] = vload4(0, A).x;\n#endif"
    directory = own(tmp_path, body)
    tuner = make_tuner("clover", kernel_dir=directory, count=5)
    found = search(tuner, "mine")
    rejected = tuner.book.read()[0].rejected
    assert found.tried["crashed"] == len(rejected) >= 1
    assert {(r.status, r.signal, r.phase, r.defines["USE_FMA"]) for r in rejected} == {
        ("crashed", "SIGABRT", "build", 1)
    }
    assert found.tried["verified"] >= 1
    assert tuner.supervisor._restarts == len(rejected)
    assert not tuner.broke_off
    again = make_tuner("clover", kernel_dir=directory, count=5)
    after = search(again, "mine")
    assert after.tried["crashed before"] == len(rejected)
    assert "crashed" not in after.tried
    assert again.supervisor._restarts == 0


@pytest.mark.device
def test_a_search_says_when_its_restarts_are_spent(make_tuner: Make, tmp_path: Path) -> None:
    """Bounded, told, what crashed is kept, and nothing is called tuned."""
    body = "#if MR != 4 || NV != 2 || VW != 4 || USE_FMA\n    if (m < 0) C[0] = vload4(0, A).x;\n#endif"
    tuner = make_tuner("clover", kernel_dir=own(tmp_path, body), restarts=1, count=8)
    found = search(tuner, "mine")
    assert "was replaced 1 times" in tuner.broke_off
    assert found.outcome == "default kept"
    assert "broke off" in found.decision.reason
    assert found.tried["not reached"] >= 1
    assert len(tuner.book.read()[0].rejected) == 2


@pytest.mark.long
@pytest.mark.device
def test_a_candidate_that_hangs_the_compiler_is_killed_and_kept(make_tuner: Make, tmp_path: Path) -> None:
    """Past its deadline: hung, written down, and the search goes on to what compiles, as slow as it may be today."""
    many = "\n".join(f"#define D{n}(x) D{n - 1}(x) D{n - 1}(x) D{n - 1}(x) D{n - 1}(x)" for n in range(1, 15))
    body = f"#if USE_FMA\n#define D0(x) x += 1.0f;\n{many}\n    float h = 0.0f; D14(h) C[0] = h;\n#endif"
    tuner = make_tuner("pocl", kernel_dir=own(tmp_path, body), count=3, build_s=12.0)
    found = search(tuner, "mine", budget_s=400.0)
    rejected = tuner.book.read()[0].rejected
    assert {r.status for r in rejected} <= {"hung", "crashed"}
    assert len(rejected) == found.tried.get("hung", 0) + found.tried.get("crashed", 0) >= 1
    assert found.tried.get("verified", 0) + found.tried.get("far behind", 0) >= 1, found.tried


@pytest.mark.device
def test_a_default_that_fails_is_no_yardstick(make_tuner: Make, tmp_path: Path) -> None:
    """Nothing is searched and nothing wins: ratios to a wrong default would mean nothing."""
    tuner = make_tuner("pocl", kernel_dir=own(tmp_path, "    if (k >= 0) return;"))
    found = search(tuner, "mine")
    assert found.outcome == "default kept"
    assert "the shipped default itself fails: wrong" in found.decision.reason
    assert found.tried == {}


@pytest.mark.device
def test_a_budget_that_is_spent_keeps_the_default(make_tuner: Make) -> None:
    """Too few rounds prove nothing; what was not reached is counted."""
    found = search(make_tuner("pocl"), "block", budget_s=0.01)
    assert found.outcome == "default kept"
    assert found.tried["not reached"] >= 1

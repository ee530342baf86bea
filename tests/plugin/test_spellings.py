"""Our options beside those of other plugins: the long name is ours always, the short one where nobody else has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.plugin.options import short_spellings
from pytest_weekops.plugin.spellings import options_in, replaced
from tests.support.strangers import WAYS, run_beside, settle

SPELLINGS = {"--sizes": "--weekops-sizes", "--device": "--weekops-device", "--mode": "--weekops-mode"}
REPLACED: dict[str, tuple[list[str], list[str]]] = {
    "a list": (["suite", "--sizes", "1400", "2048"], ["suite", "--weekops-sizes", "1400", "2048"]),
    "an equals sign": (["--device=Intel(R) = x"], ["--weekops-device=Intel(R) = x"]),
    "nothing of ours": (["-k", "sizes", "--size", "--sizes-of=1"], ["-k", "sizes", "--size", "--sizes-of=1"]),
    "behind a bare --": (["--mode", "ci", "--", "--sizes"], ["--weekops-mode", "ci", "--", "--sizes"]),
    "twice": (["--mode=ci", "--mode", "local"], ["--weekops-mode=ci", "--weekops-mode", "local"]),
    "an ini value": (["-o", "addopts=--sizes 3"], ["-o", "addopts=--sizes 3"]),
}


@pytest.mark.parametrize("name", REPLACED)
def test_short_names_are_spelled_out(name: str) -> None:
    """Whole options before a bare ``--``, with or without a value, and nothing else."""
    given, expected = REPLACED[name]
    assert replaced(given, SPELLINGS) == expected


def test_words_from_a_file_are_read_as_argparse_reads_them(tmp_path: Path) -> None:
    """``@FILE`` stands for its lines, and so may one of them; a file that is not there is left to argparse."""
    (tmp_path / "outer").write_text(f"--sizes\n1400\n@{tmp_path / 'inner'}\n", encoding="utf-8")
    (tmp_path / "inner").write_text("--mode=ci\n", encoding="utf-8")
    words = [f"@{tmp_path / 'outer'}", f"@{tmp_path / 'missing'}"]
    assert replaced(words, SPELLINGS) == ["--weekops-sizes", "1400", "--weekops-mode=ci", words[1]]


def test_paths_stay_what_they_are() -> None:
    """Pytest takes path objects beside words."""
    assert replaced([Path("suite"), "--mode", "ci"], SPELLINGS) == [Path("suite"), "--weekops-mode", "ci"]


def test_options_of_a_line_come_with_the_word_behind_them() -> None:
    """That word may be a value; what follows a bare ``--`` is no option."""
    line = ["suite", "--tier", "canonical", "--driver-smoke", "--mode=ci", "--", "--device"]
    assert options_in(line) == [("--tier", "canonical"), ("--driver-smoke", "--mode=ci"), ("--mode", "ci")]


def test_no_short_name_means_two_options() -> None:
    """Neither usual nor older ones, and the older runbook's are there."""
    spellings = [spelling for row in short_spellings().values() for spelling in row]
    assert len(spellings) == len(set(spellings))
    assert short_spellings()["baseline"] == ("--baseline", "--baseline-path", "--baseline-block3-path")


@pytest.mark.parametrize("way", WAYS)
def test_what_somebody_else_has_is_theirs(tmp_path: Path, way: str) -> None:
    """Whoever is loaded first: theirs get their values, ours keep long names and free short ones; no doubt promotes."""
    settle(tmp_path, way)
    theirs = ("--device", "phone", "--device=tablet", "--mode=dark", "--seed", "5")
    ours = ("--weekops-device", "pocl", "--weekops-mode", "ci", "--sizes", "64", "96", "--weekops-sessions=3")
    status, output = run_beside(tmp_path, way, "test_unrelated.py", *theirs, *ours, "--iterations", "9")
    assert status == 0, output
    order = WAYS[way][2]
    assert f"theirs, {order} ours: device=['phone', 'tablet'] mode=dark seed=5" in output
    assert (
        "ours: weekops_sizes=['64', '96']; weekops_iterations=9; weekops_sessions=3; weekops_mode=ci; "
        "weekops_device=pocl"
    ) in output
    status, output = run_beside(tmp_path, way, "campaign.py", *theirs)
    assert status == 4, output
    assert "--device (in --help under 'Custom options'), --mode (in" in output
    assert "--seed (in --help under 'Strange things'): in this environment" in output
    assert "Write --weekops-device and --weekops-mode and --weekops-seeds for the campaign" in output
    assert "verdict" not in output


@pytest.mark.parametrize("way", ["an entry point before ours", "from a conftest"])
def test_help_shows_what_may_be_typed_here(tmp_path: Path, way: str) -> None:
    """Both names where both are ours, and whose the short one is where it is not."""
    settle(tmp_path, way)
    status, output = run_beside(tmp_path, way, "--help", COLUMNS="200")
    assert status == 0, output
    assert any(line.strip().startswith("--sizes") and "--weekops-sizes" in line for line in output.splitlines())
    assert "; --device is another plugin's here" in output
    assert "--seeds" in output
    assert "older: --seed" not in output


@pytest.mark.device
def test_a_campaign_that_says_whose_is_whose(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """With the long name beside it, the foreign one is the foreign plugin's business, and the campaign is collected."""
    way = "an entry point before ours"
    settle(tmp_path, way)
    suite = ("campaign.py", "--collect-only", "-q")
    ours = ("--platforms", need_platform("pocl"), "--sizes", "64", "--snapshots=1", "--weekops-seeds", "7")
    status, output = run_beside(tmp_path, way, *suite, *ours, "--seed", "5")
    assert status == 0, output
    assert "test_cell[pocl-auto_t3_controlled-64-seed7-s1]" in output


def test_a_tier_that_went_to_somebody_else_is_told(tmp_path: Path) -> None:
    """The gate was not asked for then; whoever meant it reads so, whoever did not is left alone."""
    way = "from a conftest"
    settle(tmp_path, way)
    taker = "def pytest_addoption(parser):\n    parser.addoption('--tier')\n"
    (tmp_path / "conftest.py").write_text(taker, encoding="utf-8")
    status, output = run_beside(tmp_path, way, "--tier", "canonical")
    assert (status, "weekops: --tier went to another plugin; the gate's is --weekops-tier" in output) == (0, True)
    status, output = run_beside(tmp_path, way, "--tier", "gold")
    assert (status, "weekops:" in output) == (0, False)


def test_every_place_that_options_come_from(tmp_path: Path) -> None:
    """The ini file, the environment and a file of words may use short names; the last word wins, as ever."""
    way = "an entry point after ours"
    settle(tmp_path, way)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --sizes 64 --iterations 8\n", encoding="utf-8")
    (tmp_path / "words").write_text("--sessions\n3\n--device=phone\n", encoding="utf-8")
    status, output = run_beside(tmp_path, way, "@words", "--sizes=96", PYTEST_ADDOPTS="--iterations 9")
    assert status == 0, output
    assert "weekops_sizes=['96']; weekops_iterations=9; weekops_sessions=3;" in output
    assert "device=['phone']" in output


def test_the_value_of_an_option_is_no_place_to_look_for_a_conftest(tmp_path: Path) -> None:
    """Pytest loads the ``conftest.py`` of every path that it is given, and would take ours for one."""
    way = "from a conftest"
    settle(tmp_path, way)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "conftest.py").write_text("raise SystemExit('not asked for')\n", encoding="utf-8")
    status, output = run_beside(tmp_path, way, "test_unrelated.py", "--report-dir", "elsewhere")
    assert status == 0, output


def test_workers_of_xdist_read_the_same_line(tmp_path: Path) -> None:
    """They parse it once more, each for itself."""
    way = "an entry point before ours"
    settle(tmp_path, way)
    status, output = run_beside(tmp_path, way, "test_unrelated.py", "-n", "1", "--device", "phone", "--sizes", "64")
    assert status == 0, output
    assert "1 passed" in output


def test_abbreviations_are_nobodys(tmp_path: Path) -> None:
    """``--size`` is neither ours nor a short form of ours."""
    way = "from a conftest"
    settle(tmp_path, way)
    status, output = run_beside(tmp_path, way, "test_unrelated.py", "--size", "64")
    assert status == 4
    assert "unrecognized arguments: --size" in output

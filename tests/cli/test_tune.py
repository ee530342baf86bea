"""``weekops tune`` as people call it: what it refuses, shows, and leaves behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.cli.tune import _print
from pytest_weekops.evidence.tunings import TuningBook
from tests.core.selection.test_tuning import entry
from tests.evidence.test_tunings import KERNELS, ME, rejected
from tests.support.command import weekops

Need = Callable[[str], str]


def tune(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a directory."""
    return weekops("tune", *arguments, cwd=directory, timeout_s=240)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sizes", "1"), "--sizes 1 is no size"),
        (("--sizes", "64", "64"), "names a size twice"),
        (("--rounds", "2"), "--rounds 2 is not from 3"),
        (("--candidates", "0"), "--candidates 0"),
        (("--budget-s", "nan"), "--budget-s nan"),
        (("--budget-s", "-1"), "--budget-s -1"),
        (("--variants", "pakced"), "Did you mean packed?"),
        (("--variants", "scalar"), "has nothing to tune"),
        (("--variants", "block", "block"), "names a variant twice"),
        (("--platforms", "nowhere"), "there is no profile 'nowhere'"),
        (("--kernel-dir", "nowhere"), "nowhere/catalog.yaml cannot be read"),
    ],
)
def test_bad_input_is_a_sentence_and_status_4(
    tmp_path: Path, need_platform: Need, arguments: tuple[str, ...], words: str
) -> None:
    """And nothing is written."""
    platform = () if "--platforms" in arguments else ("--platforms", need_platform("pocl"))
    done = tune(tmp_path, *platform, *arguments)
    assert done.returncode == 4, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.device
def test_a_dry_run_lists_and_writes_nothing(tmp_path: Path, need_platform: Need) -> None:
    """Each variant's default and candidates on this device."""
    done = tune(tmp_path, "--platforms", need_platform("pocl"), "--dry-run", "--json", "--candidates", "5")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["platforms"]
    assert [variant["variant"] for variant in found["variants"]] == ["block", "packed"]
    assert all(len(variant["candidates"]) == 5 for variant in found["variants"])
    assert not list(tmp_path.iterdir())


@pytest.mark.device
def test_a_search_leaves_its_file_and_show_reads_it(tmp_path: Path, need_platform: Need) -> None:
    """Exit status 0, the result in JSON and on disk, and shown without starting anything."""
    small = ("--sizes", "96", "--rounds", "3", "--candidates", "3", "--budget-s", "60", "--variants", "block")
    done = tune(tmp_path, "--platforms", need_platform("pocl"), *small, "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["platforms"]
    assert found["variants"][0]["outcome"] in ("tuned", "default kept")
    stored = json.loads((tmp_path / found["file"]).read_text(encoding="utf-8"))
    assert stored["variants"]["block"] == found["variants"][0]
    assert stored["variants"]["block"]["command"][:2] == ["weekops", "tune"]
    shown = tune(tmp_path, "--show")
    assert shown.returncode == 0, shown.stderr
    assert "block: " in shown.stdout


def test_show_says_that_nothing_is_kept(tmp_path: Path) -> None:
    """No output at all would look like a search that found nothing."""
    shown = tune(tmp_path, "--show")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == "No search is kept below reports/ yet. Make one: weekops tune --platforms NAME.\n"


def test_show_tells_results_rejections_and_damage(tmp_path: Path) -> None:
    """Everything that lies there."""
    book = TuningBook(tmp_path / "reports" / "tuning", ME, KERNELS)
    book.update(lambda file: file.with_variant(entry()).with_rejected(rejected(1)))
    book.path.with_name("torn.json").write_text("{", encoding="utf-8")
    text = book.path.read_text(encoding="utf-8").replace("2026-11-25T12", "\\u001b]0;2026-11-25T12")
    book.path.write_text(text, encoding="utf-8")
    shown = tune(tmp_path, "--show")
    assert shown.returncode == 0, shown.stderr
    assert "block: MR=5 NV=2 VW=8 USE_FMA=0: 1.100" in shown.stdout
    assert "crashed SIGABRT, not tried again" in shown.stdout
    assert "torn.json" in shown.stdout
    assert "ignored: " in shown.stdout
    assert "]0;2026-11-25T12" in shown.stdout
    assert "\x1b" not in shown.stdout, "a stranger's control characters reached the terminal"


@pytest.mark.device
def test_one_platform_that_breaks_off_does_not_end_the_others(tmp_path: Path, need_platform: Need) -> None:
    """Its driver cannot be loaded: said, exit status 1, and the next platform is tuned."""
    (tmp_path / "broken.so").write_text("no library", encoding="utf-8")
    small = ("--sizes", "64", "--rounds", "3", "--candidates", "1", "--budget-s", "30", "--variants", "block")
    platforms = (f"broken={need_platform('pocl')}@{tmp_path / 'broken.so'}", "pocl")
    done = tune(tmp_path, "--platforms", *platforms, *small, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    broken, good = json.loads(done.stdout)["platforms"]
    assert broken["broke_off"]
    assert good["variants"][0]["variant"] == "block"
    assert not good["broke_off"]


def test_a_search_that_broke_off_early_names_no_device(capsys: pytest.CaptureFixture[str]) -> None:
    """It was not opened yet, and empty brackets say nothing."""
    search = {"platform": "pocl", "device": "", "variants": [], "file": "", "broke_off": "no room"}
    _print(search)
    _print(search | {"device": "a processor x 2"})
    told = capsys.readouterr().out.splitlines()
    assert told == ["pocl", "  BROKE OFF: no room", "pocl (a processor x 2)", "  BROKE OFF: no room"]

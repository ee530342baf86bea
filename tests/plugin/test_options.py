"""Bad input: a sentence, exit status 4, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.modes import KERNEL_SETS
from tests.support.gates import GateResult

Gate = Callable[..., GateResult]
Need = Callable[[str], str]

REFUSED = [
    (("--sizes", "0"), "--sizes 0 is too small"),
    (("--sizes", "-1"), "--sizes -1 is too small"),
    (("--sizes", "2O48"), "for example --sizes 2048"),
    (("--sizes", "64", "64"), "more than once"),
    (("--kernels", "paked"), "Did you mean packed?"),
    (("--platforms", "poccl"), "Did you mean pocl?"),
    (("--snapshots", "two"), "not a whole number"),
    (("--snapshots", "4", "--max-snapshots", "3"), "--max-snapshots 3 is below the least number, 4"),
    (("--snapshots", "1", "--max-snapshots", "1"), "one snapshot cannot decide anything"),
    (("--aa",), "--aa measures one driver against itself, and this is no split"),
    (("--policy", "missing.yaml"), "missing.yaml"),
    (("--snapshot-interval", "nan"), "not a finite number"),
    (("--device", "("), "no regular expression"),
    (("--against", "poccl"), "--against 'poccl': there is no profile"),
    (("--against", "pocl", "--no-baseline", "it was replaced"), "--against stands beside --no-baseline"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[" ".join(a) for a, _ in REFUSED])
def test_bad_options_are_refused(gate: Gate, need_platform: Need, arguments: tuple[str, ...], words: str) -> None:
    """The sentence names the value, the status is 4, and no run directory is made."""
    platform = () if "--platforms" in arguments else ("--platforms", need_platform("pocl"))
    result = gate(*platform, *arguments)
    assert result.status == 4, result.output
    assert words in result.output
    assert not result.run_dirs


def test_a_splits_unknown_side_is_named_by_its_own_option(gate: Gate, need_platform: Need) -> None:
    """Nothing is guessed that is far off, and where profiles of one's own are named is said."""
    sides = ("--baseline-platform", need_platform("pocl"), "--candidate-platform", "mine")
    result = gate(*sides, suite="split")
    assert result.status == 4, result.output
    assert "--candidate-platform 'mine': there is no profile 'mine'" in result.output
    assert "Did you mean" not in result.output
    assert "--platform-file names" in result.output


@pytest.mark.parametrize("fixture", ["weekops_case", "weekops_gate", "weekops_pulse", "weekops_injection"])
def test_a_test_without_its_mark_is_told_so(pytester: pytest.Pytester, fixture: str) -> None:
    """In words, not with what pytest's own request lacks."""
    pytester.makepyfile(f"def test_it({fixture}):\n    pass\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    text = result.stdout.str()
    assert f"{fixture} is given to tests of a campaign, and this one has not its mark" in text
    assert "SubRequest" not in text


def test_help_fits_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Of our own section: what pytest says of others is theirs. Both spellings of an option stand in one line.

    Whoever reads it finds every set that a kernel's place may name.
    """
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert pytest.main(["-p", "pytest_weekops.plugin", "-c", os.devnull, "--help"]) == 0
    section = capsys.readouterr().out.partition("OpenCL driver validation:")[2].partition("\n\n")[0].splitlines()
    assert len(section) > 80
    assert [line for line in section if len(line) > 80] == []
    sets = " ".join(" ".join(section).split()).partition("sets of them: ")[2].partition(" (")[0]
    assert sorted(sets.split(", ")) == sorted(KERNEL_SETS)


def test_a_size_that_does_not_fit_says_how_much(gate: Gate, need_platform: Need) -> None:
    """Needed and available memory are both in the sentence."""
    result = gate("--platforms", need_platform("pocl"), "--sizes", "100000")
    assert result.status == 4, result.output
    assert "MiB" in result.output
    assert "does not fit" in result.output
    assert not result.run_dirs


def test_a_swallowed_path_is_recognised(gate: Gate, tmp_path: Path) -> None:
    """``--sizes 1400 suites/weekly`` is told what it did and shown the right order."""
    result = gate("--sizes", "1400", "suites/weekly")
    assert result.status == 4, result.output
    assert "pytest suites/weekly --sizes 1400" in result.output


POLICIES = {
    "empty": ("", "empty"),
    "not-yaml": ("a: [", "line"),
    "version": ("version: 9\npolicy_id: x\n", "version"),
    "typo": ("version: 1\npolicy_id: x\nguardrials: {}\n", "guardrials"),
    "negative": ("version: 1\npolicy_id: x\nguardrails: {max_correctness_error: -1}\n", "-1"),
    "no-row": ("version: 1\npolicy_id: x\n", "neither a row nor a waiver"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_bad_policies_are_refused(gate: Gate, need_platform: Need, tmp_path: Path, name: str) -> None:
    """A policy that cannot be trusted ends the run before anything is measured."""
    text, words = POLICIES[name]
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    result = gate("--platforms", need_platform("pocl"), "--policy", "bad.yaml")
    assert result.status == 4, result.output
    assert words in result.output
    assert not result.run_dirs


def test_a_report_directory_that_is_a_file_is_refused(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """Where nothing can be written, nothing is measured."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    result = gate("--platforms", need_platform("pocl"), "--sizes", "64", "--report-dir=taken")
    assert result.status == 4, result.output
    assert "cannot be written" in result.output


def test_weekly_and_split_in_one_run_are_refused(gate: Gate, need_platform: Need, repository: Path) -> None:
    """Two campaigns would share one exit status."""
    result = gate(str(repository / "suites/split"), "--platforms", need_platform("pocl"))
    assert result.status == 4, result.output
    assert "one after the other" in result.output


def test_a_driver_in_service_beside_a_split_is_refused(gate: Gate, need_platform: Need) -> None:
    """It names its own two sides."""
    need_platform("clover")
    need_platform("rusticl")
    result = gate("--against", "pocl", suite="split")
    assert result.status == 4, result.output
    assert "--against speaks of a weekly campaign, and this is a split one" in result.output
    assert not result.run_dirs


@pytest.mark.parametrize(
    "named", [("--platforms", "pocl", "rusticl"), ("--platforms", "pocl", "--candidate-platform", "rusticl")]
)
def test_a_driver_against_itself_is_one(gate: Gate, named: tuple[str, ...]) -> None:
    """Two drivers are a split, and their ratio is no noise of this host."""
    result = gate("--aa", *named, suite="split")
    assert result.status == 4, result.output
    assert "--aa measures one driver against itself, and two were named" in result.output
    assert not result.run_dirs


def test_xdist_is_refused(gate: Gate, need_platform: Need) -> None:
    """Nothing is measured in parallel: under -n every item fails with the reason, and there is no run."""
    result = gate("--platforms", need_platform("pocl"), "--sizes", "64", "--snapshots", "1", "-n", "2")
    assert result.status != 0, result.output
    assert "falsify each other" in result.output
    assert not result.run_dirs


def test_ids_and_order(gate: Gate, need_platform: Need) -> None:
    """Opening gate, snapshots with the platforms in turn, closing gate."""
    platforms = [need_platform("pocl"), need_platform("rusticl")]
    result = gate(
        "--platforms",
        *platforms,
        "--kernels",
        "auto",
        "--sizes",
        "64",
        "--snapshots",
        "2",
        "--max-snapshots",
        "2",
        "--collect-only",
        "-q",
    )
    ids = [line.split("::")[1] for line in result.output.splitlines() if "::" in line]
    assert ids == [
        "test_gate[opening-pocl]",
        "test_gate[opening-rusticl]",
        "test_pressure[pocl-s1]",
        "test_pressure[rusticl-s1]",
        "test_cell[pocl-auto-64-seed11-s1]",
        "test_cell[rusticl-auto-64-seed11-s1]",
        "test_pressure[pocl-s2]",
        "test_pressure[rusticl-s2]",
        "test_cell[rusticl-auto-64-seed11-s2]",
        "test_cell[pocl-auto-64-seed11-s2]",
        "test_gate[closing-pocl]",
        "test_gate[closing-rusticl]",
    ]

"""Every way to a green run that was not earned ends in red, and would be green without the defence it aims at."""

from __future__ import annotations

import atexit
import json
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_weekops import plugin
from pytest_weekops.cli import main
from pytest_weekops.rollback import reaction  # noqa: F401 - what a run imports late would be imported by every run
from tests.sabotage.apart import CONFTEST, run_apart
from tests.sabotage.defences import ASKED_OF_THE_LEDGER, KNOWN, switch_off
from tests.support.replayed import SMALL, replay, void_at_first

ROOT = Path(__file__).resolve().parents[2]
TABLE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "sabotage.yaml").read_text(encoding="utf-8"))
SABOTAGES: list[dict[str, Any]] = TABLE["sabotages"]
OWN = """\
import pytest

pytestmark = pytest.mark.weekops_campaign("weekly")


def test_gate(weekops_gate):
    weekops_gate()


def test_pressure(weekops_pulse):
    weekops_pulse()


def test_cell(weekops_case, measure):
    measure(weekops_case)
    {then}


{more}
"""
ONCE = "(lambda again: again.exists() or again.touch())(__import__('pathlib').Path('again'))"
NO = "import sys\nimport pytest\ndef pytest_weekops_checks(config):\n    return {'mine': lambda plan, found: 'no'}\n"
PASSED = """\
import pytest


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report
"""


def lay_out(entry: dict[str, Any], directory: Path) -> None:
    """A project with a suite of its own, an unrelated test, and what this sabotage adds."""
    for kind in ("weekly", "canonical"):
        shutil.copytree(
            ROOT / "suites" / kind, directory / "suites" / kind, ignore=shutil.ignore_patterns("__pycache__")
        )
    (directory / "gate").mkdir()
    own = OWN.format(then=entry.get("then", "pass"), more=entry.get("more", "")).replace("{once}", ONCE)
    (directory / "gate" / "test_gate.py").write_text(own, encoding="utf-8")
    (directory / "pytest.ini").write_text(f"[pytest]\n{entry.get('ini', '')}\n", encoding="utf-8")
    text = entry.get("conftest", "").replace("{no}", NO).replace("{passed}", PASSED)
    if text or "plugins" in entry:
        (directory / "conftest.py").write_text(CONFTEST * ("plugins" in entry) + text, encoding="utf-8")
    if "failed" in entry:
        cache = directory / ".pytest_cache" / "v" / "cache"
        cache.mkdir(parents=True)
        (cache / "lastfailed").write_text(json.dumps(dict.fromkeys(entry["failed"], True)), encoding="utf-8")
    if "stepwise" in entry:
        cache = directory / ".pytest_cache" / "v" / "cache"
        cache.mkdir(parents=True)
        stopped = {"last_failed": entry["stepwise"], "last_test_count": None, "last_cache_date_str": "2026-11-24"}
        (cache / "stepwise").write_text(json.dumps(stopped), encoding="utf-8")


def provoke(
    entry: dict[str, Any], pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> tuple[int | str | None, str]:
    """Run pytest in this process as the sabotage would have it: its exit status, and what it said on one line."""
    line = entry.get("line", "gate test_ok.py")
    line = line.replace("{weekly}", "suites/weekly").replace("{canonical}", "suites/canonical")
    if "plugins" in entry:
        return provoke_beside(entry, [*SMALL, *shlex.split(line)], pytester.path, capsys)
    cache = () if "failed" in entry or "stepwise" in entry else ("-p", "no:cacheprovider")
    plugins = [] if "--benchmark" in line else [plugin]  # it is asked for by the name of its entry point
    if entry.get("kind") == "left":
        return provoke_apart(lambda: pytester.inline_run(*cache, *SMALL, *shlex.split(line), plugins=plugins), capsys)
    status: int | str | None
    try:
        status = pytester.inline_run(*cache, *SMALL, *shlex.split(line), plugins=plugins).ret
    except SystemExit as leaving:
        status = leaving.code or 0
    out, err = capsys.readouterr()
    return status, " ".join(f"{out} {err}".split())


def provoke_apart(
    run: Callable[[], pytest.HookRecorder], capsys: pytest.CaptureFixture[str]
) -> tuple[int | str | None, str]:
    """Run pytest in a child that it may leave as it likes; then what a deployment job hears that asks the ledger."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            status = int(run().ret or 0)
            atexit._run_exitfuncs()
        finally:
            os._exit(status)
    left = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert left == 0, f"pytest was not left with 0 but with {left}"
    out, err = capsys.readouterr()
    status = main(["status", "--require", "promoted"]) if ASKED_OF_THE_LEDGER[""] else left
    told = capsys.readouterr()
    return status, " ".join(f"{out} {err} {told.out} {told.err}".split())


def provoke_beside(
    entry: dict[str, Any], words: list[str], directory: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int | str | None, str]:
    """Run pytest beside other plugins; behind ``|| true`` nobody hears how it ends, and a deployment job asks."""
    status, said = run_apart(directory, words, entry["plugins"], off=entry.get("off", ()))
    if not entry.get("unheard"):
        return status, said
    assert status != 0, said
    if not ASKED_OF_THE_LEDGER[""]:
        return 0, said
    status = main(["status", "--require", "promoted"])
    return status, f"{said} {' '.join(capsys.readouterr())}"


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(e, id=e["kind"] + ": " + e["name"], marks=[pytest.mark.long] * e.get("long", False))
        for e in SABOTAGES
    ],
)
def test_a_sabotage_is_red_and_would_be_green(
    entry: dict[str, Any],
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It ends with the status and the words of the table; with its defences off it ends with 0."""
    replay(monkeypatch, pytester.path)
    if "--benchmark" not in entry.get("line", ""):
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", entry.get("addopts", ""))
    lay_out(entry, pytester.path)
    if entry.get("void"):
        void_at_first(monkeypatch)
    status, said = provoke(entry, pytester, capsys)
    assert status == entry["status"], said
    assert entry["says"] in said, said
    with monkeypatch.context() as patch:
        for defence in entry["defence"]:
            switch_off(defence, patch)
        (pytester.path / "again").unlink(missing_ok=True)
        status, said = provoke(entry | {"off": entry["defence"]}, pytester, capsys)
    assert status == 0, f"no sabotage: without its defences it is red all the same: {said}"


HONEST: dict[str, str] = {
    "{weekly} test_ok.py --weekops-require-verdict weekly": "verdict: promote",
    "gate test_ok.py": "verdict: promote",
    "gate --weekops-max-snapshots=6": "all is decided after",
    "{weekly} -p no:benchmark --strict-markers": "verdict: promote",
    "test_ok.py": "1 passed",
    ". --ignore gate --ignore suites": "1 passed",
    ". --ignore suites -m 'not weekops_campaign' --weekops-require-verdict none": "1 passed",
    "gate test_ok.py --weekops-tier cpu-fast -k test_ok": "1 passed",
    "{weekly} test_ok.py --collect-only": "7 tests collected",
    "{weekly} --setup-plan": "no tests ran",
    "{weekly} --fixtures": "fixtures defined",
    "{weekly} --help": "--require-verdict",
}


def test_an_honest_run_is_green(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is sabotaged above is green when nobody sabotages it, and so is a run that was asked for nothing."""
    replay(monkeypatch, pytester.path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    lay_out({}, pytester.path)
    for line, expected in HONEST.items():
        status, said = provoke({"line": line}, pytester, capsys)
        assert status == 0, f"{line}: {said}"
        assert expected in said, f"{line}: {said}"
        assert "NO VERDICT" not in said
        assert "last word" not in said


PARTS = (
    *("terminal", "capture", "logging", "junitxml", "cacheprovider", "stepwise", "skipping", "warnings", "tmpdir"),
    *("faulthandler", "reports", "assertion", "setuponly", "setupplan", "debugging", "runner", "python", "fixtures"),
)
CANNOT_BE_TAKEN_OUT = {"runner": 4, "fixtures": 4, "python": 5}


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_without_a_part_of_pytest_nothing_turns_green_or_red(
    part: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``-p no:`` of each: the healthy run promotes as ever, the one that a check speaks against does not."""
    replay(monkeypatch, pytester.path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    lay_out({}, pytester.path)
    for conftest, status in (("", 0), (NO, 1)):
        (pytester.path / "conftest.py").write_text(conftest, encoding="utf-8")
        ended, said = provoke({"line": f"{{weekly}} -p no:{part}"}, pytester, capsys)
        assert ended == CANNOT_BE_TAKEN_OUT.get(part, status), said


@pytest.mark.long
def test_what_benchmark_disable_leaves_is_the_whole_campaign(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is timed by pytest-benchmark, and everything by the gate: promote, or not where an assertion fails."""
    replay(monkeypatch, pytester.path)
    line = {"line": "gate --benchmark-disable"}
    lay_out(line, pytester.path)
    assert provoke(line, pytester, capsys)[0] == 0
    (pytester.path / "gate" / "test_gate.py").write_text(
        OWN.format(then="assert weekops_case.snapshot != 2", more=""), encoding="utf-8"
    )
    status, said = provoke(line, pytester, capsys)
    assert (status, "other_tests" in said) == (1, True), said


def test_the_table_is_of_one_piece() -> None:
    """Each kind and each defence is used, known and in words; no sabotage stands there twice."""
    assert {entry["kind"] for entry in SABOTAGES} == set(TABLE["kinds"])
    assert {d for entry in SABOTAGES for d in entry["defence"]} == set(TABLE["defences"]) == KNOWN
    names = [(entry["kind"], entry["name"]) for entry in SABOTAGES]
    assert len(names) == len(set(names)) >= 60
    assert all(entry["status"] != 0 for entry in SABOTAGES)

"""A conformance suite on one driver: reruns, who answered before and after, and every way to end without results."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.campaigns import conformance
from pytest_weekops.campaigns.conformance import Driver, run_piglit, tied
from pytest_weekops.campaigns.piglit import Piglit
from pytest_weekops.core.conformance.results import SuiteResults
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.measurement.driver_files import DriverFile
from pytest_weekops.evidence.conformance.reading import read_results
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from tests.support.conformance import files_of
from tests.support.stand_in_piglit import stand_in
from tests.support.synthetic import make_identity

TESTS = {"api@a": ["pass"], "api@b": ["fail", "fail", "pass"], "api@c": ["crash"], "program@d": ["skip"]}
DRIVER = Driver(make_identity("pocl"), files_of("pocl"))
LAUNCH = Launch(
    label="pocl",
    profile="pocl",
    environment={"OCL_ICD_VENDORS": "/one.icd"},
    open=OpenRequest(profile="pocl", platform_name="pocl", icd="/one.icd"),
)
Run = Callable[..., SuiteResults]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(tests, drivers=..., **plan)``: piglit's stand-in on drivers that answer so, one after the other."""

    def called(
        tests: dict[str, list[str]] = TESTS,
        *,
        drivers: tuple[Driver, ...] = (DRIVER,),
        include: tuple[str, ...] = (),
        **plan: Any,
    ) -> SuiteResults:
        answers = iter([*drivers, drivers[-1]])

        @contextmanager
        def held(*_arguments: object) -> Iterator[Driver]:
            yield next(answers)

        monkeypatch.setattr(conformance, "held_driver", held)
        program = stand_in(tmp_path / "piglit", tests, **plan)
        return run_piglit(Piglit(program, include=include), LAUNCH, tmp_path / "scratch", lambda _line: None)

    return called


def test_bad_tests_are_run_again_and_one_that_passes_then_is_flaky(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice, the bad ones alone, with one driver and nothing else that could lead to another."""
    monkeypatch.setenv("OCL_ICD_FILENAMES", "/another.so")
    found = run()
    assert {one.test: one.status for one in found.tests} == {
        "api@a": "pass",
        "api@b": "flaky",
        "api@c": "crash",
        "program@d": "skip",
    }
    assert (found.planned, found.of_suite, found.ended, found.selection) == (4, 4, True, ())
    assert (found.identity, found.files) == (DRIVER.identity, DRIVER.files)
    runs = [json.loads((tmp_path / "piglit" / f"run-{number}.json").read_text()) for number in range(3)]
    assert not (tmp_path / "piglit" / "run-3.json").exists()
    assert "--test-list" in runs[1]["words"]
    environment = runs[0]["environment"]
    assert (environment["OCL_ICD_VENDORS"], environment["PIGLIT_NO_WINDOW"]) == ("/one.icd", "1")
    assert "OCL_ICD_FILENAMES" not in environment
    assert Path(environment["POCL_CACHE_DIR"]).is_relative_to(tmp_path)


def test_the_suite_is_led_to_the_library_that_answered(run: Run, tmp_path: Path) -> None:
    """By its whole path: an ICD file may name a library that only the loader beside it finds."""
    there = DRIVER.identity.model_copy(update={"library_path": "/opt/libpocl.so"})
    (tmp_path / "scratch").mkdir()
    run(drivers=(Driver(there, DRIVER.files),))
    environment = json.loads((tmp_path / "piglit" / "run-0.json").read_text())["environment"]
    assert Path(environment["OCL_ICD_VENDORS"]).read_text() == "/opt/libpocl.so\n"


def test_a_selection_is_told_with_what_it_leaves_out(run: Run) -> None:
    """Filters are kept with the results, and so is how much of the suite there is."""
    found = run({"api@a": ["pass"], "program@d": ["pass"]}, include=("^api",))
    assert (found.selection, found.planned, found.of_suite) == (("-t ^api",), 1, 2)
    assert found.left_out_share == 0.5


def test_a_planned_test_without_a_result_is_counted(run: Run) -> None:
    """A suite that leaves a test out, however green the rest is, has fewer results than were planned."""
    found = run({"api@a": ["pass"], "api@b": ["pass"]}, drops="api@b")
    assert (len(found.tests), found.planned) == (1, 2)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"status": 3}, "piglit ended with exit status 3"),
        ({"torn": True}, "there is no results file"),
        ({"platform": "rusticl"}, "pocl is pocl, and tests ran on rusticl"),
        ({"platform": ""}, "no test says on which platform it ran"),
        ({"listing": 1}, "piglit does not list its tests"),
        ({"tests": {}}, "leaves no test"),
    ],
)
def test_what_has_no_end_or_ran_elsewhere_is_not_kept(run: Run, plan: dict[str, Any], words: str) -> None:
    """Nothing of a run that broke off, or whose tests met another driver."""
    with pytest.raises(WeekopsError, match=words):
        run(plan.pop("tests", TESTS), **plan)


def test_a_driver_that_was_replaced_meanwhile_has_no_results(run: Run) -> None:
    """Each file is hashed before and after."""
    with pytest.raises(WeekopsError, match=r"pocl is not what it was when the suite began: libpocl.so"):
        run(drivers=(DRIVER, Driver(DRIVER.identity, files_of("pocl", "b"))))


def test_another_version_of_the_suite_has_another_name(tmp_path: Path) -> None:
    """Its tests, their command lines, and the sources that they are given."""
    program = stand_in(tmp_path, TESTS)
    first = Piglit(program).version
    (tmp_path / "tests" / "one.cl").write_text("kernel void g() {}")
    second = Piglit(program).version
    stand_in(tmp_path, {**TESTS, "api@e": ["pass"]})
    assert len({first, second, Piglit(program).version}) == 3
    assert first.startswith("cl-")


def test_without_piglit_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what to do instead."""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(InputError, match="piglit is not installed"):
        Piglit.installed()


def test_results_of_somebody_elses_run_are_tied_where_the_driver_is_older(tmp_path: Path) -> None:
    """By when the driver's files were put there: results from before an update are of the driver before it."""
    library, path = tmp_path / "libpocl.so", tmp_path / "results.csv"
    library.write_text("driver")
    path.write_text("a,Pass,1\n")
    driver = Driver(DRIVER.identity, (DriverFile(path=str(library), sha256="a" * 64),))
    made = library.stat().st_ctime
    os.utime(path, (made + 10, made + 10))
    read = read_results("deqp", path)
    found = tied("deqp", "1.4", read, path, driver)
    assert (found.version, found.source, found.source_sha256) == ("1.4", "results.csv", read.sha256)
    assert found.files == driver.files
    os.utime(path, (made - 10, made - 10))
    with pytest.raises(InputError, match=r"are older than the driver"):
        tied("deqp", "1.4", read, path, driver)
    library.unlink()
    with pytest.raises(InputError, match=r"are older than the driver"):
        tied("deqp", "1.4", read, path, driver)

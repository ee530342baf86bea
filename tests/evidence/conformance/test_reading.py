"""Results in the forms in which suites document them, and each way in which such a file is not whole."""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.evidence.conformance import reading
from pytest_weekops.evidence.conformance.reading import Read, read_results

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="s" tests="5">
  <testcase classname="a.b" name="good" time="0.5"/>
  <testcase classname="a" name="bad"><failure message="wrong at 7">one
two</failure></testcase>
  <testcase classname="a" name="gone" time="soon"><error message="SIGSEGV"/></testcase>
  <testcase classname="a" name="off"><skipped/></testcase>
  <testcase classname="a" name="now and then"><flakyFailure message="once"/></testcase>
</testsuite></testsuites>
"""
PIGLIT_JUNIT = """<testsuites><testsuite name="piglit" tests="3">
<testcase classname="piglit.api" name="x" status="crash"><failure type="error"/></testcase>
<testcase classname="piglit.api" name="y" status="pass"><failure/></testcase>
<testcase classname="piglit.api" name="z" status="pass"/>
</testsuite></testsuites>"""


def piglit_results(tests: dict[str, Any], **options: Any) -> str:
    """The document that piglit leaves."""
    return json.dumps({"results_version": 10, "options": {"profile": ["cl"], **options}, "tests": tests})


def ended(result: str, **more: Any) -> dict[str, Any]:
    """One test of it."""
    told = {"out": "#   Platform: Some CL\nran", "err": "", "time": {"start": 1.0, "end": 1.25}}
    return {"result": result, "subtests": {"__type__": "Subtests"}, **told, **more}


def statuses(read: Read) -> dict[str, str]:
    """The status of each test."""
    return {one.test: one.status for one in read.tests}


def test_piglit_leaves_one_document_with_parts_of_tests(tmp_path: Path) -> None:
    """A directory, packed or not: parts are tests of their own; what it says of platform and filters is kept."""
    parts = {"__type__": "Subtests", "half": "fail"}
    tests = {"api@a": ended("pass"), "api@b": ended("warn", subtests=parts), "api@c": ended("notrun")}
    (tmp_path / "results.json.bz2").write_bytes(bz2.compress(piglit_results(tests, include_filter=["api"]).encode()))
    read = read_results("piglit", tmp_path)
    assert statuses(read) == {"api@a": "pass", "api@b": "fail", "api@b@half": "fail"}
    assert (read.planned, read.selection, read.ended) == (4, ("-t api",), True)
    assert read.platforms == {"Some CL"}
    assert (read.tests[0].seconds, read.tests[0].output) == (0.25, "")
    assert read.tests[1].output == "ran"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "there is no results file"),
        ({"tests/1.json": "{}"}, "there is no results file"),
        ({"results.json": ""}, "Expecting value"),
        ({"results.json": piglit_results({"a": ended("pass")})[:-9]}, "piglit results"),
        ({"results.json": piglit_results({"a": ended("excellent")})}, "'excellent' is no status"),
        ({"results.json": '{"tests": {"a": {"result": "fail"}, "a": {"result": "pass"}}}'}, "in one object twice"),
        ({"results.json": "{}"}, "tests"),
        ({"results.json": "{}", "results.json.gz": ""}, "2 results files"),
    ],
)
def test_piglits_results_that_are_not_whole_are_refused(tmp_path: Path, files: dict[str, str], words: str) -> None:
    """Nothing, an interrupted run, half a file, a word nobody knows, a test twice."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_results("piglit", tmp_path)


def test_a_piglit_run_that_was_gone_on_with_has_no_end(tmp_path: Path) -> None:
    """A test that was begun and has no result is told as an interruption."""
    (tmp_path / "results.json").write_text(piglit_results({"a": ended("incomplete"), "b": ended("pass")}))
    assert not read_results("piglit", tmp_path).ended


def test_the_cts_leaves_a_document_for_each_of_its_programs(tmp_path: Path) -> None:
    """Tests are named with their program: two programs have tests of one name."""
    for name in ("basic", "api"):
        document = {
            "cmd": f"/opt/cts/test_{name}",
            "results": {"fill": "pass", "map": "fail" if name == "api" else "skip"},
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    read = read_results("cts", tmp_path)
    assert statuses(read) == {
        "test_api/fill": "pass",
        "test_api/map": "fail",
        "test_basic/fill": "pass",
        "test_basic/map": "skip",
    }
    assert read_results("cts", tmp_path / "api.json").sha256 != read.sha256
    (tmp_path / "torn.json").write_text('{"cmd": "test_x", "results": {"a": "pa')
    with pytest.raises(InputError, match="cts results"):
        read_results("cts", tmp_path)
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there is no JSON file"):
        read_results("cts", empty)


def test_deqp_runner_leaves_lines(tmp_path: Path) -> None:
    """Its words for what was expected and what was flaky are what they are; a test that is missing has no result."""
    lines = ["a.b,Pass,0.1", "a.c,Fail,2", "a.d,ExpectedFail,1", "a.e,Flake,1", "a.f,Missing,0"]
    lines += ["a.g,UnexpectedImprovement(Pass),1", "a.h,Crash,", "a.i,Timeout,60", "a.j,Skip,0"]
    (tmp_path / "results.csv").write_text("\n".join(lines) + "\n")
    read = read_results("deqp", tmp_path)
    assert list(statuses(read).values()) == ["pass", "fail", "fail", "flaky", "pass", "crash", "timeout", "skip"]
    assert (read.planned, read.ended, read.tests[0].seconds, read.tests[5].seconds) == (9, True, 0.1, None)
    (tmp_path / "results.csv").write_text("a.b,Pass,0.1\na.c,Pas")
    with pytest.raises(InputError, match="'pas' is no status"):
        read_results("deqp", tmp_path)
    (tmp_path / "results.csv").write_text("a.b,Pass,0.1\na.c,Pass,0.1")
    assert not read_results("deqp", tmp_path).ended
    (tmp_path / "results.csv").write_text("a.b\n")
    with pytest.raises(InputError, match="no line of name"):
        read_results("deqp", tmp_path)


def test_junit_of_anybody(tmp_path: Path) -> None:
    """Failure, error, skip and rerun; the first lines of what it says; times that are none."""
    (tmp_path / "r.xml").write_text(JUNIT)
    read = read_results("junit", tmp_path / "r.xml")
    assert statuses(read) == {
        "a@b@good": "pass",
        "a@bad": "fail",
        "a@gone": "crash",
        "a@off": "skip",
        "a@now and then": "flaky",
    }
    assert [one.seconds for one in read.tests[:3]] == [0.5, None, None]
    assert read.tests[1].output == "wrong at 7\none\ntwo"
    assert read.planned == 5
    (tmp_path / "r.xml").write_text(JUNIT.replace('tests="5"', 'tests="7"'))
    assert read_results("junit", tmp_path / "r.xml").planned == 7


def test_piglits_junit_says_more_and_of_two_words_the_worse_counts(tmp_path: Path) -> None:
    """Its own status stands beside the elements; a failure that calls itself passed is a failure."""
    (tmp_path / "results.xml").write_text(PIGLIT_JUNIT)
    found = statuses(read_results("piglit", tmp_path))
    assert found == {"api@x": "crash", "api@y": "fail", "api@z": "pass"}


def test_a_test_that_was_not_run_has_not_passed(tmp_path: Path) -> None:
    """GoogleTest's and CTest's words for it, which stand in an attribute; and a total that only the root tells."""
    words = {"run": "pass", "notrun": "skip", "disabled": "skip", "incomplete": "crash", "fail": "fail"}
    cases = "".join(f'<testcase name="{word}" status="{word}"/>' for word in words)
    cases += '<testcase name="DISABLED_a" status="run" result="suppressed"/>'
    (tmp_path / "r.xml").write_text(f'<testsuites tests="9"><testsuite tests="6">{cases}</testsuite></testsuites>')
    read = read_results("junit", tmp_path / "r.xml")
    assert statuses(read) == {**words, "DISABLED_a": "skip"}
    assert read.planned == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (JUNIT[:-30], "no whole XML"),
        ("<html/>", "XML of another kind"),
        ('<!DOCTYPE t [<!ENTITY a "aaaa">]><testsuite><testcase name="&a;"/></testsuite>', "no whole XML"),
        ('<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite/>', "no whole XML"),
        ("<testsuite><testcase/></testsuite>", "junit results"),
        ('<testsuite failures="1" errors="1"><testcase name="a"/></testsuite>', "counts 2 failures and errors"),
        ('<testsuites errors="1"><testsuite><testcase name="a"/></testsuite></testsuites>', "counts 1 failures"),
        ('<testsuite><error message="set-up"/><testcase name="a"/></testsuite>', "went wrong in no test of it"),
        ('<testsuite><testcase name="a" status="maybe"/></testsuite>', "status 'maybe' is no word"),
        ('<testsuite xmlns:t="x"><testcase name="a"><t:failure/></testcase></testsuite>', "spelled otherwise"),
        ('<testsuite><testcase name="a"><Failure/></testcase></testsuite>', "spelled otherwise"),
    ],
)
def test_xml_of_a_stranger_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """Half a document, entities, other documents, a case without a name, a failure that is counted and not shown."""
    (tmp_path / "r.xml").write_text(text)
    with pytest.raises(InputError, match=words):
        read_results("junit", tmp_path / "r.xml")


def test_without_the_library_xml_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said where the library comes from; nothing else reads a stranger's XML instead."""
    (tmp_path / "r.xml").write_text(JUNIT)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pytest-weekops\[conformance\]"):
        read_results("junit", tmp_path / "r.xml")


def test_what_is_no_file_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is not there, a pipe, a bomb, and a suite that nobody knows."""
    with pytest.raises(InputError, match="is not there"):
        read_results("junit", tmp_path / "absent.xml")
    bomb = tmp_path / "results.json.bz2"
    monkeypatch.setattr(reading, "LARGEST_BYTES", 2**20)
    bomb.write_bytes(bz2.compress(b" " * (2**20 + 1), 9))
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_results("piglit", bomb)
    with pytest.raises(InputError, match="is no suite"):
        read_results("glcts", tmp_path)

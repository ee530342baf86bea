"""JUnit XML of a stranger: no entities, no document type, and of contradictory statements the worse one."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_weekops.core.conformance.results import Result, Status, first_lines
from pytest_weekops.core.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_WORSE: tuple[Status, ...] = ("pass", "skip", "fail", "timeout", "crash")
_CHILDREN: dict[str, Status] = {"skipped": "skip", "failure": "fail", "error": "crash"}
# What `status` and `result` say in the files of GoogleTest, CTest, Bazel and others, beside piglit's words.
_WORDS: dict[str, Status] = {
    **dict.fromkeys(("", "run", "completed", "passed", "success", "successful", "ok"), "pass"),
    **dict.fromkeys(("notrun", "suppressed", "disabled", "skipped", "ignored", "filtered", "pending"), "skip"),
    **dict.fromkeys(("failed", "failure"), "fail"),
    **dict.fromkeys(("error", "errored", "broken", "incomplete", "interrupted", "aborted", "crashed"), "crash"),
    **dict.fromkeys(("timedout", "timed out"), "timeout"),
}
# What some runners write of a test that passed when it was run again (Maven Surefire).
_RERUN = ("flakyFailure", "flakyError")


def read_junit(data: bytes, words: Mapping[str, Status]) -> tuple[tuple[Result, ...], int]:
    """The test cases, and how many the suites say there are. ``words`` are what the attribute ``status`` may mean.

    Raises ``ValueError`` for what is no JUnit XML, says that more went wrong than it shows, or ends a test in a word
    that is not known here; ``InputError`` without the library that reads it.
    """
    if importlib.util.find_spec("defusedxml") is None:
        raise InputError(
            "JUnit XML is read by defusedxml, which is not installed: a stranger's XML may hold what fills the memory. "
            'It comes with `pip install "pytest-weekops[conformance]"`.'
        )
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise ValueError(f"it is no whole XML without a document type: {error!r}") from error
    if root.tag not in ("testsuites", "testsuite"):
        raise ValueError(f"it is XML of another kind: {root.tag!r:.40}")
    known = {**_WORDS, **words}
    tests = tuple(_tested(case, known) for case in root.iter("testcase"))
    for suite in _suites(root):
        _refuse_hidden(suite, known)
    return tests, max(len(tests), *_stated(root))


def _suites(root: Element) -> Iterator[Element]:
    """Every suite, those that hold others included."""
    yield from (element for element in root.iter() if element.tag in ("testsuites", "testsuite"))


def _number(suite: Element, name: str) -> int:
    told = suite.get(name, "").strip()
    return int(told) if told.isdecimal() and len(told) < 10 else 0


def _stated(root: Element) -> Iterator[int]:
    """How many cases each suite says it has, where its own cases are fewer: some of them are not there."""
    yield 0
    short = sum(max(0, _number(suite, "tests") - _count(suite, "testcase")) for suite in _suites(root))
    if short:
        yield _count(root, "testcase") + short


def _count(suite: Element, tag: str) -> int:
    return sum(1 for _element in suite.iter(tag))


def _refuse_hidden(suite: Element, known: Mapping[str, Status]) -> None:
    """Refuse a suite that tells of more failures than its cases show, or of one that belongs to none of them."""
    if any(child.tag in ("failure", "error") for child in suite):
        raise ValueError("a suite went wrong in no test of it, so which results it took along is not known")
    told = _number(suite, "failures") + _number(suite, "errors")
    shown = 0
    for case in suite.iter("testcase"):
        bad = sum(child.tag in ("failure", "error") for child in case)
        shown += max(bad, int(_ended(case, known) not in ("pass", "skip")))
    if told > shown:
        raise ValueError(f"a suite counts {told} failures and errors, and its tests show {shown}")


def _ended(case: Element, known: Mapping[str, Status]) -> Status:
    """The worst that a case says of itself. One element of ours in a namespace, or capitals, would be overlooked."""
    found = [_CHILDREN[child.tag] for child in case if child.tag in _CHILDREN]
    for child in case:
        if child.tag not in _CHILDREN and child.tag.rpartition("}")[2].lower() in _CHILDREN:
            raise ValueError(f"{child.tag!r:.60} is spelled otherwise than JUnit's own, and may mean a failure")
    for name in ("status", "result"):
        word = case.get(name, "").strip().lower()
        if word not in known:
            raise ValueError(f"{name} {word!r:.40} is no word that is known here")
        found.append(known[word])
    return max(found, key=_WORSE.index)


def _tested(case: Element, known: Mapping[str, Status]) -> Result:
    name = "@".join(filter(None, (case.get("classname", "").replace(".", "@"), case.get("name", ""))))
    status = _ended(case, known)
    if status == "pass" and any(child.tag in _RERUN for child in case):
        status = "flaky"
    output = "\n".join(
        text for child in case for text in (child.get("message", ""), child.text or "") if status != "pass"
    )
    return Result(test=name, status=status, seconds=_seconds(case.get("time")), output=first_lines(output))


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None

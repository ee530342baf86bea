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
# What some runners write of a test that passed when it was run again (Maven Surefire).
_RERUN = ("flakyFailure", "flakyError")


def read_junit(data: bytes, words: Mapping[str, Status]) -> tuple[tuple[Result, ...], int]:
    """The test cases, and how many the suites say there are. ``words`` are what the attribute ``status`` may mean.

    Raises ``ValueError`` for what is no JUnit XML, ``InputError`` without the library that reads it.
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
    tests = tuple(_tested(case, words) for case in root.iter("testcase"))
    return tests, max(len(tests), *_stated(root))


def _stated(root: Element) -> Iterator[int]:
    """How many cases each suite says it has, where its own cases are fewer: some of them are not there."""
    yield 0
    short = 0
    for suite in root.iter("testsuite"):
        told = suite.get("tests", "").strip()
        there = sum(1 for _case in suite.iter("testcase"))
        if told.isdecimal() and int(told) > there:
            short += int(told) - there
    if short:
        yield sum(1 for _case in root.iter("testcase")) + short


def _tested(case: Element, words: Mapping[str, Status]) -> Result:
    name = "@".join(filter(None, (case.get("classname", "").replace(".", "@"), case.get("name", ""))))
    found = [_CHILDREN[child.tag] for child in case if child.tag in _CHILDREN]
    said = words.get(case.get("status", "").strip().lower())
    status = max([*found, *([said] if said else []), "pass"], key=_WORSE.index)
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

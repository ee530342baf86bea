"""Results as the suites write them: piglit, OpenCL-CTS, deqp-runner, and JUnit XML of any other.

What cannot be read in full is refused: half of a file may be the half that is good.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import lzma
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from pytest_weekops.core.conformance.results import SUITES, Result, Status, first_lines
from pytest_weekops.core.errors import InputError
from pytest_weekops.files.strict_json import parse_json

LARGEST_BYTES = 256 * 1024**2
_PACKED: Mapping[str, Callable[[Path], IO[bytes]]] = {
    ".gz": gzip.open,  # type: ignore[dict-item]  # each opens to read bytes
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_PIGLIT: dict[str, Status] = {
    "pass": "pass",
    "skip": "skip",
    "warn": "fail",
    "fail": "fail",
    "dmesg-warn": "fail",
    "dmesg-fail": "fail",
    "timeout": "timeout",
    "crash": "crash",
}
_DEQP: dict[str, Status] = {
    "pass": "pass",
    "skip": "skip",
    "fail": "fail",
    "expectedfail": "fail",
    "warn": "fail",
    "crash": "crash",
    "timeout": "timeout",
    "flake": "flaky",
    "knownflake": "flaky",
    "unexpectedimprovement(pass)": "pass",
    "unexpectedimprovement(fail)": "fail",
    "unexpectedimprovement(skip)": "skip",
}
_PLATFORM = re.compile(r"^#   Platform: (.*)$", re.MULTILINE)
_CTS: dict[str, Status] = {"pass": "pass", "fail": "fail", "skip": "skip"}


@dataclass(frozen=True)
class Read:
    """What stands in results: its tests, how many were planned, the filters it tells of, and whether it has an end.

    ``platforms`` are the names of the OpenCL platforms that the tests say they ran on, where the suite has them say it.
    """

    tests: tuple[Result, ...]
    sha256: str
    planned: int = 0
    selection: tuple[str, ...] = ()
    ended: bool = True
    platforms: frozenset[str] = frozenset()


def read_results(suite: str, path: Path) -> Read:
    """Results of a suite, from the file or directory that it leaves. Raises ``InputError`` where they are not whole."""
    readers = {"piglit": _piglit, "cts": _cts, "deqp": _deqp, "junit": _junit}
    if suite not in readers:
        raise InputError(f"{suite!r:.40} is no suite that can be read. Known: {', '.join(SUITES)}.")
    try:
        return readers[suite](path)
    except InputError:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise refused(suite, path, str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def refused(suite: str, path: Path, why: str) -> InputError:
    """How to say that results cannot be used."""
    return InputError(
        f"{suite} results {path}: {why:.200}. What is not whole may lack the very test that fails, so none of it "
        "counts. Run the suite again, to its end."
    )


def content(path: Path) -> bytes:
    """A plain file's bytes, unpacked where its name says so. Raises ``OSError``, or ``ValueError`` for a huge one."""
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not there, or no plain file")
    opened = _PACKED.get(path.suffix)
    with opened(path) if opened is not None else path.open("rb") as stream:
        data = stream.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES // 1024**2} MiB")
    return data


# -- piglit --------------------------------------------------------------------------------------------------------


def _piglit(path: Path) -> Read:
    found = sorted(path.glob("results.*")) if path.is_dir() else [path]
    if not found:
        raise ValueError("there is no results file; piglit writes one when it comes to its end")
    if len(found) > 1:
        raise ValueError(f"there are {len(found)} results files, and which one counts is not known")
    if ".xml" in found[0].suffixes:
        read = _junit(found[0])  # whose class names begin with the suite's own name
        named = (each.model_copy(update={"test": each.test.removeprefix("piglit@")}) for each in read.tests)
        return replace(read, tests=tuple(named))
    data = content(found[0])
    document = parse_json(data.decode("utf-8"))
    tests = [each for name, one in document["tests"].items() for each in _piglit_test(name, one)]
    results = [str(one["result"]) for one in document["tests"].values()]
    return Read(
        tests=tuple(tests),
        sha256=hashlib.sha256(data).hexdigest(),
        planned=len(tests) + results.count("notrun"),
        selection=_piglit_selection(document.get("options") or {}),
        ended="incomplete" not in results,
        platforms=frozenset(
            name.strip() for one in document["tests"].values() for name in _PLATFORM.findall(str(one.get("out") or ""))
        ),
    )


def _piglit_test(name: str, one: Mapping[str, Any]) -> Iterator[Result]:
    """A test and, as tests of their own, its parts: a part that fails now hides in a test that failed before."""
    time = one.get("time") or {}
    seconds = max(0.0, float(time.get("end", 0.0)) - float(time.get("start", 0.0))) if time else None
    told = "\n".join(str(one.get(key) or "") for key in ("exception", "err", "out"))
    output = "\n".join(line for line in told.splitlines() if not line.startswith("#"))  # its heads say nothing of it
    parts = {key: value for key, value in (one.get("subtests") or {}).items() if key != "__type__"}
    every = {name: str(one["result"]), **{f"{name}@{key}": str(value) for key, value in parts.items()}}
    for each, result in every.items():
        if result in ("notrun", "incomplete"):
            continue
        status = _status(result, _PIGLIT)
        kept = "" if status == "pass" else first_lines(output)
        yield Result(test=each, status=status, seconds=seconds if each == name else None, output=kept)


def _piglit_selection(options: Mapping[str, Any]) -> tuple[str, ...]:
    words = [f"-t {each}" for each in options.get("include_filter") or ()]
    words += [f"-x {each}" for each in options.get("exclude_filter") or ()]
    words += ["--test-list"] if options.get("forced_test_list") else []
    return tuple(map(str, words))


# -- OpenCL-CTS ----------------------------------------------------------------------------------------------------


def _cts(path: Path) -> Read:
    """A file for each program of the CTS, as CL_CONFORMANCE_RESULTS_FILENAME makes it, or one such file."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ValueError("there is no JSON file; CL_CONFORMANCE_RESULTS_FILENAME has each program write one")
    digest = hashlib.sha256()
    tests: list[Result] = []
    for file in files:
        data = content(file)
        digest.update(f"{file.name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
        document = parse_json(data.decode("utf-8"))
        program = str(document["cmd"]).replace("\\", "/").rpartition("/")[2]
        tests += [
            Result(test=f"{program}/{name}", status=_status(str(result), _CTS))
            for name, result in document["results"].items()
        ]
    return Read(tuple(tests), digest.hexdigest(), planned=len(tests))


# -- deqp-runner ---------------------------------------------------------------------------------------------------


def _deqp(path: Path) -> Read:
    """``results.csv``: name, status and seconds of each test, without a head."""
    data = content(path / "results.csv" if path.is_dir() else path)
    text = data.decode("utf-8")
    tests, missing = [], 0
    for row in csv.reader(io.StringIO(text), strict=True):
        if len(row) < 2:
            raise ValueError(f"{','.join(row)!r:.80} is no line of name, status and seconds")
        name, status = row[0], row[1].strip().lower()
        if status == "missing":
            missing += 1
            continue
        seconds = float(row[2]) if len(row) > 2 and row[2].strip() else None
        tests.append(Result(test=name, status=_status(status, _DEQP), seconds=seconds))
    ended = text.endswith("\n")
    return Read(tuple(tests), hashlib.sha256(data).hexdigest(), planned=len(tests) + missing, ended=ended)


# -- JUnit ---------------------------------------------------------------------------------------------------------


def _junit(path: Path) -> Read:
    from pytest_weekops.evidence.conformance.junit import read_junit

    data = content(path)
    tests, planned = read_junit(data, _PIGLIT)
    return Read(tests, hashlib.sha256(data).hexdigest(), planned=planned)


def _status(word: str, known: Mapping[str, Status]) -> Status:
    """What a suite's word means. One that is not known is refused: it might mean anything."""
    if word not in known:
        raise ValueError(f"{word!r:.40} is no status that is known here")
    return known[word]

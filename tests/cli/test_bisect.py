"""``weekops bisect`` as people and as git call it: what it ends with, and what it leaves."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops import cli
from pytest_weekops.campaigns import bisect as campaign
from tests.support.slow_builds import GOOD, MUTE, NOTHING, SLOW, SlowBuilds

Make = Callable[..., SlowBuilds]
TOUCH = [sys.executable, "-c", "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """``make(*contents)``: builds here, and splits that are always right."""
    monkeypatch.chdir(tmp_path)

    def begin(*contents: str) -> SlowBuilds:
        builds = SlowBuilds(tmp_path, *contents)
        monkeypatch.setattr(campaign, "Bisection", functools.partial(campaign.Bisection, split=builds.split))
        return builds

    return begin


def search(builds: SlowBuilds, *words: str) -> int:
    """Over all of them by a glob, unless words say otherwise."""
    ends = ("--good", f"pocl@{builds.paths[0]}", "--bad", f"pocl@{builds.paths[-1]}")
    return cli.main(["bisect", *ends, *(words or ("--builds", f"{builds.directory}/build-*.so"))])


def test_a_search_tells_the_first_bad_build(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, as JSON, and in a file for each; what order the builds are in is said."""
    builds = make(*[GOOD] * 11, *[SLOW] * 5)
    assert search(builds) == 0
    shown = capsys.readouterr()
    assert f"First bad build: {builds.paths[11]}; the last good one is {builds.paths[10]}." in shown.out
    assert "16 builds by version, as people read it, 5 splits" in shown.out
    assert search(builds, "--builds", *map(str, builds.paths), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["order"] == "as listed"
    assert document["error"] == pytest.approx(0.05)
    kept = builds.directory / "reports" / "bisect"
    assert json.loads((kept / "answer.json").read_text("utf-8")) == document
    assert str(builds.paths[11].name) in (kept / "answer.md").read_text("utf-8")
    assert len(builds.asked) == 5


@pytest.mark.parametrize(
    ("contents", "status", "words"),
    [
        ((GOOD, MUTE, SLOW), 11, "One of 2 builds is the first bad one"),
        ((GOOD, GOOD, MUTE), 11, "Whether the two ends differ by speed is not decided"),
        ((GOOD, GOOD, GOOD), 4, "The two ends do not differ by speed"),
        ((GOOD, GOOD, NOTHING), 4, "The two ends could not be compared"),
    ],
)
def test_what_does_not_suffice_is_no_answer(
    make: Make, capsys: pytest.CaptureFixture[str], contents: tuple[str, ...], status: int, words: str
) -> None:
    """11 for want of evidence, 4 for ends between which there is nothing to search."""
    assert search(make(*contents)) == status
    shown = capsys.readouterr()
    assert words in shown.out + shown.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--builds": None}, "Give all three"),
        ({"--built": "x.so"}, "Give all three"),
        ({"--good": "pocl"}, "is no PROFILE@PATH"),
        ({"--good": "pocl@nowhere"}, "is not there"),
        ({"--good": "pocl@build-1.so"}, "are one file"),
        ({"--good": "clover@build-0.so"}, "of two profiles"),
        ({"--good": "pocll@build-0.so", "--bad": "pocll@build-1.so"}, "Did you mean pocl"),
        ({"--error": "5"}, "no probability"),
        ({"--sizes": "1"}, "no size to search at"),
        ({"--snapshots": "1"}, "takes two at least"),
        ({"--max-snapshots": "3"}, "no more at least than at most"),
        ({"--split-options": "tests/x.py"}, "which is no option"),
        ({"--split-options": "--seeds '1"}, "Close its quotes"),
        ({"--builds": "none-*"}, "matches nothing"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_kept(
    make: Make, capsys: pytest.CaptureFixture[str], changes: dict[str, str | None], words: str
) -> None:
    """With a sentence that says what to give."""
    builds = make(GOOD, SLOW)
    asked = {"--good": "pocl@build-0.so", "--bad": "pocl@build-1.so", "--builds": "build-*.so", **changes}
    assert cli.main(["bisect", *(word for name, value in asked.items() if value for word in (name, value))]) == 4
    assert words in capsys.readouterr().err
    assert builds.asked == []
    assert not (builds.directory / "reports").exists()


# -- for git ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def begun(make: Make) -> SlowBuilds:
    """A bisection for ``git bisect run`` whose commits build ``built.so``."""
    builds = make(GOOD, SLOW)
    assert search(builds, "--built", "built.so") == 0
    return builds


@pytest.mark.parametrize(("content", "status"), [(GOOD, 0), (SLOW, 1), (MUTE, 125), (NOTHING, 125)])
def test_a_step_builds_a_commit_and_tells_git_what_it_is(begun: SlowBuilds, content: str, status: int) -> None:
    """The two ends are not measured again, nor is a commit that builds the very same file."""
    step = ["bisect", "step", "--", *TOUCH, "built.so", content]
    assert cli.main(step) == status
    assert begun.asked == ["build-1.so", "built.so"]
    assert cli.main(step) == status
    assert len(begun.asked) == (3 if content == NOTHING else 2)


def test_a_commit_is_measured_anew_where_it_builds_another_file(begun: SlowBuilds) -> None:
    """Good, bad, and good again."""
    for content, status in ((GOOD, 0), (SLOW, 1), (GOOD, 0)):
        assert cli.main(["bisect", "step", "--dir", "reports/bisect", "--", *TOUCH, "built.so", content]) == status
    assert begun.asked == ["build-1.so", *["built.so"] * 3]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--", sys.executable, "-c", "raise SystemExit(2)"], 125, "cannot be built"),
        ([], 125, "built.so is not there"),
        (["--", "no-such-program"], 255, "cannot be started"),
        (["--wrong-option", "--", "true"], 255, "--wrong-option"),
        (["--dir", "nowhere"], 255, "No bisection was begun"),
    ],
)
@pytest.mark.usefixtures("begun")
def test_no_mistake_is_blamed_on_a_commit(
    capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    """Git takes 1 to 127 for bad: what is no answer is 125 where the commit is to blame, and stops it elsewhere."""
    assert cli.main(["bisect", "step", *words]) == status
    assert said in capsys.readouterr().err


def test_what_breaks_stops_git(begun: SlowBuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of ours, an end that is built anew, an end that changed: no commit is bad for that."""
    begun.paths[1].write_text("-0.06", encoding="utf-8")
    assert cli.main(["bisect", "step"]) == 255

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(campaign, "Bisection", broken)
    assert cli.main(["bisect", "step"]) == 255


def test_an_end_may_not_be_what_commits_build(make: Make) -> None:
    """Each commit would replace it."""
    builds = make(GOOD, SLOW)
    assert search(builds, "--built", str(builds.paths[0])) == 0
    assert cli.main(["bisect", "step"]) == 255


def test_a_ladders_bisection_takes_no_commits(make: Make) -> None:
    """What a commit builds is none of its builds."""
    builds = make(GOOD, SLOW)
    assert search(builds) == 0
    assert cli.main(["bisect", "step", "--", "true"]) == 255

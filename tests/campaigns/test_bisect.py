"""A bisection without drivers: builds are files that say how slow they are, and a split that reads them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.campaigns import bisect_split
from pytest_weekops.campaigns.bisect import Bisection, NotDecided
from pytest_weekops.campaigns.bisect_split import SplitAsked, SplitFound, gate_argv, measured_split, refuse_stopped
from pytest_weekops.core.bisect.step import Settings
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.evidence.bisections import BisectionBook
from pytest_weekops.evidence.journal import encode_event
from pytest_weekops.policies.files import load_policy
from pytest_weekops.report.bisection import bisection_document, bisection_lines, bisection_markdown
from pytest_weekops.worker.locking import DeviceLock
from tests.support.slow_builds import GOOD, MUTE, NOTHING, SLOW, SlowBuilds
from tests.support.synthetic import make_plan


class Builds(SlowBuilds):
    """Builds that a bisection is begun with, and what it said."""

    def __init__(self, directory: Path, *contents: str) -> None:
        super().__init__(directory, *contents)
        self.said: list[str] = []

    def begin(self, place: str = "bisect", **changes: object) -> Bisection:
        """A bisection of them."""
        facts = {
            "profile": "pocl",
            "good": str(self.paths[0]),
            "bad": str(self.paths[-1]),
            "sizes": (256,),
            "kernels": ("auto",),
            "error": 0.05,
            "step_error": 0.01,
            "snapshots": 6,
            "max_snapshots": 12,
            **changes,
        }
        book = BisectionBook(self.directory / place)
        return Bisection(book, book.begin(Settings.model_validate(facts)), self.said.append, self.split)


Make = Callable[..., Builds]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make(*contents)``: builds from the good one to the bad one."""
    return lambda *contents: Builds(tmp_path, *contents)


def test_the_first_bad_build_is_found_and_nothing_is_measured_twice(make: Make) -> None:
    """Both ends and four of fourteen; the same command again measures nothing, and says the same."""
    builds = make(*[GOOD] * 6, *[SLOW] * 10)
    bisection = builds.begin()
    ends = bisection.ends()
    state = bisection.search(builds.paths, ends)
    assert (state.good, state.bad) == (5, 6)
    assert builds.asked[0] == "build-15.so"
    assert len(builds.asked) == 5
    assert bisection.limit(ends) == pytest.approx(math.exp(-0.025))
    again = builds.begin()
    assert again.search(builds.paths, again.ends()) == state
    assert len(builds.asked) == 5
    names = [str(path) for path in builds.paths]
    document = bisection_document(again.settings, names, "as listed", state, ends, again.known(builds.paths))
    assert json.loads(json.dumps(document, allow_nan=False))["first_bad"] == names[6]
    assert document["error"] == pytest.approx(0.05)
    assert document["evidence"] == [f"runs/{'-'.join(builds.paths[n].parts[-4:])}" for n in (5, 6)]
    assert [step["number"] for step in document["steps"]] == [0, 1, 2, 3, 4]
    text = bisection_markdown(document)
    assert text.count("\n| ") == 7
    assert "at most 5 %" in text
    assert "-4.9 % (-5.8 to -3.9)" in text


def test_a_step_has_its_share_of_the_error_and_the_noise_that_the_ends_had(make: Make) -> None:
    """In a policy of its own, which inherits what the user gave."""
    builds = make(GOOD, GOOD, SLOW)
    bisection = builds.begin()
    bisection.search(builds.paths, bisection.ends())
    first, then = (load_policy(bisection.book.directory / name).evidence for name in ("ends.yaml", "steps.yaml"))
    assert (first.max_false_block, first.max_false_promote, first.assumed_sd_percent) == (0.01, 0.01, 5.0)
    assert (then.max_false_block, then.max_false_promote, then.assumed_sd_percent) == (0.01, 0.01, 0.7)


@pytest.mark.parametrize(MUTE, [MUTE, NOTHING])
def test_builds_that_say_nothing_leave_a_range(make: Make, mute: str) -> None:
    """Which has the right one and names those that are open; a gate that measured nothing is asked again later."""
    builds = make(GOOD, GOOD, mute, mute, SLOW, SLOW)
    bisection = builds.begin()
    ends = bisection.ends()
    state = bisection.search(builds.paths, ends)
    assert state.suspects == (2, 3, 4)
    names = [str(path) for path in builds.paths]
    document = bisection_document(bisection.settings, names, "as listed", state, ends, bisection.known(builds.paths))
    assert document["first_bad"] is None
    assert document["skipped"] == names[2:4]
    said = next(bisection_lines(document))
    assert said.startswith(f"One of 3 builds is the first bad one, from {names[2]} to {names[4]}")
    assert names[2] in said.split("say nothing:")[1]
    before = len(builds.asked)
    again = builds.begin()
    again.search(builds.paths, again.ends())
    assert len(builds.asked) - before == (2 if mute == NOTHING else 0)


def test_a_build_that_changed_is_measured_anew_and_that_is_said(make: Make) -> None:
    """What it was before does not count any more, in whichever direction it changed."""
    builds = make(GOOD, GOOD, SLOW)
    bisection = builds.begin()
    assert bisection.search(builds.paths, bisection.ends()).suspects == (2,)
    builds.paths[1].write_text(SLOW, encoding="utf-8")
    again = builds.begin()
    assert again.search(builds.paths, again.ends()).suspects == (1,)
    assert any("build-1.so is another file than when it was measured; measured anew" in line for line in builds.said)
    assert builds.asked == ["build-2.so", "build-1.so", "build-1.so"]


@pytest.mark.parametrize("end", [0, -1])
def test_an_end_that_changed_is_refused(make: Make, end: int) -> None:
    """Every step was taken against it."""
    builds = make(GOOD, GOOD, SLOW)
    builds.begin().ends()
    builds.paths[end].write_text("-0.06", encoding="utf-8")
    with pytest.raises(InputError, match="is not the file any more that the two ends were measured with"):
        builds.begin().ends()


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (GOOD, InputError, "do not differ by speed"),
        (MUTE, NotDecided, "is not decided"),
        (NOTHING, InputError, "could not be compared: nothing was measured: no driver answers"),
    ],
)
def test_ends_that_do_not_differ_for_certain_are_refused(
    make: Make, bad: str, error: type[Exception], words: str
) -> None:
    """Before anything is searched, and again when asked again."""
    builds = make(GOOD, GOOD, bad)
    for _ in range(2):
        with pytest.raises(error, match=words):
            builds.begin().ends()
    assert len(builds.asked) == (2 if bad == NOTHING else 1)


def test_answers_that_contradict_are_refused(make: Make) -> None:
    """A bad build before a good one, from a ladder in another order."""
    builds = make(GOOD, GOOD, SLOW, SLOW)
    bisection = builds.begin()
    bisection.search(builds.paths, bisection.ends())
    mixed = [builds.paths[place] for place in (0, 2, 1, 3)]
    with pytest.raises(InputError, match="there is no first bad build"):
        bisection.search(mixed, bisection.ends())


def test_another_question_in_the_same_place_is_refused(make: Make) -> None:
    """By the first thing that differs; a step's share of the error is that of the first call."""
    builds = make(GOOD, SLOW)
    builds.begin()
    with pytest.raises(InputError, match=r"begun with another sizes: \(256,\), and this is \(512,\)"):
        builds.begin(sizes=(512,))
    assert builds.begin(step_error=0.02).settings.step_error == 0.01


def test_what_was_kept_and_cannot_be_read_is_never_passed_over(make: Make) -> None:
    """A step that was measured would be measured again, or not count."""
    builds = make(GOOD, SLOW)
    bisection = builds.begin()
    bisection.ends()
    kept = bisection.book.directory / "steps" / "000.json"
    kept.write_text(kept.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    with pytest.raises(InputError, match=r"000\.json cannot be read"):
        builds.begin().ends()
    with pytest.raises(InputError, match="No bisection was begun"):
        BisectionBook(builds.directory / "nowhere").settings()


@pytest.mark.parametrize(("by", "tries", "words"), [("crash", 6, "in less than 39 %"), ("correctness", 6, "39 %")])
def test_a_fault_that_may_come_and_go_has_no_error_rate(make: Make, by: str, tries: int, words: str) -> None:
    """It is said which faults would be missed."""
    builds = make(GOOD, GOOD, SLOW)
    bisection = builds.begin(by=by)
    ends = bisection.ends().model_copy(update={"error": None})
    state = bisection.search(builds.paths, ends)
    steps = {
        name: step.model_copy(update={"error": None, "taken": tries})
        for name, step in bisection.known(builds.paths).items()
    }
    document = bisection_document(bisection.settings, list(map(str, builds.paths)), "as listed", state, ends, steps)
    assert document["error"] is None
    assert words in list(bisection_lines(document))[-1]
    alone = bisection_document(bisection.settings, list(map(str, builds.paths)), "as listed", state, ends, {})
    assert list(bisection_lines(alone))[-1].endswith("shows each time.")


def test_the_gates_words_are_ours_whatever_the_user_adds(make: Make) -> None:
    """The user's options come first, and each run of a build has a name of its own."""
    builds = make(GOOD, SLOW)
    bisection = builds.begin(options=("--weekops-policy", "mine.yaml", "--seeds", "1"))
    bisection.ends()
    policy = bisection.book.directory / "ends.yaml"
    asked = [SplitAsked(bisection.settings, path, 0.975, policy, bisection.book.runs, "b") for path in builds.paths]
    argv = gate_argv(asked[1])
    assert argv.index("mine.yaml") < argv.index(f"--weekops-policy={policy}")
    assert f"--weekops-baseline-platform=good=pocl@{builds.paths[0]}" in argv
    assert f"--weekops-candidate-platform=build=pocl@{builds.paths[1]}" in argv
    assert "--weekops-min-rusticl-ratio=0.975" in argv
    assert asked[0].prefix != asked[1].prefix
    resumed = gate_argv(asked[1], Path("run"))
    assert not any(word.startswith("--weekops-report-prefix") for word in resumed)
    assert "--weekops-resume=run" in resumed
    mine = resumed[resumed.index("--weekops-sizes") :]
    assert not any(Path(word).is_absolute() for word in mine)  # pytest would take its root from such a word


@pytest.mark.parametrize(
    ("status", "log", "words"),
    [
        (2, "KeyboardInterrupt", "was interrupted"),
        (3, "the journal cannot be written", "broke off.*the journal cannot be written"),
        (-9, "", "ended by signal 9"),
        (4, DeviceLock("pocl", device="cpu")._refusal(1.0).args[0].replace(" ", "\n"), "held by another gate"),
        (4, "No OpenCL driver answers", None),
        (1, "", None),
    ],
)
def test_a_gate_that_was_kept_from_measuring_skips_no_build(
    tmp_path: Path, status: int, log: str, words: str | None
) -> None:
    """Whatever stands in its way is not the build's; one that no driver answers for is the build's own."""
    path = tmp_path / "log.txt"
    path.write_text(log, encoding="utf-8")
    if words is None:
        refuse_stopped(status, path, tmp_path / "build.so")
    else:
        with pytest.raises(WeekopsError, match=words):
            refuse_stopped(status, path, tmp_path / "build.so")


def test_what_a_kill_left_is_gone_on_with_or_measured_anew(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that was cut before its first line was whole says nothing, and stands in nobody's way."""
    builds = make(GOOD, SLOW)
    bisection = builds.begin()
    bisection.ends()
    asked = SplitAsked(
        bisection.settings, builds.paths[1], 1.0, bisection.book.directory / "ends.yaml", bisection.book.runs, "b"
    )
    journal = bisection.book.runs / f"{asked.prefix}-20261128T120000Z-0a0b" / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    resumed: list[Path | None] = []

    def run(_asked: SplitAsked, *, resume: Path | None = None) -> SplitFound:
        resumed.append(resume)
        return SplitFound(4, said="refused")

    monkeypatch.setattr(bisect_split, "_run", run)
    plan, policy = make_plan("split").model_dump(mode="json"), Policy(policy_id="p").effective()
    facts = {"run_id": "r", "created_at": "", "command": [], "plan": plan, "policy": policy}
    whole = encode_event(1, "run", facts)
    for text, expected in ((b"", [None]), (whole[:30], [None]), (whole, [journal.parent, None])):
        journal.write_bytes(text)
        resumed.clear()
        assert measured_split(asked).said == "refused"
        assert resumed == expected
    builds.paths[1].unlink()
    assert "is not there" in measured_split(asked).said


def test_a_split_has_no_part_in_a_teams_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad build of a ladder is no finding of a channel."""
    monkeypatch.setenv("WEEKOPS_LEDGER", "postgresql://me:secret@host/team")
    log = tmp_path / "log"
    assert bisect_split._run_gate([sys.executable, "-c", "import os; print(sorted(os.environ))"], log) == 0
    said = log.read_text(encoding="utf-8")
    assert "PATH" in said
    assert "WEEKOPS_LEDGER" not in said

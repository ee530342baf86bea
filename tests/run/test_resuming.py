"""Going on with a run: what it lacks is measured, nothing twice, and everything that stands against it is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.plan import CampaignPlan, PressurePlan
from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.evidence.journal import encode_event, read_journal
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.policies.files import default_policy, load_policy
from pytest_weekops.run import circumstances as found_here
from pytest_weekops.run import opening
from pytest_weekops.run.conclusion import Conclusion, conclude, end_suite
from pytest_weekops.run.earlier import read_earlier
from pytest_weekops.run.live import Run
from pytest_weekops.run.opening import open_run
from pytest_weekops.run.request import RunRequest
from pytest_weekops.run.resuming import refuse_other_request
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from tests.support.gates import POLICY
from tests.support.quiet_host import QuietHost
from tests.support.stored import KERNELS, write_run
from tests.support.synthetic import Records, make_plan, make_records

DOUBLE = str(Path(__file__).resolve().parents[1] / "support" / "double.py")
PLAN = CampaignPlan(
    kind="weekly",
    platforms=("double",),
    kernels=("auto",),
    sizes=(8,),
    seeds=(11,),
    snapshots=3,
    pressure=PressurePlan(pulses=0),
)
CASES = PLAN.all_cases()


@pytest.fixture
def request_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunRequest]:
    """``request_for(resume=None, flag="")``: a run of the worker double; ``flag`` can make it another driver."""
    monkeypatch.setattr(opening, "HostWorker", QuietHost)
    monkeypatch.setattr(opening, "memory_problem", lambda *_arguments: "")  # the double says that it has a byte
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "scratch").mkdir()

    def make(resume: Path | None = None, flag: str = "") -> RunRequest:
        if flag:
            (tmp_path / flag).touch()
        command = (sys.executable, DOUBLE, "segv", "never", str(tmp_path / flag) if flag else "")
        launch = Launch(label="double", profile="double", open=OpenRequest(profile="double"), command=command)
        return RunRequest(
            plan=PLAN,
            policy=load_policy(str(tmp_path / "policy.yaml")),
            launches=(launch,),
            report_dir=tmp_path / "reports",
            scratch=tmp_path / "scratch",
            command=("pytest", "suites/weekly"),
            resume=resume,
        )

    return make


def killed(run: Run) -> Path:
    """The run is killed while it writes: a line is torn, and nothing says that it ended."""
    run.close()
    with run.journal.path.open("ab") as file:
        file.write(encode_event(99, "note", {})[:-9])
    return run.journal.path.parent


def interrupted(run: Run) -> Path:
    """Ctrl-C: the run comes to a partial verdict and into the ledger."""
    run.break_off()
    end_suite(run, "the run was interrupted")
    assert conclude(run, status=2).exit_status == 2
    run.close()
    return run.journal.path.parent


def finished(run: Run) -> Conclusion:
    """Measure all of the plan, and end."""
    with run:
        for case in CASES:
            run.measure(case)
        end_suite(run)
        return conclude(run)


@pytest.mark.parametrize("end", [killed, interrupted])
def test_what_is_missing_is_measured_and_nothing_twice(
    request_for: Callable[..., RunRequest], end: Callable[[Run], Path]
) -> None:
    """The journal goes on behind the whole lines of the old one, which stays as it is; live and stored agree."""
    run = open_run(request_for())
    before = [run.measure(case) for case in CASES[:2]]
    old = end(run)
    files = {path.name: path.read_bytes() for path in old.iterdir()}

    again = open_run(request_for(Path(old.name)))
    assert [again.measure(case) for case in CASES[:2]] == before
    assert [again.is_measured(case) for case in CASES] == [True, True, False]
    conclusion = finished(again)

    assert {path.name: path.read_bytes() for path in old.iterdir()} == files
    assert conclusion.run_dir.name == f"{old.name}-r2"
    events = read_journal(conclusion.run_dir / "journal.jsonl")
    measured = [Measurement.model_validate(event.data) for event in events if event.type == "measurement"]
    assert [(m.case, m.order) for m in measured] == list(zip(CASES, (1, 2, 3), strict=True))
    assert [event.data["gate"] for event in events if event.type == "gate"] == ["pytest"]
    assert sum(event.type == "end" for event in events) == 1
    kept = events[: [event.type for event in events].index("resume")]
    assert files["journal.jsonl"].startswith(b"".join(encode_event(e.seq, e.type, e.data) for e in kept))
    stored = read_run(conclusion.run_dir)
    assert judge_stored(stored).model_dump_json() == conclusion.verdict.model_dump_json()
    assert (stored.run_id, stored.created_at) == (conclusion.run_dir.name, run.created_at)
    assert conclusion.verdict.notes[0].startswith(f"Resumed as {stored.run_id} at ")
    assert "2 of 3 measurements are from before it" in conclusion.verdict.notes[0]
    assert [segment["run_id"] for segment in conclusion.document["segments"]] == [old.name, f"{old.name}-r2"]
    recorded = [entry.run_id for entry in run_entries(open_ledger(old.parent).entries())]
    assert recorded == ([old.name] if end is interrupted else []) + [stored.run_id]
    with pytest.raises(InputError, match="gone on with already, as"):
        open_run(request_for(old))


def test_another_driver_is_refused_and_nothing_is_left(request_for: Callable[..., RunRequest]) -> None:
    """Its library is another: both are named, and the run can still be gone on with by the right one."""
    run = open_run(request_for())
    run.measure(CASES[0])
    old = killed(run)
    with pytest.raises(InputError, match=r"double: library libdouble\.so a{12} became libdouble\.so b{12}"):
        open_run(request_for(old, flag="replaced"))
    assert [path.name for path in old.parent.iterdir() if path.is_dir()] == [old.name]


# -- refusals, from journals alone -------------------------------------------------------------------------------

WEEKLY = make_plan("weekly", sizes=(128,), snapshots=3)


def broken_off(report_dir: Path, records: Records | None = None, *, ended: int | None = None) -> Path:
    """A run that was broken off after half of its records."""
    whole = make_records(WEEKLY)
    return write_run(report_dir / "weekly-1", WEEKLY, whole[: len(whole) // 2] + (records or []), ended=ended)


def suite(reason: str, gate: str = "pytest", stage: str = "suite") -> GateRecord:
    """The last gate of a run that did not go well."""
    return GateRecord.model_validate({"gate": gate, "stage": stage, "passed": False, "reason": reason})


def decided(directory: Path) -> None:
    """Its decision is of another journal."""
    (directory / "decision.json").write_text(json.dumps({"artifacts": []}), encoding="utf-8")


def cut_before_plan(directory: Path) -> None:
    """It was killed before its first line was whole."""
    (directory / "journal.jsonl").write_bytes((directory / "journal.jsonl").read_bytes()[:100])


STANDING: dict[str, tuple[dict[str, Any], Callable[[Path], object]]] = {
    "ended by itself, with exit status 11": ({"ended": 11}, lambda _path: None),
    "the tests around it did not go well": ({"records": [suite("1 other tests failed")]}, lambda _path: None),
    "a check of it failed": ({"records": [suite("cut", "journal", "check")]}, lambda _path: None),
    "its decision.json has the hash of": ({}, decided),
    "gone on with already": ({}, lambda path: (path.parent / "weekly-1-r2").mkdir()),
    "holds the journal of run weekly-1": ({}, lambda path: path.rename(path.with_name("weekly-2"))),
    "holds only a torn line": ({}, cut_before_plan),
}


@pytest.mark.parametrize("words", STANDING)
def test_what_stands_against_it_is_named(tmp_path: Path, words: str) -> None:
    """Before anything is started, whatever the run's own files say."""
    facts, change = STANDING[words]
    change(broken_off(tmp_path, **facts))
    path = next(path for path in tmp_path.iterdir() if (path / "journal.jsonl").exists())
    with pytest.raises(InputError, match=words):
        read_earlier(path, tmp_path)


def test_one_of_another_report_directory_is_refused(tmp_path: Path) -> None:
    """Its ledger, baselines and guards are elsewhere."""
    with pytest.raises(InputError, match="is no run directory in"):
        read_earlier(broken_off(tmp_path / "there"), tmp_path / "here")


def test_a_journal_of_an_older_version_is_refused(tmp_path: Path) -> None:
    """Without the boot nobody can tell which clock its times are of."""
    directory = broken_off(tmp_path)
    events = read_journal(directory / "journal.jsonl")
    del events[0].data["segment"]
    lines = b"".join(encode_event(event.seq, event.type, event.data) for event in events)
    (directory / "journal.jsonl").write_bytes(lines)
    with pytest.raises(InputError, match="an older version wrote it"):
        read_earlier(directory, tmp_path)


CHANGED: dict[str, dict[str, Any]] = {
    "plan sizes \\[128\\] became \\[128, 256\\]": {"plan": make_plan("weekly", snapshots=3)},
    "plan iterations 8 became 7": {"plan": WEEKLY.model_copy(update={"iterations": 7})},
    "policy: looser: guardrails.max_correctness_error": {"policy": 1.0},
    "kernel file kernels/packed.cl 000000000000 became 111111111111": {"kernels": {"kernels/packed.cl": "1" * 64}},
    "kernel file kernels/other.cl absent became 222222222222": {"kernels": {**KERNELS, "kernels/other.cl": "2" * 64}},
    "python 3.0 became": {"circumstances": {"python": "3.0"}},
    "package aaaaaaaaaaaa became": {"circumstances": {"package": "a" * 64}},
    "kernel release 1.0 became": {"circumstances": {"kernel release": "1.0"}},
    "processors 999 became": {"circumstances": {"processors": "999"}},
}


@pytest.mark.parametrize("words", CHANGED)
def test_what_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Package, host, plan, policy and kernels: what was, and what is now; unchanged, nothing stands against it."""
    changed = CHANGED[words]
    facts = found_here.circumstances()
    if "circumstances" in changed:
        monkeypatch.setattr("tests.support.stored.circumstances", lambda: {**facts, **changed["circumstances"]})
    earlier = read_earlier(broken_off(tmp_path), tmp_path)
    policy = default_policy()
    if "policy" in changed:
        rules = policy.guardrails.model_copy(update={"max_correctness_error": changed["policy"]})
        policy = policy.model_copy(update={"guardrails": rules})
    with pytest.raises(InputError, match=words):
        refuse_other_request(earlier, changed.get("plan", WEEKLY), policy, changed.get("kernels", KERNELS))
    if "circumstances" not in changed:
        refuse_other_request(earlier, WEEKLY, default_policy(), KERNELS)


def test_a_journal_put_together_from_two_is_refused(tmp_path: Path) -> None:
    """The lines before a segment are those that it went on with, or it is no evidence of either run."""
    directory = broken_off(tmp_path)
    earlier = read_earlier(directory, tmp_path)
    segment = earlier.stored.segments[0].model_dump(mode="json") | {"run_id": "weekly-1-r2", "first_order": 2}
    facts = {"sha256": earlier.sha256, "segment": segment}
    whole = b"".join(earlier.lines)
    good = whole + encode_event(len(earlier.lines) + 1, "resume", facts)
    (directory / "journal.jsonl").write_bytes(good)
    assert read_run(directory).run_id == "weekly-1-r2"
    shorter = b"".join(earlier.lines[:-1]) + encode_event(len(earlier.lines), "resume", facts)
    (directory / "journal.jsonl").write_bytes(shorter)
    with pytest.raises(InputError, match="put together from two runs"):
        read_run(directory)


def test_a_half_pair_is_measured_again_as_a_pair(tmp_path: Path) -> None:
    """Killed between the two of a pair, neither counts; what counts keeps its order, and the next goes on behind it."""
    plan = make_plan("split", in_turns=True, snapshots=2, sizes=(128,))
    records = make_records(plan)
    places = [place for place, record in enumerate(records) if isinstance(record, Measurement)]
    write_run(tmp_path / "split-1", plan, records[: places[4] + 1])
    earlier = read_earlier(tmp_path / "split-1", tmp_path)
    assert earlier.halves == 1
    assert set(earlier.measured) == {cast("Measurement", records[place]).case for place in places[:4]}
    assert earlier.last_order == 5


def test_a_case_that_stayed_void_to_the_last_is_not_asked_again(tmp_path: Path) -> None:
    """The policy allows so many attempts in all: a run that is gone on with has no more of them."""
    most = default_policy().host.max_attempts
    healthy = [record for record in make_records(WEEKLY) if isinstance(record, Measurement)]
    void = [healthy[-1].model_copy(update={"void": True, "attempt": n}) for n in range(1, most + 1)]
    earlier = read_earlier(broken_off(tmp_path, cast("Records", void[:2])), tmp_path)
    case: Case = healthy[-1].case
    assert earlier.attempts == {case: 2}
    assert case not in earlier.measured
    (tmp_path / "all").mkdir()
    whole = read_earlier(broken_off(tmp_path / "all", cast("Records", void)), tmp_path / "all")
    assert whole.measured[case].attempt == most
    assert whole.run_id == "weekly-1-r2"

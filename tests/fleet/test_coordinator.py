"""The coordinator beside hosts that are well, dead, late, and hostile: each is named, and none is believed too much."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.outcome import HostOutcome
from pytest_weekops.evidence.journal import encode_event
from pytest_weekops.evidence.stored_run import StoredRun
from pytest_weekops.fleet import coordinator, judged, received, running
from pytest_weekops.fleet.messages import GateTask, Piece, encode
from tests.support.fleet_hosts import Host, ReachDouble, begun, fleet_file, journal, ran
from tests.support.synthetic import make_plan


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is gone is taken for gone at once."""
    monkeypatch.setattr(coordinator, "ABSENT_S", 0.05)


def beside_one_that_is_well(
    directory: Path, odd: dict[str, Host], **label: object
) -> tuple[dict[str, HostOutcome], ReachDouble]:
    """What became of these hosts, by how they are odd; the promote of the one beside them covers nothing up."""
    hosts = {f"h-{number}": host for number, host in enumerate([Host(), *odd.values()], 1)}
    reach = ReachDouble(hosts)
    decision = ran(begun(directory, fleet_file(len(hosts), **label)), reach)
    well, *others = decision.outcomes
    assert well.state == "promoted", well.why
    assert decision.decision != "promote"
    return dict(zip(odd, others, strict=True)), reach


def test_all_hosts_promote(tmp_path: Path) -> None:
    """Each journal is kept and judged here; the fleet promotes, the ledger knows it, and all can be judged again."""
    said: list[str] = []
    reach = ReachDouble({"h-1": Host(piece_bytes=5000), "h-2": Host()})
    book = begun(tmp_path, fleet_file(2))
    decision = ran(book, reach, said)
    assert (decision.decision, decision.exit_status) == ("promote", 0), decision.verdict.findings
    assert list(running.problems(book)) == []
    for host in ("h-1", "h-2"):
        (sent,) = reach.hosts[host].gates.values()
        assert book.journal(host).read_bytes() == sent
        assert json.loads((book.host(host) / "decision.json").read_text("utf-8"))["decision"] == "promote"
        assert f"{host} (cpu): promoted" in said
    assert all(outcome.estimates for outcome in decision.outcomes)
    assert set(reach.ended.values()) == {True}


# -- hosts that do not come to their end -------------------------------------------------------------------------


NOTHING: Callable[[GateTask], bytes] = lambda _task: b""  # noqa: E731 - a host's gate that has left nothing
UNFINISHED = {
    "absent": (Host(is_there=False), "lost", "its worker was not there within 0.1 s"),
    "that never came": (
        Host(is_there=False, gone="ssh ended with 255: no"),
        "lost",
        "did not come: ssh ended with 255",
    ),
    "mute": (Host(mute=True, state="running"), "lost", "it had not begun"),
    "without the package": (Host(failure="ModuleNotFoundError: no package"), "refused", "cannot run the gate: Module"),
    "silent": (Host(leaves=NOTHING, state="running"), "lost", "nothing was heard of it"),
    "late": (Host(state="late", said="killed"), "late", "killed"),
    "gone": (
        Host(state="gone", said="Segmentation fault"),
        "lost",
        "its gate ended without a word: Segmentation fault",
    ),
    "of another program": (Host(leaves=NOTHING, state="refused", said="another one"), "refused", "another one"),
    "without a driver": (
        Host(leaves=NOTHING, status=4, said="no such driver"),
        "no_data",
        "ended with 4: no such driver",
    ),
    "without a ledger": (Host(status=3, said="no ledger took it"), "no_data", "ended with 3: no ledger took it"),
    "torn": (Host(leaves=lambda task: journal(task)[:-10]), "no_data", "its journal has no end"),
}


def test_hosts_that_do_not_come_to_their_end_are_named(tmp_path: Path) -> None:
    """Each with its state and why; those that may still run are let go."""
    deadlines = {"start_s": 0.1, "silent_s": 0.1, "gate_s": 60}
    odd = {name: host for name, (host, _state, _words) in UNFINISHED.items()}
    found, reach = beside_one_that_is_well(tmp_path, odd, deadlines=deadlines)
    for name, (host, state, words) in UNFINISHED.items():
        assert (name, found[name].state) == (name, state)
        assert words in found[name].why
        settled = reach.ended.get(found[name].host)
        assert settled is (None if not host.is_there else state not in ("lost", "late")), name


def test_a_host_is_late_by_our_clock_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not keep its own deadline is late by the coordinator's."""
    monkeypatch.setattr(coordinator, "WINDING_UP_S", 0.0)
    deadlines = {"start_s": 5, "silent_s": 5, "gate_s": 0.2}
    odd = Host(leaves=lambda task: journal(task)[:5000], state="running")
    found, _reach = beside_one_that_is_well(tmp_path, {"late": odd}, deadlines=deadlines)
    assert found["late"].state == "late"
    assert "it had not ended 0.2 s after it was asked" in found["late"].why


# -- hosts that are hostile --------------------------------------------------------------------------------------


def _line(number: int, change: Callable[[dict[str, Any]], object]) -> Callable[[GateTask], bytes]:
    """A journal with one line written anew, its checksum right."""

    def leaves(task: GateTask) -> bytes:
        lines = journal(task).splitlines(keepends=True)
        entry = json.loads(lines[number - 1])
        change(entry["data"])
        lines[number - 1] = encode_event(number, entry["type"], entry["data"])
        return b"".join(lines)

    return leaves


def _spoilt(old: bytes, new: bytes) -> Callable[[GateTask], bytes]:
    return lambda task: journal(task).replace(old, new, 1)


def _not_its_own(_task: GateTask) -> bytes:
    other = _task.model_copy(update={"task": "0123456789abcdef"})
    return journal(other)


def _with_nan(task: GateTask) -> bytes:
    lines = journal(task).splitlines(keepends=True)
    lines[3] = json.dumps({"v": 1, "seq": 4, "type": "gate", "data": {"x": math.nan}, "crc": "0"}).encode() + b"\n"
    return b"".join(lines)


def _deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


ENDLESS = {**make_plan().model_dump(mode="json"), "snapshots": 10**9, "looks": []}
HOSTILE = {
    "another run's": (_not_its_own, "another run's"),
    "a future one": (lambda task: journal(task, first={"created_at": "2199-01-01T00:00:00+00:00"}), "begins at 2199"),
    "an old one": (lambda task: journal(task, first={"created_at": "2001-01-01T00:00:00+00:00"}), "begins at 2001"),
    "no date": (lambda task: journal(task, first={"created_at": "soon"}), "another shape"),
    "another version": (lambda task: journal(task, first={"version": "9.9"}), "version '9.9'"),
    "other kernels": (lambda task: journal(task, first={"kernels": {"kernels/x.cl": "0" * 64}}), "other kernels"),
    "no kernels": (lambda task: journal(task, first={"kernels": {}}), "other kernels"),
    "no plan": (lambda task: journal(task, first={"plan": {}}), "another shape"),
    "a plan without end": (lambda task: journal(task, first={"plan": ENDLESS}), "cases, and no gate has more"),
    "a bad checksum": (_spoilt(b'"crc":"', b'"crc":"f'), "line 1 of its journal is no event: fails its checksum"),
    "a lost line": (lambda task: b"".join([*journal(task).splitlines(keepends=True)[:2], b"{}\n"]), "line 3"),
    "a line twice": (lambda task: journal(task).splitlines(keepends=True)[0] * 2, "has number 1"),
    "not a number": (_with_nan, "line 4 of its journal is no event"),
    "no JSON": (lambda _task: b"\x80\x04K\x01.\n", "not ASCII"),
    "something behind its end": (lambda task: journal(task) + b"{}\n", "goes on behind its end"),
    "a list": (lambda _task: b"[]\n", "line 1"),
    "deep": (lambda _task: b"[" * 100_000 + b"\n", "line 1"),
    "deep in its data": (
        lambda _task: b'{"v":1,"seq":1,"type":"run","crc":"0","data":' + _deep(900) + b"}\n",
        "line 1",
    ),
    "a long number": (lambda _task: b'{"v":1,"seq":' + b"1" * 5000 + b"}\n", "line 1"),
}


MESSAGES: dict[str, tuple[Callable[[Piece], object], str]] = {
    "of another task": (lambda piece: encode(piece.model_copy(update={"task": "somebody-elses"})), "another task"),
    "of another place": (lambda piece: encode(piece.model_copy(update={"offset": piece.offset + 1})), "from byte 1 on"),
    "bytes": (lambda piece: encode(piece).encode(), "it is bytes, not text"),
    "an object": (lambda _piece: {"task": "x"}, "it is dict, not text"),
    "long": (lambda _piece: "x" * 5_000_000, "characters long"),
    "deep": (lambda _piece: "[" * 100_000, "no JSON of ours"),
    "more": (lambda piece: encode(piece)[:-1] + ',"more":1}', "more: Extra inputs"),
    "said twice": (lambda piece: encode(piece)[:-1] + ',"said":"twice"}', "stands in one object twice"),
    "not a number": (lambda piece: encode(piece).replace('"status":0', '"status":NaN'), "NaN is no number"),
    "no status": (lambda piece: encode(piece).replace('"status":0', '"status":100000'), "status"),
}


def test_what_is_odd_is_refused(tmp_path: Path) -> None:
    """A journal or a message that is malformed, replayed, another's, of another time or program is never judged."""
    odd = {f"journal {name}": (Host(leaves=leaves), words) for name, (leaves, words) in HOSTILE.items()}
    odd |= {f"message {name}": (Host(alter=alter), words) for name, (alter, words) in MESSAGES.items()}
    found, reach = beside_one_that_is_well(tmp_path, {name: host for name, (host, _words) in odd.items()})
    for name, (_host, words) in odd.items():
        assert (name, found[name].state) == (name, "refused")
        assert words in found[name].why, name
        assert found[name].judged is None
        assert reach.ended[found[name].host]


def test_a_journal_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that sends and sends is stopped at a limit; what is kept is no longer."""
    monkeypatch.setattr(received, "LARGEST_BYTES", 9_000)
    book = begun(tmp_path, fleet_file(1))
    decision = ran(book, ReachDouble({"h-1": Host(leaves=lambda task: journal(task), piece_bytes=4000)}))
    assert decision.outcomes[0].state == "refused"
    assert "longer than 9000 bytes" in decision.outcomes[0].why
    assert book.journal("h-1").stat().st_size <= 9_000


def test_a_line_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not a line yet is held in memory, so it has a limit of its own."""
    monkeypatch.setattr(received, "LARGEST_LINE_BYTES", 20_000)
    book = begun(tmp_path, fleet_file(1))
    decision = ran(book, ReachDouble({"h-1": Host(leaves=lambda _task: b"x" * 100_000, piece_bytes=9000)}))
    assert "has a line of more than" in decision.outcomes[0].why


# -- what a host says, and what is judged -------------------------------------------------------------------------


def test_a_hosts_own_verdict_is_evidence_and_no_verdict(tmp_path: Path) -> None:
    """Records that do not promote are not promoted by a last line that says so, and the difference is a finding."""

    def wrong(task: GateTask) -> bytes:
        lines = journal(task).splitlines(keepends=True)
        keep = [line for line in lines if b'"type":"gate"' not in line]
        events = [json.loads(line) for line in keep]
        return b"".join(encode_event(n, event["type"], event["data"]) for n, event in enumerate(events, 1))

    found, _reach = beside_one_that_is_well(tmp_path, {"wrong": Host(leaves=wrong)})
    outcome = found["wrong"]
    assert outcome.state != "promoted"
    assert outcome.judged is not None
    assert outcome.judged.decision == "iterate"
    assert outcome.own is not None
    assert outcome.own.decision == "promote"


def _of(*, first: dict[str, Any] | None = None, **plan: Any) -> Callable[[GateTask], bytes]:
    """A journal of another plan."""
    facts = {"platforms": ("pocl",), "sizes": (256, 512), **plan}
    made = make_plan(**facts)
    return lambda task: journal(task, plan=made, first={"plan": {**made.model_dump(mode="json"), **(first or {})}})


ANOTHER = {
    "sizes": (_of(sizes=(256,)), "refused", "another sizes"),
    "profiles": (_of(platforms=("clover",)), "refused", "another profiles"),
    "kind": (_of(kind="canonical"), "refused", "another kind"),
    "gates": (_of(first={"gates": []}), "refused", "lacks the gate"),
    "kernels": (_of(kernels=()), "refused", "no kernel"),
    "driver": (lambda task: journal(task, driver="7.0"), "other_driver", "'7.0' there, and '^1$' is asked for"),
    "identity": (_line(2, lambda data: data.update(driver_version=7)), "refused", "is not believed"),
    "policy": (_line(1, lambda data: data["policy"].update(policy_id="weak")), "refused", "another policy"),
}


def test_another_question_is_no_answer(tmp_path: Path) -> None:
    """A journal of another plan, policy or driver is whole, and speaks of something else."""
    odd = {name: Host(leaves=leaves) for name, (leaves, _state, _words) in ANOTHER.items()}
    found, _reach = beside_one_that_is_well(tmp_path, odd, driver="^1$")
    for name, (_leaves, state, words) in ANOTHER.items():
        assert (name, found[name].state) == (name, state)
        assert words in found[name].why, name


def test_a_torn_last_line_is_not_kept(tmp_path: Path) -> None:
    """As where a local run died while writing it."""
    reach = ReachDouble({"h-1": Host(leaves=lambda task: journal(task)[:-10], state="gone", said="killed")})
    book = begun(tmp_path, fleet_file(1))
    assert ran(book, reach).outcomes[0].state == "lost"
    (sent,) = reach.hosts["h-1"].gates.values()
    assert book.journal("h-1").read_bytes() == sent[: sent.rindex(b"\n") + 1]


def test_the_plan_of_most_hosts_is_that_of_the_label(tmp_path: Path) -> None:
    """What nobody named on the command line has to be the same on each host."""
    weak = make_plan(platforms=("pocl",), sizes=(256, 512), seeds=(12,))
    reach = ReachDouble(
        {f"h-{n}": Host() for n in (1, 2)} | {"h-3": Host(leaves=lambda task: journal(task, plan=weak))}
    )
    decision = ran(begun(tmp_path, fleet_file(3)), reach)
    assert decision.asked.plans["cpu"] == decision.outcomes[0].plan_sha256 != decision.outcomes[2].plan_sha256
    assert decision.decision == "iterate"
    assert any("h-3" in finding.message and "plan" in finding.message for finding in decision.verdict.findings)


# -- in turns, and again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (2, 2), (None, 4)])
def test_no_more_hosts_run_at_once_than_their_label_allows(tmp_path: Path, at_once: int | None, most: int) -> None:
    """Each gets its turn."""
    reach = ReachDouble({f"h-{n}": Host(piece_bytes=20_000) for n in range(1, 5)})
    decision = ran(begun(tmp_path, fleet_file(4, at_once=at_once)), reach)
    assert decision.decision == "promote"
    assert reach.most_at_once == most


def test_a_coordinator_that_was_killed_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with an outcome is not asked again, one that still runs is followed, one without an attempt begins."""
    reach = ReachDouble({f"h-{n}": Host() for n in (1, 2, 3)})
    book = begun(tmp_path, fleet_file(3, at_once=1))
    reach.hosts["h-2"].leaves = lambda task: journal(task)[:20_000]
    reach.hosts["h-2"].state = "running"

    class Killed(BaseException):
        """As SIGKILL comes: in the middle of the second host."""

    def kill(line: str) -> None:
        if line.startswith("h-2 (cpu): running"):
            raise Killed

    import asyncio

    with pytest.raises(Killed):
        asyncio.run(running.run(book, reach, kill, poll_s=0))
    book.let_go()
    first = {name: list(host.begun) for name, host in reach.hosts.items()}
    assert [len(first[name]) for name in ("h-1", "h-2")] == [1, 1]
    (task,) = first["h-2"]
    reach.hosts["h-2"].state = "ended"
    given = GateTask.model_validate(
        {"task": task, "program": "0" * 64, "suite": "weekly", "platforms": ["pocl"], "deadline_s": 1}
        | {"policy": running.orders(book.asked()).policies["cpu"]}
    )
    reach.hosts["h-2"].gates[task] = journal(given)
    said: list[str] = []
    decision = ran(running.resume(book.directory), reach, said)
    assert decision.decision == "promote", decision.verdict.findings
    assert "h-1 (cpu): promoted, as before" in said
    assert {name: len(host.begun) for name, host in reach.hosts.items()} == {"h-1": 1, "h-2": 1, "h-3": 1}
    assert list(book.host("h-2").glob("journal.jsonl.*"))  # the part that came before is put aside


def test_a_gate_that_died_with_its_coordinator_begins_anew(tmp_path: Path) -> None:
    """As that of a local worker does: its journal has no end, so nothing is run twice that counts."""
    reach = ReachDouble({"h-1": Host()})
    book = begun(tmp_path, fleet_file(1))
    old = book.begin_attempt("h-1")
    book.let_go()
    assert ran(running.resume(book.directory), reach).decision == "promote"
    assert reach.hosts["h-1"].begun != [old.task]


def test_a_gate_that_may_still_run_is_not_begun_beside_itself(tmp_path: Path) -> None:
    """A host that does not answer when the coordinator comes back is followed, and lost where it stays silent."""
    reach = ReachDouble({"h-1": Host(mute=True)})
    book = begun(tmp_path, fleet_file(1, deadlines={"start_s": 0.1, "silent_s": 0.1, "gate_s": 60}))
    reach.hosts["h-1"].begun.append(book.begin_attempt("h-1").task)
    assert ran(book, reach).outcomes[0].state == "lost"
    assert len(reach.hosts["h-1"].begun) == 1


def test_records_that_break_the_judge_refuse_their_host_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a stranger's records do there."""

    def broken(run: StoredRun, **_options: object) -> None:
        raise ArithmeticError(run.run_id)

    monkeypatch.setattr(judged, "stored_campaign", broken)
    (outcome,) = ran(begun(tmp_path, fleet_file(1)), ReachDouble({"h-1": Host()})).outcomes
    assert outcome.state == "refused"
    assert "its journal cannot be judged: ArithmeticError: gate-" in outcome.why


def test_two_coordinators_of_one_run_are_refused(tmp_path: Path) -> None:
    """Each would start every gate."""
    book = begun(tmp_path, fleet_file(1))
    with pytest.raises(InputError, match="has a coordinator already"):
        running.resume(book.directory)

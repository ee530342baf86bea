"""A staged promotion carried out on doubles: killed anywhere and gone on with, each host once, none half switched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.promotion import Step
from pytest_weekops.core.fleet.stages import Event, Phase
from pytest_weekops.fleet import coordinator, errands, running
from pytest_weekops.fleet.book import FleetBook, FleetDecision
from pytest_weekops.fleet.messages import Errand, GateTask, Piece
from pytest_weekops.fleet.promotion_log import LOG_NAME, PromotionLog, how_far
from pytest_weekops.fleet.telling import came_words
from tests.support.fleet_hosts import Host, ReachDouble, begun, journal, ran, staged

SLOW = {"end": {"decision": "iterate", "exit_status": 11}}
STAGES = ({"hosts": 1}, {"hosts": "all"})


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is gone is taken for gone at once."""
    for module in (coordinator, errands):
        monkeypatch.setattr(module, "ABSENT_S", 0.05)


def bad(task: GateTask) -> bytes:
    """The journal of a gate that was cut."""
    return journal(task)[:-10]


def phases(decision: FleetDecision) -> dict[str, Phase]:
    """How far each host came."""
    assert decision.came is not None
    (label,) = decision.came.labels
    return label.phases


def test_every_stage_promotes(tmp_path: Path) -> None:
    """Stage by stage: the next is not touched before the one before was judged; the decision can be looked at again."""
    reach = ReachDouble({f"h-{n}": Host() for n in (1, 2, 3)})
    book = begun(tmp_path, staged(3, {"hosts": 1, "soak_s": 0.01}, {"hosts": "all"}))
    said: list[str] = []
    decision = ran(book, reach, said)
    assert (decision.decision, decision.exit_status) == ("promote", 0), decision.verdict.findings
    assert all(
        (host.driver, host.asked, len(host.begun)) == ("candidate", ["switch"], 1) for host in reach.hosts.values()
    )
    assert list(running.problems(book)) == []
    order = [line for line in said if line.startswith(("cpu: stage", "h-2 (cpu): switch begun"))]
    assert order == [
        "cpu: stage promoted, stage 1: promote",
        "h-2 (cpu): switch begun, stage 2",
        "cpu: stage promoted, stage 2: promote",
    ]
    assert said.index("cpu: soaked, stage 1") < said.index("h-1 (cpu): gate begun, stage 1")
    kept = how_far(book.directory, book.asked().fleet)
    assert kept == decision.came
    log = book.directory / LOG_NAME
    log.write_bytes(log.read_bytes()[:-5])
    assert "The journal of its promotion is gone, or is not the one that was judged." in list(running.problems(book))


def test_a_failed_stage_rolls_back_and_stops(tmp_path: Path) -> None:
    """Every host that has the candidate, those of earlier stages too; what comes later was never asked."""
    reach = ReachDouble({"h-1": Host(), "h-2": Host(leaves=bad), "h-3": Host()})
    book = begun(tmp_path, staged(3, {"hosts": 1}, {"hosts": 2}, {"hosts": "all"}))
    decision = ran(book, reach)
    assert (decision.decision, decision.exit_status) == ("no_data", 11)
    assert phases(decision) == {"h-1": "rolled_back", "h-2": "rolled_back", "h-3": "waiting"}
    assert {name: host.asked for name, host in reach.hosts.items()} == {
        "h-1": ["switch", "roll_back"], "h-2": ["switch", "roll_back"], "h-3": [],
    }  # fmt: skip
    assert {outcome.host for outcome in decision.outcomes} == {"h-1", "h-2"} == set(decision.asked.hosts)
    assert {finding.check: finding.status for finding in decision.verdict.findings}["fleet_stages"] == "inconclusive"
    assert list(running.problems(book)) == []
    assert decision.came is not None
    assert list(came_words(decision.came)) == [
        "cpu: stage 2 of 3, stopped",
        "h-1 (cpu): has its old driver again, verified",
        "h-2 (cpu): has its old driver again, verified",
        "h-3 (cpu): untouched",
    ]


def told(**how: Any) -> Callable[[Host, Errand], Piece]:
    """A host whose errands do nothing, and are told so."""
    return lambda _host, errand: Piece.model_validate({"task": errand.task, "offset": 0, **how})


def on_rollback(**how: Any) -> Callable[[Host, Errand], Piece]:
    """A host that is switched well, and whose rollbacks end so."""
    return lambda host, errand: host.done(errand) if errand.do == "switch" else told(**how)(host, errand)


@pytest.mark.parametrize(
    ("host", "phase", "words", "status"),
    [
        (Host(errand=told(state="ended", status=1, said="no such profile")), "kept", "no such profile", 11),
        (Host(errand=told(state="refused", said="another program")), "kept", "another program", 11),
        (Host(is_there=False), "kept", "was not there within 0.1 s", 11),
        (Host(errand=told(state="gone")), "stuck", "broke off without a word", 10),
        (Host(errand=told(state="late", said="it hangs")), "stuck", "it hangs", 10),
        (
            Host(
                errand=lambda host, errand: (
                    told(state="late")(host, errand) if errand.do == "switch" else host.done(errand)
                )
            ),
            "rolled_back",
            "broke off",
            11,
        ),
        (Host(leaves=bad, errand=on_rollback(state="ended", status=1, said="too slow")), "stuck", "too slow", 10),
        (Host(leaves=bad, errand=on_rollback(state="ended", status=4, said="no ledger")), "stuck", "no ledger", 10),
        (Host(leaves=bad, errand=on_rollback(state="running")), "stuck", "had not ended after", 10),
        (Host(leaves=bad), "rolled_back", "", 11),
    ],
)
def test_what_becomes_of_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host, phase: str, words: str, status: int
) -> None:
    """One that was not switched has its old driver; one of which nobody knows is rolled back; what is stuck is SEV1."""
    monkeypatch.setattr(errands, "WINDING_UP_S", -4.9)
    book = begun(tmp_path, staged(1, {"hosts": "all"}, deadlines={"start_s": 0.1, "silent_s": 5, "gate_s": 60}))
    decision = ran(book, ReachDouble({"h-1": host}))
    assert (phases(decision)["h-1"], decision.exit_status) == (phase, status), decision.came
    assert decision.came is not None
    assert words in decision.came.labels[0].why.get("h-1", "")
    assert decision.decision != "promote"
    assert list(running.problems(book)) == []


class Killed(BaseException):
    """As SIGKILL comes."""


class Life:
    """A coordinator that is killed in front of or behind any line of its journal, and any deed of a host."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 10**6
        for owner, name in ((PromotionLog, "write"), (FleetBook, "keep_outcome"), (FleetBook, "keep_decision")):
            monkeypatch.setattr(owner, name, self._killed(getattr(owner, name)))
        for name in ("begin", "begin_errand"):
            monkeypatch.setattr(ReachDouble, name, self._killed_async(getattr(ReachDouble, name)))

    def lives(self) -> None:
        """Raises where it is killed here."""
        self.left -= 1
        if self.left < 0:
            raise Killed

    def _killed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any) -> Any:
            self.lives()
            answer = function(*given)
            self.lives()
            return answer

        return called

    def _killed_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def called(*given: Any) -> Any:
            self.lives()
            answer = await function(*given)
            self.lives()
            return answer

        return called


@pytest.mark.parametrize(
    ("fails", "budgets"),
    [
        (True, (4, 31)),
        pytest.param(True, range(0, 60, 2), marks=pytest.mark.long),
        pytest.param(False, range(1, 40, 2), marks=pytest.mark.long),
    ],
)
def test_a_coordinator_killed_anywhere_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budgets: Sequence[int], *, fails: bool
) -> None:
    """No host's gate runs twice, none is forgotten, and none is left between two drivers."""
    life = Life(monkeypatch)
    fleet = staged(2, *STAGES)
    for budget in budgets:
        reach = ReachDouble({"h-1": Host(), "h-2": Host(leaves=bad if fails else journal)})
        book = begun(tmp_path / str(budget), fleet)
        life.left, decision, kills = budget, None, 0
        while decision is None:
            try:
                decision = ran(book, reach)
            except Killed:
                kills += 1
                life.left = 10**6 if kills > 1 else 11
                book.let_go()
                book = running.resume(book.directory)
        book.let_go()
        assert_whole(decision, reach, "baseline" if fails else "candidate")
        assert list(running.problems(book)) == []


def assert_whole(decision: FleetDecision, reach: ReachDouble, driver: str) -> None:
    """Each host's gate was run once, and each has the driver that the promotion ended with."""
    assert decision.came is not None
    assert decision.came.labels[0].step is (Step.PROMOTED if driver == "candidate" else Step.FAILED)
    for host in reach.hosts.values():
        assert (len(host.begun), host.driver) == (1, driver)
    assert set(phases(decision).values()) == {"measured" if driver == "candidate" else "rolled_back"}
    assert (decision.exit_status == 0) == (driver == "candidate")


def test_an_errand_on_its_way_is_not_done_later(tmp_path: Path) -> None:
    """What was sent before the coordinator was killed, and never came: whoever comes back makes sure of that."""
    reach = ReachDouble({"h-1": Host()})
    book = begun(tmp_path, staged(1, {"hosts": "all"}))
    with_events(book, ("switch_begun", "h-1"))
    late = book.begin_errand("h-1", "switch")
    assert ran(book, reach).decision == "promote"
    host = reach.hosts["h-1"]
    assert (host.errands[late.task].state, host.asked) == ("refused", ["switch"])


def with_events(book: FleetBook, *events: tuple[str, str]) -> None:
    """A journal that has come so far."""
    log = PromotionLog(book.directory, book.asked().fleet)
    for happened, host in events:
        log.write(Event.model_validate({"happened": happened, "label": "cpu", "stage": 0, "host": host}))
    log.close()


def test_a_gate_elsewhere_that_is_gone_is_not_begun_again(tmp_path: Path) -> None:
    """The coordinator that was killed did not take it along, so something else did."""
    reach = ReachDouble({"h-1": Host(state="gone", leaves=lambda _task: b"")})
    book = begun(tmp_path, staged(1, {"hosts": "all"}))
    with_events(book, ("switch_begun", "h-1"), ("switched", "h-1"), ("gate_begun", "h-1"))
    task = book.begin_attempt("h-1").task
    reach.hosts["h-1"].begun.append(task)
    reach.hosts["h-1"].gates[task] = b""
    assert ran(book, reach).outcomes[0].state == "lost"
    assert reach.hosts["h-1"].begun == [task]


def test_a_fleet_in_stages_without_switches_is_measured_in_stages(tmp_path: Path) -> None:
    """Its hosts keep what they have, and a stage that fails is the last one."""
    fleet = staged(2, *STAGES).model_copy(update={"switches": {}})
    reach = ReachDouble({"h-1": Host(leaves=bad), "h-2": Host()})
    decision = ran(begun(tmp_path, fleet), reach)
    assert phases(decision) == {"h-1": "measured", "h-2": "waiting"}
    assert decision.exit_status == 11
    assert not [errand for host in reach.hosts.values() for errand in host.asked]
    assert decision.came is not None
    assert list(came_words(decision.came))[:2] == [
        "cpu: stage 1 of 2, stopped",
        "h-1 (cpu): measured, and not switched",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace(b'"gate_begun"', b'"gate_ended"'), "fails its checksum"),
        (lambda text: text.replace(b'"fleet_run":"fleet-', b'"fleet_run":"float-'), "fails its checksum"),
        (
            lambda text: b"".join(text.splitlines(keepends=True)[:2] + text.splitlines(keepends=True)[3:]),
            "has number 4",
        ),
        (lambda _text: b"", "is empty"),
    ],
)
def test_a_journal_that_was_changed_is_not_gone_on_with(
    tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    """A host could be switched twice, or forgotten."""
    book = begun(tmp_path, staged(1, {"hosts": "all"}))
    with_events(book, ("switch_begun", "h-1"), ("switched", "h-1"), ("gate_begun", "h-1"))
    log = book.directory / LOG_NAME
    log.write_bytes(change(log.read_bytes()))
    with pytest.raises(InputError, match=words):
        asyncio.run(running.run(book, ReachDouble({"h-1": Host()}), lambda _line: None, poll_s=0))


def test_the_journal_of_another_promotion_is_refused(tmp_path: Path) -> None:
    """And so is one whose lines are no events."""
    book, other = begun(tmp_path, staged(1, {"hosts": "all"})), begun(tmp_path, staged(1, {"hosts": "all"}))
    with_events(other)
    (book.directory / LOG_NAME).write_bytes((other.directory / LOG_NAME).read_bytes())
    fleet: FleetFile = book.asked().fleet
    with pytest.raises(InputError, match="is the journal of another promotion"):
        how_far(book.directory, fleet)

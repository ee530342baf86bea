"""Who reads back what this program has kept itself, each with a file that it takes: anybody may have written there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_weekops import __version__
from pytest_weekops.core.bisect.step import Settings, Step
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.verdict import judge_fleet
from pytest_weekops.core.measurement.peak import ITEMS, found
from pytest_weekops.core.measurement.peak_bound import peak_record
from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.core.record import Record
from pytest_weekops.evidence.artifacts import read_decision
from pytest_weekops.evidence.bisections import BisectionBook
from pytest_weekops.evidence.peaks import peak_records
from pytest_weekops.evidence.promoted import read_evidence
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.fleet.book import Attempt, FleetAsked, FleetBook, FleetDecision
from pytest_weekops.fleet.messages import AskPiece, AskWho, Driver, GateTask, MessageRefused, Piece, Who, decode, encode
from pytest_weekops.fleet.program import hash_of_kernels
from pytest_weekops.fleet.received import Expected, ReceivedJournal
from pytest_weekops.policies.files import default_policy
from pytest_weekops.rollback.verification import gate_problems
from pytest_weekops.run.guard_book import GuardBook
from pytest_weekops.week.evidence import decision_facts
from pytest_weekops.week.site_files import SiteFiles
from tests.support.fleets import make_asked, make_fleet, make_outcome, make_outcomes
from tests.support.history import promoted
from tests.support.reading import Reader
from tests.support.recorded_data import weekly
from tests.support.stored import KERNELS, write_run
from tests.support.synthetic import STARTED, make_identity, make_plan, make_records

FLEET, HOST = make_fleet(2), "hosts/a-1"
NOW = datetime.fromisoformat(STARTED)
SETTINGS = Settings(
    profile="pocl",
    good="/a.so",
    bad="/b.so",
    sizes=(256,),
    kernels=("auto",),
    error=0.05,
    step_error=0.01,
    snapshots=3,
    max_snapshots=12,
)
STEP = Step(number=1, build="/a.so", said="good", why="as fast", limit=0.95, files={"/a.so": "0"}, good_files={})
GUARDS = {"version": 1, "guards": {"auto:256": {"disabled": True, "since": STARTED, "run_id": "r", "reason": "missed"}}}
SITE = {"schema": "weekops-site/1", "pages": {"index.html": {"key": "k", "sha256": "0" * 64}}}
DRIVER = Driver(profile="p", works=True)
MESSAGES: dict[type[Record], Record] = {
    Who: Who(
        version="1",
        program="0" * 64,
        node="n",
        python="3.11",
        kernels="0" * 64,
        drivers=(Driver(profile="p", works=True),),
    ),
    AskWho: AskWho(platforms=("pocl",)),
    GateTask: GateTask(task="a" * 12, program="0" * 64, suite="weekly", platforms=("pocl",), policy="", deadline_s=9.0),
    AskPiece: AskPiece(task="a" * 12),
    Piece: Piece(task="a" * 12, offset=0, text="{}", state="running"),
}


def _fleet_files() -> dict[str, bytes]:
    """What a fleet run keeps, by name."""
    facts: dict[str, Any] = {"fleet_run": "fleet-1", "created_at": STARTED, "suite": "weekly", "version": "1"}
    more: dict[str, Any] = {"words": (), "sizes": (256,), "program": "0" * 64, "kernels": "0" * 64}
    asked, outcomes = make_asked(FLEET), make_outcomes(FLEET)
    verdict = judge_fleet(FLEET, outcomes, asked)
    ended: dict[str, Any] = {"ended_at": STARTED, "decision": verdict.decision, "exit_status": 0, "asked": asked}
    kept = {
        "asked.json": FleetAsked(**facts, **more, fleet=FLEET, policies={"x": "version: 1"}),
        f"{HOST}/attempt.json": Attempt(task="a" * 12, begun_at=STARTED),
        f"{HOST}/outcome.json": make_outcome("a-1"),
        "fleet.json": FleetDecision(**facts, **ended, verdict=verdict, outcomes=tuple(outcomes)),
    }
    return {name: record.model_dump_json(by_alias=True).encode() for name, record in kept.items()}


def _book(read: Callable[[FleetBook], object], depth: int = 0) -> Callable[[Path], object]:
    return lambda path: read(FleetBook(path.parents[depth]))


def _messages(path: Path) -> None:
    """One message a line, to whoever might be meant."""
    for line in path.read_bytes().decode("utf-8", "surrogateescape").split("\n"):
        refused = 0
        for model in MESSAGES:
            try:
                decode(model, line)
            except MessageRefused:
                refused += 1
        if refused == len(MESSAGES):
            raise InputError("This is no message.")


def _journal() -> bytes:
    plan = make_plan("weekly", sizes=(128,), snapshots=2, iterations=2)
    with tempfile.TemporaryDirectory() as directory:
        run = write_run(Path(directory) / "weekly-1", plan, make_records(plan), ended=0)
        return (run / "journal.jsonl").read_bytes()


def _received(path: Path) -> None:
    """A host's journal as it comes in, in two pieces."""
    moment = datetime.fromisoformat(STARTED)
    expected = Expected("weekly", __version__, hash_of_kernels(KERNELS), moment, datetime.now(UTC))
    text = path.read_bytes().decode("latin-1")
    with tempfile.TemporaryDirectory() as directory:
        received = ReceivedJournal(Path(directory) / "journal.jsonl", expected)
        try:
            half = len(text) // 2
            for offset, piece in ((0, text[:half]), (half, text[half:])):
                received.take(Piece(task="a" * 12, offset=offset, text=piece, state="running"))
        except MessageRefused as refusal:
            raise InputError(f"{refusal}."[:400]) from refusal
        finally:
            received.close()


def _guards(path: Path) -> object:
    return GuardBook(path.parent, rules=GuardRules(), bounded_from=1, run_id="r").states()


def _settings(path: Path) -> object:
    return BisectionBook(path.parent).settings()


def _steps(path: Path) -> object:
    return BisectionBook(path.parents[1]).steps()


def _decision(path: Path) -> object:
    """All who look at the decision of a run that lies there."""
    return gate_problems(path, "pocl"), decision_facts(path), read_decision(path.parent)


def _promoted(path: Path) -> object:
    return read_evidence([path], default_policy(), read=read_run)


FILES = _fleet_files()
ASKED, ATTEMPT, OUTCOME, DECIDED = FILES
CAMPAIGN = json.dumps(weekly()).encode()[:20_000]
PEAK = peak_record(make_identity("pocl"), [found(ITEMS["memory_copy"], [1.0], 8.0, "", 8.0)], NOW, 0.0)
KEPT_READERS: dict[str, Reader] = {
    "fleet's question": Reader(ASKED, FILES[ASKED], _book(FleetBook.asked)),
    "fleet's attempt": Reader(ATTEMPT, FILES[ATTEMPT], _book(lambda book: book.attempt("a-1"), 2)),
    "fleet's outcome": Reader(OUTCOME, FILES[OUTCOME], _book(lambda book: book.outcome("a-1"), 2)),
    "fleet's decision": Reader(DECIDED, FILES[DECIDED], _book(FleetBook.decision)),
    "fleet's messages": Reader("m.txt", "\n".join(map(encode, MESSAGES.values())).encode(), _messages),
    "host's journal": Reader("j.jsonl", _journal(), _received),
    "peak": Reader(
        "peaks/x.json",
        PEAK.model_dump_json().encode(),
        lambda path: peak_records(path.parent.parent, {"pocl": make_identity("pocl")}, NOW),
    ),
    "bisection": Reader("bisect.json", SETTINGS.model_dump_json(by_alias=True).encode(), _settings),
    "bisection's step": Reader("steps/001.json", STEP.model_dump_json().encode(), _steps),
    "guards": Reader("guards.json", json.dumps(GUARDS).encode(), _guards),
    "site's record": Reader("site.json", json.dumps(SITE).encode(), lambda path: SiteFiles(path.parent)),
    "gate's decision": Reader("decision.json", json.dumps(promoted("good")).encode(), _decision),
    "promoted campaign": Reader("c.json", CAMPAIGN, _promoted),
}

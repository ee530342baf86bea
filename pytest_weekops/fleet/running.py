"""A fleet run from its file to its decision: begun, gone on with, judged, entered, and looked at again."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_weekops import __version__
from pytest_weekops.core.calendar import week_of
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import Asked, HostOutcome, HostState
from pytest_weekops.core.fleet.promoted import PromotionCame
from pytest_weekops.core.fleet.verdict import judge_fleet
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.week.entry import FLEET
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.fleet.book import DECISION_NAME, FleetAsked, FleetBook, FleetDecision, new_run, now
from pytest_weekops.fleet.coordinator import LOCAL, Coordinator, Orders, Reach
from pytest_weekops.fleet.errands import Errander, Errands
from pytest_weekops.fleet.judged import AskedOfHost, judged_host
from pytest_weekops.fleet.program import kernels_sha256, program_sha256
from pytest_weekops.fleet.promoting import Promoting
from pytest_weekops.fleet.promotion_log import PromotionLog, how_far
from pytest_weekops.fleet.watching import FleetWatch
from pytest_weekops.policies.files import load_policy
from pytest_weekops.week.ledger import DuplicateEntry, open_ledger


class FullReach(Reach, Errands, Protocol):
    """How hosts are reached for gates, switches and rollbacks."""


@dataclass(frozen=True)
class Wanted:
    """What a fleet is asked to run: a suite, sizes and kernels, and further words for the gate's command line."""

    suite: str
    sizes: tuple[int, ...] = ()
    kernels: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def begin(reports: Path, fleet: FleetFile, beside: Path, wanted: Wanted) -> FleetBook:
    """A new fleet run on disk, held. ``beside`` is where the fleet file's policies are looked for first.

    Raises ``InputError`` for what no host could be asked for, and for a ledger that would not take it.
    """
    policies = {name: _policy(beside, label.policy) for name, label in fleet.labels.items()}
    for name, label in fleet.labels.items():
        _refuse_label(name, label.profiles, label.options, policies[name], wanted)
    open_ledger(reports).entries()  # what cannot be entered at the end is refused before anybody is asked
    directory = new_run(reports)
    many = {"sizes": map(str, wanted.sizes), "kernels": wanted.kernels}
    words = [word for name, values in many.items() if (given := list(values)) for word in (f"--weekops-{name}", *given)]
    asked = FleetAsked(
        fleet_run=directory.name,
        created_at=now(),
        suite=wanted.suite,
        words=(*words, *wanted.words),
        sizes=wanted.sizes,
        version=__version__,
        program=program_sha256(),
        kernels=kernels_sha256(),
        fleet=fleet,
        policies={name: policy.model_dump_json() for name, policy in policies.items()},
    )
    book = FleetBook(directory)
    book.hold()
    book.begin(asked)
    return book


def resume(directory: Path) -> FleetBook:
    """A fleet run that was begun, held. Raises ``InputError`` where it is none, is held, or was another program's."""
    book = FleetBook(directory)
    asked = book.asked()
    if asked.program != program_sha256():
        raise InputError(
            f"Fleet run {directory} was begun by another program, version {asked.version}. Its hosts would be measured "
            "by two. Go on with the program that began it, or begin a new run."
        )
    book.hold()
    return book


def _policy(beside: Path, name: str) -> Policy:
    return load_policy(beside / name if (beside / name).exists() else name)


def _refuse_label(name: str, profiles: Sequence[str], options: Sequence[str], policy: Policy, wanted: Wanted) -> None:
    for words in (options, wanted.words):
        if words and not words[0].startswith("-"):
            raise InputError(
                f"Label {name}: the gate's options begin with {words[0]!r:.80}, which is no option. As a path it would "
                "name other tests. Give options of the suite, such as `--snapshots 3`."
            )
    if "auto" in profiles:
        raise InputError(
            f"Label {name} has the profile auto, which is another driver on each host. Nothing could be compared. Name "
            "the profiles that are to be measured."
        )
    if wanted.suite not in policy.scope.kinds and wanted.suite != "canonical":
        raise InputError(
            f"Label {name}: policy {policy.policy_id} is for {', '.join(policy.scope.kinds)} campaigns, not for "
            f"{wanted.suite} ones. Name another policy."
        )


# -- running -----------------------------------------------------------------------------------------------------


def asked_of_hosts(asked: FleetAsked) -> list[AskedOfHost]:
    """What each host of the file is asked for, in its order."""
    policies = {name: Policy.model_validate_json(text) for name, text in asked.policies.items()}
    week = str(week_of(asked.created_at))
    return [
        AskedOfHost(h.name, h.label, asked.fleet.labels[h.label], asked.suite, asked.sizes, policies[h.label], week)
        for h in asked.fleet.hosts
    ]


def orders(asked: FleetAsked, poll_s: float = 1.0) -> Orders:
    """What hosts are given. Those on this machine take turns; others as many at once as their label allows."""
    import yaml

    fleet = asked.fleet
    limits = {f"label {name}": label.at_once for name, label in fleet.labels.items() if label.at_once is not None}
    turns = {
        host.name: (
            *((f"label {host.label}",) if fleet.labels[host.label].at_once is not None else ()),
            *((LOCAL,) if fleet.pools[host.pool].local is not None else ()),
        )
        for host in fleet.hosts
    }
    texts = {
        name: yaml.safe_dump(Policy.model_validate_json(text).effective(), sort_keys=False)
        for name, text in asked.policies.items()
    }
    return Orders(
        program=asked.program,
        version=asked.version,
        kernels=asked.kernels,
        words={name: (*label.options, *asked.words) for name, label in fleet.labels.items()},
        policies=texts,
        turns=turns,
        limits={LOCAL: 1, **limits},
        ours=frozenset(host.name for host in fleet.hosts if fleet.pools[host.pool].scheduler is None),
        poll_s=poll_s,
    )


async def run(
    book: FleetBook,
    reach: FullReach,
    say: Callable[[str], None],
    *,
    poll_s: float = 1.0,
    watch: FleetWatch | None = None,
) -> FleetDecision:
    """Have every host that has no outcome yet run its gate, then judge the fleet. Raises ``WeekopsError``.

    Where the file has stages or switches, hosts are taken stage by stage, and switched and rolled back as it says.
    """
    asked = book.asked()
    if (decided := book.decision()) is not None:
        enter(book, decided)
        return decided
    given = orders(asked, poll_s)
    coordinator = Coordinator(book, reach, given, say, watch)
    if not asked.fleet.is_staged:
        return conclude(book, asked, await coordinator.run(asked_of_hosts(asked)))
    log = PromotionLog(book.directory, asked.fleet)
    try:
        promoting = Promoting(
            book,
            log,
            asked,
            asked_of_hosts(asked),
            coordinator,
            Errander(book, reach, poll_s=poll_s),
            policies=given.policies,
            judge=lambda outcomes, hosts: judge_fleet(asked.fleet, outcomes, question(asked, outcomes, hosts)),
            say=say,
        )
        outcomes = await promoting.run()
    finally:
        log.close()
    return conclude(book, asked, outcomes)


def conclude(book: FleetBook, asked: FleetAsked, outcomes: Sequence[HostOutcome]) -> FleetDecision:
    """Judge the fleet, write its decision, and enter it into the ledger."""
    decision = decide(asked, outcomes, came=how_far(book.directory, asked.fleet) if asked.fleet.is_staged else None)
    book.keep_decision(decision)
    enter(book, decision)
    return decision


def question(asked: FleetAsked, outcomes: Sequence[HostOutcome], hosts: Sequence[str] = ()) -> Asked:
    """What these hosts were asked, all of the file's where none is named, in the terms that they are judged in."""
    return Asked(
        week=str(week_of(asked.created_at)),
        version=asked.version,
        kernels_sha256=asked.kernels,
        plans={label: _plan_of(label, outcomes) for label in asked.fleet.labels},
        policies={name: Policy.model_validate_json(text).sha256 for name, text in asked.policies.items()},
        hosts=tuple(hosts),
    )


def decide(
    asked: FleetAsked, outcomes: Sequence[HostOutcome], ended_at: str = "", *, came: PromotionCame | None = None
) -> FleetDecision:
    """The decision over these outcomes; after a staged promotion it is about the hosts whose stage was begun."""
    wanted = question(asked, outcomes, came.reached if came is not None else ())
    verdict = judge_fleet(asked.fleet, outcomes, wanted, came=came)
    return FleetDecision(
        version=asked.version,
        fleet_run=asked.fleet_run,
        created_at=asked.created_at,
        ended_at=ended_at or now(),
        suite=asked.suite,
        decision=str(verdict.decision.value),
        exit_status=int(verdict.exit_status),
        asked=wanted,
        verdict=verdict,
        outcomes=tuple(outcomes),
        came=came,
    )


def _plan_of(label: str, outcomes: Sequence[HostOutcome]) -> str:
    """The plan of most of a label's hosts: what was asked for was looked at one by one, all else has to be the same."""
    plans = Counter(
        o.plan_sha256 for o in outcomes if o.label == label and o.plan_sha256 and o.state is not HostState.REFUSED
    )
    return min(plans, key=lambda plan: (-plans[plan], plan), default="")


def enter(book: FleetBook, decision: FleetDecision) -> None:
    """Enter the decision into the ledger of its report directory, once. Raises ``InputError``."""
    states = Counter(outcome.state.value for outcome in decision.outcomes)
    body: Mapping[str, object] = {
        "fleet_run": decision.fleet_run,
        "fleet_id": decision.verdict.fleet_id,
        "week": decision.verdict.week,
        "suite": decision.suite,
        "decision": decision.decision,
        "exit_status": decision.exit_status,
        "severity": int(decision.verdict.severity),
        "states": dict(sorted(states.items())),
        "failed_checks": list(decision.verdict.failed_checks),
        "decision_sha256": hash_file(book.directory / DECISION_NAME),
    }
    with contextlib.suppress(DuplicateEntry):  # it was entered before the coordinator was killed
        open_ledger(reports_of(book)).append(FLEET, decision.fleet_run, body)


def reports_of(book: FleetBook) -> Path:
    """The report directory that a fleet run lies in."""
    return book.directory.absolute().parent.parent


# -- looking again -----------------------------------------------------------------------------------------------


def problems(book: FleetBook) -> Iterator[str]:
    """Sentences for everything in a decided fleet run that does not follow from its journals, or from its ledger."""
    asked, decision = book.asked(), book.decision()
    if decision is None:
        yield f"{book.directory.name} has no decision: it has not ended."
        return
    kept = {outcome.host: outcome for outcome in decision.outcomes}
    about = {host.name for host in asked.fleet.hosts} if decision.came is None else set(decision.came.reached)
    for host in asked_of_hosts(asked):
        if host.host not in about:
            continue
        outcome = kept.get(host.host)
        if outcome is None:
            yield f"Host {host.host} has no outcome."
            continue
        if outcome != book.outcome(host.host):
            yield f"Host {host.host}: its outcome differs from the one in the decision."
        if outcome.journal_sha256:
            yield from _of_journal(book, host, outcome)
        elif outcome.state in (HostState.PROMOTED, HostState.ITERATE, HostState.INCONCLUSIVE):
            yield f"Host {host.host} is {outcome.state.value} without a journal."
    came = how_far(book.directory, asked.fleet) if asked.fleet.is_staged else None
    if asked.fleet.is_staged and came != decision.came:
        yield "The journal of its promotion is gone, or is not the one that was judged."
    fresh = decide(asked, decision.outcomes, decision.ended_at, came=decision.came)
    if fresh != decision:
        yield "The decision is another one than its outcomes give."
    yield from _of_ledger(book, decision)


def _of_journal(book: FleetBook, host: AskedOfHost, outcome: HostOutcome) -> Iterator[str]:
    journal = book.journal(host.host)
    if not journal.is_file() or hash_file(journal) != outcome.journal_sha256:
        yield f"Host {host.host}: its journal is gone, or is not the one that was judged."
        return
    fresh = judged_host(host, journal, keep=False)
    allowed = {fresh.state, HostState.NO_DATA}  # a gate that ended otherwise than its journal says has no data
    update = {"state": outcome.state, "why": outcome.why}
    if outcome.state not in allowed or fresh.model_copy(update=update) != outcome:
        yield f"Host {host.host}: its journal gives another outcome than is kept."


def _of_ledger(book: FleetBook, decision: FleetDecision) -> Iterator[str]:
    ledger = open_ledger(reports_of(book))
    yield from ledger.problems()
    entries = [entry for entry in ledger.entries() if (entry.kind, entry.key) == (FLEET, decision.fleet_run)]
    if not entries:
        yield "The ledger knows nothing of it."
    elif entries[0].body.get("decision_sha256") != hash_file(book.directory / DECISION_NAME):
        yield "The ledger has the hash of another decision."

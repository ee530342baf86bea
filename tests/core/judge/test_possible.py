"""Evidence that cannot be: the shipped example's journal altered, with valid checksums, never promotes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.judge.campaign import Campaign, live_campaign
from pytest_weekops.core.judge.checks import _POSSIBLE
from pytest_weekops.core.judge.checks.one_piece import errors_possible, work_as_stated
from pytest_weekops.core.judge.checks.possible_clocks import order_kept
from pytest_weekops.core.judge.checks.possible_times import _tick, _too_fast, times_possible
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.peak_bound import PeakRecord
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, Measurement, PartnerSamples, TimerTrust, Turns
from pytest_weekops.core.measurement.schedule import snapshot_order
from pytest_weekops.core.measurement.segments import Segment
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from tests.core.measurement.test_peak_bound import NOW, make_peak
from tests.support.examples import examples
from tests.support.synthetic import STARTED, Records, make_campaign, make_identity, make_plan, make_records, stamped

EXAMPLE = Path(__file__).resolve().parents[3] / "reports" / "example"
IDENTITIES = {"pocl": make_identity("pocl")}
POLICY = Policy.model_validate({"policy_id": "live", "floors": {"waiver": "none"}})
Data = list[dict[str, Any]]


def _sessions(data: Data) -> Iterator[dict[str, Any]]:
    return (session for m in data for session in m["sessions"])


def _walls(change: Callable[[int], int], *, every_clock: bool = False) -> Callable[[Data], None]:
    def alter(data: Data) -> None:
        for session in _sessions(data):
            for name in ("wall_ns", "device_ns", "warmup_ns") if every_clock else ("wall_ns",):
                session[name] = session[name] and [change(ns) for ns in session[name]]

    return alter


def _each(**facts: Any) -> Callable[[Data], None]:
    def alter(data: Data) -> None:
        for session in _sessions(data):
            session.update(facts)

    return alter


def _copied(data: Data) -> None:
    first = {(m["case"]["kernel"], m["case"]["size"]): m for m in data if m["case"]["snapshot"] == 1}
    for m in data:
        source = first[m["case"]["kernel"], m["case"]["size"]]
        m.update({**source, "case": m["case"], "void": m["void"], "attempt": m["attempt"], "order": m["order"]})


def _copied_samples(data: Data) -> None:
    data[-1]["sessions"][0]["wall_ns"] = data[-4]["sessions"][0]["wall_ns"]


def _later(**facts: Any) -> Callable[[Data], None]:
    def alter(data: Data) -> None:
        for m in data:
            m.update(facts if m["case"]["snapshot"] >= 3 else {})

    return alter


def _flops(data: Data) -> None:
    for m in data:
        m["flops"] *= 1000


def _started(moments: Callable[[list[str]], list[str]]) -> Callable[[Data], None]:
    def alter(data: Data) -> None:
        for m, moment in zip(data, moments([m["started_at"] for m in data]), strict=True):
            m["started_at"] = moment

    return alter


def _ten_years(moments: list[str]) -> list[str]:
    return [(datetime.fromisoformat(moment) + timedelta(days=3652)).isoformat() for moment in moments]


def _unseen(data: Data) -> None:
    for m in data:
        m["host"] = {}


ALTERED: dict[str, tuple[Callable[[Data], None], str, str]] = {
    "every launch 1 ns": (_walls(lambda _ns: 1), "times_possible", "too_short"),
    "every launch 30 ms": (_walls(lambda _ns: 30_000_000), "times_possible", "coarse"),
    "a thousandth": (_walls(lambda ns: ns // 1000), "times_possible", "too_fast"),
    "a thousandth by every clock": (_walls(lambda ns: ns // 1000, every_clock=True), "times_possible", "too_fast"),
    "a thousandfold": (_walls(lambda ns: ns * 1000), "clocks_agree", "overlap"),
    "a thousandfold by every clock": (_walls(lambda ns: ns * 1000, every_clock=True), "clocks_agree", "overlap"),
    "half as long": (_walls(lambda ns: ns // 2), "clocks_agree", "device_clock"),
    "flops": (_flops, "work_as_stated", "other_work"),
    "errors of 0": (_each(max_abs_error=0.0, k_scaled_error=0.0), "errors_possible", "exact"),
    "one snapshot six times": (_copied, "samples_unique", "copied"),
    "one session twice": (_copied_samples, "samples_unique", "copied"),
    "another source": (_later(kernel_sha256="f" * 64), "one_kernel", "changed"),
    "other options": (_later(build_options=["-DMR=4"]), "one_kernel", "changed"),
    "the same moment": (_started(lambda all_: [all_[0]] * len(all_)), "order_kept", "clock_set"),
    "in reverse": (_started(lambda all_: all_[::-1]), "order_kept", "clock_set"),
    "ten years ahead": (_started(_ten_years), "order_kept", "clock_set"),
    "no stamps": (_each(start_ns=[]), "clocks_agree", "unstamped"),
    "no moment": (_started(lambda all_: [""] * len(all_)), "clocks_agree", "unstamped"),
    "nobody watched": (_unseen, "witnesses_present", "no_witness"),
    "no warm-up": (_each(warmup_ns=[]), "witnesses_present", "no_warm_up"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_example_never_promotes(what: str, tmp_path: Path) -> None:
    """Each kind is found by the check that is made for it, and named with its case."""
    alter, check, code = ALTERED[what]
    lines = [json.loads(line) for line in (EXAMPLE / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    alter([line["data"] for line in lines if line["type"] == "measurement"])
    journal = Journal(tmp_path / "journal.jsonl")
    for line in lines:
        journal.append(line["type"], line["data"])
    journal.close()
    verdict = judge_stored(read_run(tmp_path))
    assert verdict.decision is Decision.ITERATE
    assert int(verdict.exit_status) != 0
    found = {finding.check: finding for finding in verdict.findings}[check]
    assert (found.reason_code, found.status is CheckStatus.PASS) == (code, False)
    assert found.rows
    assert "auto_t" in found.message


def _found(campaign: Campaign) -> list[Finding]:
    return [finding for check in _POSSIBLE if (finding := check(POLICY, campaign)).status is not CheckStatus.PASS]


@pytest.mark.parametrize("kind", ["weekly", "split"])
@pytest.mark.parametrize("in_turns", [False, True])
def test_a_healthy_campaign_is_possible(kind: str, in_turns: bool) -> None:
    """Alone and in turns, where two measurements go on at a time."""
    plan = make_plan(kind, in_turns=in_turns and kind == "split")
    assert _found(make_campaign(plan, make_records(plan))) == []


def test_launches_of_a_pair_are_never_at_the_same_time() -> None:
    """They take turns."""
    plan = make_plan("split", in_turns=True)
    records = stamped(make_records(plan))
    place = next(p for p, record in enumerate(records) if isinstance(record, Measurement))
    first, second = records[place : place + 2]
    assert isinstance(first, Measurement)
    assert isinstance(second, Measurement)
    both = [a.model_copy(update={"start_ns": b.start_ns}) for a, b in zip(second.sessions, first.sessions, strict=True)]
    records[place + 1] = second.model_copy(update={"sessions": tuple(both)})
    identities = {platform: make_identity(platform) for platform in plan.platforms}
    found = _found(live_campaign(plan, records, identities=identities))
    assert [(one.check, one.reason_code) for one in found] == [("clocks_agree", "overlap")]


CLOCKS: dict[str, Callable[[float, int], float]] = {
    "5 % slow": lambda passed, _order: passed * 0.95,
    "an hour ahead": lambda passed, order: passed + 3600 * (order > 9),
}


@pytest.mark.parametrize("what", CLOCKS)
def test_a_time_service_may_slew_and_a_host_may_sleep(what: str) -> None:
    """Wall time that runs slow, or jumps ahead once, is nobody's lie."""
    plan, began = make_plan(), datetime.fromisoformat(STARTED)
    records = stamped(make_records(plan))
    for place, record in enumerate(records):
        if isinstance(record, Measurement):
            passed = (datetime.fromisoformat(record.started_at) - began).total_seconds()
            moment = (began + timedelta(seconds=CLOCKS[what](passed, record.order))).isoformat()
            records[place] = record.model_copy(update={"started_at": moment})
    assert _found(live_campaign(plan, records, identities=IDENTITIES, created_at=STARTED)) == []


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "flops": st.floats(),
    "bytes_moved": st.floats(),
    "elapsed_s": st.floats(),
    "order": st.integers(),
    "started_at": st.text(max_size=6) | st.datetimes().map(str) | st.sampled_from(["0001-01-01T00:00:00+14:00"]),
    "operation": st.sampled_from(["gemm", "triad", "mine"]),
    "identity": st.none() | st.integers().map(lambda n: make_identity("pocl").model_copy(update={"compute_units": n})),
}
TIMES = st.lists(st.integers(-(10**400), 10**400) | st.integers(0, 9), max_size=9).map(tuple)
SESSION: dict[str, st.SearchStrategy[Any]] = {
    "wall_ns": TIMES,
    "start_ns": TIMES,
    "warmup_ns": TIMES,
    "device_ns": st.none() | TIMES,
    "max_abs_error": st.floats(),
}
PLAN = make_plan()
HEALTHY = stamped(make_records(PLAN))


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 11), st.fixed_dictionaries({}, optional=FIELDS), st.fixed_dictionaries({}, optional=SESSION))
def test_no_data_make_a_check_raise_and_a_further_fault_never_helps(
    number: int, facts: dict[str, Any], session: dict[str, Any]
) -> None:
    """Whatever stands in a measurement, each check answers; what else is wrong beside it is no excuse."""
    places = [place for place, record in enumerate(HEALTHY) if isinstance(record, Measurement)]
    records = list(HEALTHY)
    for place, update in ((places[number], facts), (places[(number + 1) % 12], {"flops": 1.0})):
        before = {one.check for one in _found(live_campaign(PLAN, records, identities=IDENTITIES))}
        old = records[place]
        assert isinstance(old, Measurement)
        sessions = (old.sessions[0].model_copy(update=session if update is facts else {}), *old.sessions[1:])
        records[place] = old.model_copy(update={"sessions": sessions, **update})
    after = {one.check for one in _found(live_campaign(PLAN, records, identities=IDENTITIES))}
    assert "work_as_stated" in after
    assert before <= after
    judge(POLICY, live_campaign(PLAN, records, identities=IDENTITIES))


def _told(check: str, change: Callable[[Measurement], Measurement], kind: str = "weekly", **plan: Any) -> Finding:
    """What a check says of a healthy campaign whose last measurement was changed."""
    whole = make_plan(kind, **plan)
    records = make_records(whole)
    last = max(i for i, record in enumerate(records) if isinstance(record, Measurement))
    measured = records[last]
    assert isinstance(measured, Measurement)
    records[last] = change(measured)
    verdict = judge(POLICY, live_campaign(whole, records, identities={p: make_identity(p) for p in whole.platforms}))
    return next(finding for finding in verdict.findings if finding.check == check)


def test_a_partner_that_is_a_copy_is_one() -> None:
    """The reference driver's times are those of the driver under test: nothing was compared."""

    def same(measurement: Measurement) -> Measurement:
        partner = PartnerSamples(
            platform="reference", library_sha256="", driver_version="", variant="", sessions=measurement.sessions
        )
        return measurement.model_copy(update={"turns": Turns(letter="B", order=(), partner=partner)})

    finding = _told("samples_unique", same)
    assert (finding.status, finding.reason_code) == (CheckStatus.FAIL, "copied")
    assert "partner's session" in finding.message


def test_a_trusted_device_clock_without_times_contradicts_itself() -> None:
    """The record calls it trusted, and it said nothing."""

    def trusted(measurement: Measurement) -> Measurement:
        return measurement.model_copy(update={"timer": TimerTrust(trusted=True, reason="")})

    finding = _told("clocks_agree", trusted)
    assert (finding.status, finding.reason_code) == (CheckStatus.FAIL, "device_clock")


def test_launches_of_no_time_are_called_too_short_and_not_infinitely_fast() -> None:
    """A division by their time is not tried."""

    def no_time(measurement: Measurement) -> Measurement:
        none = tuple(s.model_copy(update={"wall_ns": (0,) * len(s.wall_ns)}) for s in measurement.sessions)
        return measurement.model_copy(update={"sessions": none})

    finding = _told("times_possible", no_time)
    assert (finding.status, finding.reason_code) == (CheckStatus.FAIL, "too_short")
    measured = next(r for r in make_records(make_plan()) if isinstance(r, Measurement))
    assert _too_fast(no_time(measured), 0) == ""


def _beside_peaks(*peaks: PeakRecord, **changes: Any) -> Campaign:
    """A healthy run of GEMM, 33 GFLOPS at 128 and 131 at 256, whose device has these peaks."""
    records = [*peaks, *(r.model_copy(update=changes) if isinstance(r, Measurement) else r for r in HEALTHY)]
    return live_campaign(PLAN, records, identities=IDENTITIES, created_at=STARTED)


@pytest.mark.parametrize(
    ("peaks", "changes", "code"),
    [
        ((make_peak(),), {}, "ok"),
        ((make_peak(gflops=20.0),), {}, "beyond_peak"),
        ((make_peak(), make_peak(gflops=20.0)), {}, "beyond_peak"),
        ((make_peak(gflops=20.0, library_sha256="1" * 64),), {}, "ok"),
        ((make_peak(gflops=20.0, platform="intel"),), {}, "ok"),
        ((make_peak(gflops=20.0, made_at=NOW - timedelta(days=91)),), {}, "ok"),
        ((make_peak(gflops=20.0),), {"operation": "mine"}, "ok"),
        ((make_peak(),), {"operation": "triad", "bytes_moved": 100e3 * 1000.0}, "ok"),  # 192 MB may lie in a cache
        ((make_peak(nbytes=1e6),), {"operation": "triad", "bytes_moved": 100e3 * 1000.0}, "beyond_peak"),
    ],
)
def test_no_launch_is_far_beyond_what_level_0_measured(
    peaks: tuple[PeakRecord, ...], changes: dict[str, Any], code: str
) -> None:
    """Of this very device and driver, and not long ago: five times is none of its launches."""
    found = times_possible(POLICY, _beside_peaks(*peaks, **changes))
    assert found.reason_code == code
    if code != "ok":
        assert "level 0 of 2026-11-24 measured the device far below it" in found.message
        assert "pocl-auto-" in found.rows[0]


PEAKS = st.builds(
    lambda facts: make_peak().model_copy(update=facts),
    st.fixed_dictionaries(
        {},
        optional={
            "gflops": st.none() | st.floats(1e-9, 1e9),
            "gbs": st.none() | st.floats(1e-9, 1e9),
            "nbytes": st.floats(0, 1e12),
            "platform": st.sampled_from(["pocl", "other", ""]),
            "library_sha256": st.sampled_from(["0" * 64, "1" * 64]),
            "environment": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=1),
            "made_at": st.datetimes(timezones=st.just(UTC)),
        },
    ),
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(PEAKS, max_size=3), PEAKS, st.fixed_dictionaries({}, optional=FIELDS), st.text(max_size=3))
def test_a_peak_never_makes_a_verdict_milder(
    peaks: list[PeakRecord], further: PeakRecord, facts: dict[str, Any], created_at: str
) -> None:
    """Whatever it says, of whomever, beside whatever else is wrong: each check that did not pass still does not."""

    def told(*those: PeakRecord) -> dict[str, CheckStatus]:
        campaign = replace(_beside_peaks(*those, **facts), created_at=created_at)
        return {each.check: each.status for each in judge(POLICY, campaign).findings}

    before, after = told(*peaks), told(*peaks, further)
    changed = {check for check, status in after.items() if status is not before[check]}
    assert changed <= {"times_possible"}
    assert before["times_possible"] is CheckStatus.PASS or not changed


def test_a_clock_of_ten_nanoseconds_times_launches_of_microseconds() -> None:
    """What is a multiple of a small tick is no coarse clock; of a large one it is."""
    fine = [100_000 + 10 * place for place in range(8)]
    assert _tick(fine) == ""
    assert "multiples of 50000 ns" in _tick([50_000 * place for place in range(1, 9)])


def test_two_measurements_of_one_number_are_named() -> None:
    """The order of measurement is told by numbers that no other has, or it is not told."""
    plan = make_plan()
    records = [
        r.model_copy(update={"order": 1}) if isinstance(r, Measurement) else r for r in stamped(make_records(plan))
    ]
    (found,) = _found(live_campaign(plan, records, identities=IDENTITIES))
    assert (found.check, found.reason_code) == ("order_kept", "clock_set")
    assert "is number 1, and so is pocl-auto-" in found.message


def _with_snapshots(*snapshots: int) -> list[Any]:
    """A healthy run of one cell, whose measurements are of these snapshots in the order of measurement."""
    plan = make_plan(sizes=(128,), snapshots=len(snapshots))
    records, left = make_records(plan), list(snapshots)
    for place, record in enumerate(records):
        if isinstance(record, Measurement):
            case = record.case.model_copy(update={"snapshot": left.pop(0)})
            records[place] = record.model_copy(update={"case": case})
    return [live_campaign(plan, records, identities=IDENTITIES, segments=segments) for segments in ((), PARTS)]


PARTS = tuple(
    Segment(run_id=f"run-r{order}", started_at=STARTED, boot_id="", monotonic_ns=0, first_order=order)
    for order in (1, 4)
)


def test_a_snapshot_behind_a_later_one_is_no_round() -> None:
    """Each cell's snapshots in a row hide how much they differ. Behind a gap a run may begin with what it lacks."""
    whole, parts = _with_snapshots(1, 2, 2, 3)
    assert [order_kept(POLICY, each).status for each in (whole, parts)] == ["pass", "pass"]
    whole, parts = _with_snapshots(1, 3, 3, 2)
    found = order_kept(POLICY, whole)
    assert (found.status, found.reason_code) == ("inconclusive", "other_order")
    assert "pocl-auto-128-seed11-s2 was measured behind pocl-auto-128-seed11-s3" in found.message
    assert found.rows == ("pocl-auto-128-seed11-s2",)
    assert order_kept(POLICY, parts).status == "pass"


def _in_order(plan: CampaignPlan, cases: Sequence[Case], *attempts: int, cut: int = 0) -> Finding:
    """What is said of a healthy run of the plan whose measurements are of these cases in the order of measurement.

    They are the first attempts where no others are given. From number ``cut`` on, another segment of it.
    """
    made: Records = []
    left = list(zip(cases, attempts or (1,) * len(cases), strict=True))
    for record in make_records(plan):
        if not isinstance(record, Measurement):
            made.append(record)
        elif left:
            case, attempt = left.pop(0)
            made.append(record.model_copy(update={"case": case, "attempt": attempt}))
    first = Segment(run_id="run", started_at=STARTED, boot_id="", monotonic_ns=0, first_order=1)
    segments = (first, first.model_copy(update={"run_id": "run-r1", "first_order": cut})) if cut else ()
    identities = {platform: make_identity(platform) for platform in plan.platforms}
    return order_kept(POLICY, live_campaign(plan, made, identities=identities, segments=segments))


def test_a_snapshot_is_measured_in_the_order_of_its_plan() -> None:
    """Which platform comes first is balanced there; who turns it round can favour one. What was void comes again."""
    plan = make_plan(sizes=(128, 256), snapshots=2, platforms=("pocl", "rusticl"))
    first, second = (snapshot_order(plan, snapshot) for snapshot in (1, 2))
    assert _in_order(plan, (*first, *second)).status == "pass"
    assert [case.platform for case in first[:4]] != [case.platform for case in second[:4]]
    found = _in_order(plan, (*first[:2], first[3], first[2], *second))
    assert (found.status, found.reason_code, found.rows) == ("inconclusive", "other_order", (first[2].id,))
    assert f"{first[2].id} was measured behind {first[3].id}, which is after it in the plan" in found.message
    again = (*first[:3], first[2], first[3])
    assert _in_order(plan, again, 1, 1, 1, 2, 1).status == "pass"
    assert _in_order(plan, (*first, first[0]), 1, 1, 1, 1, 2).status == "pass"
    assert _in_order(plan, (*first[1:], first[0]), cut=4).status == "pass"
    assert _in_order(plan, (*first[1:], first[0])).status == "inconclusive"


def test_two_that_take_turns_are_measured_at_once() -> None:
    """Whichever of them is recorded first; the next cell is behind both."""
    plan = make_plan("split", sizes=(128, 256), snapshots=2, in_turns=True)
    first = snapshot_order(plan, 1)
    assert len(first) % 2 == 0
    turned = [case for at in range(0, len(first), 2) for case in (first[at + 1], first[at])]
    assert [_in_order(plan, cases).status for cases in (first, turned)] == ["pass", "pass"]
    assert _in_order(plan, (*first[2:4], *first[:2])).status == "inconclusive"


@pytest.mark.parametrize(
    ("ended_at", "status"),
    [
        ("", "pass"),
        ("no moment", "pass"),
        ("2026-11-24T12:00:01+00:00", "pass"),  # it takes 0.1 s
        ("2026-11-24T11:59:59+00:00", "pass"),  # before it began: of this clock nothing is said here
        ("2026-11-24T12:00:00+00:00", "inconclusive"),
    ],
)
def test_a_measurement_is_over_when_its_run_is(ended_at: str, status: str) -> None:
    """Whatever stands behind it is of another run, or the clock was set back."""
    slow = [
        r.model_copy(update={"elapsed_s": r.elapsed_s + 3.0}) if isinstance(r, Measurement) and status != "pass" else r
        for r in HEALTHY
    ]
    campaign = live_campaign(PLAN, slow, identities=IDENTITIES, created_at=STARTED, ended_at=ended_at)
    found = order_kept(POLICY, campaign)
    assert found.status == status
    assert status == "pass" or "was over after the run, which ended at 2026-11-24T12:00:00" in found.message


FLOPS, BYTES = 32.0 * 128**2 / 4, 8.0 * 128**2  # of the sort at 128


def _sort(**facts: Any) -> Finding:
    """What is said of a run of the sort whose last measurement has these facts too."""
    whole = make_plan(kernels=("sort",), sizes=(128,))
    made = {"operation": "sort", "unit": "GB/s", "flops": FLOPS, "bytes_moved": BYTES}
    records = [r.model_copy(update=made) if isinstance(r, Measurement) else r for r in make_records(whole)]
    last = max(i for i, record in enumerate(records) if isinstance(record, Measurement))
    records[last] = records[last].model_copy(update=facts)
    campaign = live_campaign(whole, records, identities={p: make_identity(p) for p in whole.platforms})
    return work_as_stated(POLICY, campaign)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"flops": 10 * FLOPS}, "flops of a launch is 1.31072e+06, and 131072 by its formula"),
        ({"bytes_moved": 3 * BYTES}, "bytes_moved of a launch is 393216, and 131072 by its formula"),
        ({"unit": "GFLOPS"}, "sort is counted in GB/s, and this record in GFLOPS"),
        ({"operation": "mine"}, ""),
    ],
)
def test_a_workloads_work_is_that_of_its_formula(facts: dict[str, Any], words: str) -> None:
    """Whatever all records agree on; an operation of one's own has none."""
    assert _sort().status == "pass"
    found = _sort(**facts)
    assert (found.status, words in found.message) == ("fail" if words else "pass", True), found.message


@pytest.mark.parametrize("operation", ["stencil2d", "sort"])
def test_only_what_copies_or_counts_is_exact(operation: str) -> None:
    """The true results of the others are no float32 values, so that each is off by something."""
    whole = make_plan(kernels=(operation,), sizes=(128,))

    def exact(record: Any) -> Any:
        if not isinstance(record, Measurement):
            return record
        sessions = (s.model_copy(update={"max_abs_error": 0.0, "k_scaled_error": 0.0}) for s in record.sessions)
        return record.model_copy(update={"operation": operation, "sessions": tuple(sessions)})

    records = [exact(record) for record in make_records(whole)]
    found = errors_possible(POLICY, live_campaign(whole, records, identities={"pocl": make_identity("pocl")}))
    assert found.reason_code == ("exact" if operation == "stencil2d" else "ok")


def test_auto_is_gemm() -> None:
    """Under another name nothing would say how much work it is."""
    found = _told("work_as_stated", lambda m: m.model_copy(update={"operation": "mine", "flops": 1e9}))
    assert "auto launches gemm, and this is a record of mine" in found.message

"""Properties of the judge that hold for every campaign: worse is never better, and nothing makes it raise."""

from __future__ import annotations

import copy
import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Severity, Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import Policy, Row
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign
from tests.support.examples import examples
from tests.support.recorded_data import split, weekly
from tests.support.synthetic import make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

# WEEKOPS_EXAMPLES=10000 makes these properties take more than 100,000 examples, and half an hour.
QUICK = settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
ROWS = {
    key: Row(min_avg_gflops=floor, max_p95_time_ms=ceiling)
    for key, floor, ceiling in (
        ("auto_t3_controlled:1400", 840.0, 6.6),
        ("auto_t3_controlled:2048", 740.0, 24.0),
        ("auto_t5_guarded:1400", 860.0, 6.5),
        ("auto_t5_guarded:2048", 740.0, 23.8),
    )
}
POLICY = Policy(policy_id="test", rows=ROWS)
LIVE = Policy.model_validate(
    {"policy_id": "live", "floors": {"waiver": "none"}, "guardrails": {"max_p95_drift_percent": None}}
)
DOCUMENTS = {"weekly": weekly(), "split": split()}
BASES = {kind: make_records(make_plan(kind)) for kind in ("weekly", "split")}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

ODD = st.one_of(
    st.sampled_from([0, -1, 1e400, math.nan, -math.inf, None, "NaN", "1", True, [], {}, 10**400, -(10**400), 1e-320]),
    JSON,
)
RUN_KEYS = ("status", "platform_selector", "kernel", "size", "seed", "snapshot", "metrics")
METRICS = (
    "platform",
    "device",
    "peak_mean_gflops",
    "avg_mean_gflops",
    "p95_time_ms",
    "max_error_max",
    "t3_fallback_rate",
    "t3_policy_disabled",
    "t5_overhead_percent",
    "t5_false_positive_rate",
    "t5_disable_events",
)


def strict(document: dict[str, Any], policy: Policy = POLICY, *, own: bool = False) -> Verdict:
    """The strict verdict on a document."""
    return judge_recorded(policy, parse_campaign(document, "test", own_rules=own)).verdict


@st.composite
def mangled(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded file with odd values put in arbitrary places."""
    document: dict[str, Any] = copy.deepcopy(DOCUMENTS[draw(st.sampled_from(["weekly", "split"]))])
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(document["runs"]) - 1))
        target = document["runs"][place]
        if not isinstance(target, dict):
            continue
        if draw(st.booleans()) and isinstance(target.get("metrics"), dict):
            target["metrics"][draw(st.sampled_from(METRICS))] = draw(ODD)
        else:
            target[draw(st.sampled_from(RUN_KEYS))] = draw(ODD)
    for key in draw(st.lists(st.sampled_from(["metadata", "pressure", "rollback_event", "snapshots"]), max_size=2)):
        document[key] = draw(ODD)
    return document


@QUICK
@given(mangled(), st.booleans())
def test_the_judge_of_recorded_files_never_raises(document: dict[str, Any], own: bool) -> None:
    """Odd values anywhere give a verdict, under both rule sets, with a status that fits."""
    campaign = parse_campaign(document, "test", own_rules=own)
    for rules in ("strict", "compat"):
        verdict = judge_recorded(POLICY, campaign, rules=rules).verdict
        assert (int(verdict.exit_status) == 0) == (not verdict.failed_checks)
        verdict.model_dump_json()


@QUICK
@given(st.dictionaries(st.sampled_from(["runs", "metadata", "pressure", "x"]), JSON, max_size=4))
def test_arbitrary_json_is_refused_or_judged_iterate(document: dict[str, Any]) -> None:
    """A stranger's JSON never raises anything but a sentence, and never promotes."""
    try:
        verdict = strict(document)
    except InputError:
        return
    assert verdict.decision is Decision.ITERATE


WORSE: dict[str, Any] = {
    "max_error_max": 0.01,
    "t3_fallback_rate": 0.5,
    "t5_overhead_percent": 9.0,
    "t5_disable_events": 3,
    "t5_false_positive_rate": 0.9,
}


@st.composite
def worsened(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A recorded file, possibly bad already, and the same with something dropped or made worse."""
    before: dict[str, Any] = copy.deepcopy(DOCUMENTS[draw(st.sampled_from(["weekly", "split"]))])
    for _ in range(draw(st.integers(0, 2))):
        metrics = before["runs"][draw(st.integers(0, len(before["runs"]) - 1))]["metrics"]
        name = draw(st.sampled_from(sorted(WORSE)))
        if name in metrics:
            metrics[name] = WORSE[name]
    after = copy.deepcopy(before)
    run = after["runs"][draw(st.integers(0, len(after["runs"]) - 1))]
    for name in draw(st.lists(st.sampled_from(sorted(WORSE)), min_size=1, max_size=3)):
        if name in run["metrics"]:
            run["metrics"][name] = run["metrics"][name] + WORSE[name]
    if draw(st.booleans()):
        run["status"] = "crashed"
    if draw(st.booleans()):
        after["rollback_event"] = {"why": "x"}
    return before, after


@QUICK
@given(worsened())
def test_worse_numbers_never_help(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """A worse number or a crash turns no iterate into promote and makes no severity milder."""
    before, after = strict(pair[0]), strict(pair[1])
    assert not (before.decision is Decision.ITERATE and after.decision is Decision.PROMOTE)
    assert after.severity <= before.severity


@QUICK
@given(st.sampled_from(["weekly", "split"]), st.data())
def test_dropping_a_record_never_helps(kind: str, data: st.DataObject) -> None:
    """Whatever record is left out of a live campaign, good or bad, iterate stays iterate and whole stays needed."""
    plan, records = make_plan(kind), list(BASES[kind])
    bad = data.draw(st.lists(st.integers(0, len(records) - 1), max_size=2))
    for place in bad:
        record = records[place]
        if isinstance(record, Measurement):
            records[place] = record.model_copy(update={"status": MeasurementStatus.HUNG})
    dropped = data.draw(st.sets(st.integers(0, len(records) - 1), min_size=1, max_size=3))
    rest = [record for place, record in enumerate(records) if place not in dropped]
    verdict = judge(LIVE, make_campaign(plan, rest))
    assert verdict.decision is Decision.ITERATE
    assert verdict.severity < Severity.SEV4


@QUICK
@given(
    st.sampled_from(["weekly", "split"]),
    st.integers(0, 10_000),
    st.floats(),
    st.sampled_from(["flops", "error", "scaled"]),
)
def test_the_live_judge_never_raises(kind: str, place: int, value: float, what: str) -> None:
    """Any float in place of a number gives a verdict."""
    plan, records = make_plan(kind), list(BASES[kind])
    chosen = [p for p, record in enumerate(records) if isinstance(record, Measurement)]
    place = chosen[place % len(chosen)]
    record = records[place]
    assert isinstance(record, Measurement)
    if what == "flops":
        records[place] = record.model_copy(update={"flops": value})
    else:
        name = "max_abs_error" if what == "error" else "k_scaled_error"
        session = record.sessions[0].model_copy(update={name: value})
        records[place] = record.model_copy(update={"sessions": (session, *record.sessions[1:])})
    verdict = judge(LIVE, make_campaign(plan, records))
    if not math.isfinite(value):
        assert verdict.decision is Decision.ITERATE
    verdict.model_dump_json()


@QUICK
@given(mangled(), st.data())
def test_dropping_an_entry_of_a_recorded_file_never_helps(document: dict[str, Any], data: st.DataObject) -> None:
    """Whatever run or pulse is left out, good or bad, iterate stays iterate."""
    rest = dict(document)
    for name in ("runs", "pressure"):
        entries = document[name]
        if isinstance(entries, list) and entries:
            gone = data.draw(st.sets(st.integers(0, len(entries) - 1), min_size=name == "runs", max_size=3))
            rest[name] = [entry for place, entry in enumerate(entries) if place not in gone]
    if strict(document).decision is Decision.ITERATE:
        assert strict(rest).decision is Decision.ITERATE


CEILINGS = [name for name, value in POLICY.guardrails if name.startswith("max_") and isinstance(value, float)]
LIMITS = [
    *(("guardrails", name) for name in (*CEILINGS, "minimum_snapshots")),
    *(("split", name) for name in ("min_ratio", "max_latency_ratio", "required_sizes")),
    *((key, name) for key in ROWS for name in ("min_avg_gflops", "max_p95_time_ms")),
    ("scope", "platform"),
]


def _tighter(section: str, name: str, share: float) -> Policy:
    """The policy with one ceiling lowered or one floor raised by a share, or more demanded in another way."""
    part = POLICY.rows.get(section) or getattr(POLICY, section)
    value = getattr(part, name)
    stricter = {"minimum_snapshots": 2 + 6 * (1 - share), "required_sizes": (1400, 4096), "platform": "Clover"}
    limit = stricter[name] if name in stricter else value * (share if name.startswith("max_") else 2 - share)
    changed = part.model_copy(update={name: limit})
    return POLICY.model_copy(update={"rows": {**ROWS, section: changed}} if section in ROWS else {section: changed})


@QUICK
@given(mangled(), st.sampled_from(LIMITS), st.floats(0, 1), st.booleans())
def test_tightening_never_turns_fail_into_pass(
    document: dict[str, Any], place: tuple[str, str], share: float, older: bool
) -> None:
    """A stricter limit, floor, ratio or count fails whatever a milder one failed, under both rule sets."""
    tighter = _tighter(*place, share)
    campaign = parse_campaign(document, "test")
    before, after = (
        judge_recorded(policy, campaign, rules="compat" if older else "strict").verdict for policy in (POLICY, tighter)
    )
    assert set(before.failed_checks) <= set(after.failed_checks)


@QUICK
@given(
    st.sampled_from(["max_correctness_error", "max_k_scaled_error", "max_t3_fallback_rate", "max_t5_overhead_percent"]),
    st.floats(0, 1),
    st.sampled_from(["weekly", "split"]),
    st.integers(0, 10_000),
)
def test_tightening_never_helps_a_live_run(name: str, share: float, kind: str, place: int) -> None:
    """Nor does it where launches decide."""
    plan, records = make_plan(kind), list(BASES[kind])
    record = records[place % len(records)]
    if isinstance(record, Measurement):
        records[place % len(records)] = record.model_copy(update={"status": MeasurementStatus.WRONG})
    rails = LIVE.guardrails
    tighter = LIVE.model_copy(update={"guardrails": rails.model_copy(update={name: getattr(rails, name) * share})})
    before, after = (judge(policy, make_campaign(plan, records)) for policy in (LIVE, tighter))
    assert set(before.failed_checks) <= set(after.failed_checks)


@QUICK
@given(
    st.dictionaries(
        st.sampled_from(["auto:1400", "tile20:64", "auto:3072"]),
        st.builds(
            Row,
            min_avg_gflops=st.none() | st.floats(0.1, 1e6),
            max_p95_time_ms=st.none() | st.floats(0.1, 1e6),
            waiver=st.text(max_size=5),
        ),
        max_size=3,
    ),
    st.floats(1e-9, 1.0),
)
def test_a_policy_read_back_is_the_same_policy(rows: dict[str, Row], error: float) -> None:
    """``parse(dump(policy)) == policy``, hash included."""
    policy = Policy.model_validate({"policy_id": "x", "rows": rows, "guardrails": {"max_correctness_error": error}})
    again = Policy.model_validate(policy.effective())
    assert again == policy
    assert again.sha256 == policy.sha256


@QUICK
@given(st.floats(0.3, 3.0))
def test_swapping_baseline_and_candidate_mirrors_the_ratio(speed: float) -> None:
    """The ratio of the swapped split is the reciprocal."""
    from pytest_weekops.core.judge.pairing import pairings

    plan = make_plan("split")
    swapped = plan.model_copy(update={"baseline_platform": "rusticl", "candidate_platform": "clover"})
    records = make_records(plan, speed=lambda case: speed if case.platform == "rusticl" else 1.0)
    there, back = (pairings(_campaign(p, records)) for p in (plan, swapped))
    for one, other in zip(there, back, strict=True):
        assert math.isclose(one.ratio * other.ratio, 1.0, rel_tol=1e-9)


@QUICK
@given(st.floats(0.5, 2.0), st.floats(0.5, 1.0))
def test_swapping_baseline_and_candidate_mirrors_the_verdict_on_the_ratio(speed: float, least: float) -> None:
    """The swapped split has the reciprocal ratio, is judged by it, and never do both fail."""
    there, back = copy.deepcopy(DOCUMENTS["split"]), copy.deepcopy(DOCUMENTS["split"])
    for document, slow in ((there, "rusticl"), (back, "Clover")):
        for run in document["runs"]:
            run["metrics"]["avg_mean_gflops"] *= speed if run["platform_selector"] == slow else 1.0
    verdicts = [judge_recorded(POLICY, parse_campaign(d, "test"), min_ratio=least).verdict for d in (there, back)]
    ratios = [finding_of(v, "rusticl_ratio_vs_clover") for v in verdicts]
    observed = [float(f.observed or 0) for f in ratios]
    assert math.isclose(observed[0] * observed[1], 1.0, rel_tol=1e-12)
    assert [f.status is CheckStatus.PASS for f in ratios] == [value >= least for value in observed]
    assert any(f.status is CheckStatus.PASS for f in ratios)


def _campaign(plan: Any, records: Any) -> Campaign:
    return make_campaign(plan, records)

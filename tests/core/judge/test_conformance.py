"""What others have tested: each way in which it could turn a verdict green unearned ends in no promote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_weekops.core.conformance.results import ConformanceRecord, Result, SuiteResults
from pytest_weekops.core.judge.checks import checks_for
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding, Severity, Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.known_test import KnownTest
from pytest_weekops.core.measurement.plan import Partner
from pytest_weekops.core.policy.policy import Policy
from tests.support.conformance import HEALTHY, files_of, results
from tests.support.synthetic import STARTED, make_campaign, make_identity, make_partner, make_plan, make_records
from tests.support.verdicts import finding_of

POLICY = Policy.model_validate(
    {"policy_id": "test", "floors": {"waiver": "none pinned"}, "guardrails": {"max_p95_drift_percent": None}}
)
PLAN = make_plan("weekly")
RECORDS = make_records(PLAN)
LISTING = DriverListing(platform="pocl", files=files_of("pocl"))
KNOWN = {
    "driver": {"profile": "pocl", "driver_version": "1"},
    "suite": "piglit",
    "test": "api@one",
    "kind": "fail",
    "reason": "upstream bug 7",
    "owner": "compute team",
    "expires": "2026-12-31",
}
MINE = {"role": "tested", "results": results()}
OTHERS = {"role": "reference", "results": results(), "reference_run": "weekly-1"}


def records(mine: Mapping[str, Any] | None = None, other: Mapping[str, Any] | None = None) -> list[Any]:
    """The two records of a healthy run, changed."""
    base = {"suite": "piglit", "platform": "pocl"}
    return [
        ConformanceRecord.model_validate(base | MINE | dict(mine or {})),
        ConformanceRecord.model_validate(base | OTHERS | dict(other or {})),
    ]


def verdict_on(found: list[Any], policy: Policy = POLICY, listing: Any = LISTING, **plan: Any) -> Verdict:
    """The verdict of a run that is healthy beside this evidence."""
    asked = PLAN.model_copy(update={"evidence": ("piglit",), **plan})
    listed = [listing] if listing is not None else []
    measured = [
        record.model_copy(update={"driver_files": listing.digest})
        if listing is not None and getattr(record, "type", "") == "measurement"
        else record
        for record in RECORDS
    ]
    return judge(policy, make_campaign(asked, [*listed, *found, *measured], created_at=STARTED))


def after(statuses: Mapping[str, str], **facts: Any) -> Verdict:
    """The verdict where the driver under test has these results, over those of the healthy one."""
    return verdict_on(records({"results": results({**HEALTHY, **statuses}, **facts)}))


def blocking(verdict: Verdict) -> list[str]:
    """Checks on evidence of others that did not pass."""
    return [name for name in verdict.failed_checks if name.startswith("conformance_")]


def evidence(found: list[Any], **more: Any) -> Finding:
    """What the check on the evidence itself says; where it lacks anything, no promote."""
    verdict = verdict_on(found, **more)
    finding = finding_of(verdict, "conformance_evidence")
    assert (finding.status is CheckStatus.PASS) == (not blocking(verdict))
    assert finding.status is CheckStatus.PASS or verdict.decision is Decision.ITERATE
    return finding


def test_a_run_that_takes_no_evidence_has_the_findings_that_it_had() -> None:
    """The checks are there for the plans that ask, and the plan says nothing of them otherwise."""
    without = verdict_on([], evidence=())
    assert not [one.check for one in without.findings if one.check.startswith("conformance")]
    assert len(checks_for("weekly")) - len(checks_for("weekly", evidence=False)) == 7
    assert not {"evidence", "known_tests"} & set(PLAN.model_dump())
    assert "conformance" not in POLICY.effective()


def test_a_driver_as_good_as_before_is_promoted_and_its_old_failures_are_listed() -> None:
    """Old failures block nothing and are named; the message says against whom it was held."""
    verdict = verdict_on(records())
    assert verdict.decision is Decision.PROMOTE
    found = finding_of(verdict, "conformance_evidence")
    assert found.message == (
        "piglit on pocl (cl-1): 2 pass, 1 fail, 1 skip, held against pocl 1 of the promoted run weekly-1, this very "
        "driver; 1 failed before as well"
    )
    assert [(one["test"], one["kind"]) for one in found.details] == [("program@three", "old")]
    assert found.observed == 4


@pytest.mark.parametrize(
    ("changed", "check", "severity"),
    [
        ({"api@one": "crash"}, "conformance_crashes", Severity.SEV1),
        ({"api@one": "timeout"}, "conformance_timeouts", Severity.SEV2),
        ({"api@one": "fail"}, "conformance_failures", Severity.SEV2),
        ({"api@new": "fail"}, "conformance_failures", Severity.SEV2),
        ({"program@three": "skip"}, "conformance_skips", Severity.SEV2),
        ({"api@one": "flaky"}, "conformance_flaky", Severity.SEV3),
    ],
)
def test_each_way_to_get_worse_has_its_check_and_severity(
    changed: dict[str, str], check: str, severity: Severity
) -> None:
    """One test worse than before ends in iterate, by the check that speaks of it, as grave as the policy says."""
    verdict = after(changed)
    assert blocking(verdict) == [check]
    found = finding_of(verdict, check)
    assert (found.severity, found.observed, found.reason_code) == (severity, 1, "worse")
    assert next(iter(changed)) in found.message
    assert verdict.decision is Decision.ITERATE


def test_a_lost_test_is_held_even_where_it_had_failed() -> None:
    """A filter that drops the failing test drops it from nothing: it is lost."""
    without = {name: status for name, status in HEALTHY.items() if name != "program@three"}
    verdict = verdict_on(records({"results": results(without)}))
    assert blocking(verdict) == ["conformance_lost_tests"]


def test_a_policy_says_how_grave_each_is_and_how_many_may_be_flaky() -> None:
    """Its own severities count; a crash is never milder than a failure, whatever it says."""
    rules = {"severity_of_failure": 1, "severity_of_crash": 3, "max_new_flaky": 1}
    strict = Policy.model_validate({**POLICY.effective(), "conformance": rules})
    crashed = verdict_on(records({"results": results({**HEALTHY, "api@one": "crash"})}), policy=strict)
    assert finding_of(crashed, "conformance_crashes").severity is Severity.SEV1
    flaky = verdict_on(records({"results": results({**HEALTHY, "api@one": "flaky"})}), policy=strict)
    assert flaky.decision is Decision.PROMOTE
    assert finding_of(flaky, "conformance_flaky").message == (
        "1 tests fail now and then and did not before, of at most 1"
    )
    assert strict.sha256 != POLICY.sha256


def with_twice() -> SuiteResults:
    """Results in which one test has two."""
    whole = results()
    return whole.model_copy(update={"tests": (*whole.tests, Result(test="api@one", status="fail"))})


@pytest.mark.parametrize(
    ("mine", "other", "code", "words"),
    [
        ({"results": None, "problem": "none are kept"}, {}, "missing", "none are kept"),
        ({"results": None}, {}, "missing", "no results of the driver under test"),
        ({"results": results(profile="clover")}, {}, "untied", "platform clover is not pocl"),
        ({"results": results(files=files_of("pocl", "b"))}, {}, "untied", "is not among the driver's files"),
        ({"results": results(ended=False)}, {}, "unusable", "interrupted"),
        ({"results": results({})}, {}, "unusable", "no test is in it"),
        ({"results": with_twice()}, {}, "unusable", "two results"),
        ({"results": results(created_at="2026-01-01T00:00:00+00:00")}, {}, "unusable", "days old"),
        ({}, {"results": None, "problem": "nothing of it"}, "no_reference", "nothing of it"),
        ({}, {"results": None}, "no_reference", "no results of the driver in service"),
        ({}, {"reference_run": ""}, "no_reference", "no run promoted a driver here"),
        ({}, {"results": results(ended=False)}, "no_reference", "interrupted"),
        ({}, {"results": results(version="cl-2")}, "another_version", "piglit cl-1 and piglit cl-2"),
        ({"results": results(suite="junit")}, {}, "another_version", "junit cl-1"),
    ],
)
def test_what_is_no_evidence_ends_in_no_promote(
    mine: dict[str, Any], other: dict[str, Any], code: str, words: str
) -> None:
    """Another driver's results, those from before an update, halves, doubles, other versions, nothing to compare."""
    found = evidence(records(mine, other))
    assert (found.status, found.reason_code) == (CheckStatus.NO_DATA, code)
    assert words in found.message


def test_evidence_that_is_not_in_the_journal_is_missing() -> None:
    """A record that was taken out, or stands there twice, or speaks of another platform, is no evidence."""
    both = records()
    for found in ([], both[:1], both[1:], [*both, both[0]], [one.model_copy(update={"platform": "x"}) for one in both]):
        assert evidence(found).reason_code == "missing"
    assert evidence(both, evidence=("piglit", "cts")).reason_code == "missing"
    assert evidence(both, listing=None).reason_code == "untied"
    verdict = verdict_on([])
    assert finding_of(verdict, "conformance_crashes").reason_code == "no_results"
    assert verdict.exit_status == 11


def test_old_results_of_the_driver_in_service_still_count() -> None:
    """It is the same driver by its files, and may be gone from the machine by now."""
    old = results(created_at="2026-01-01T00:00:00+00:00")
    assert evidence(records({}, {"results": old})).status is CheckStatus.PASS


def test_a_plan_without_a_platform_has_no_evidence() -> None:
    """Nothing compared is nothing passed."""
    plan = PLAN.model_copy(update={"evidence": ("piglit",), "platforms": ()})
    found = finding_of(judge(POLICY, make_campaign(plan, [], created_at=STARTED)), "conformance_evidence")
    assert (found.status, found.reason_code) == (CheckStatus.NO_DATA, "missing")


def known_in(entry: Mapping[str, object], status: str = "fail") -> Verdict:
    """The verdict where a test ends so and this much is known of it."""
    worse = records({"results": results({**HEALTHY, "api@one": status})})
    return verdict_on(worse, known_tests=(KnownTest.model_validate(KNOWN | dict(entry)),))


def test_a_known_test_is_left_out_by_name_until_its_day() -> None:
    """Of this driver, suite, test and status alone; then it blocks again, and the message says that it is overdue."""
    excused = known_in({})
    assert excused.decision is Decision.PROMOTE
    why = "expected until 2026-12-31 (upstream bug 7; compute team)"
    assert f"1 known tests of piglit on pocl: api@one, {why}" in excused.left_out
    assert known_in({}, status="crash").decision is Decision.ITERATE
    other = {"profile": "pocl", "driver_version": "2"}
    for entry in ({"suite": "cts"}, {"test": "api@o"}, {"kind": "skip"}, {"driver": other}):
        assert known_in(entry).decision is Decision.ITERATE
    for day in ("2026-11-23", "2028-01-01"):
        late = finding_of(known_in({"expires": day}), "conformance_failures")
        assert f"expected until {day} (upstream bug 7; compute team), which does not count on this day" in late.message


def test_a_part_of_a_suite_needs_a_policy_that_allows_it_and_is_named() -> None:
    """The shipped limits take whole suites only; where a policy takes less, the verdict's line says so."""
    part = {"results": results(of_suite=8, selection=("-t api",))}
    assert evidence(records(part, part)).reason_code == "unusable"
    rules = type(POLICY.conformance).model_validate({"max_left_out_share": 0.5})
    loose = POLICY.model_copy(update={"conformance": rules})
    verdict = verdict_on(records(part, part), policy=loose)
    assert verdict.decision is Decision.PROMOTE
    assert "50 % of piglit on pocl" in verdict.left_out
    assert any("conformance.max_left_out_share" in words for words in verdict.left_out)
    assert not any("conformance" in words for words in verdict_on([], policy=loose, evidence=()).left_out)


def test_a_split_holds_the_candidate_against_its_baseline_and_nobody_else() -> None:
    """The reference has to be the driver that the split measured beside the candidate."""
    plan = make_plan("split").model_copy(update={"evidence": ("piglit",)})
    listings = [DriverListing(platform=name, files=files_of(name)) for name in plan.platforms]
    mine = {"platform": "rusticl", "results": results(profile="rusticl")}

    def asked(reference: SuiteResults) -> Finding:
        found = records(mine, {"platform": "rusticl", "results": reference, "reference_run": ""})
        campaign = make_campaign(plan, [*listings, *found, *make_records(plan)], created_at=STARTED)
        return finding_of(judge(POLICY, campaign), "conformance_evidence")

    good = asked(results(profile="clover"))
    assert good.status is CheckStatus.PASS
    assert "held against clover 1, the driver in service" in good.message
    bad = asked(results(profile="rusticl"))
    assert (bad.status, bad.reason_code) == (CheckStatus.NO_DATA, "no_reference")


def test_a_weekly_run_beside_a_driver_in_service_is_held_against_that() -> None:
    """Where it did not answer, and where the results are another's, there is nothing to hold it against."""
    partner = Partner(label="old", role="service")
    plan = PLAN.model_copy(update={"evidence": ("piglit",), "partner": partner, "looks": (2, 6)})
    who = make_partner(plan)
    theirs = results(identity=who.identity, files=files_of("old"))
    listings = [LISTING, DriverListing(platform="old", files=files_of("old"))]

    def asked(*beside: Any, reference: SuiteResults = theirs) -> Finding:
        found = records({}, {"results": reference, "reference_run": ""})
        campaign = make_campaign(plan, [*listings, *beside, *found, *RECORDS], created_at=STARTED)
        return finding_of(judge(POLICY, campaign), "conformance_evidence")

    assert asked(who).status is CheckStatus.PASS
    assert asked().reason_code == "no_reference"
    assert asked(who, reference=results(profile="x", identity=make_identity("x"))).reason_code == "no_reference"

"""What the T5 guard was seen to catch on this driver, this week, against what the policy asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pytest_weekops.core.campaign import Campaign
from pytest_weekops.core.checks.outcome import failed, listed, no_data, passed
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.finding import Finding
from pytest_weekops.core.injection import FaultRecall, Injection, InjectionRecord, clopper_pearson
from pytest_weekops.core.modes import T5_KERNEL
from pytest_weekops.core.policy import GuardRules, Policy
from pytest_weekops.core.week import parse_time


def t5_recall_bound(policy: Policy, campaign: Campaign) -> Finding:
    """Recall as measured by a fault campaign of this driver on this hardware, not older than the policy allows."""
    check, rules = "t5_recall_bound", policy.guard
    demands = (rules.min_critical_recall, rules.min_uniform_recall)
    if demands == (None, None) or T5_KERNEL not in campaign.plan.kernels:
        return passed(check, "no recall is asked for" if demands == (None, None) else "no T5 run")
    bare, bad = [], []
    for platform in campaign.plan.platforms:
        found = [record for record in campaign.injections if _speaks_of(record, platform, campaign, rules)]
        if not found:
            bare.append(platform)
        for record in found:
            bad += [f"{platform} at n = {record.result.size}: {text}" for text in _shortfalls(record.result, rules)]
    if bad:
        return failed(check, "too_low", listed(bad), required=rules.min_critical_recall, rows=tuple(bad))
    if bare:
        message = (
            f"no fault campaign of this driver from the last {rules.max_recall_age_days:g} days: {listed(bare)}. Run "
            "`weekops inject` with the same --report-dir first"
        )
        return no_data(check, "not_measured", message, rows=tuple(bare))
    return passed(check, "every fault campaign reaches what is asked for", required=rules.min_critical_recall)


def _speaks_of(record: InjectionRecord, platform: str, campaign: Campaign, rules: GuardRules) -> bool:
    identity = campaign.identities.get(platform)
    if identity is None or not identity.library_sha256:
        return False
    if (record.library_sha256, record.hardware) != (identity.library_sha256, identity.hardware):
        return False
    try:
        age = parse_time(campaign.created_at) - parse_time(record.made_at)
    except InputError:
        return False
    return timedelta(0) <= age <= timedelta(days=rules.max_recall_age_days)


def _shortfalls(found: Injection, rules: GuardRules) -> Iterator[str]:
    for recall, least in ((found.critical, rules.min_critical_recall), (found.uniform, rules.min_uniform_recall)):
        if least is not None and not _lower(recall) >= least:
            share = f"{recall.caught} of {recall.tried}, at least {_lower(recall):.4f}"
            yield f"{recall.name} {share}; {least:g} is asked for"
    if found.false_alarms:
        yield f"{found.false_alarms} false alarms in {found.clean_launches} launches without a fault"
    if found.self_test:
        yield f"the self-test failed: {found.self_test}"


def _lower(recall: FaultRecall) -> float:
    """Lower end of the share's 95 % interval: a recall that was seen on ten flips is none of 99 %."""
    return clopper_pearson(recall.caught, recall.tried)[0]

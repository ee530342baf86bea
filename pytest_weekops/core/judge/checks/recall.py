"""What the T5 guard was seen to catch on this driver, this week, against what the policy asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pytest_weekops.core.binomial import clopper_pearson
from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.guard.injection import FaultRecall, Injection, InjectionRecord
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.modes import T5_KERNEL
from pytest_weekops.core.policy.policy import GuardRules, Policy


def t5_recall_bound(policy: Policy, campaign: Campaign) -> Finding:
    """Recall as measured by a fault campaign of this driver, hardware, guard and kernel, and of late.

    A campaign of a guard that was set otherwise is no evidence: one of full coverage does not vouch for a sampled one.
    Nor is one of a kernel that the guard did not watch in this run: tuned build parameters make another kernel.
    What a sampled guard sees depends on the size, so that each size of the run needs a campaign of its own.
    """
    check, rules = "t5_recall_bound", policy.guard
    settings = settings_of(rules)
    demands = (rules.min_critical_recall, rules.min_uniform_recall)
    if demands == (None, None) or T5_KERNEL not in campaign.plan.kernels:
        return passed(check, "no recall is asked for" if demands == (None, None) else "no T5 run")
    bare, bad = [], []
    for platform in campaign.plan.platforms:
        found = [one for one in campaign.injections if _speaks_of(one, platform, campaign, rules)]
        if settings.mode == "sampled":
            sizes = {record.result.size for record in found}
            bare += [f"{platform} at n = {size}" for size in campaign.plan.sizes if size not in sizes]
        elif not found:
            bare.append(platform)
        for record in found:
            period = max(record.result.guard.period, _longest_period(campaign, platform))
            texts = _shortfalls(record.result, rules, period)
            bad += [f"{platform} at n = {record.result.size}: {text}" for text in texts]
    if bad:
        message = f"{listed(bad)}. The guard is {settings.words}" if settings != GuardSettings() else listed(bad)
        return failed(check, "too_low", message, required=rules.min_critical_recall, rows=tuple(bad))
    if bare:
        message = (
            f"no fault campaign of this driver, its kernels and this guard ({settings.words}) from the last "
            f"{rules.max_recall_age_days:g} days: {listed(bare)}. Run `weekops inject` with the same --report-dir, "
            "--policy and --t5-policy first"
        )
        return no_data(check, "not_measured", message, rows=tuple(bare))
    return passed(check, "every fault campaign reaches what is asked for", required=rules.min_critical_recall)


def _speaks_of(record: InjectionRecord, platform: str, campaign: Campaign, rules: GuardRules) -> bool:
    identity = campaign.identities.get(platform)
    if identity is None or not identity.library_sha256:
        return False
    if record.result.guard != settings_of(rules):
        return False
    if (record.library_sha256, record.hardware) != (identity.library_sha256, identity.hardware):
        return False
    if record.result.build not in _builds(campaign, platform):
        return False
    try:
        age = parse_time(campaign.created_at) - parse_time(record.made_at)
    except InputError:
        return False
    return timedelta(0) <= age <= timedelta(days=rules.max_recall_age_days)


def _builds(campaign: Campaign, platform: str) -> set[tuple[str, str, tuple[str, ...]]]:
    """Every kernel that the guard watched in this run: variant, source, build options."""
    return {
        (one.variant, one.kernel_sha256, one.build_options)
        for one in campaign.measurements
        if (one.case.platform, one.case.kernel) == (platform, T5_KERNEL)
    }


def _longest_period(campaign: Campaign, platform: str) -> int:
    """The most launches to a check of any T5 case of this run: what a check cost may have made it longer."""
    guards = (m.guard for m in campaign.measurements if (m.case.platform, m.case.kernel) == (platform, T5_KERNEL))
    return max((guard.period for guard in guards if guard is not None), default=1)


def _shortfalls(found: Injection, rules: GuardRules, period: int) -> Iterator[str]:
    for recall, least in ((found.critical, rules.min_critical_recall), (found.uniform, rules.min_uniform_recall)):
        lower = _lower(recall) / period
        if least is not None and not lower >= least:
            every = "" if period == 1 else f" in one launch of {period}"
            share = f"{recall.caught} of {recall.tried}{every}, at least {lower:.4f}"
            yield f"{recall.name} {share}; {least:g} is asked for"
    if found.false_alarms:
        yield f"{found.false_alarms} false alarms in {found.clean_launches} launches without a fault"
    if found.self_test:
        yield f"the self-test failed: {found.self_test}"


def _lower(recall: FaultRecall) -> float:
    """Lower end of the share's 95 % interval: a recall that was seen on ten flips is none of 99 %."""
    return clopper_pearson(recall.caught, recall.tried)[0]

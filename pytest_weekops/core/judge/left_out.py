"""What a promote under a weak policy or profile does not say, in words that stand beside the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_weekops.core.guard.invariants import GUARDED
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.capabilities import losses
from pytest_weekops.core.judge.checks.expected_faults import words_of
from pytest_weekops.core.judge.conformance import compared
from pytest_weekops.core.judge.outcome import listed
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.policy.bounds import Place, weak
from pytest_weekops.core.policy.policy import Policy

_LEAST_SNAPSHOTS = 3  # a trend through two points cannot be told from one slow snapshot

# What holds for the guards of workloads as for T5's.
_OF_ANY_GUARD = ("z", "max_false_positive_rate", "max_t5_false_positive_rate", "max_t5_disable_events_total")


def left_out(policy: Policy, campaign: Campaign) -> tuple[str, ...]:
    """What this campaign hardly saw, or did not look at.

    What failed as it was expected to first, and what its device cannot run, then weak limits, then what was not asked
    or not done.
    """
    if campaign.plan.kind == "canonical":
        return (*_known_faults(campaign), *_not_applicable(campaign))
    limits = weak(_as_asked(policy, campaign))
    return (
        *_known_faults(campaign),
        *_lost(campaign),
        *_not_applicable(campaign),
        *_untimed(campaign),
        *(words for place, words in limits.items() if _is_asked(place, policy, campaign)),
        *_conformance(policy, campaign),
        *_not_asked(policy, campaign),
        *_not_done(campaign),
    )


def _known_faults(campaign: Campaign) -> Iterator[str]:
    """Each fault that occurred as expected; in a split the comparison goes with it, and the words say so."""
    yield from (words_of(each) for each in campaign.gate_expectations if each.state == "met")
    for each in campaign.expectations:
        if each.state == "met":
            yield words_of(each) + ("; nothing is compared there" if campaign.plan.kind == "split" else "")


def _lost(campaign: Campaign) -> Iterator[str]:
    """Capabilities that were lost, and were expected to be."""
    yield from (each.words for each in losses(campaign) if each.excused)


def _not_applicable(campaign: Campaign) -> Iterator[str]:
    """Kernels that were not run since the device cannot, or its driver is known for what it does then, by reason."""
    found = dict(campaign.not_applicable)
    for gate in campaign.gates:
        found |= {(gate.platform, kernel): why for kernel, why in gate.left_out.items()}
    together: dict[tuple[str, str], list[str]] = {}
    for (platform, kernel), why in found.items():
        together.setdefault((platform, why.removeprefix("is not applicable: ")), []).append(kernel)
    for (platform, why), kernels in together.items():
        yield f"{', '.join(kernels)} on {platform}: not applicable, {why}"


def _untimed(campaign: Campaign) -> Iterator[str]:
    if kernels := sorted({kernel for _platform, kernel in campaign.untimed}):
        yield f"the times of {', '.join(kernels)}: their results alone are judged"


def _as_asked(policy: Policy, campaign: Campaign) -> Policy:
    """The policy with the ratio that the run was asked for instead."""
    ratio = campaign.plan.min_rusticl_ratio
    if ratio is None:
        return policy
    return policy.model_copy(update={"split": policy.split.model_copy(update={"min_ratio": ratio})})


def _is_asked(place: Place, policy: Policy, campaign: Campaign) -> bool:
    """Whether a limit speaks of this campaign at all: its kind, its lanes, its baseline."""
    plan, (section, name) = campaign.plan, place[:2]
    if name == "max_expected_share":
        return bool(campaign.expectations)
    if section == "campaign" or (section == "split" and plan.kind != "split"):
        return False
    if section == "floors":
        of_baseline, of_service = bool(campaign.baselines), plan.service is not None
        if name == "min_share_of_service_gflops":
            return of_service
        if name == "min_share_of_baseline_gflops" and policy.floors.min_share_of_service_gflops is not None:
            return of_baseline
        return of_baseline or of_service
    if section == "conformance":
        return bool(plan.evidence)
    if section == "history":
        return plan.kind == "weekly"
    if "drift" in name or "deviation" in name:
        return plan.kind == "weekly"
    if name in _OF_ANY_GUARD and any(m.operation in GUARDED for m in campaign.measurements):
        return True
    lane = _lane(section, name)
    return lane is None or lane in plan.kernels


def _lane(section: str, name: str) -> str | None:
    if section == "guard" or "t5_" in name:
        return T5_KERNEL
    return T3_KERNEL if section == "selector" or "t3_" in name else None


def _not_asked(policy: Policy, campaign: Campaign) -> Iterator[str]:
    if policy.host.max_run_delay_percent is None and any(m.on_cpu for m in campaign.measurements):
        yield "host.max_run_delay_percent null: nobody asked whether other programs ran"
    smallest = policy.guardrails.t5_overhead_from_size
    if T5_KERNEL in campaign.plan.kernels and smallest > max(campaign.plan.sizes, default=0):
        yield f"the guard's overhead: it is bounded from {smallest} on, and no size is so large"


def _conformance(policy: Policy, campaign: Campaign) -> Iterator[str]:
    """What of the suites the results do not speak of, and which worse tests an expectation excuses."""
    for side in compared(policy, campaign):
        if side.tested is not None and side.tested.left_out_share > 0:
            yield f"{100 * side.tested.left_out_share:.0f} % of {side.name}"
        if known := side.of("known"):
            yield f"{len(known)} known tests of {side.name}: {listed([f'{c.test}, {c.why}' for c in known])}"


def _not_done(campaign: Campaign) -> Iterator[str]:
    plan = campaign.plan
    if plan.lock_namespace:
        name = plan.lock_namespace
        yield f"other gates on this device: it was held in the lock namespace {name!r:.60} only"
    runs = ", ".join(f"run {one.run_id}" for one in campaign.missing_baselines)
    if plan.service is not None and runs:
        yield f"the pinned baseline ({runs}): speed is held against {plan.service.label} instead"
    if plan.no_baseline:
        yield f"the pinned baseline{runs and f' ({runs})'}: {plan.no_baseline}"
    if not (plan.pressure.pulses and plan.pressure.iterations):
        yield "pressure: none was sent"
    if plan.kind == "weekly" and plan.snapshots < _LEAST_SNAPSHOTS:
        yield f"drift over more than {plan.snapshots} snapshots"

"""What must be the same where a run is gone on with, and every way in which it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.measurement.driver_change import identity_changes, listed
from pytest_weekops.core.measurement.driver_files import DriverListing, changed_files
from pytest_weekops.core.measurement.records import PartnerRecord
from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.evidence.tuning_event import EVENT as TUNING
from pytest_weekops.run.circumstances import circumstances
from pytest_weekops.run.earlier import Earlier, refused

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.run.live import Run


@dataclass
class Differences:
    """Every way in which this run is not the earlier one."""

    run_id: str
    found: list[str] = field(default_factory=list)

    def refuse(self) -> None:
        """Raise ``InputError`` that names each, where there are any."""
        if self.found:
            what = f"it is not the same run any more: {'; '.join(self.found)}"
            raise refused(self.run_id, what, "Put back what changed, or run it anew")


def refuse_other_request(earlier: Earlier, plan: CampaignPlan, policy: Policy, kernels: Mapping[str, str]) -> None:
    """Refuse another package, host, plan, policy or kernel, before any driver is started."""
    stored, run = earlier.stored, earlier.stored.events[0].data
    differences = Differences(stored.run_id)
    differences.found += _mapping("", run.get("circumstances", {}), circumstances())
    differences.found += _mapping("plan ", stored.plan.model_dump(mode="json"), plan.model_dump(mode="json"))
    if stored.policy.sha256 != policy.sha256:
        changes = [str(change) for change in diff_policies(stored.policy, policy)]
        differences.found.append(f"policy: {listed(changes) or 'its words'}")
    differences.found += _mapping("kernel file ", stored.kernels, kernels, short=True)
    differences.refuse()


def refuse_other_driver(earlier: Earlier, run: Run, tunings: Sequence[Mapping[str, Any]]) -> None:
    """Refuse another driver, device or tuning: what ``run`` found when it was opened."""
    differences = Differences(earlier.stored.run_id)
    files = {r.platform: r.files for r in earlier.records if isinstance(r, DriverListing)}
    for label, platform in run.platforms.items():
        before = earlier.stored.identities.get(label)
        if (before is None) != (platform.identity is None):
            differences.found.append(f"{label} {'did not answer' if before is None else 'does not answer any more'}")
            continue
        if before is None or platform.identity is None:
            continue
        words = list(identity_changes(before, platform.identity))
        words += map(str, _replaced(files.get(label, ()), platform.supervisor.files.listing().files))
        if not words and before != platform.identity:
            words = list(_mapping("", before.model_dump(mode="json"), platform.identity.model_dump(mode="json")))
        differences.found += [f"{label}: {word}" for word in words]
    before_partner = next((r.identity for r in earlier.records if isinstance(r, PartnerRecord)), None)
    if run.partner is not None and run.partner.identity != before_partner:
        label, now = run.partner.label, run.partner.identity
        words = list(identity_changes(before_partner, now)) if before_partner and now else []
        differences.found.append(f"{label}: {listed(words) or 'it is another driver'}")
    in_force = {_spelled(event.data) for event in earlier.events if event.type == TUNING}
    if in_force != set(map(_spelled, tunings)):
        differences.found.append("the tuning in force is another")
    differences.refuse()


def refuse_other_baselines(earlier: Earlier, baselines: tuple[Baseline, ...]) -> None:
    """Refuse floors that were pinned, or taken away, since."""
    if set(map(_spelled, baselines)) != set(map(_spelled, earlier.stored.baselines)):
        names = [", ".join(b.run_id for b in each) or "none" for each in (earlier.stored.baselines, baselines)]
        Differences(earlier.stored.run_id, [f"pinned baseline {names[0]} became {names[1]}"]).refuse()


def _replaced(before: Any, after: Any) -> Iterator[Any]:
    """Files that are others now; one that is new or gone was not loaded yet, or not any more."""
    return (change for change in changed_files(before, after) if change.is_replaced)


def _mapping(words: str, before: Mapping[str, Any], after: Mapping[str, Any], *, short: bool = False) -> Iterator[str]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old != new:
            shown = ["absent" if value is None else str(value) for value in (old, new)]
            if short or key == "package":
                shown = [value[:12] for value in shown]
            yield f"{words}{key} {shown[0]} became {shown[1]}"


def _spelled(value: Any) -> str:
    data = value.model_dump(mode="json") if hasattr(value, "model_dump") else dict(value)
    return json.dumps(data, sort_keys=True)

"""How much a snapshot's log ratio varies: what a calibration of both drivers says, else what the policy assumes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pytest_weekops.core.judge.campaign import Campaign, CellKey
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.measurement.calibration import CalibratedSeries, CalibrationRecord, stale
from pytest_weekops.core.policy.policy import Policy

LEAST_SD = 0.001  # nothing is known better than a part in a thousand, whatever a calibration says


def assumed(policy: Policy) -> Spread:
    """How much a snapshot is taken to vary where no calibration says."""
    sd = policy.evidence.assumed_sd_percent
    return Spread(sd / 100.0, source=f"{sd:g} % assumed")


def ratio_spread(policy: Policy, campaign: Campaign, kernel: str, size: int) -> Spread:
    """The spread of a comparison in turns: the larger of its two drivers', where both are calibrated for what ran."""
    if not campaign.plan.in_turns:
        return assumed(policy)
    sides = [(str(platform), _sources(campaign, str(platform), kernel, size)) for platform in campaign.plan.platforms]
    return _wider(policy, campaign, sides, kernel, size)


def beside_spread(policy: Policy, campaign: Campaign, cell: CellKey) -> Spread:
    """The same of a cell and its partner."""
    partner, (platform, kernel, size) = campaign.plan.partner, cell
    theirs = {
        m.turns.partner.kernel_sha256
        for m in campaign.counted
        if (m.case.platform, m.case.kernel, m.case.size) == cell and m.turns is not None and m.turns.partner is not None
    }
    sides = [(platform, _sources(campaign, *cell)), (partner.label if partner is not None else "", theirs)]
    return _wider(policy, campaign, sides, kernel, size)


def _wider(policy: Policy, campaign: Campaign, sides: Sequence[tuple[str, set[str]]], kernel: str, size: int) -> Spread:
    found = [_series(campaign, platform, sources, kernel, size) for platform, sources in sides]
    known = [each for each in found if each is not None]
    if not known or len(known) != len(found):
        return assumed(policy)
    wider = max(known, key=lambda each: each.sd)
    sd = max(wider.sd, LEAST_SD)
    return Spread(sd, wider.snapshots - 1, wider.lag1, f"{100 * sd:.2g} % by calibration of {wider.made_at:%Y-%m-%d}")


def _sources(campaign: Campaign, platform: str, kernel: str, size: int) -> set[str]:
    """Hashes of what was launched in the measurements of a cell."""
    return {
        m.kernel_sha256
        for m in campaign.counted
        if (m.case.platform, m.case.kernel, m.case.size) == (platform, kernel, size)
    }


def _series(campaign: Campaign, platform: str, sources: set[str], kernel: str, size: int) -> CalibratedSeries | None:
    """The calibration of a cell, where it is of the one source that was launched in it."""
    if len(sources) != 1:
        return None
    (source,), now = sources, _moment(campaign.created_at)
    for record in campaign.records:
        if isinstance(record, CalibrationRecord) and record.platform == platform:
            for series in record.series:
                if series.cell == (kernel, size) and now is not None and not stale(series, source, now):
                    return series
    return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

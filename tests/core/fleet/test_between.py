"""What hosts show beside each other: a slow one, a ratio over all of them, and two drivers that differ."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import pytest

from pytest_weekops.core.fleet.fleet_file import Promotes
from pytest_weekops.core.fleet.outcome import CellEstimate, HostOutcome
from pytest_weekops.core.fleet.verdict import FleetVerdict, judge_fleet
from pytest_weekops.core.judge.finding import CheckStatus, Finding
from tests.support.fleets import make_asked, make_fleet, make_outcome, ratio, throughput


def judged(
    estimates: Sequence[Sequence[CellEstimate]], share: float = 1.0, drivers: Mapping[str, str] | None = None
) -> FleetVerdict:
    """The verdict over hosts that all promoted and have these estimates."""
    fleet = make_fleet(len(estimates), promotes={"x": {"share": share}})
    outcomes: list[HostOutcome] = []
    for host, each in zip(fleet.hosts, estimates, strict=True):
        driver = (drivers or {}).get(host.name, "d")
        outcomes.append(
            make_outcome(host.name, estimates=tuple(each), driver_sha256=driver * 64, driver=f"driver {driver}")
        )
    return judge_fleet(fleet, outcomes, make_asked(fleet))


def finding(verdict: FleetVerdict, check: str) -> Finding:
    """The only finding of a check."""
    (found,) = [each for each in verdict.findings if each.check == check]
    return found


def rack(hosts: int, seed: int = 1, sd: float = 0.01) -> list[list[CellEstimate]]:
    """Cards that are alike, in two cells."""
    drawn = random.Random(seed)
    return [[throughput(5 + drawn.gauss(0, sd), cell) for cell in ("auto:256", "auto:512")] for _ in range(hosts)]


def slowed(estimates: list[CellEstimate], by: float) -> list[CellEstimate]:
    """The same card, slower by this logarithm."""
    return [throughput(each.log - by, each.cell) for each in estimates]


def test_one_slow_card_among_ten_did_not_promote() -> None:
    """Though its own gate did: none of its floors is as close as its neighbours are."""
    cards = rack(10)
    cards[3] = slowed(cards[3], 0.12)
    verdict = judged(cards)
    assert (verdict.decision, verdict.severity, verdict.labels[0].outliers) == ("iterate", 3, ("a-04",))
    outlier = finding(verdict, "fleet_outlier")
    assert 0 < outlier.observed < outlier.required  # type: ignore[operator]
    assert (outlier.status, outlier.reason_code, outlier.blocking) == (CheckStatus.FAIL, "slow_host", False)
    assert "a-04 at 0.8" in outlier.message
    assert "slower than the other hosts of its label" in finding(verdict, "fleet_share").message
    assert judged(cards, share=0.9).decision == "promote"


def test_two_slow_cards_do_not_hide_each_other() -> None:
    """Each pulls the mean and the scatter towards itself."""
    cards = rack(10)
    cards[3], cards[7] = slowed(cards[3], 0.2), slowed(cards[7], 0.2)
    assert judged(cards).labels[0].outliers == ("a-04", "a-08")


def test_a_card_that_is_slow_in_one_cell_is_seen_there() -> None:
    """The mean over its cells alone would not show it."""
    cards = rack(10)
    cards[3] = [*slowed(cards[3][:1], 0.15), *slowed(cards[3][1:], -0.13)]
    assert judged(cards).labels[0].outliers == ("a-04",)


def test_a_card_that_is_a_little_slower_for_certain_is_no_outlier() -> None:
    """What the others' scatter excludes and nobody would mind is left alone."""
    cards = rack(10, sd=0.001)
    cards[3] = slowed(cards[3], 0.03)
    verdict = judged(cards)
    assert (verdict.decision, finding(verdict, "fleet_outlier").reason_code) == ("promote", "ok")


def test_a_few_hosts_show_no_outlier_and_it_is_said() -> None:
    """Rather than that there was none; the same where nobody has a throughput."""
    few = finding(judged(rack(4)), "fleet_outlier")
    assert (few.status, few.reason_code, few.blocking) == (CheckStatus.INCONCLUSIVE, "few_hosts", False)
    none = finding(judged([[]] * 6), "fleet_outlier")
    assert (none.status, none.reason_code, none.blocking) == (CheckStatus.NO_DATA, "no_throughput", False)


def test_hosts_that_are_all_the_same_have_no_outlier() -> None:
    """No scatter is no reason to divide by it."""
    assert judged([[throughput(5.0)]] * 8).labels[0].outliers == ()


def test_a_slowdown_that_no_host_can_show_is_certain_of_all() -> None:
    """One host's 6 % with an error of 2 % does not exclude the 3 % that are allowed; twelve hosts do."""
    drawn = random.Random(2)
    hosts = [[ratio(-0.06 + drawn.gauss(0, 0.01), cell, sd=0.02) for cell in ("a:1", "a:2")] for _ in range(12)]
    verdict = judged(hosts)
    found = finding(verdict, "fleet_together")
    assert (verdict.decision, found.reason_code, len(found.details)) == ("iterate", "slower_together", 3)
    assert found.observed == pytest.approx(math.exp(-0.06), abs=0.01)
    fine = judged([[ratio(each.log + 0.06, each.cell) for each in host] for host in hosts])
    assert (fine.decision, finding(fine, "fleet_together").status) == ("promote", CheckStatus.PASS)


def test_a_slowdown_that_is_not_certain_does_not_block() -> None:
    """Its estimate lies below the limit, and its upper end does not."""
    verdict = judged([[ratio(log)] for log in (-0.08, -0.01, -0.06)])
    found = finding(verdict, "fleet_together")
    assert (verdict.decision, found.status) == ("promote", CheckStatus.PASS)
    assert isinstance(found.observed, float)
    assert found.observed < 0.96


def test_two_hosts_have_no_interval_over_them() -> None:
    """Which is said, and does not block: their own gates have decided what they could."""
    verdict = judged([[ratio(-0.5)], [ratio(-0.5)]])
    found = finding(verdict, "fleet_together")
    assert (verdict.decision, found.status, found.reason_code) == ("promote", CheckStatus.INCONCLUSIVE, "few_hosts")


def test_a_slower_driver_within_a_label_is_found() -> None:
    """Six hosts each, one driver 10 % slower than the other."""
    cards = rack(12)
    slow = [slowed(card, 0.1) if number % 2 else card for number, card in enumerate(cards)]
    drivers = {f"a-{number + 1:02d}": "e" for number in range(12) if number % 2}
    verdict = judged(slow, drivers=drivers)
    found = finding(verdict, "fleet_versions")
    assert (verdict.decision, found.reason_code) == ("iterate", "slower_together")
    assert "driver e eeeeeeeeeeee over driver d dddddddddddd" in found.message
    assert verdict.labels[0].outliers == ()  # each driver's hosts are compared with each other
    assert judged(cards, drivers=drivers).decision == "promote"


def test_one_host_of_a_driver_decides_nothing() -> None:
    """A driver on one host cannot be told from that host."""
    found = finding(
        judged([[throughput(5.0)], [throughput(5.0)], [throughput(4.0)]], drivers={"a-3": "e"}), "fleet_versions"
    )
    assert (found.status, found.reason_code) == (CheckStatus.INCONCLUSIVE, "few_hosts")
    apart = judged([[throughput(5.0, "a:1")], [throughput(4.0, "a:2")]], drivers={"a-2": "e"})
    assert not [each for each in apart.findings if each.check == "fleet_versions"]


def test_a_host_that_was_refused_is_not_compared() -> None:
    """It measured something else."""
    fleet = make_fleet(6)
    outcomes = [make_outcome(host.name, estimates=(throughput(5.0),)) for host in fleet.hosts]
    outcomes[0] = make_outcome("a-1", "other_driver", estimates=(throughput(1.0),))
    verdict = judge_fleet(fleet, outcomes, make_asked(fleet))
    assert verdict.labels[0].outliers == ()


def test_stages_share_the_false_alarms() -> None:
    """Three looks at the same cards must not alarm three times as often: what one look calls slow, three may not."""
    cards = rack(10, seed=2)
    cards[3] = slowed(cards[3], 0.05)
    slow = {}
    for stages in (["all"], [1, "50 %", "all"]):
        fleet = make_fleet(10, stages={"x": [{"hosts": hosts} for hosts in stages]})
        outcomes = [make_outcome(h.name, estimates=tuple(c)) for h, c in zip(fleet.hosts, cards, strict=True)]
        slow[len(stages)] = judge_fleet(fleet, outcomes, make_asked(fleet)).labels[0].outliers
    assert slow == {1: ("a-04",), 3: ()}


def test_the_limits_are_the_files() -> None:
    """The same cards under another least ratio."""
    cards = rack(10)
    cards[3] = slowed(cards[3], 0.12)
    fleet = make_fleet(10, promotes={"x": Promotes(min_host_ratio=0.8).model_dump()})
    outcomes = [make_outcome(h.name, estimates=tuple(c)) for h, c in zip(fleet.hosts, cards, strict=True)]
    assert judge_fleet(fleet, outcomes, make_asked(fleet)).decision == "promote"

"""What the page of a fleet run shows, as values: each host where it belongs, and nothing milder than the verdict."""

from __future__ import annotations

import random
from typing import Any

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import HostOutcome
from pytest_weekops.core.fleet.verdict import judge_fleet
from pytest_weekops.report.fleet.render import render_fleet
from pytest_weekops.report.fleet.showing import MOST_ROWS, FleetFacts, show_fleet
from pytest_weekops.report.fleet.shown import FleetPage
from pytest_weekops.report.page.shown import Fact, Link
from tests.support.fleets import SLOW, WRONG, make_asked, make_fleet, make_outcome, ratio, throughput
from tests.support.run_pages import Seen

EVIL = '<img src=x onerror="alert(1)">'
SCRIPT = "</style></title><script>alert(2)</script> &amp; \x1b[31m\u202e"
TWO: dict[str, Any] = {
    "pools": {
        "card": {"label": "a100", "site": "north", "local": {"workers": 12}},
        "xe": {"label": "arc", "local": {"workers": 3}},
    },
    "labels": {
        "a100": {"profiles": ["pocl"], "device_class": "A100", "channel": "stable"},
        "arc": {"profiles": ["pocl"], "may_be_missing": 1},
    },
    "promotes": {"a100": {"share": 0.6, "exceptions": {"card-12": EVIL}}, "arc": {"share": 0.6}},
}


def cards(fleet: FleetFile, **changes: dict[str, Any]) -> list[HostOutcome]:
    """Every host promoted with speeds that scatter a little; ``card_03={...}`` changes that one."""
    drawn = random.Random(2)
    found = []
    for host in fleet.hosts:
        speed = tuple(throughput(5 + drawn.gauss(0, 0.01), cell) for cell in ("auto:256", "auto:512"))
        facts = {"label": host.label, "estimates": speed, **changes.get(host.name.replace("-", "_"), {})}
        found.append(make_outcome(host.name, **facts))
    return found


def page_of(fleet: FleetFile, outcomes: list[HostOutcome], reached: tuple[str, ...] = ()) -> FleetPage:
    """What is shown of these outcomes, after a promotion that reached these hosts alone where any are named."""
    asked = make_asked(fleet).model_copy(update={"hosts": reached})
    facts = FleetFacts(
        fleet_run="fleet-1",
        suite="weekly",
        words=("--weekops-sizes", "256"),
        version="1.0",
        created_at="2026-11-24T12:00:00+00:00",
        ended_at="2026-11-24T13:00:00+00:00",
        host_files={host.name: (Link(f"hosts/{host.name}/summary.md", "summary"),) for host in fleet.hosts},
        files=(Fact("fleet.json", "a" * 64, is_code=True, target="./fleet.json"),),
    )
    return show_fleet(fleet, asked, judge_fleet(fleet, outcomes, asked), outcomes, facts)


def test_hosts_whose_stage_never_began_are_shown_as_such() -> None:
    """By label, beside a verdict that is not about them, a label none of whose hosts was reached among them."""
    fleet = make_fleet(**TWO)
    reached = tuple(host.name for host in fleet.hosts_of("a100")[:5])
    outcomes = [outcome for outcome in cards(fleet) if outcome.host in reached]
    page = page_of(fleet, outcomes, reached)
    assert [(each.label, len(each.hosts), each.more) for each in page.not_begun] == [("a100", 7, 0), ("arc", 3, 0)]
    assert page.cannot_say[0].startswith("What the driver does on 10 hosts whose stage never began")
    words = Seen(render_fleet(page)).words
    assert "Hosts whose stage never began" in words
    assert "xe-1, xe-2, xe-3" in words
    assert page_of(fleet, cards(fleet)).not_begun == ()


def rack() -> FleetPage:
    """Two labels: a slow card, a wrong one with a hostile reason, a silent one, an exception, another driver."""
    fleet = make_fleet(**TWO)
    slow = {"estimates": tuple(throughput(4.7, cell) for cell in ("auto:256", "auto:512"))}
    wrong = {"state": "iterate", "judged": WRONG, "own": SLOW, "why": SCRIPT}
    silent = {"state": "lost", "why": "its worker is gone", "estimates": (), "own": None, "judged": None}
    other = {"driver": SCRIPT, "driver_sha256": "e" * 64}
    together = {f"xe_{number}": {"estimates": (ratio(0.01 * number),)} for number in (1, 2, 3)}
    return page_of(fleet, cards(fleet, card_03=slow, card_05=wrong, card_07=silent, card_09=other, **together))


def test_hosts_stand_gravest_first_in_their_label() -> None:
    """With their state, what is against them, how fast they are, and what lies on disk."""
    page = rack()
    assert (page.decision, page.severity, page.exit_status) == ("iterate", 1, 10)
    assert page.because.startswith("fleet_worst_host: Hosts at SEV1: card-05")
    assert (page.promoted, page.hosts) == (11, 14)
    first, second = page.labels
    assert (first.name, first.decision, second.name, second.decision) == ("a100", "iterate", "arc", "promote")
    assert (first.told, first.counts) == ("A100, channel stable", "8 of 11 hosts promoted, 7 must")
    assert [host.name for host in first.hosts[:3]] == ["card-05", "card-07", "card-03"]
    by_name = {host.name: host for host in first.hosts}
    assert len(by_name) == 12
    wrong, slow, silent = by_name["card-05"], by_name["card-03"], by_name["card-07"]
    assert (wrong.state, wrong.tone, wrong.own) == ("iterate", "bad", "the host itself says iterate at SEV2 (1)")
    assert (slow.state, slow.tone, slow.is_slow) == ("promoted", "bad", True)
    assert slow.share is not None
    assert 0.7 < slow.share < 0.8
    assert (silent.tone, silent.share, silent.why) == ("void", None, "its worker is gone")
    assert by_name["card-12"].why == f"excepted: {EVIL}"
    assert (by_name["card-01"].driver, by_name["card-09"].driver) == ("", SCRIPT)
    assert by_name["card-01"].files == (Link("hosts/card-01/summary.md", "summary"),)
    assert dict(first.tones) == {"good": 8, "bad": 2, "void": 1}
    assert [each.kind for each in second.ratios] == ["candidate over baseline"] * 2
    assert first.cells[0].median > 0


def test_what_the_verdict_cannot_say_is_said() -> None:
    """The silent, the excepted, and what too few hosts do not show."""
    told = rack().cannot_say
    assert told[0] == "What the driver does on hosts that are silent: card-07."
    assert told[1] == f"What the driver does on card-12, which is excepted: {EVIL}"
    assert any(line.startswith("Label arc: no host has a throughput") for line in told)
    fleet = make_fleet(6)
    assert page_of(fleet, cards(fleet)).cannot_say == ()
    assert page_of(fleet, cards(fleet)).because == "Every label has what promotes it: 6 of 6 hosts promoted."


def test_it_is_one_file_that_runs_nothing_and_every_link_lands() -> None:
    """Strangers' texts are text, and the pictures are there."""
    text = render_fleet(rack())
    seen = Seen(text)
    assert "script" not in seen.tags
    assert "img" not in seen.tags
    assert "default-src &#39;none&#39;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    here = [link[1:] for link in seen.links if link.startswith("#")]
    assert set(here) <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))
    assert {"labels-picture", "label-a100-shares", "host-card-05"} <= set(seen.ids)


def test_three_thousand_hosts_are_a_page_of_less_than_two_megabytes() -> None:
    """Those against the verdict are listed first, and how many are not is said."""
    fleet = make_fleet(pools={"a": {"label": "x", "slurm": {"jobs": 3000}}}, promotes={"x": {"share": 0.9}})
    outcomes = cards(fleet, a_2999={"state": "iterate", "judged": SLOW, "own": SLOW, "why": "w" * 900})
    page = page_of(fleet, outcomes)
    (label,) = page.labels
    assert (len(label.hosts), label.left_out) == (MOST_ROWS, 2000)
    assert label.hosts[0].name == "a-2999"
    text = render_fleet(page)
    assert "2000 hosts of this label are not listed" in text
    assert len(text.encode()) < 2 * 1024**2

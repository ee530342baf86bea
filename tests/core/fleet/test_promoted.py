"""What a fleet's verdict and its readers are told of a staged promotion: how far, and which driver each host has."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.fleet.promoted import LabelCame, PromotionCame, came, label_words, promotion_findings
from pytest_weekops.core.fleet.promotion import Step, progress
from pytest_weekops.core.fleet.stages import Event, Phase
from pytest_weekops.core.fleet.verdict import judge_fleet
from tests.support.fleets import make_asked, make_fleet, make_outcome, make_outcomes

SWITCH = {"report_dir": "/srv/{host}", "candidate": "pocl", "baseline": "clover"}
FLEET = make_fleet(2, stages={"x": [{"hosts": 1}, {"hosts": "all"}]}, switches={"x": SWITCH})


def label(*phases: str, step: str = "failed", switched: bool = True, **why: str) -> PromotionCame:
    """How far one label came, by its hosts' phases."""
    hosts = {f"a-{number}": Phase(phase) for number, phase in enumerate(phases, 1)}
    told = {host.replace("_", "-"): words for host, words in why.items()}
    one = LabelCame(label="x", step=Step(step), stage=1, stages=2, switched=switched, phases=hosts, why=told)
    return PromotionCame(journal_sha256="0" * 64, labels=(one,))


def statuses(found: PromotionCame) -> dict[str, str]:
    """What is found of it."""
    return {finding.check: finding.status.value for finding in promotion_findings(found)}


def test_it_is_told_from_the_journal() -> None:
    """Each host's phase, why where something is to be said, and the stage from 1."""
    words: list[dict[str, Any]] = [
        {"happened": "switch_begun", "host": "a-1"},
        {"happened": "switch_failed", "host": "a-1", "why": "no such profile"},
        {"happened": "stage_failed"},
    ]
    events = [Event.model_validate({"label": "x", "stage": 0, **each}) for each in words]
    found = came(progress(FLEET, events), events, "1" * 64)
    assert found.labels[0].why == {"a-1": "no such profile"}
    assert (found.labels[0].step, found.labels[0].stage, found.reached) == (Step.FAILED, 1, ("a-1",))
    assert list(label_words(found.labels[0])) == [
        "x: stage 1 of 2, stopped",
        "a-1 (x): could not be switched, and has its old driver: no such profile",
        "a-2 (x): untouched",
    ]
    assert next(label_words(came(progress(FLEET, []), [], "").labels[0])) == "x: stage 1 of 2, at switch"
    only = label("measured", "waiting", switched=False).labels[0]
    assert list(label_words(only))[1:] == ["a-1 (x): measured, and not switched", "a-2 (x): untouched"]


@pytest.mark.parametrize(
    ("found", "stages", "rolled_back"),
    [
        (label("measured", "measured", step="promoted"), "pass", "pass"),
        (label("measured", "kept", step="promoted"), "pass", "pass"),
        (label("rolled_back", "waiting"), "inconclusive", "pass"),
        (label("rolled_back", "stuck", a_2="too slow"), "inconclusive", "fail"),
        (label("measured", "stuck", step="promoted"), "pass", "fail"),
        (label("measured", "waiting"), "inconclusive", "fail"),
        (label("switching", "waiting", step="switch"), "inconclusive", "fail"),
        (label("unsure", "waiting", step="switch"), "inconclusive", "fail"),
        (label("measured", "waiting", switched=False), "inconclusive", "pass"),
    ],
)
def test_a_stage_that_stopped_and_a_driver_that_is_not_known_are_found(
    found: PromotionCame, stages: str, rolled_back: str
) -> None:
    """The one keeps the fleet from promoting, the other is SEV1."""
    assert statuses(found) == {"fleet_stages": stages, "fleet_rolled_back": rolled_back}
    finding = promotion_findings(found)[1]
    assert (finding.severity == 1) == (rolled_back == "fail")


def test_no_fleet_promotes_over_a_stage_or_a_host_that_is_stuck() -> None:
    """Whatever the outcomes say."""
    outcomes, asked = make_outcomes(FLEET), make_asked(FLEET)
    assert judge_fleet(FLEET, outcomes, asked).exit_status == 0
    assert judge_fleet(FLEET, outcomes, asked, came=label("measured", "measured", step="promoted")).exit_status == 0
    assert judge_fleet(FLEET, outcomes, asked, came=label("measured", "stuck", step="promoted")).exit_status == 10
    one = make_asked(FLEET, hosts=("a-1",))
    stopped = judge_fleet(FLEET, [make_outcome("a-1")], one, came=label("rolled_back", "waiting"))
    assert (stopped.decision.value, stopped.exit_status) == ("inconclusive", 11)

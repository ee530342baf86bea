"""How far a staged promotion came: each label's stage, each host's driver, and what the verdict says of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_weekops.core.fleet.promotion import LabelProgress, Step
from pytest_weekops.core.fleet.stages import Event, Happened, Phase
from pytest_weekops.core.judge.finding import Finding, Severity
from pytest_weekops.core.judge.outcome import failed_by_name, inconclusive, listed, passed
from pytest_weekops.core.record import Record

_HAS = {
    Phase.WAITING: "untouched",
    Phase.SWITCHING: "HALF SWITCHED: its switch was begun and has no end",
    Phase.SWITCHED: "has the candidate",
    Phase.UNSURE: "HALF SWITCHED: nobody knows which driver it has",
    Phase.KEPT: "could not be switched, and has its old driver",
    Phase.MEASURING: "has the candidate, and is measured",
    Phase.MEASURED: "has the candidate",
    Phase.ROLLING_BACK: "HALF SWITCHED: its rollback was begun and has no end",
    Phase.ROLLED_BACK: "has its old driver again, verified",
    Phase.STUCK: "NOT KNOWN: its rollback could not be verified",
}
_TOLD = (Happened.SWITCH_UNSURE, Happened.SWITCH_FAILED, Happened.ROLLBACK_FAILED)
#: phases in which nobody may say that a host has either driver for good
UNSETTLED = frozenset({Phase.SWITCHING, Phase.UNSURE, Phase.ROLLING_BACK, Phase.STUCK})


class LabelCame(Record):
    """How far one label came: ``stage`` of ``stages``, from 1, and each of its hosts."""

    label: str
    step: Step
    stage: int
    stages: int
    switched: bool  # whether its hosts are switched, or measured only
    phases: dict[str, Phase]
    why: dict[str, str]  # by host, where something is to be said of its switch or of its rollback


class PromotionCame(Record):
    """How far a promotion came, and the SHA-256 of the journal that says so."""

    journal_sha256: str
    labels: tuple[LabelCame, ...]

    @property
    def reached(self) -> tuple[str, ...]:
        """The hosts whose stage was begun: those that a verdict is about."""
        return tuple(host for came in self.labels for host, phase in came.phases.items() if phase is not Phase.WAITING)


def came(labels: Mapping[str, LabelProgress], events: Iterable[Event], journal_sha256: str) -> PromotionCame:
    """How far the labels came by these events."""
    why = {event.host: event.why for event in events if event.happened in _TOLD and event.why}
    return PromotionCame(
        journal_sha256=journal_sha256,
        labels=tuple(
            LabelCame(
                label=name,
                step=label.step,
                stage=min(label.stage + 1, label.stages),
                stages=label.stages,
                switched=label.switches,
                phases=dict(label.phases),
                why={host: why[host] for host in label.phases if host in why},
            )
            for name, label in labels.items()
        ),
    )


_CAME = {
    Step.PROMOTED: "every stage promoted",
    Step.FAILED: "stopped",
    Step.ROLL_BACK: "stopped, and is rolled back",
}


def label_words(came: LabelCame) -> Iterator[str]:
    """How far a label came, and which driver each of its hosts has, a line each."""
    yield f"{came.label}: stage {came.stage} of {came.stages}, {_CAME.get(came.step, f'at {came.step}')}"
    for host, phase in came.phases.items():
        has = _HAS[phase] if came.switched or phase is Phase.WAITING else "measured, and not switched"
        told = f": {came.why[host]}" if host in came.why else ""
        yield f"{host} ({came.label}): {has}{told}"


def promotion_findings(came: PromotionCame) -> tuple[Finding, ...]:
    """What a fleet's verdict owes to its stages."""
    return stages(came.labels), rolled_back(came.labels)


def stages(labels: Sequence[LabelCame]) -> Finding:
    """Every stage of each label promoted; one that did not was the last of its label."""
    stopped = [came for came in labels if came.step is not Step.PROMOTED]
    if stopped:
        told = listed([f"{came.label} stopped at stage {came.stage} of {came.stages}" for came in stopped])
        # What the stage's own hosts came to says how grave it is. This alone keeps any of it from being a promote.
        return inconclusive(
            "fleet_stages",
            "stopped",
            f"Not every stage promoted: {told}. The hosts of later stages were not touched. See what the hosts so far "
            "came to, and begin a new run.",
            rows=tuple(came.label for came in stopped),
        )
    return passed("fleet_stages", f"each stage of {len(labels)} labels promoted", observed=len(labels))


def rolled_back(labels: Sequence[LabelCame]) -> Finding:
    """Every host that was given a candidate which did not promote has its old driver again, verified."""
    unsettled = [
        (host, f"{_HAS[phase]}, {came.why.get(host, 'and nothing was said')}")
        for came in labels
        for host, phase in came.phases.items()
        if came.switched and (phase in UNSETTLED or (came.step is Step.FAILED and phase in _HAVING))
    ]
    finding = failed_by_name(
        "fleet_rolled_back",
        "stuck",
        unsettled,
        lambda told: (
            f"Hosts whose driver is not known: {told}. What consumers run on there may be the driver that did not "
            "promote. On each, `weekops rollback --apply` says what is active, and verifies it."
        ),
    )
    if finding is not None:
        return finding.model_copy(update={"severity": Severity.SEV1})
    count = sum(phase is Phase.ROLLED_BACK for came in labels for phase in came.phases.values())
    return passed("fleet_rolled_back", f"{count} hosts were rolled back, and each is verified", observed=count)


_HAVING = (Phase.SWITCHED, Phase.MEASURING, Phase.MEASURED)

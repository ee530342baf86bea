"""The words of a staged promotion: what can happen, what is to be done, and how far a host has come.

What is about to be done is written down first (`..._begun`), then done, then written down as done. Whoever comes back
after being killed reads the events and asks what is next: a step that was begun and has no end is looked after
(``recheck_...``), never begun again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from pytest_weekops.core.record import Record


class Happened(StrEnum):
    """What an event says."""

    SWITCH_BEGUN = "switch_begun"  #: the host is about to be given the candidate
    SWITCHED = "switched"  #: the host has the candidate
    SWITCH_UNSURE = "switch_unsure"  #: nobody knows which driver it has: it is rolled back, and not measured
    SWITCH_FAILED = "switch_failed"  #: it has not, and its old driver is in place
    SOAK_BEGUN = "soak_begun"  #: the stage's hosts have the candidate since this moment
    SOAKED = "soaked"  #: the stage's soak time is over
    GATE_BEGUN = "gate_begun"  #: the host's gate is about to be started
    GATE_ENDED = "gate_ended"  #: there is an outcome of the host, whatever it is
    STAGE_PROMOTED = "stage_promoted"  #: the fleet's verdict over the hosts so far is promote
    STAGE_FAILED = "stage_failed"  #: it is anything else
    ROLLBACK_BEGUN = "rollback_begun"  #: the host is about to be given its old driver back
    ROLLED_BACK = "rolled_back"  #: it has it, verified
    ROLLBACK_FAILED = "rollback_failed"  #: it could not be verified; somebody has to look


class Event(Record):
    """One line of the fleet's journal: what happened, to which host or to which stage (from 0) of which label."""

    happened: Happened
    label: str
    stage: int = Field(ge=0)
    host: str = ""  # empty where the event is the stage's
    at: str = ""  # ISO time stamp in UTC
    why: str = ""


class Do(StrEnum):
    """What is to be done next."""

    SWITCH = "switch"  #: write `switch_begun`, give the host the candidate, write how that ended
    SOAK = "soak"  #: write `soak_begun` unless it is, wait `seconds` from `since`, write `soaked`
    GATE = "gate"  #: write `gate_begun`, start the host's gate, write `gate_ended` when there is an outcome
    JUDGE = "judge"  #: judge the hosts of the stages so far, write `stage_promoted` or `stage_failed`
    ROLL_BACK = "roll_back"  #: write `rollback_begun`, roll the host back, write how that ended
    RECHECK_SWITCH = "recheck_switch"  #: see how the switch ended, finish what broke off, write which driver it has
    #: collect what the gate leaves, or its loss, write `gate_ended`; begin it where it never was
    RECHECK_GATE = "recheck_gate"
    RECHECK_ROLLBACK = "recheck_rollback"  #: see how the rollback ended, finish what broke off, write how that ended


@dataclass(frozen=True)
class Action:
    """One thing to do: with a host, or with a stage of a label. ``since`` is when a soak began, where it has."""

    do: Do
    label: str
    stage: int
    host: str = ""
    seconds: float = 0.0
    since: str = ""


class Phase(StrEnum):
    """How far a host has come in a promotion."""

    WAITING = "waiting"  #: nothing was done to it
    SWITCHING = "switching"  #: its switch was begun and has no end
    SWITCHED = "switched"  #: it has the candidate
    UNSURE = "unsure"  #: it has the candidate or its old driver, and is to be rolled back
    KEPT = "kept"  #: it could not be switched, and has its old driver
    MEASURING = "measuring"  #: its gate was begun and has no end
    MEASURED = "measured"  #: there is an outcome
    ROLLING_BACK = "rolling_back"  #: its rollback was begun and has no end
    ROLLED_BACK = "rolled_back"  #: it has its old driver again, verified
    STUCK = "stuck"  #: its rollback could not be verified: somebody has to look

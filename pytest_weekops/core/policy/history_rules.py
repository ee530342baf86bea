"""The section of a policy on a cell's history: what a week may not close over."""

from __future__ import annotations

from pytest_weekops.core.policy.part import PolicyPart


class HistoryRules(PolicyPart):
    """Whether a drop of a cell's level from run to run holds a week back; by itself it is shown alone.

    A policy that does not state this section has the hash that it had before there was one.
    """

    #: [%] a lasting drop of a cell beyond it, with nothing known that changed around it, keeps a week from closing in
    #: promote; `null` asks for nothing
    max_unexplained_drop_percent: float | None = None

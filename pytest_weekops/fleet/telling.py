"""A staged promotion in lines for people: what is about to be done to whom, and which driver each host has."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_weekops.core.fleet.promoted import PromotionCame, label_words
from pytest_weekops.fleet.book import FleetAsked, FleetBook
from pytest_weekops.fleet.promotion_log import how_far


def plan_words(asked: FleetAsked) -> Iterator[str]:
    """What is about to be done, a line for each label; nothing where hosts are only measured, and all at once."""
    fleet = asked.fleet
    for label in fleet.labels if fleet.is_staged else ():
        hosts = len(fleet.hosts_of(label))
        counts = ", then ".join(str(stage.count(hosts)) for stage in fleet.stages_of(label))
        switch = fleet.switches.get(label)
        words = f"switched to {switch.candidate}, and back to {switch.baseline}" if switch else "measured as found"
        yield f"{label}: {counts} of {hosts} hosts, {words}"


def standing_words(book: FleetBook) -> Iterator[str]:
    """How far a promotion that has not ended has come. Raises ``InputError`` for a damaged journal."""
    yield from came_words(how_far(book.directory, book.asked().fleet))


def came_words(came: PromotionCame | None) -> Iterator[str]:
    """How far each label came, and which driver each host has."""
    for label in came.labels if came is not None else ():
        yield from label_words(label)

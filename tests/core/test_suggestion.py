"""What somebody may have meant."""

from __future__ import annotations

from pytest_weekops.core.suggestion import suggest

KNOWN = ("auto", "tile20", "packed", "block")


def test_the_nearest_word_is_offered() -> None:
    """One, with the space that joins it to the sentence before."""
    assert suggest("tile2", KNOWN) == " Did you mean tile20?"
    assert suggest("pakced", iter(KNOWN)) == " Did you mean packed?"


def test_nothing_is_offered_where_nothing_is_near() -> None:
    """A guess from far away would mislead."""
    assert suggest("zzz", KNOWN) == ""
    assert suggest("auto", ()) == ""

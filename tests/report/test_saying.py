"""Sentences for people: what is cut shows that it is."""

from __future__ import annotations

from pytest_weekops.report.saying import shortened


def test_a_sentence_ends_at_a_word() -> None:
    """With one full stop, or with the sign of more; control characters are never sent."""
    assert shortened("it fell.") == "it fell."
    assert shortened("it fell") == "it fell."
    assert shortened("first, second, third", 10) == "first …"
    assert shortened("a\x1bb") == "a\N{REPLACEMENT CHARACTER}b."

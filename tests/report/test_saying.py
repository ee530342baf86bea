"""Sentences for people: what is cut shows that it is."""

from __future__ import annotations

from pytest_weekops.report.saying import as_sentence


def test_a_sentence_ends_at_a_word() -> None:
    """With one full stop, or with the sign of more; control characters are never sent."""
    assert as_sentence("it fell.") == "it fell."
    assert as_sentence("it fell") == "it fell."
    assert as_sentence("first, second, third", 10) == "first …"
    assert as_sentence("a\x1bb") == "a\N{REPLACEMENT CHARACTER}b."

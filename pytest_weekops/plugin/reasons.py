"""Options that leave evidence out and say why. They are of one run: no ini value can leave something out for ever."""

from __future__ import annotations

from typing import Protocol

import pytest

LONGEST_REASON = 200
# name, metavar, help
REASONS: tuple[tuple[str, str, str], ...] = (
    ("no-baseline", "REASON", "weekly: judge without the baseline that this device has had; the verdict says why"),
)


class Options(Protocol):
    """What is asked of the options here."""

    def said(self, name: str) -> str:
        """How to name an option in a sentence."""

    def typed(self, name: str) -> str | None:
        """An option as it was typed, or None."""

    def text(self, name: str) -> str | None:
        """An option as text, from command line or ini, or None."""


def no_baseline(options: Options, kind: str) -> str:
    """Why a weekly run is judged without a pinned baseline, or nothing; refused where it would leave out nothing."""
    reason, said = _in_words(options, "no-baseline"), options.said("no-baseline")
    if reason and kind != "weekly":
        raise pytest.UsageError(
            f"{said} speaks of a weekly campaign, and this is a {kind} one, which is held against no baseline. Leave "
            "it out."
        )
    if reason and options.text("baseline"):
        raise pytest.UsageError(
            f"{said} stands beside {options.said('baseline')}, which names one. The run cannot be judged with it and "
            "without it. Leave one of the two out."
        )
    return reason


def _in_words(options: Options, name: str) -> str:
    typed = options.typed(name)
    text = " ".join((typed or "").split())
    if typed is not None and (not text.isprintable() or len(text.split()) < 2 or len(text) > LONGEST_REASON):
        raise pytest.UsageError(
            f"{options.said(name)} {text!r:.80} is no reason in words. It stands in the verdict, for people who were "
            f"not there. Give two words or more, at most {LONGEST_REASON} characters, in quotes."
        )
    return text

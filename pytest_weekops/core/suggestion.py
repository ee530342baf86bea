"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(word: str, known: Iterable[str]) -> str:
    """``Did you mean X?`` with a leading space, or nothing."""
    import difflib  # the plugin's options import this module in every pytest run

    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""

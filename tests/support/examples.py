"""How many examples hypothesis draws: so many as a test says, unless the environment says otherwise.

``WEEKOPS_EXAMPLES`` is a number in place of it, for whoever searches for a night; ``WEEKOPS_MOST_EXAMPLES`` bounds it,
for steps of the gate that count lines or try versions and leave the search to the whole of the tests.
"""

from __future__ import annotations

import os

USUAL = 100  # hypothesis' own


def examples(usual: int = USUAL) -> int:
    """What ``settings(max_examples=...)`` is given."""
    asked = int(os.environ.get("WEEKOPS_EXAMPLES") or usual)
    return min(asked, int(os.environ.get("WEEKOPS_MOST_EXAMPLES") or asked))

"""Regular expressions that people write: told what is wrong with one before it is used."""

from __future__ import annotations

import re
import warnings


def pattern_problem(pattern: str) -> str:
    """What keeps this from being a regular expression, in its parser's words; empty where nothing does.

    What Python warns of, since it will mean something else one day (``[[a]``), is refused as well.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except RecursionError:
        return "it is nested too deeply"
    except (re.error, Warning, OverflowError) as error:
        return str(error)
    return ""

"""What a driver's last words give away, and what to do about it."""

from __future__ import annotations

import pytest

from pytest_weekops.core.measurement.advice import advise

WORDS = {
    'error: unable to execute command: Executable "ld" doesn\'t exist!': "Install binutils",
    "/usr/bin/ld: cannot find -lgcc: No such file or directory": "gcc libc6-dev",
    "/usr/bin/ld: cannot find -lc: No such file or directory": "gcc libc6-dev",
    "error: unknown target CPU 'generic'": "Intel's CPU runtime",
}


@pytest.mark.parametrize("words", WORDS)
def test_a_known_cause_has_its_own_advice(words: str) -> None:
    """Words seen from real drivers lead to what really helped."""
    found = advise(f"pocl ended in phase launch with SIGABRT\n{words}\nand more", "Reinstall it.")
    assert WORDS[words] in found
    assert "Reinstall" not in found


def test_any_other_cause_keeps_the_general_advice() -> None:
    """A driver's crash that nobody knows is not explained away."""
    assert advise("pocl ended in phase launch with SIGSEGV", "Reinstall it.") == "Reinstall it."

"""When a device clock is believed: a table of clocks that lie, and one that does not. Runs in a subprocess.

``device.timing`` imports pyopencl, which must never be loaded into the pytest process.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CLOCKS = {
    "honest": ([(0, 10, 20, 5_000_020), (10, 20, 30, 5_100_030)], [5_200_000, 5_300_000], True),
    "constant": ([(0, 1, 2, 3), (0, 1, 2, 3)], [1000, 1000], False),
    "zero": ([(0, 0, 0, 0), (1, 1, 1, 1)], [1000, 1000], False),
    "backwards": ([(0, 10, 30, 20), (0, 10, 20, 30)], [1000, 1000], False),
    "times-1000": ([(0, 1, 2, 5_000_002), (1, 2, 3, 5_100_003)], [5_000, 5_100], False),
    "too-short": ([(0, 1, 2, 900_000), (1, 2, 3, 910_000)], [6_000_000, 6_100_000], False),
    "missing": ([None, None], [1000, 1000], False),
    "none-at-all": ([], [], False),
}
PROGRAM = """
import json, sys
from pytest_weekops.device.timing import Launch, judge_timer
stamps, walls = json.loads(sys.argv[1])
launches = [Launch(0, w, None if s is None else (tuple(s), tuple(s))) for s, w in zip(stamps, walls)]
trust = judge_timer(launches)
print(json.dumps([trust.trusted, trust.reason]))
"""


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_must_prove_itself(name: str) -> None:
    """Constant, zero, backwards, scaled, short and missing times are not trusted, and the reason is said."""
    stamps, walls, believed = CLOCKS[name]
    command = [sys.executable, "-c", PROGRAM, json.dumps([stamps, walls])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    trusted, reason = json.loads(done.stdout)
    assert trusted is believed, reason
    assert reason

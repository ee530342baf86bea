"""`weekops conformance` from outside: what becomes of piglit where somebody ends the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.stand_in_piglit import stand_in


def pid_of(path: Path) -> int:
    """What a process wrote when it began; it does so within a minute."""
    ends = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return int(path.read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_ended_takes_piglit_along(
    tmp_path: Path, need_platform: Callable[[str], str], number: signal.Signals
) -> None:
    """Exit status 2, nothing kept, and no test goes on behind it."""
    program = Path(stand_in(tmp_path / "piglit", {"api@a": ["pass"]}, waits=True))
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    asked = [sys.executable, "-m", "pytest_weekops.cli", "conformance", "piglit", "--platforms", need_platform("pocl")]
    with subprocess.Popen(
        asked,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, number, signal.SIG_DFL),
    ) as command:
        pid = pid_of(program.with_name("waiting"))
        command.send_signal(number)
        _out, told = command.communicate(timeout=60)
    assert command.returncode == 2, told
    assert "Traceback" not in told
    assert not Path(f"/proc/{pid}").exists()
    assert not list((tmp_path / "reports").rglob("*.json"))

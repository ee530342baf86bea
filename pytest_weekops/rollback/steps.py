"""Argument lists run without a shell, each within its time: the policy's own steps, and the gate's process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.rollback.outcome import Outcome

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import RollbackStep


def run_step(argv: Sequence[str], *, environment: Mapping[str, str], timeout_s: float, cwd: Path) -> tuple[int, str]:
    """Run an argument list without a shell; exit status and the last lines it wrote. It is killed past its time."""
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return 127, str(error)
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            status = 124
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - 4000))
        tail = output.read().decode(errors="replace").splitlines()[-12:]
    return status, "\n".join(tail)


def run_own_steps(steps: Sequence[RollbackStep], environment: Mapping[str, str], cwd: Path) -> Outcome:
    """Run the policy's own steps in order; the first that fails ends them."""
    done = []
    for step in steps:
        status, tail = run_step(step.argv, environment=environment, timeout_s=step.timeout_s, cwd=cwd)
        done.append({"argv": list(step.argv), "exit_status": status})
        if status != 0:
            why = f"ran past its {step.timeout_s:g} s" if status == 124 else f"ended with exit status {status}"
            return Outcome((f"Your own step {' '.join(step.argv)} {why}. {tail}".rstrip(),), {"steps": done})
    return Outcome((), {"steps": done})

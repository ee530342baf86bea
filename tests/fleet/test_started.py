"""What is said to ssh and to what it starts: no word that a shell would take apart, no secret, no more than is kept."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.reach import Pool
from pytest_weekops.fleet import groups, remote, ssh, started
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.messages import MessageRefused, decode
from pytest_weekops.fleet.remote import StartWorker, scheduler_and_own
from pytest_weekops.fleet.started import StartedWorkers

ASKED = StartWorker(name="one", port=8786, certificate="certificate", key="key")


def test_a_command_of_ssh() -> None:
    """Nobody is asked, no host is new, nothing is forwarded, and the host can be no option."""
    words = ssh.ssh_command("ops@one", "/opt/gate/bin/python3.11", Path("mine"))
    assert words[1:3] == ["-F", "mine"]
    assert words[-3:] == ["--", "ops@one", "exec /opt/gate/bin/python3.11 -P -m pytest_weekops.fleet.remote"]
    for option in ("BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no", "ClearAllForwardings=yes"):
        assert option in words
    assert "-F" not in ssh.ssh_command("one", "/usr/bin/python", None)


def test_a_path_that_a_shell_takes_apart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file by its pattern, and this Python's own where the file names none."""
    for python in ("/a b/python", "python", "/usr/bin/python;x", "/a$(x)", "/a/", "/a\n", "~/python", "/a'"):
        with pytest.raises(ValueError, match="python"):
            Pool.model_validate({"label": "x", "ssh": {"hosts": ["one"], "python": python}})
    assert ssh.python_there("/usr/bin/python") == "/usr/bin/python"
    monkeypatch.setattr(sys, "executable", "/a b/python")
    with pytest.raises(InputError, match="would take apart"):
        ssh.python_there("")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="no program ssh"):
        ssh.ssh_program()


@pytest.mark.parametrize(
    ("here", "connection", "found"),
    [
        ("", "10.0.0.1 5000 10.0.0.2 22", ("tls://10.0.0.1:8786", "10.0.0.2")),
        ("", "fd00::1 5000 fd00::2 22", ("tls://[fd00::1]:8786", "fd00::2")),
        ("head", "10.0.0.1 5000 10.0.0.2 22", ("tls://head:8786", "")),
    ],
)
def test_where_the_scheduler_is(here: str, connection: str, found: tuple[str, str]) -> None:
    """At the other end of the connection, or where the file says."""
    assert scheduler_and_own(ASKED.model_copy(update={"here": here}), connection) == found


def test_what_is_no_order_is_refused() -> None:
    """Before anything is started, and without a word of what it was."""
    with pytest.raises(MessageRefused, match="give the pool `here`"):
        scheduler_and_own(ASKED, "")
    with pytest.raises(MessageRefused) as refused:
        decode(StartWorker, '{"name": "-x", "port": 1, "certificate": "c", "key": "secret"}')
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("end", [lambda process: asyncio.run(started._kill([process])), remote._kill])
def test_a_worker_that_is_ended_notes_nothing(tmp_path: Path, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
    """It goes before its gate does: else the gate's end would count as what became of the host, and not be resumed."""
    script = 'trap "touch noted" TERM; (trap "touch asked" TERM; touch ready; sleep 60 & wait) & wait; wait'
    process = subprocess.Popen(["sh", "-c", script], cwd=tmp_path, start_new_session=True)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    end(process)
    assert process.wait() == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asked", "ready"]
    assert not groups.group_runs(process.pid)


def test_what_a_host_says_is_kept_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that talks cannot fill this disk, nor paint a terminal; what it was told is in no log."""
    program = tmp_path / "ssh"
    program.write_text(
        "#!/bin/sh\nread line\nhead -c 3000000 /dev/zero | tr '\\0' x\nprintf 'the end\\033[31m of it\\n'\nexit 7\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(ssh, "ssh_program", lambda: str(program))
    keys = Keys.write(tmp_path / "keys", "certificate", "a-secret")
    pool = Pool.model_validate({"label": "x", "ssh": {"hosts": ["ops@one"], "python": "/usr/bin/python"}})

    async def one() -> str:
        workers = StartedWorkers(tmp_path / "scratch", tmp_path / "logs", None)
        await workers.start(pool, pool.host_names("rack"), "tls://127.0.0.1:8786", keys)
        assert (workers.why_gone("one"), workers.why_gone("another")) == ("", "")
        await workers._connections["one"]._process.wait()
        await workers._connections["one"]._reading
        found = workers.why_gone("one")
        await workers.close()
        return found

    said = asyncio.run(one())
    assert said.startswith("ssh ended with 7: x")
    assert said.endswith("xthe end [31m of it")
    log = (tmp_path / "logs" / "one.txt").read_bytes()
    assert len(log) == ssh.LARGEST_LOG_BYTES
    assert b"a-secret" not in log

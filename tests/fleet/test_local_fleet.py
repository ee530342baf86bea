"""Real workers, gates and drivers: a fleet that promotes, and hosts that are killed, stopped and of another version."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pytest_weekops import cli
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.worker_command import tls_words
from tests.support.real_fleets import (
    FAR,
    begin,
    command,
    fleet,
    processes,
    said,
    scheduler,
    start,
    states,
    until,
    worker,
)

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("place"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


def test_three_drivers_promote_and_a_killed_coordinator_is_gone_on_with(need_platform: Callable[[str], str]) -> None:
    """A host that has ended is not run again; killed, the coordinator takes workers and gates along."""
    pools = {"debian": "pocl-system", "embedded": "pocl-embedded", "mesa": "rusticl"}
    path = fleet({name: need_platform(profile) for name, profile in pools.items()})
    coordinator = begin(*command(path))
    assert until(lambda: "embedded-1 (embedded): running" in said() or coordinator.poll() is not None, said) is None
    assert "debian-1 (debian): promoted" in said()
    coordinator.kill()
    coordinator.wait()
    assert until(lambda: not processes(Path.cwd()), lambda: processes(Path.cwd())) is None
    assert cli.main(["fleet", "status"]) == 11
    assert begin(*command(path, "--resume")).wait(FAR * 2) == 0, said()
    assert states() == {f"{name}-1": "promoted" for name in pools}
    assert "debian-1 (debian): promoted, as before" in said()
    assert "Dask's own view: http://127.0.0.1:" in said()
    assert cli.main(["fleet", "verify"]) == 0
    assert cli.main(["fleet", "status"]) == 0


def test_hosts_that_are_killed_and_stopped_are_lost(need_platform: Callable[[str], str]) -> None:
    """SIGKILL and SIGSTOP to a worker lose its host and not the next one's turn; nothing of it runs on."""
    pools = dict.fromkeys(("killed", "stopped"), need_platform("pocl"))
    path = fleet(pools, deadlines="{silent_s: 5}")
    coordinator = begin(*command(path))
    for host, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGSTOP)):
        assert until(lambda host=host: f"{host}-1 ({host}): running" in said(), said) is None  # type: ignore[misc]
        os.kill(worker(f"{host}-1"), number)
    assert coordinator.wait(FAR * 2) == 11, said()
    assert states() == {"killed-1": "lost", "stopped-1": "lost"}
    assert cli.main(["fleet", "verify"]) == 0


def test_a_host_with_another_version_is_refused(
    need_platform: Callable[[str], str], repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Behind a scheduler at a tls:// address with keys of the fleet; without the keys nobody is let in."""
    other = Path("other").absolute()
    for name in ("pytest_weekops", "kernels", "policies", "suites"):
        shutil.copytree(repository / name, other / name, ignore=shutil.ignore_patterns("__pycache__"))
    init = other / "pytest_weekops" / "__init__.py"
    init.write_text(init.read_text("utf-8") + "\n__version__ = '0.0.9'\n", "utf-8")
    keys = Keys.make(Path("keys").absolute())
    central, address = scheduler(keys)
    started = [central]
    try:
        for name, root in (("old", other), ("new", repository)):
            words = [
                address,
                "--no-nanny",
                "--no-dashboard",
                "--nthreads",
                "1",
                "--resources",
                "device=1",
                *tls_words(keys),
            ]
            started.append(start("worker", *words, "--name", name, PYTHONPATH=str(root)))
        text = (
            f"version: 1\nfleet_id: tests\npools:\n  rack: {{label: cpu, scheduler: '{address}', hosts: [old, new]}}\n"
            f"labels:\n  cpu: {{profiles: [{need_platform('clover')}], policy: policy.yaml}}\n"
        )
        Path("fleet.yaml").write_text(text, "utf-8")
        assert cli.main(["fleet", "check", "fleet.yaml"]) == 4
        assert cli.main(["fleet", "check", "fleet.yaml", "--keys", "keys"]) == 1
        shown = capsys.readouterr()
        assert "no --keys are given" in shown.err
        assert "old (cpu): it has another program, version 0.0.9" in shown.out
        assert "new (cpu): ok." in shown.out
        assert begin(*command(Path("fleet.yaml"), "--keys", "keys")).wait(FAR * 2) == 1, said()
        assert states() == {"old": "refused", "new": "promoted"}
    finally:
        for process in started:
            process.terminate()
            process.wait()

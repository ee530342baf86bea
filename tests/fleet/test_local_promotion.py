"""A staged promotion on real workers, gates and drivers, through a killed coordinator, to a stage that fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pytest_weekops import cli
from pytest_weekops.core.week.rollback import parse_environment
from pytest_weekops.week.ledger import open_ledger
from tests.support.real_fleets import FAR, begin, command, decision, processes, said, states, until, worker

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("place"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


def active(host: str) -> str:
    """The platform that consumers of a host load."""
    text = Path("srv", host, "runtime", "active.env").read_text("utf-8")
    return parse_environment(text)["WEEKOPS_PLATFORM"]


def test_a_stage_that_fails_is_rolled_back_on_every_host(
    need_platform: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The first host is switched before the coordinator is killed, and measured once by the next; the second is lost.

    Both have their old driver again, verified by their own rollbacks; the third was never touched.
    """
    candidate, baseline = need_platform("pocl"), need_platform("clover")
    path, kept = Path("fleet.yaml"), Path.cwd() / "srv" / "{host}"
    path.write_text(
        "version: 1\nfleet_id: tests\npools:\n  rack: {label: cpu, local: {workers: 3}}\n"
        f"labels:\n  cpu: {{profiles: [{candidate}], policy: policy.yaml}}\n"
        "stages:\n  cpu: [{hosts: 1}, {hosts: 2}, {hosts: all}]\n"
        f"switches:\n  cpu: {{report_dir: '{kept}', candidate: {candidate}, baseline: {baseline}}}\n",
        "utf-8",
    )
    coordinator = begin(*command(path))
    assert until(lambda: "rack-1 (cpu): running" in said() or coordinator.poll() is not None, said) is None
    coordinator.kill()
    coordinator.wait()
    assert until(lambda: not processes(Path.cwd()), lambda: processes(Path.cwd())) is None
    assert active("rack-1") == candidate
    capsys.readouterr()
    assert cli.main(["fleet", "status"]) == 11
    shown = capsys.readouterr().out
    assert "rack-1 (cpu): has the candidate, and is measured" in shown
    assert "rack-2 (cpu): untouched" in shown
    coordinator = begin(*command(path, "--resume"))
    assert until(lambda: "rack-2 (cpu): running" in said() or coordinator.poll() is not None, said) is None
    assert active("rack-2") == candidate
    os.kill(worker("rack-2"), signal.SIGKILL)
    assert coordinator.wait(FAR * 2) == 11, said()
    assert states() == {"rack-1": "promoted", "rack-2": "lost"}
    found = decision().came
    assert found is not None
    assert found.labels[0].phases == {"rack-1": "rolled_back", "rack-2": "rolled_back", "rack-3": "waiting"}
    for host in ("rack-1", "rack-2"):
        assert active(host) == baseline
        stages = [str(entry.body["stage"]) for entry in open_ledger(Path("srv", host)).entries()]
        assert stages == ["begun", "begun", "switched", "verified"]  # of the deployment, and of the rollback
    assert not Path("srv", "rack-3").exists()
    assert cli.main(["fleet", "verify"]) == 0

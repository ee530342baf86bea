"""A staged promotion behind a real sshd: both hosts are switched, the second is cut off, and both are rolled back."""

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
from tests.support.real_fleets import FAR, begin, command, decision, said, states, until, worker
from tests.support.sshd import python_of, sessions, started

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("place"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_hosts_are_switched_and_rolled_back_over_ssh(
    need_platform: Callable[[str], str], place: Path, repository: Path
) -> None:
    """The host whose connection was lost with its worker is connected to once more, and has its old driver again."""
    candidate, baseline = need_platform("pocl"), need_platform("clover")
    kept = place / "srv" / "{host}"
    pythons = {host: python_of(place, f"python-{host}", namespace=f"{place} {host}") for host in ("one", "two")}
    pools = [f"{{label: cpu, ssh: {{hosts: [{h}], python: {p}, here: 127.0.0.1}}}}" for h, p in pythons.items()]
    Path("fleet.yaml").write_text(
        f"version: 1\nfleet_id: tests\npools:\n  first: {pools[0]}\n  second: {pools[1]}\n"
        f"labels:\n  cpu: {{profiles: [{candidate}], policy: policy.yaml}}\n"
        "stages:\n  cpu: [{hosts: 1}, {hosts: all}]\n"
        f"switches:\n  cpu: {{report_dir: '{kept}', candidate: {candidate}, baseline: {baseline}}}\n",
        "utf-8",
    )
    with started(place / "sshd", ("one", "two"), **sessions(repository, place)) as sshd:
        coordinator = begin(*command(Path("fleet.yaml"), "--ssh-config", str(sshd.config)))
        assert until(lambda: "two (cpu): running" in said() or coordinator.poll() is not None, said) is None
        assert [active(place, host) for host in ("one", "two")] == [candidate, candidate]
        os.kill(worker("two"), signal.SIGKILL)
        assert coordinator.wait(FAR * 2) == 11, said()
    assert states() == {"one": "promoted", "two": "lost"}
    came = decision().came
    assert came is not None
    assert came.labels[0].phases == {"one": "rolled_back", "two": "rolled_back"}
    for host in ("one", "two"):
        assert active(place, host) == baseline
        stages = [str(entry.body["stage"]) for entry in open_ledger(place / "srv" / host).entries()]
        assert stages == ["begun", "begun", "switched", "verified"]  # of the deployment, and of the rollback
    assert cli.main(["fleet", "verify"]) == 0


def active(place: Path, host: str) -> str:
    """The platform that consumers of a host load."""
    text = (place / "srv" / host / "runtime" / "active.env").read_text("utf-8")
    return parse_environment(text)["WEEKOPS_PLATFORM"]

"""Hosts behind a real sshd: who answers and who does not, a gate over it, and nothing left behind on either side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pytest_weekops import cli
from tests.support.real_fleets import FAR, begin, command, processes, said, states, until
from tests.support.sshd import python_of, sessions, started

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("place"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_hosts_are_reached_by_ssh(
    need_platform: Callable[[str], str], place: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One with a key that nobody knows is given nothing; with the coordinator ends all that it started elsewhere."""
    label = f"profiles: [{need_platform('pocl')}], policy: policy.yaml"
    python, bare = python_of(place), python_of(place, without="the package")
    pools = {
        "well": f"{{hosts: [one], python: {python}, here: 127.0.0.1}}",
        "odd": f"{{hosts: [stranger, shut, seen], python: {python}}}",
        "empty": f"{{hosts: [bare], python: {bare}}}",
    }
    written(Path("odd.yaml"), label, odd=pools["odd"], empty=pools["empty"])
    written(Path("fleet.yaml"), label, well=pools["well"])
    with started(place / "sshd", ("one", "bare", "seen"), **sessions(repository, place)) as sshd:
        over = ("--ssh-config", str(sshd.config))
        assert cli.main(["fleet", "check", "odd.yaml", *over]) == 1
        told = {line.partition(" ")[0]: line for line in capsys.readouterr().out.splitlines()}
        assert "Host key verification failed" in told["stranger"]
        assert "Connection refused" in told["shut"]
        assert "No module named" in told["bare"]
        assert "seen (cpu): ok." in told["seen"], told

        coordinator = begin(*command(Path("fleet.yaml"), *over))
        assert until(lambda: "one (cpu): running" in said() or coordinator.poll() is not None, said) is None
        assert any("pytest_weekops.fleet.remote" in line for line in processes(place))
        coordinator.kill()
        coordinator.wait()
        ended = lambda: not [line for line in processes(place) if "sshd" not in line]  # noqa: E731
        assert until(ended, lambda: processes(place)) is None
        assert begin(*command(Path("fleet.yaml"), "--resume", *over)).wait(FAR * 2) == 0, said()
        assert states() == {"one": "promoted"}
        assert "Dask's own view: http://127.0.0.1:" in said()
        assert cli.main(["fleet", "verify"]) == 0
    kept = [path for path in place.rglob("*") if path.is_file() and path.parent.name != "sshd"]
    assert [path for path in kept if path.match("logs/one.txt")]
    assert not [path for path in kept if b"PRIVATE KEY" in path.read_bytes()]


def written(path: Path, label: str, **pools: str) -> None:
    """A fleet file with these pools, all under one label."""
    lines = [f"  {name}: {{label: cpu, ssh: {pool}}}" for name, pool in pools.items()]
    path.write_text("\n".join(["version: 1", "fleet_id: tests", "pools:", *lines, "labels:", f"  cpu: {{{label}}}"]))

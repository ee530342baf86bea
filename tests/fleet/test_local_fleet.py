"""Real workers, gates and drivers: a fleet that promotes, and hosts that are killed, stopped and of another version."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pytest_weekops import cli
from pytest_weekops.fleet.book import FleetBook, FleetDecision, latest_run
from pytest_weekops.fleet.keys import Keys
from tests.support.gates import POLICY, SMALL

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::ResourceWarning")]
OPTIONS = " ".join(SMALL[2:])
FAR = 300.0
_BEGUN: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of one's own, which hosts use as their temporary one; nothing that runs in it is left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")
    yield tmp_path
    for process in _BEGUN:
        process.kill()
        process.wait()
    _BEGUN.clear()
    left = until(lambda: not processes(tmp_path), lambda: processes(tmp_path))
    assert not left, left


def processes(place: Path) -> list[str]:
    """Command lines of every other process whose temporary directory is this place's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"TMPDIR={place / 'tmp'}\0".encode() in environment and command and int(entry.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def until(holds: Callable[[], bool], told: Callable[[], object] = lambda: "") -> object:
    """Wait for something; nothing where it came, else what is told of it."""
    ends = time.monotonic() + FAR
    while not holds():
        if time.monotonic() > ends:
            return told() or "it did not come"
        time.sleep(0.1)
    return None


def fleet(pools: dict[str, str], **label: str) -> Path:
    """A file with a local pool of one worker for each of these profiles, each under a label of its own."""
    lines = ["version: 1", "fleet_id: tests", "pools:"]
    lines += [f"  {name}: {{label: {name}, local: {{workers: 1}}}}" for name in pools]
    lines += ["labels:"]
    more = "".join(f", {key}: {value}" for key, value in label.items())
    lines += [f"  {name}: {{profiles: [{profile}], policy: policy.yaml{more}}}" for name, profile in pools.items()]
    path = Path("fleet.yaml")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def command(path: Path, *words: str) -> list[str]:
    """The command that runs a weekly fleet at a tiny size."""
    return ["fleet", "run", str(path), "weekly", "--sizes", "61", "--kernels", "auto", "--options", OPTIONS, *words]


def begin(*words: str) -> subprocess.Popen[bytes]:
    """That command in a process of its own, its words in a file."""
    with Path("said.txt").open("ab") as said:
        process = subprocess.Popen([sys.executable, "-m", "pytest_weekops.cli", *words], stdout=said, stderr=said)
    _BEGUN.append(process)
    return process


def said() -> str:
    """What it said."""
    return Path("said.txt").read_text("utf-8")


def decision() -> FleetDecision:
    """The latest fleet run's."""
    found = FleetBook(latest_run(Path("reports"))).decision()
    assert found is not None
    return found


def states() -> dict[str, str]:
    """How its hosts came out."""
    return {outcome.host: outcome.state.value for outcome in decision().outcomes}


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


def worker(host: str) -> int:
    """The process of a local worker."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if host.encode() in words and b"--no-nanny" in words and f"TMPDIR={Path.cwd() / 'tmp'}".encode() in environment:
            return int(entry.name)
    pytest.fail(f"{host} has no worker")


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
    files = [
        *("--tls-ca-file", str(keys.certificate), "--tls-cert", str(keys.certificate), "--tls-key", str(keys.key)),
    ]
    started = [start("scheduler", *files, "--protocol", "tls", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        assert until(lambda: "Scheduler at" in Path("dask.txt").read_text("utf-8")) is None
        line = next(line for line in Path("dask.txt").read_text("utf-8").splitlines() if "Scheduler at" in line)
        address = line.split()[-1]
        for name, root in (("old", other), ("new", repository)):
            words = [address, "--no-nanny", "--no-dashboard", "--nthreads", "1", "--resources", "device=1", *files]
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


def start(program: str, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    """A scheduler or a worker of Dask's."""
    with Path("dask.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{program}", *words],
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},
        )

"""``weekops fleet`` as it is typed: what it refuses before any host is asked, and what it says of a run."""

from __future__ import annotations

import ast
import asyncio
import sys
from pathlib import Path

import pytest

from pytest_weekops import cli
from pytest_weekops.cli import fleet
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.fleet.checking import answers
from pytest_weekops.fleet.coordinator import Unreachable
from pytest_weekops.fleet.messages import AskWho, Driver, Who, encode
from pytest_weekops.fleet.program import kernels_sha256, program_sha256
from tests.support.fleet_hosts import Host, ReachDouble, begun, fleet_file, ran

LOCAL = """\
version: 1
fleet_id: tests
pools:
  a: {label: cpu, POOL}
labels:
  cpu: {profiles: [pocl]}
"""


def ended(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit status, and all that was said."""
    status = cli.main(["fleet", *words])
    shown = capsys.readouterr()
    return status, shown.out + shown.err


@pytest.mark.parametrize(
    ("pool", "words", "told"),
    [
        ("scheduler: 'tcp://far:8786', hosts: [x]", (), "whoever reaches that port runs programs on its hosts"),
        ("scheduler: 'tls://far:8786', hosts: [x]", (), "no --keys are given"),
        ("scheduler: 'tls://far:8786', hosts: [x]", ("--keys", "nowhere"), "has no keys of a fleet"),
        ("ssh: {hosts: [far], python: 'python -c x'}", (), "pools.a.ssh.python"),
        ("ssh: {hosts: [far], here: '-x'}", (), "pools.a.ssh.here"),
        ("ssh: {hosts: [far]}", ("--ssh-config", "nowhere"), "--ssh-config nowhere is no file"),
        ("pbs: {jobs: 4}", (), "there is no program qsub here"),
        ("local: {workers: 1}", ("--sizes", "1"), "--sizes 1 is no size to run at"),
        ("local: {workers: 1}", ("--options", "'"), "cannot be taken apart"),
        ("local: {workers: 1}", ("--resume",), "has no fleet run"),
    ],
)
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pool: str,
    words: tuple[str, ...],
    told: str,
) -> None:
    """With 4 and a sentence; no directory is made and nothing is started."""
    monkeypatch.chdir(tmp_path)
    Path("fleet.yaml").write_text(LOCAL.replace("POOL", pool), "utf-8")
    status, text = ended(capsys, "run", "fleet.yaml", "weekly", *words)
    assert (status, told in text) == (4, True), text
    assert not Path("reports").exists()


def test_dask_is_asked_for_where_it_is_needed_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it a fleet run can be looked at, and not begun; one module reaches for it, and one for its keys."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] in ("dask", "distributed")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "pytest_weekops.fleet.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    Path("fleet.yaml").write_text(LOCAL.replace("POOL", "local: {workers: 1}"), "utf-8")
    status, text = ended(capsys, "run", "fleet.yaml", "weekly")
    assert (status, 'pip install "pytest-weekops[fleet]"' in text) == (4, True), text
    assert "has no fleet run" in ended(capsys, "status")[1]
    package = Path(fleet.__file__).resolve().parents[1]
    found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if _imports_dask(path)}
    assert found == {"fleet/cluster.py", "fleet/keys.py"}


def _imports_dask(path: Path) -> bool:
    text = path.read_text("utf-8")
    if "dask" not in text and "distributed" not in text:
        return False
    nodes = list(ast.walk(ast.parse(text)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return any(name.split(".")[0] in ("dask", "distributed") for name in names)


def test_a_run_is_shown_and_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before its end and behind it, by the latest or by name."""
    book = begun(tmp_path, fleet_file(2))
    place = ("--report-dir", str(tmp_path))
    book.begin_attempt("h-1")
    status, text = ended(capsys, "status", *place)
    assert status == 11
    assert "h-1 (cpu): asked at" in text
    assert "h-2 (cpu): waiting" in text
    assert ended(capsys, "verify", *place) == (1, f"{book.directory.name} has no decision: it has not ended.\n")
    ran(book, ReachDouble({"h-1": Host(), "h-2": Host(state="gone", said="killed")}))
    status, text = ended(capsys, "status", book.directory.name, *place)
    assert status == 11
    assert "h-1 (cpu): promoted, driver 1" in text
    assert "h-2 (cpu): lost: its gate ended without a word: killed" in text
    assert "owner: " in text
    status, text = ended(capsys, "verify", *place)
    assert (status, "every outcome follows from its journal" in text) == (0, True)
    assert '"schema": "weekops-fleet/1"' in ended(capsys, "status", "--json", *place)[1]


def test_keys_are_a_secret_and_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For their owner's eyes; old ones are never replaced, and keys that others can read are not used."""
    pytest.importorskip("distributed")
    directory = tmp_path / "keys"
    status, text = ended(capsys, "keys", str(directory))
    assert status == 0
    assert "dask worker tls://SCHEDULER:8786 --no-nanny" in text
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
        "fleet.crt": 0o600,
        "fleet.key": 0o600,
    }
    assert directory.stat().st_mode & 0o777 == 0o700
    status, text = ended(capsys, "keys", str(directory))
    assert (status, "would be shut out" in text) == (4, True)
    (directory / "fleet.key").chmod(0o640)
    (tmp_path / "fleet.yaml").write_text(LOCAL.replace("POOL", "local: {workers: 1}"), "utf-8")
    status, text = ended(capsys, "check", str(tmp_path / "fleet.yaml"), "--keys", str(directory))
    assert (status, "can be read by others" in text) == (4, True)


class _Asked:
    """Hosts that answer a check, each in its way."""

    def __init__(self, **said: object) -> None:
        self.said = said

    async def is_there(self, host: str) -> bool:
        return host in self.said

    def why_gone(self, host: str) -> str:
        return "" if host in self.said else "ssh ended with 255: Host key verification failed."

    async def who(self, host: str, asked: AskWho, timeout_s: float) -> object:
        assert (asked.platforms, timeout_s > 0) == (("pocl",), True)
        answer = self.said[host]
        if isinstance(answer, str) and answer.startswith("!"):
            raise Unreachable(answer[1:])
        return answer


def test_a_check_says_what_stands_against_a_host() -> None:
    """Another program, a driver that does not work or is another one, an answer that is none."""
    facts = {"version": "1", "program": program_sha256(), "kernels": kernels_sha256(), "node": "n", "python": "3"}

    def who(works: bool = True, version: str = "6.0", **changes: object) -> str:
        driver = Driver(profile="pocl", works=works, device="cpu", version=version, said="" if works else "broken")
        return encode(Who.model_validate({**facts, "drivers": (driver,), **changes}))

    fleet: FleetFile = fleet_file(7, driver="^6")
    said = {
        "h-1": who(),
        "h-2": who(program="0" * 64),
        "h-3": who(works=False),
        "h-4": who(version="5.0"),
        "h-5": "{}",
        "h-6": "!no package",
    }
    found = asyncio.run(answers(fleet, _Asked(**said)))
    assert [answer.fits for answer in found] == [True, *[False] * 6]
    told = " / ".join(answer.words() for answer in found)
    for words in (
        "h-1 (cpu): ok. n, version 1, pocl 6.0 on cpu",
        "has another program",
        "pocl does not work there: broken",
        "pocl is '5.0' there, and '^6' is asked for",
        "no answer that can be used: version: Field required",
        "no answer that can be used: no package",
        "h-7 (cpu): no answer that can be used: ssh ended with 255: Host key",
    ):
        assert words in told

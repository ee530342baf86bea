"""A real PostgreSQL of the tests' own: the installed server, in a directory that goes with it, and never as root."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PASSWORD = "not-to-be-printed"
USER = "weekops"
NOBODY = 65534
START_S = 60.0
# Nothing here has to outlive a power cut.
SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "jit=off",
    "shared_buffers=16MB",
    "max_connections=40",
)


def programs() -> Path | None:
    """Where the server's programs are: on the path, or where Debian puts them."""
    found = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    place = Path(found) if found else debian[-1] if debian else None
    return place.resolve().parent if place else None


@dataclass
class Server:
    """One cluster. Whoever comes by its socket needs no password, whoever comes by the network does."""

    place: Path
    programs: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.launch()
        self.wait()

    def launch(self, *, after_s: float = 0.0) -> None:
        """Start it in so many seconds, and wait for nothing. It ends with the thread that launched it."""
        command = [self.programs / "postgres", "-D", self.place / "data", "-k", self.place, "-p", str(self.port)]
        command += [word for setting in (*SETTINGS, "listen_addresses=127.0.0.1") for word in ("-c", setting)]
        with (self.place / "log").open("ab") as log:
            late = ["sh", "-c", f'sleep {after_s}; exec "$@"', "sh"] if after_s else []
            self.process = subprocess.Popen(_unprivileged(*late, *command, dies=True), stderr=log)

    def wait(self) -> None:
        """Wait until it takes connections."""
        import psycopg

        deadline = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    pytest.fail(f"PostgreSQL did not start: {error}; {(self.place / 'log').read_text()[-2000:]}")
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once and in order, or with another signal as after a power cut."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=START_S)
            self.process = None

    def url(self, database: str = USER, *, host: str = "", password: str = PASSWORD) -> str:
        """The address of a database, with a password in it: by the socket, or by the network."""
        where = f"127.0.0.1:{self.port}/{database}" if host else f"/{database}?host={self.place}&port={self.port}"
        return f"postgresql://{USER}:{password}@{where}"

    def execute(self, *statements: str, database: str = USER) -> list[tuple[object, ...]]:
        """What somebody with psql would do; the rows of the last statement."""
        import psycopg

        rows: list[tuple[object, ...]] = []
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                answer = connection.execute(statement.encode())
                rows = answer.fetchall() if answer.description else []
        return rows


def _unprivileged(*words: object, dies: bool = False) -> list[str]:
    """A command line for somebody who is not root, whom the server refuses; one that ends with the tests, if asked."""
    dying = ["--pdeathsig", "INT"] if dies else []
    command = list(map(str, words))
    other = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *other, *dying, *command] if other or dying else command


@contextlib.contextmanager
def started() -> Iterator[Server]:
    """A server with an empty database; the test is skipped where none is installed, or fails where it is required."""
    found = programs()
    missing = [name for name in ("psycopg", "sqlalchemy") if importlib.util.find_spec(name) is None]
    if found is None or shutil.which("setpriv") is None or missing:
        if "postgresql" in os.environ.get("WEEKOPS_REQUIRE_PLATFORMS", "").split(","):
            pytest.fail("PostgreSQL and the extra `fleet` are required here, and one is missing")
        pytest.skip("needs PostgreSQL, and the extra `fleet`")
    place = Path(tempfile.mkdtemp(prefix="weekops-pg-"))  # pytest's own directories are closed to nobody
    try:
        if os.geteuid() == 0:
            os.chown(place, NOBODY, NOBODY)
        secret = place / "secret"
        secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
        secret.chmod(0o644)
        words = (f"--username={USER}", f"--pwfile={secret}", "--auth-local=trust", "--auth-host=scram-sha-256")
        make = _unprivileged(found / "initdb", "-D", place / "data", *words, "--no-sync", "--locale=C", "-E", "UTF8")
        made = subprocess.run(make, capture_output=True, text=True, check=False, timeout=300, cwd=place)
        assert made.returncode == 0, made.stderr
        server = Server(place, found, _free_port())
        try:
            server.start()
            server.execute(f"CREATE DATABASE {USER}", database="postgres")
            yield server
        finally:
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

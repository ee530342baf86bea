"""Alerts against a real HTTP server: Alertmanager's v2 form, retries with growing pauses, failures that are said."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.week import alert
from pytest_weekops.week.alert import DELAYS_S, build_alerts, deliver, is_url, refuse_target, shown
from pytest_weekops.week.closing import close_week
from tests.support.synthetic import Records, make_plan, make_records
from tests.support.weeks import W48, add_run, healthy_week

LATE = "2026-11-24T13:00:00+00:00"


class Receiver(HTTPServer):
    """Answers with the given statuses in turn (the last one ever after) and keeps what it was sent."""

    def __init__(self, *statuses: int, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.statuses = list(statuses)
        self.requests: list[tuple[str, str, str, Any]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Keep the request and answer the next status; 0 is an answer that is no HTTP."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.command, self.path, self.headers["Content-Type"], body))
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        if status == 0:
            self.wfile.write(b"garbage\r\n\r\n")
            return
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/login")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """A login page, which takes everything and means nothing."""
        self.server.requests.append((self.command, self.path, "", None))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Be quiet."""


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    """Receivers that are stopped at the end."""
    started: list[Receiver] = []
    yield started
    for receiver in started:
        receiver.shutdown()
        receiver.server_close()


def listen(receivers: list[Receiver], *statuses: int, port: int = 0) -> Receiver:
    """A receiver at work in a thread."""
    receiver = Receiver(*statuses, port=port)
    threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    receivers.append(receiver)
    return receiver


def week_of_severity(reports: Path, level: int) -> dict[str, Any]:
    """The decision record of a week whose worst open failure is of this severity; 4 is a healthy one."""
    healthy_week(reports)
    plan = make_plan("weekly")
    records: dict[int, Records] = {
        2: [record for record in make_records(plan) if record.type != "gate"],
        3: make_records(plan, speed=lambda case: 1 - 0.02 * case.snapshot),  # drifts
    }
    if level == 1:
        add_run(reports, "bad", crash=True, created_at=LATE)
    elif level < 4:
        add_run(reports, "bad", records=records[level], created_at=LATE)
    document = close_week(reports, W48).document
    assert document["severity"]["level"] == level
    return document


def deliver_quickly(alerts: list[dict[str, Any]], target: str) -> tuple[alert.Delivery, list[float]]:
    """Deliver without pausing; the pauses that were asked for."""
    pauses: list[float] = []
    return deliver(alerts, target, sleep=pauses.append), pauses


@pytest.mark.parametrize(("level", "deadline"), [(1, "13:15"), (2, "14:00"), (3, "17:00")])
def test_alertmanagers_form(tmp_path: Path, receivers: list[Receiver], level: int, deadline: str) -> None:
    """One alert with labels to route by and annotations to act on, posted to the v2 API."""
    document = week_of_severity(tmp_path, level)
    receiver = listen(receivers, 200)
    acta = tmp_path / "weeks" / "2026-W48" / "acta.md"
    delivery, pauses = deliver_quickly(build_alerts(document, acta), receiver.url)
    assert (delivery.delivered, delivery.attempts, delivery.problem, pauses) == (True, 1, "", [])
    ((method, path, kind, body),) = receiver.requests
    assert (method, path, kind) == ("POST", "/api/v2/alerts", "application/json")
    (sent,) = body
    assert set(sent) == {"labels", "annotations", "startsAt", "generatorURL"}
    assert sent["labels"]["alertname"] == "WeekopsDriverNotPromoted"
    assert sent["labels"]["severity"] == f"SEV{level}"
    assert (sent["labels"]["week"], sent["labels"]["decision"]) == ("2026-W48", "iterate")
    assert sent["labels"]["owner"] == document["severity"]["owner"]
    assert sent["annotations"]["deadline"] == f"2026-11-24T{deadline}:00+00:00"
    assert sent["annotations"]["action"] == document["severity"]["action"]
    assert "Run bad" in sent["annotations"]["why"]
    assert all(isinstance(text, str) and text for part in ("labels", "annotations") for text in sent[part].values())
    assert datetime.fromisoformat(sent["startsAt"]).tzinfo is not None
    assert sent["generatorURL"] == acta.resolve().as_uri()


def test_a_healthy_week_is_silent(
    tmp_path: Path, receivers: list[Receiver], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is built, sent, printed or written."""
    alerts = build_alerts(week_of_severity(tmp_path, 4), tmp_path / "acta.md")
    receiver = listen(receivers, 500)
    assert alerts == []
    for target in (receiver.url, "-", str(tmp_path / "alert.json")):
        delivery, pauses = deliver_quickly(alerts, target)
        assert (delivery.delivered, delivery.emitted, delivery.attempts, pauses) == (True, False, 0, [])
    assert receiver.requests == []
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "alert.json").exists()


ALERT: list[dict[str, Any]] = [{"labels": {"alertname": "x"}}]


@pytest.mark.parametrize(
    ("statuses", "delivered", "attempts"),
    [
        ((500, 503, 200), True, 3),
        ((429, 408, 202), True, 3),
        ((0, 200), True, 2),
        ((500,), False, 4),
        ((400,), False, 1),
        ((404,), False, 1),
        ((302,), False, 1),
        ((307,), False, 1),
    ],
)
def test_retries(receivers: list[Receiver], statuses: tuple[int, ...], delivered: bool, attempts: int) -> None:
    """What may pass is tried again with growing pauses; what was refused is not, and a redirect is no delivery."""
    receiver = listen(receivers, *statuses)
    delivery, pauses = deliver_quickly(ALERT, receiver.url + "/api/v2/alerts")
    assert (delivery.delivered, delivery.attempts) == (delivered, attempts)
    assert pauses == list(DELAYS_S[: attempts - 1]) == sorted(set(pauses))
    assert [method for method, *_rest in receiver.requests] == ["POST"] * attempts
    assert (str(statuses[-1]) in delivery.problem) is not delivered
    assert all(path == "/api/v2/alerts" for _method, path, *_rest in receiver.requests)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_listens(receivers: list[Receiver]) -> None:
    """Connection refused is tried again, and arrives once somebody listens."""
    port = _closed_port()
    delivery, pauses = deliver_quickly(ALERT, f"http://127.0.0.1:{port}")
    assert (delivery.delivered, delivery.attempts, pauses) == (False, 4, list(DELAYS_S))
    assert "refused" in delivery.problem.lower()

    def start(_pause: float) -> None:
        listen(receivers, 200, port=port)

    delivery = deliver(ALERT, f"http://127.0.0.1:{port}", sleep=start)
    assert (delivery.delivered, delivery.attempts) == (True, 2)


def test_a_silent_server(receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who accepts and never answers does not hold the closing up for ever."""
    monkeypatch.setattr(alert, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        delivery, pauses = deliver_quickly(ALERT, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert (delivery.delivered, delivery.attempts, len(pauses)) == (False, 4, 3)
    assert "timed out" in delivery.problem


def test_a_file_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old alert stays until the new one is there; a disk that refuses leaves neither half nor rest."""
    target = tmp_path / "deep" / "alert.json"
    assert deliver(ALERT, str(target)).delivered
    assert json.loads(target.read_text(encoding="utf-8")) == ALERT
    with monkeypatch.context() as patch:

        def fail(*_args: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr("os.fsync", fail)
        delivery = deliver([*ALERT, *ALERT], str(target))
    assert (delivery.delivered, "No space left" in delivery.problem) == (False, True)
    assert json.loads(target.read_text(encoding="utf-8")) == ALERT
    assert [path.name for path in target.parent.iterdir()] == ["alert.json"]
    assert not deliver(ALERT, str(tmp_path)).delivered  # a directory is no file


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """The alert and nothing else."""
    assert deliver(ALERT, "-").delivered
    assert json.loads(capsys.readouterr().out) == ALERT


@pytest.mark.parametrize(
    "target", ["", "ftp://host/x", "http://", "http:/x", "http://[::1", "http://host:port/", "http://u:secret@host/"]
)
def test_a_target_that_nothing_could_reach_is_refused(target: str) -> None:
    """Before anything is written, with a sentence that gives no password away."""
    with pytest.raises(InputError) as caught:
        is_url(target)
    assert "secret" not in str(caught.value)


def test_secrets_of_a_url_are_not_recorded() -> None:
    """What stands in the ledger is read by many."""
    assert shown("https://user:word@host:9093/hook/x?token=abc") == "https://host:9093/hook/x"
    assert shown("alerts/week.json") == "alerts/week.json"


def test_a_server_that_drips_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes within the limit of a read, the answer never: the attempt has a limit of its own."""
    monkeypatch.setattr(alert, "DEADLINE_S", 0.2)
    done = threading.Event()

    def drip(server: socket.socket) -> None:
        with server.accept()[0] as connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not done.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = [threading.Thread(target=drip, args=(server,)) for _ in range(4)]
        for thread in dripping:
            thread.start()
        started = time.monotonic()
        delivery, _pauses = deliver_quickly(ALERT, f"http://127.0.0.1:{server.getsockname()[1]}")
        took = time.monotonic() - started
        done.set()
        for thread in dripping:
            thread.join()
    assert (delivery.delivered, delivery.attempts) == (False, 4)
    assert "no whole answer within 0.2 s" in delivery.problem
    assert took < 5


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("kind", ["pipe", "directory", "socket", "below a file"])
def test_a_place_that_is_no_file_is_refused(tmp_path: Path, kind: str, link: bool) -> None:
    """A rename would take it away and tell nobody; it is still there afterwards."""
    place = tmp_path / "place"
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(tmp_path):
        if kind == "pipe":
            os.mkfifo(place)
        elif kind == "directory":
            place.mkdir()
        elif kind == "socket":
            server.bind("place")
        else:
            place.write_text("mine", encoding="utf-8")
            place /= "alert.json"
        if link:
            (tmp_path / "link").symlink_to(place)
        target = str(tmp_path / "link" if link else place)
        before = place.parent.stat().st_mode, tmp_path.joinpath("place").stat().st_mode
        with pytest.raises(InputError, match="nothing was changed"):
            refuse_target(target)
        assert not deliver(ALERT, target).delivered
        assert before == (place.parent.stat().st_mode, tmp_path.joinpath("place").stat().st_mode)


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    """Whether its target is there yet or not; one that leads in a circle is refused."""
    link, target = tmp_path / "alert.json", tmp_path / "there" / "real.json"
    link.symlink_to(target)
    for alerts in (ALERT, [*ALERT, *ALERT]):
        refuse_target(str(link))
        assert deliver(alerts, str(link)).delivered
        assert link.is_symlink()
        assert json.loads(target.read_text(encoding="utf-8")) == alerts
    link.unlink()
    link.symlink_to(link.name)
    with pytest.raises(InputError, match="cannot be used"):
        refuse_target(str(link))


@pytest.mark.parametrize("target", ["-", "http://host:9093/", "new.json", "new/deep/alert.json"])
def test_what_can_be_reached_is_not_refused(target: str) -> None:
    """Nothing is written either."""
    refuse_target(target)
    assert not Path("new.json").exists()

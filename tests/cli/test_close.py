"""``weekops close`` and ``weekops action`` as processes: what they print, write, send and end with."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
from functools import partial
from pathlib import Path

import pytest

from pytest_weekops.week.ledger import open_ledger
from tests.support.command import COMMAND, weekops
from tests.support.weeks import add_run, healthy_week, leftovers, snapshot
from tests.week.test_alert import Receiver, listen, receivers

__all__ = ["receivers"]  # a fixture


def at(reports: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command on a report directory."""
    return weekops(*words, "--report-dir", reports)


def close(reports: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Close week 48."""
    answer = at(reports, "close", "--week", "2026-W48", *options)
    assert "Traceback" not in answer.stderr
    return answer


def sev1_week(reports: Path) -> None:
    """A healthy week, and a crash that nobody answered."""
    healthy_week(reports)
    add_run(reports, "bad", crash=True, created_at="2026-11-24T13:00:00+00:00")


def test_promote_and_closed_twice(tmp_path: Path) -> None:
    """0 and what was written; the second time 4, a sentence, and nothing changed."""
    healthy_week(tmp_path)
    answer = close(tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("week 2026-W48: promote (SEV4)\n")
    assert f"written: {tmp_path}/weeks/2026-W48/ (decision.json, acta.md)" in answer.stdout
    before = snapshot(tmp_path)
    again = close(tmp_path)
    assert (again.returncode, again.stdout) == (4, "")
    assert "Week 2026-W48 was closed on" in again.stderr
    assert snapshot(tmp_path) == before


def test_what_is_missing_is_owed_until_it_is_closed(tmp_path: Path) -> None:
    """11 for a step without evidence; the action is listed, closed once, and then gone."""
    healthy_week(tmp_path, without="split")
    answer = close(tmp_path)
    assert answer.returncode == 11
    assert "split: iterate. MISSING: no split run of this week is recorded." in answer.stdout
    assert "owed: 2026-W48-1 split: MISSING" in answer.stdout
    listed = at(tmp_path, "action", "list")
    assert (listed.returncode, "2026-W48-1: split: MISSING" in listed.stdout) == (0, True)
    assert json.loads(at(tmp_path, "action", "list", "--json").stdout)["open"][0]["id"] == "2026-W48-1"
    done = at(tmp_path, "action", "close", "2026-W48-1", "--note", "measured")
    assert (done.returncode, done.stdout) == (0, "2026-W48-1 is closed.\n")
    for name, why in (("2026-W48-1", "was closed on"), ("../x", "There is no open action '../x'")):
        refused = at(tmp_path, "action", "close", name)
        assert (refused.returncode, refused.stdout, why in refused.stderr) == (4, "", True)
    assert at(tmp_path, "action", "list").stdout == "No action is open.\n"


def test_altered_evidence(tmp_path: Path) -> None:
    """1, and the finding names the file."""
    healthy_week(tmp_path)
    with (tmp_path / "gate" / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    answer = close(tmp_path)
    assert answer.returncode == 1
    assert "finding: Evidence gate/journal.jsonl was changed" in answer.stdout


def test_sev1_to_standard_output(tmp_path: Path) -> None:
    """10; with ``--alert -`` standard output holds the alert alone, and the words go to standard error."""
    sev1_week(tmp_path)
    answer = close(tmp_path, "--alert", "-")
    assert answer.returncode == 10
    (sent,) = json.loads(answer.stdout)
    assert sent["labels"]["severity"] == "SEV1"
    assert "week 2026-W48: iterate (SEV1)" in answer.stderr
    entry = open_ledger(tmp_path).entries()[-1]
    assert (entry.kind, entry.body["delivered"], entry.body["target"]) == ("alert", True, "-")


def test_sev1_to_a_server_and_a_file(tmp_path: Path, receivers: list[Receiver]) -> None:
    """What the server got is what the file holds; both deliveries are records."""
    receiver = listen(receivers, 200)
    for name, target in (("a", receiver.url), ("b", str(tmp_path / "alert.json"))):
        sev1_week(tmp_path / name)
        assert close(tmp_path / name, "--alert", target).returncode == 10
        body = open_ledger(tmp_path / name).entries()[-1].body
        assert (body["target"], body["delivered"], body["attempts"]) == (target, True, 1)
    ((_method, path, _kind, sent),) = receiver.requests
    written = json.loads((tmp_path / "alert.json").read_text(encoding="utf-8"))
    assert path == "/api/v2/alerts"
    assert [alert["labels"] for alert in written] == [alert["labels"] for alert in sent]


def test_an_alert_that_does_not_arrive_is_recorded_and_said(tmp_path: Path) -> None:
    """The week is closed, its status stays, the owner is named, and the ledger holds the failure."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"  # bound, and nobody listens
        sev1_week(tmp_path)
        answer = close(tmp_path, "--alert", url)
    assert answer.returncode == 10
    assert f"the alert did NOT reach {url} in 4 tries" in answer.stderr
    assert "Tell the owner yourself: run owner" in answer.stderr
    kinds = [(entry.kind, entry.body.get("delivered")) for entry in open_ledger(tmp_path).entries()[-2:]]
    assert kinds == [("week", None), ("alert", False)]
    assert "refused" in open_ledger(tmp_path).entries()[-1].body["problem"].lower()
    assert open_ledger(tmp_path).problems() == []


def test_a_healthy_week_sends_nothing(tmp_path: Path, receivers: list[Receiver]) -> None:
    """No request, no record of one, and nothing on standard output but the words."""
    receiver = listen(receivers, 500)
    healthy_week(tmp_path)
    assert close(tmp_path, "--alert", receiver.url).returncode == 0
    assert receiver.requests == []
    assert [entry.kind for entry in open_ledger(tmp_path).entries()] == ["run"] * 3 + ["week"]


def test_nobody_reads_standard_output(tmp_path: Path) -> None:
    """A closed pipe: the week is closed with its status, and the failed delivery is recorded."""
    sev1_week(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "close", "--week", "2026-W48", "--alert", "-"]
    answer = subprocess.run([*command, "--report-dir", str(tmp_path)], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert answer.returncode == 10
    assert "the alert did NOT reach -" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert open_ledger(tmp_path).entries()[-1].body["delivered"] is False


USAGE = {
    ("--week", "2026-W54"): "is not an ISO week",
    ("--week", "../../x"): "is not an ISO week",
    ("--week", "2026-W48\n"): "is not an ISO week",
    ("--week", "2026-W47"): "No run of 2026-W47",
    ("--week", "2026-W48", "--runs", "nobody"): "is not in the ledger",
    ("--week", "2026-W48", "--runs", "old"): "was made in 2025-W48",
    ("--week", "2026-W48", "--alert", ""): "--alert",
    ("--week", "2026-W48", "--alert", "ftp://host"): "--alert",
}


@pytest.mark.parametrize("words", USAGE)
def test_what_is_refused_changes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    """4, one sentence on standard error, nothing on standard output, nothing written."""
    healthy_week(tmp_path)
    add_run(tmp_path, "old", created_at="2025-11-25T12:00:00+00:00")
    before = snapshot(tmp_path)
    answer = at(tmp_path, "close", *words)
    assert (answer.returncode, answer.stdout) == (4, "")
    assert USAGE[words] in answer.stderr
    assert "Traceback" not in answer.stderr
    assert snapshot(tmp_path) == before


def test_ledgers_that_cannot_be_used(tmp_path: Path) -> None:
    """Corrupt, of a newer version, altered: 4, the ledger as it was, and no week."""
    healthy_week(tmp_path / "good")
    for name in ("corrupt", "newer", "altered"):
        shutil.copytree(tmp_path / "good", tmp_path / name)
    (tmp_path / "corrupt" / "ledger.sqlite").write_bytes(b"garbage" * 99)
    for name, sql in (("newer", "PRAGMA user_version = 99"), ("altered", "UPDATE record SET body = '{}'")):
        connection = sqlite3.connect(tmp_path / name / "ledger.sqlite", isolation_level=None)
        connection.execute("DROP TRIGGER record_is_never_changed")
        connection.execute(sql)
        connection.close()
    for name, words in (("corrupt", "is damaged"), ("newer", "schema version 99"), ("altered", "does not verify")):
        before = snapshot(tmp_path / name)
        answer = close(tmp_path / name)
        assert (answer.returncode, answer.stdout, words in answer.stderr) == (4, "", True), answer.stderr
        assert snapshot(tmp_path / name) == before
        assert leftovers(tmp_path / name) == []


@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_a_target_that_is_no_file_leaves_the_week_open(tmp_path: Path, kind: str) -> None:
    """4 before anything is written, and the pipe is still one."""
    place = tmp_path / "place"
    os.mkfifo(place) if kind == "pipe" else place.mkdir()
    sev1_week(tmp_path / "reports")
    before = snapshot(tmp_path / "reports")
    answer = close(tmp_path / "reports", "--alert", str(place))
    assert (answer.returncode, "is no regular file" in answer.stderr) == (4, True)
    assert snapshot(tmp_path / "reports") == before
    assert place.is_fifo() if kind == "pipe" else place.is_dir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_delivery_is_recorded_and_made_up_for(tmp_path: Path, number: signal.Signals) -> None:
    """The ledger says that the alert did not arrive; closing again sends it, and the week stays as it was written."""
    sev1_week(tmp_path)
    command = [*COMMAND, "close", "--week", "2026-W48", "--report-dir", str(tmp_path)]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # Behind a shell's & a process ignores SIGINT, and hands that down.
        heard = partial(signal.signal, number, signal.SIG_DFL)
        asked = [*command, "--alert", url]
        with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True, preexec_fn=heard) as closing:
            silent.settimeout(30)
            with silent.accept()[0]:
                closing.send_signal(number)
                assert closing.wait(30) == 2
            assert closing.stderr is not None
            told = closing.stderr.read()
    assert "did NOT reach" in told
    assert "Traceback" not in told
    entry = open_ledger(tmp_path).entries()[-1]
    assert (entry.kind, entry.body["delivered"], entry.body["problem"]) == ("alert", False, "interrupted")
    week = snapshot(tmp_path / "weeks")
    assert close(tmp_path).returncode == 4  # without an alert there is nothing to make up for
    target = tmp_path / "alert.json"
    assert close(tmp_path, "--alert", str(target), "--runs", "gate").returncode == 4
    answer = close(tmp_path, "--alert", str(target))
    assert (answer.returncode, "left as it is; its alert had not arrived" in answer.stdout) == (10, True)
    assert json.loads(target.read_text(encoding="utf-8"))[0]["labels"]["week"] == "2026-W48"
    assert snapshot(tmp_path / "weeks") == week
    again = close(tmp_path, "--alert", str(target))  # it arrived: a closed week is closed
    assert (again.returncode, "was closed on" in again.stderr) == (4, True)
    assert [e.kind for e in open_ledger(tmp_path).entries()][-3:] == ["week", "alert", "alert"]


def test_no_alert_is_sent_from_a_record_that_was_changed(tmp_path: Path) -> None:
    """Who owns the week and how grave it is would be somebody's invention."""
    sev1_week(tmp_path)
    assert close(tmp_path).returncode == 10
    path = tmp_path / "weeks" / "2026-W48" / "decision.json"
    path.write_text(path.read_text(encoding="utf-8").replace("run owner", "nobody"), encoding="utf-8")
    answer = close(tmp_path, "--alert", "-")
    assert (answer.returncode, answer.stdout) == (4, "")
    assert "is not what was written then" in answer.stderr


@pytest.mark.parametrize(("without", "status"), [("split", 11), ("", 0)])
def test_a_week_closed_without_an_alert_sends_it_with_its_own_status(tmp_path: Path, without: str, status: int) -> None:
    """A milder week keeps its status; a healthy one has nothing to send and stays closed."""
    healthy_week(tmp_path, without=without)
    assert close(tmp_path).returncode == status
    assert close(tmp_path, "--alert", "-").returncode == (status or 4)


def test_the_alert_goes_out_where_the_words_cannot_be_shown(tmp_path: Path) -> None:
    """Standard output is full: the owner is told all the same, and the command does not end in success."""
    sev1_week(tmp_path / "reports")
    target = tmp_path / "alert.json"
    command = [*COMMAND, "close", "--week", "2026-W48", "--alert", str(target)]
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [*command, "--report-dir", str(tmp_path / "reports")], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert answer.returncode == 4
    assert "Traceback" not in answer.stderr
    assert target.is_file()
    assert open_ledger(tmp_path / "reports").entries()[-1].body["delivered"] is True


def test_a_place_without_room_or_rights_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 and a sentence; the week is not closed."""
    healthy_week(tmp_path)
    (tmp_path / "weeks").write_text("in the way", encoding="utf-8")
    answer = close(tmp_path)
    assert (answer.returncode, "is not closed" in answer.stderr) == (4, True), answer.stderr
    assert [entry.kind for entry in open_ledger(tmp_path).entries()] == ["run"] * 3

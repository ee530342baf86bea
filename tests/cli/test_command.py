"""The top of ``weekops``: whatever breaks is a sentence, and no exit status is taken for a verdict."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_weekops import cli
from pytest_weekops.core.errors import WeekopsError
from tests.support.command import COMMAND, weekops

LONG = "a" * 300


def breaks(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``weekops status`` raise."""

    def run(_arguments: object) -> int:
        raise error

    monkeypatch.setattr("pytest_weekops.cli.status.run", run)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (PermissionError(13, "Permission denied", "/somewhere"), 4, "weekops status: /somewhere: Permission denied."),
        (OSError(28, "No space left on device"), 4, "weekops status: No space left on device."),
        (KeyError("x"), 3, "weekops status: internal error: KeyError: 'x'. This is a defect of weekops"),
        (RecursionError("deep"), 3, "internal error: RecursionError: deep"),
        (ValueError("\x1b[31mred"), 3, "internal error: ValueError: \N{REPLACEMENT CHARACTER}[31mred"),
        (WeekopsError("It broke."), 3, "weekops: It broke."),
        (KeyboardInterrupt(), 2, ""),
    ],
)
def test_whatever_breaks_is_a_sentence_and_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    words: str,
) -> None:
    """A traceback would end in 1, which means iterate."""
    breaks(monkeypatch, error)
    assert cli.main(["status"]) == status
    shown = capsys.readouterr()
    assert words in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_defect_shows_where_it_is_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence names the variable, and the variable shows the traceback."""
    breaks(monkeypatch, KeyError("x"))
    monkeypatch.setenv("WEEKOPS_TRACEBACK", "1")
    assert cli.main(["status"]) == 3
    text = capsys.readouterr().err
    assert "WEEKOPS_TRACEBACK=1" in text
    assert "Traceback (most recent call last)" in text


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nothing",),
        ("close",),
        ("status", "--nothing"),
        ("policy",),
        ("policy", "recalibrate"),
        ("rollback", "--apply", "--undo"),
        ("action", "\x1b[31m"),
    ],
)
def test_wrong_words_are_a_usage_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    """4 and not argparse's 2, which means interrupted; nothing on standard output."""
    answer = weekops(*words, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (4, "")
    assert "usage: weekops" in answer.stderr
    assert "\x1b" not in answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--report-dir", LONG),
        ("close", "--week", "2026-W48", "--report-dir", LONG),
        ("judge", LONG),
        ("policy", "show", LONG),
        ("policy", "recalibrate", "--from", LONG),
        ("policy", "recalibrate", "--from", "x", "--output", LONG),
        ("rollback", "--report-dir", LONG),
        ("baseline", "show", "--report-dir", LONG),
    ],
    ids=lambda words: "-".join(words[:2])[:20],
)
def test_a_name_that_the_system_refuses(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A sentence that says why."""
    answer = weekops(*words, cwd=tmp_path)
    assert (answer.returncode, "Traceback" in answer.stderr) == (4, False), answer.stderr
    assert "File name too long" in answer.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("--help",), ("policy", "show"), ("policy", "show", "--json")])
def test_output_that_nobody_could_read_is_no_success(tmp_path: Path, words: tuple[str, ...], unbuffered: str) -> None:
    """Standard output full or closed: 4 and a sentence, because what was asked for was not shown."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [*COMMAND, *words], cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert answer.returncode == 4
    assert "No space left on device" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "Exception ignored" not in answer.stderr
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert closed.returncode == 4
    assert "standard output is closed" in closed.stderr


@pytest.mark.parametrize("words", [("--help",), ("policy", "show"), ("status",)])
def test_a_reader_that_left_gets_no_traceback(tmp_path: Path, words: tuple[str, ...]) -> None:
    """``weekops status | head -1``: 141 as of any program whose pipe is closed, and not a word about it."""
    command = ["bash", "-c", '"$@" | true; exit ${PIPESTATUS[0]}', "bash", "sh", "-c", 'sleep 1; exec "$@"', "sh"]
    answer = subprocess.run([*command, *COMMAND, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (141, "")


def test_a_closed_standard_error_does_not_spoil_standard_output(tmp_path: Path) -> None:
    """What is meant for people does not end up between what is meant for machines."""
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, "policy", "show", "nowhere.yaml"]
    answer = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert (answer.returncode, answer.stdout) == (4, "")


def test_a_character_that_the_terminal_lacks_is_escaped(tmp_path: Path) -> None:
    """An ASCII terminal shows it escaped instead of breaking off."""
    (tmp_path / "mine.yaml").write_text(
        "version: 1\npolicy_id: m\ninherits: portable.yaml\ndescription: größer\n", encoding="utf-8"
    )
    answer = weekops("policy", "show", "mine.yaml", cwd=tmp_path, environment={"PYTHONIOENCODING": "ascii"})
    assert answer.returncode == 0, answer.stderr
    assert "gr\\xf6\\xdfer" in answer.stdout

"""A run read back: its records from the bytes of its lines, and from data that were read first, are the same."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.records import Case, Measurement
from pytest_weekops.evidence import stored_run
from pytest_weekops.evidence.journal import encode_event, read_journal
from pytest_weekops.evidence.stored_run import JUDGED, read_run
from tests.support.stored import write_run
from tests.support.synthetic import make_plan, make_records

END = len(b',"crc":"01234567"}')


def _ended(body: bytes) -> bytes:
    return body + b',"crc":"%08x"}' % zlib.crc32(body)


def _with(**facts: object) -> tuple[bytes, bytes]:
    """A field before the measurement's own."""
    return b'"reason":"",', b"".join(f'"{name}":{json.dumps(told)},'.encode() for name, told in facts.items())


# Of a measurement's line: which bytes of it become which others, and how many measurements the run has then; 0: refused
ODD: dict[str, tuple[tuple[bytes, bytes], int]] = {
    "as it was": ((b"", b""), 2),
    "a key twice, the first of them wrong": ((b'"kernel":', b'"kernel":5,"kernel":'), 2),
    "a key twice, the second of them wrong": ((b'"seed":11', b'"seed":11,"seed":"x"'), 0),
    "another void in front": (_with(reason="", void=True), 2),
    "a number as text": ((b'"size":128', b'"size":"128"'), 2),
    "a number that is none": ((b'"size":128', b'"size":"many"'), 0),
    "a name that nobody knows": (_with(reason="", strange=1), 0),
    "no number": ((b'"flops":4194304.0', b'"flops":NaN'), 2),
    "a part of a character": ((b'"reason":""', b'"reason":"\\ud800"'), 2),
    "a byte of no character": ((b'"reason":""', b'"reason":"\xff"'), 0),
    "a control character": ((b'"reason":""', b'"reason":"\x01"'), 0),
    "a mark of an encoding": ((b'"data":', b'"data":\xef\xbb\xbf'), 0),
    "a comma too much": ((b'"reason":"",', b'"reason":"",,'), 0),
    "a further part of the line": ((b'"driver_files":""}', b'"driver_files":""},"more":{}'), 2),
    "data twice": ((b'"driver_files":""}', b'"driver_files":""},"data":{}'), 0),
    "a whole number beyond all": ((b'"waited_s":0.0', b'"waited_s":0.0,"attempt":1' + b"0" * 5000), 0),
}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of a small run."""
    plan = make_plan(sizes=(128,), snapshots=2)
    directory = write_run(tmp_path_factory.mktemp("runs") / "weekly-1", plan, make_records(plan), ended=0)
    return (directory / "journal.jsonl").read_bytes().splitlines()


@pytest.mark.parametrize("odd", ODD)
def test_both_ways_give_the_same_records(lines: list[bytes], odd: str, tmp_path: Path) -> None:
    """What is refused by one is refused by both, and what is read reads as JSON always did here."""
    (old, new), measured = ODD[odd]
    at = next(place for place, line in enumerate(lines) if b'"type":"measurement"' in line)
    body = lines[at][:-END]
    assert _ended(body) == lines[at]
    assert old in body
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in [*lines[:at], _ended(body.replace(old, new)), *lines[at + 1 :]]))
    if not measured:
        with pytest.raises(InputError):
            read_run(path)
        return
    run = read_run(path)
    other = stored_run._stored_run(path, read_journal(path))
    assert repr(replace(run, events=())) == repr(replace(other, events=()))  # NaN is equal to nothing
    assert len([record for record in run.records if isinstance(record, Measurement)]) == measured


def test_records_are_made_of_bytes(lines: list[bytes], tmp_path: Path) -> None:
    """Whoever asks for what a line says has it all the same, and the very line can be written of it."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    events = read_journal(path, unread=JUDGED)
    assert {type(event.told) for event in events if event.type in JUDGED} == {bytes}
    assert b"".join(encode_event(event.seq, event.type, event.data) for event in events) == path.read_bytes()
    assert [event.data for event in events] == [event.data for event in read_journal(path)]


def test_bytes_are_left_to_a_library_that_reads_them_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes the first of two values is not asked: data are read first then, whatever the version."""
    first = Case(platform="", kernel="", size=1, seed=1, snapshot=1)
    monkeypatch.setattr(Case, "model_validate_json", lambda _text: first)
    assert not stored_run._of_bytes.__wrapped__()


def test_what_is_wrong_with_a_line_is_said_first(lines: list[bytes], tmp_path: Path) -> None:
    """A record of another shape before a line that was altered: the altered one is named, as in any journal."""
    at = next(place for place, line in enumerate(lines) if b'"type":"measurement"' in line)
    bad = _ended(lines[at][:-END].replace(b'"size":128', b'"size":"x"'))
    path = tmp_path / "journal.jsonl"
    path.write_bytes(
        b"".join(line + b"\n" for line in [*lines[:at], bad, *lines[at + 1 : -1], lines[-1][:-3] + b'-"}'])
    )
    with pytest.raises(InputError, match="fails its checksum"):
        read_run(path)


def test_a_run_reads_as_its_type(lines: list[bytes], tmp_path: Path) -> None:
    """Its end is what its last line says."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    run = read_run(path)
    assert run.ended == 0
    assert run.kind == "weekly"

"""The journal: synced line by line, read back whole, refused when it was altered."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.evidence.journal import Journal, encode_event, read_journal
from tests.support.examples import examples

DATA = st.dictionaries(
    st.text(max_size=5), st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


def write(path: Path, count: int = 5) -> bytes:
    """A journal of a few events; its bytes."""
    journal = Journal(path)
    for number in range(count):
        journal.append("note", {"number": number, "text": "é\n"})
    journal.close()
    return path.read_bytes()


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), DATA), min_size=1, max_size=6))
@settings(max_examples=examples(60), deadline=None)
def test_what_is_written_is_read(events: list[tuple[str, dict[str, object]]]) -> None:
    """Any event comes back as it was, in order."""
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "journal.jsonl"
        journal = Journal(path)
        for kind, data in events:
            journal.append(kind, data)
        journal.close()
        assert [(event.type, event.data) for event in read_journal(path)] == events


def test_a_cut_at_every_byte_keeps_the_whole_lines(tmp_path: Path) -> None:
    """Cut anywhere, the journal gives the lines before the cut, or says that there is nothing."""
    whole = write(tmp_path / "journal.jsonl")
    cut = tmp_path / "cut.jsonl"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        lines = whole[:length].count(b"\n")
        if lines:
            assert len(read_journal(cut)) == lines
        else:
            with pytest.raises(InputError):
                read_journal(cut)


def test_every_changed_byte_is_found(tmp_path: Path) -> None:
    """A flipped bit in any whole line is refused; in the torn-line position it can only shorten the journal."""
    whole = write(tmp_path / "journal.jsonl", 3)
    path = tmp_path / "changed.jsonl"
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        try:
            events = read_journal(path)
        except InputError:
            continue
        assert len(events) < 3, f"byte {place} changed unnoticed"


@pytest.mark.parametrize("change", ["drop", "repeat", "swap"])
def test_missing_and_moved_lines_are_refused(tmp_path: Path, change: str) -> None:
    """Lines are numbered: none can be left out in the middle, repeated or moved."""
    lines = write(tmp_path / "journal.jsonl").splitlines(keepends=True)
    if change == "drop":
        lines.pop(1)
    elif change == "repeat":
        lines.insert(1, lines[1])
    else:
        lines[1], lines[2] = lines[2], lines[1]
    path = tmp_path / "changed.jsonl"
    path.write_bytes(b"".join(lines))
    with pytest.raises(InputError, match="missing or repeated"):
        read_journal(path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A journal of a newer format is not guessed at."""
    entry = json.loads(encode_event(1, "run", {}))
    entry["v"] = 3
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps(entry) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="version 3, this program reads 1 and 2"):
        read_journal(path)


def test_lines_of_older_versions_are_read_and_checked(tmp_path: Path) -> None:
    """Their checksum is over what they say, with sorted keys; an edited one is refused."""
    line = '{"v":1,"seq":1,"type":"note","data":{"text":"it held","at":1},"crc":"%s"}\n'
    said = b'[1,"note",{"at":1,"text":"it held"}]'
    checksum = f"{zlib.crc32(said):08x}"
    path = tmp_path / "journal.jsonl"
    path.write_text(line % checksum, encoding="utf-8")
    assert read_journal(path)[0].data == {"text": "it held", "at": 1}
    path.write_text((line % checksum).replace("held", "hell"), encoding="utf-8")
    with pytest.raises(InputError, match="fails its checksum"):
        read_journal(path)


@pytest.mark.parametrize("change", [(b'"v":2', b'"v":1'), (b'"data":', b'"data": '), (b'"crc"', b' "crc"')])
def test_a_line_spelled_otherwise_is_refused(tmp_path: Path, change: tuple[bytes, bytes]) -> None:
    """The checksum is over the bytes: the same said with other spaces, or as an older version's, fails it."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(encode_event(1, "note", {"text": "it held"}).replace(*change))
    with pytest.raises(InputError, match="fails its checksum"):
        read_journal(path)


@pytest.mark.parametrize("data", [b'\xef\xbb\xbf{"at":1}', '{"at":1}'.encode("utf-16-le"), b'{"at":1},"more":2', b"{"])
def test_what_a_line_says_is_a_part_of_it(tmp_path: Path, data: bytes) -> None:
    """Cut out of its line, some of it would read as JSON by itself; what counts is what the whole line says."""
    body = b'{"v":2,"seq":1,"type":"note","data":' + data
    path = tmp_path / "journal.jsonl"
    path.write_bytes(body + b',"crc":"%08x"}\n' % zlib.crc32(body))
    if b"more" in data:
        assert read_journal(path)[0].data == {"at": 1}
    else:
        with pytest.raises(InputError, match="is not a journal entry"):
            read_journal(path)


def test_an_existing_journal_is_never_overwritten(tmp_path: Path) -> None:
    """Two runs cannot write one file."""
    before = write(tmp_path / "journal.jsonl")
    with pytest.raises(InputError, match="exists already"):
        Journal(tmp_path / "journal.jsonl")
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """When the file may not grow, append raises a sentence and what was written stays readable."""
    code = (
        "import sys; from pathlib import Path; from pytest_weekops.evidence.journal import Journal\n"
        "from pytest_weekops.core.errors import WeekopsError\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "try:\n    [journal.append('note', {'text': 'x' * 100}) for _ in range(100)]\n"
        "except WeekopsError as error:\n    print(error)\n"
    )

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    path = tmp_path / "journal.jsonl"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
        env=environment,
    )
    assert "cannot be written" in done.stdout, done.stderr
    assert read_journal(path)


def test_nan_is_never_written(tmp_path: Path) -> None:
    """The journal is strict JSON: a bare NaN is refused at the door."""
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises((ValueError, WeekopsError)):
        journal.append("note", {"value": float("nan")})


def _cut(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:-9])


def _add(journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(encode_event(4, "note", {}))


def _change(journal: Path) -> None:
    content = journal.read_bytes()
    with journal.open("r+b") as file:
        file.write(content.replace(b"number", b"NUMBER"))


def _replace(journal: Path) -> None:
    content = journal.read_bytes()
    journal.rename(journal.with_name("aside"))
    journal.write_bytes(content)


def _link(journal: Path) -> None:
    journal.unlink()
    journal.symlink_to("/dev/zero")  # reading it would never end


DAMAGE: dict[str, tuple[Callable[[Path], None], str, bool]] = {
    "cut": (_cut, "it was cut or added to", False),
    "added to": (_add, "it was cut or added to", False),
    "changed": (_change, "the journal was changed: its SHA-256 is not", False),
    "replaced": (_replace, "another file lies in the place of the journal", True),
    "linked": (_link, "another file lies in the place of the journal", True),
    "removed": (Path.unlink, "the journal was removed", True),
    "left alone": (lambda _journal: None, "", True),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_writer_knows_what_it_wrote(tmp_path: Path, how: str) -> None:
    """What others make of the file while it is written is found, and the open file has what was written."""
    interfere, words, kept = DAMAGE[how]
    journal = Journal(tmp_path / "journal.jsonl")
    lines = [encode_event(number, "note", {"number": number}) for number in (1, 2, 3)]
    for number in (1, 2):
        journal.append("note", {"number": number})
    interfere(journal.path)
    journal.append("note", {"number": 3})
    damage = journal.damage()
    assert words in damage
    assert bool(damage) == (how != "left alone")
    assert journal.facts["sha256"] == hashlib.sha256(b"".join(lines)).hexdigest()
    assert journal.written() == (b"".join(lines) if kept else None)
    journal.close()

"""A kept record that cannot be read: the sentence says what is wrong with the file, not what a parser made of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.record import Record
from pytest_weekops.files.kept_record import read_kept_record


class Kept(Record):
    """What is kept here."""

    number: int


def read(path: Path) -> Kept:
    """At most sixty-four bytes of it."""
    return read_kept_record(path, Kept, largest_bytes=64, lost="It is lost.")


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    """The refusals below start from here."""
    (tmp_path / "kept.json").write_text('{"number": 1}', encoding="utf-8")
    assert read(tmp_path / "kept.json") == Kept(number=1)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing", "there is no such file"),
        ("directory", "it is no file"),
        ("pipe", "it is no file"),
        ("large", "it is larger than 64 bytes"),
        ("torn", "Expecting property name"),
        ("other", "number: Field required"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(tmp_path: Path, name: str, why: str) -> None:
    """A pipe would be waited for."""
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_text("1" * 65, encoding="utf-8")
    (tmp_path / "torn").write_text("{", encoding="utf-8")
    (tmp_path / "other").write_text('{"numbre": 1}', encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read(tmp_path / name)
    assert str(refusal.value).startswith(f"{tmp_path / name} cannot be read: {why}")
    assert str(refusal.value).endswith("It is lost.")

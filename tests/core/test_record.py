"""Documents of people as records: the refusals name the file and what is wrong in it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.record import Record, as_record, first_refused


class Known(Record):
    """A document with one key."""

    number: int


def read(data: Any) -> Known:
    """As a file of platforms is read."""
    return as_record(Known, data, what="Platform file", source="p.yaml", why="It matters.")


def test_a_document_becomes_a_record() -> None:
    """The refusals below start from here."""
    assert read({"number": 1}) == Known(number=1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "Platform file p.yaml holds nothing. It matters. Write it, or name another file."),
        ({"number": "x"}, "Platform file p.yaml: number: Input should be a valid integer"),
        ([], "Platform file p.yaml: the document: Input should be a valid dictionary"),
    ],
)
def test_what_is_no_such_document_is_refused(data: Any, said: str) -> None:
    """An empty file says so, in place of what a validator makes of nothing."""
    with pytest.raises(PolicyError) as refusal:
        read(data)
    assert str(refusal.value).startswith(said)


def test_what_a_stranger_wrote_is_cut_where_it_is_told() -> None:
    """A key of any length, and a message; of an error of another kind its first line, or what it is."""
    long = "9" * 5000
    with pytest.raises(PolicyError) as caught:
        read({"number": 1, long: 2})
    assert f"{'9' * 200}...: Extra inputs" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert first_refused(ValueError(f"one\ntwo{long}")) == ("", "one")
    assert first_refused(ValueError(long)) == ("", f"{'9' * 200}...")
    assert first_refused(RecursionError()) == ("", "RecursionError")

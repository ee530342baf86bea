"""Strangers' campaign files: recognised from content, or refused in a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.evidence.recorded import LARGEST_CAMPAIGN_BYTES, parse_campaign, read_campaign
from tests.support.recorded_data import split, weekly, without


def written(tmp_path: Path, content: str | bytes) -> Path:
    """A campaign file."""
    path = tmp_path / "campaign.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


REFUSED = [
    ("", "is empty"),
    ('{"runs": [', "looks cut off"),
    ("hello", "is not JSON"),
    ("[]", "not an object"),
    ("{}", "unknown kind"),
    ("[" * 100_000, "nested more than"),
    ('{"runs": ' + "[" * 70 + "]" * 70 + "}", "nested more than"),
    (b"\xff\xfe\x00", "is not text"),
    ('{"runs": [{"status": "error", "status": "ok"}]}', "the key 'status' twice"),
    ('{"runs": [], "runs": []}', "the key 'runs' twice"),
    ('{"runs": "none"}', "has str for runs"),
    ('{"runs": [' + "[]," * 2_000_001 + "[]]}", "objects and lists"),
]


@pytest.mark.parametrize(("content", "words"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_is_no_campaign_is_refused_in_words(tmp_path: Path, content: str | bytes, words: str) -> None:
    """The sentence names the file and what is wrong with it."""
    path = written(tmp_path, content)
    with pytest.raises(InputError, match=words) as caught:
        read_campaign(path)
    assert str(path) in str(caught.value)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    """A sparse file of half a gigabyte is turned away by its size."""
    path = written(tmp_path, "{")
    with path.open("r+b") as stream:
        stream.truncate(LARGEST_CAMPAIGN_BYTES + 1)
    with pytest.raises(InputError, match="at most 64 MiB"):
        read_campaign(path)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (weekly(), "weekly"),
        (split(), "split"),
        (without(weekly(), "metadata", "executed_snapshots"), "weekly"),
        (without(weekly(), "metadata"), "weekly"),
        ({**split(), "runs": [r for r in split()["runs"] if r["platform_selector"] == "Clover"]}, "split"),
        (without(split(), "metadata"), "split"),
    ],
    ids=["weekly", "split", "no executed", "weekly no metadata", "one platform", "split no metadata"],
)
def test_the_kind_is_recognised_from_the_content(document: dict[str, Any], kind: str) -> None:
    """Missing metadata or a missing platform does not change what a file is."""
    assert parse_campaign(document, "test").kind == kind


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    """A pipe that nobody writes into would be waited for, a device never ends."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match="no regular file"):
            read_campaign(path)


def test_a_string_that_never_ends_is_looked_through_once(tmp_path: Path) -> None:
    """Each of its escaped quotes could begin another one: looked for from each of them, this takes hours."""
    with pytest.raises(InputError, match="is not JSON"):
        read_campaign(written(tmp_path, '{"runs": "' + '\\"' * 3_000_000))


def test_brackets_inside_strings_are_no_nesting(tmp_path: Path) -> None:
    """A name full of brackets is a name."""
    document = {**weekly(), "note": "[" * 500 + '\\"' + "{" * 500}
    assert read_campaign(written(tmp_path, json.dumps(document))).kind == "weekly"


def test_what_is_no_run_is_counted_as_a_defect() -> None:
    """Entries that name no kernel, size or platform do not vanish."""
    document = {
        **weekly(),
        "runs": [*weekly()["runs"], {}, 5, {"kernel": "x", "size": 1e300, "platform_selector": "y"}],
    }
    campaign = parse_campaign(document, "test")
    assert len(campaign.runs) == 24
    assert len(campaign.defects) == 3

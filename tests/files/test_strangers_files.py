"""Readers of files from outside: whatever the bytes are, the answer is a value or a sentence, never a traceback."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_weekops.core.errors import InputError
from pytest_weekops.drivers.platforms import load_profiles
from pytest_weekops.evidence.baselines import SCHEMA, load_baseline
from pytest_weekops.evidence.injections import find_injections
from pytest_weekops.evidence.recorded import read_campaign
from pytest_weekops.evidence.tunings import TuningBook, load_tunings
from pytest_weekops.files.catalog import read_catalog
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.policies.files import default_policy, load_lane_policy, load_policy
from tests.core.judge.test_recall import record
from tests.core.selection.test_tuning import entry
from tests.evidence.test_tunings import KERNELS, ME
from tests.policies.test_older import older
from tests.support.broken_bytes import mutants
from tests.support.recorded_data import weekly

CORPUS = Path(__file__).with_name("corpus")
EXAMPLES = int(os.environ.get("WEEKOPS_EXAMPLES", "0")) or 25


@dataclass(frozen=True)
class Reader:
    """Where a file lies in a directory, what it holds when it is valid, and who reads it."""

    place: str
    valid: bytes
    read: Callable[[Path], object]


def _shipped(directory: str, name: str) -> bytes:
    return (data_dir(directory) / name).read_bytes()


def _lane(path: Path) -> object:
    return load_lane_policy(default_policy(), "t5", path)


LANE = {
    "policy_id": "hardening",
    "abft_mode": {"sampling_period": 8, "row_samples": 3, "col_samples": 3, "residual_floor": 0.05},
    "runtime_guardrails": {"disable_if_effective_overhead_percent_gt": 3.5, "disable_if_critical_recall_lt": 0.99},
}


def _baseline() -> bytes:
    row = {"kernel": "auto", "size": 128, "mean_gflops": 1.0, "p95_ms": 1.0}
    facts = {"profile": "p", "hardware": "h", "run_id": "r", "created_at": "2026-11-01T00:00:00+00:00"}
    body = {**facts, "source_sha256": "0" * 64, "rows": [row]}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({"schema": SCHEMA, "baseline": body, "sha256": digest}).encode()


def _tuning() -> tuple[str, bytes]:
    """A tuning file of one variant: its name, which says whose it is, and what it holds."""
    with tempfile.TemporaryDirectory() as directory:
        book = TuningBook(Path(directory), ME, KERNELS)
        book.update(lambda file: file.with_variant(entry(expected_ms={256: 0.5})))
        return book.path.name, book.path.read_bytes()


TUNING = _tuning()
READERS: dict[str, Reader] = {
    "policy": Reader("mine.yaml", _shipped("policies", "portable.yaml"), load_policy),
    "rows": Reader("mine.yaml", _shipped("policies", "rx590-weekly-v1.yaml"), load_policy),
    "effective policy": Reader("p.json", default_policy().model_dump_json().encode(), load_policy),
    "older policy": Reader("old.json", older().encode(), load_policy),
    "lane policy": Reader("lane.json", json.dumps(LANE).encode(), _lane),
    "platform file": Reader("p.yaml", _shipped("policies", "platforms.yaml"), lambda path: load_profiles([path])),
    "catalogue": Reader(
        "catalog.yaml",
        _shipped("kernels", "catalog.yaml")[:6000],
        lambda path: read_catalog(path.parent),
    ),
    "baseline": Reader("b.json", _baseline(), load_baseline),
    "fault campaign": Reader(
        "injections/x.json",
        record().model_dump_json().encode(),
        lambda path: list(find_injections(path.parent.parent, [ME])),
    ),
    "tuning": Reader(*TUNING, lambda path: load_tunings(path.parent, {"pocl": ME}, KERNELS)),
    "recorded campaign": Reader("c.json", json.dumps(weekly()).encode()[:20_000], read_campaign),
}


def ask(reader: Reader, directory: Path, data: bytes) -> None:
    """Read these bytes: a value, or a sentence that ends like one; no file is made or lost on the way."""
    path = directory / reader.place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    before = sorted(directory.rglob("*"))
    try:
        reader.read(path)
    except InputError as refusal:
        said = str(refusal)
        assert said.strip().endswith((".", "?", "`", '"')), said
        assert len(said) < 2000, said
    assert sorted(directory.rglob("*")) == before


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_file_holds_is_a_value_or_a_sentence(tmp_path: Path, name: str, data: Any) -> None:
    """Every reader, on its own valid file broken in a few places."""
    ask(READERS[name], tmp_path, data.draw(mutants(READERS[name].valid)))


@pytest.mark.parametrize("name", READERS)
def test_what_once_broke_a_reader_does_not_any_more(tmp_path: Path, name: str) -> None:
    """The corpus: every file that a reader once answered with a traceback, for every reader."""
    for line in (CORPUS / "found.txt").read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            ask(READERS[name], tmp_path, base64.b64decode(line))

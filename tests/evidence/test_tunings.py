"""Tuning files on disk: kept whole, used by their own driver and source alone, ignored aloud in every other case."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import DeviceError, WeekopsError
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.tuning import DriverKey, Kernel, Rejected
from pytest_weekops.evidence.tunings import LARGEST_BYTES, PlatformTuning, TuningBook, file_name, load_tunings
from tests.core.selection.test_tuning import WON, entry
from tests.core.selection.test_tuning_space import ENTRIES
from tests.support.synthetic import make_identity

ME = make_identity("pocl")
KERNELS = {mode: Kernel(entry=each, sha256="a" * 64) for mode, each in ENTRIES.items()}


def load(directory: Path, identity: DeviceIdentity = ME) -> tuple[PlatformTuning | None, list[str]]:
    """What a run on this device takes from the directory."""
    found, notes = load_tunings(directory, {"pocl": identity}, KERNELS)
    return found.get("pocl"), notes


@pytest.fixture
def book(tmp_path: Path) -> TuningBook:
    """A file with one tuned and one kept variant."""
    made = TuningBook(tmp_path, ME, KERNELS)
    made.update(lambda file: file.with_variant(entry(expected_ms={256: 0.5})))
    kept = entry(variant="packed", outcome="default kept", defines={}, decision=WON.model_copy(update={"wins": False}))
    made.update(lambda file: file.with_variant(kept))
    return made


def test_what_was_stored_is_what_a_run_takes(book: TuningBook, tmp_path: Path) -> None:
    """The tuned variant, the priors, the file's name; nothing for the one that kept its default."""
    found, notes = load(tmp_path)
    assert notes == []
    assert found is not None
    assert [(t.variant, t.defines) for t in found.tuned] == [("block", {"MR": 5, "NV": 2, "VW": 8, "USE_FMA": 0})]
    assert [(prior.variant, prior.expected_ms) for prior in found.priors] == [("block", {256: 0.5})]
    assert found.file == book.path.name
    assert found.words == "block MR=5 NV=2 VW=8 USE_FMA=0"


def test_without_a_file_nothing_is_said(tmp_path: Path) -> None:
    """Nobody tuned here."""
    assert load(tmp_path) == (None, [])
    assert load(tmp_path / "nowhere") == (None, [])


@pytest.mark.parametrize("field", ["library_sha256", "device_name", "hardware", "driver_version"])
def test_another_driver_or_device_uses_nothing(book: TuningBook, tmp_path: Path, field: str) -> None:
    """Each part of the key alone; a file renamed to fit is recognised by its content."""
    other = ME.model_copy(update={field: "1" * 64})
    assert load(tmp_path, other)[0] is None
    key = DriverKey.of(other)
    assert key is not None
    book.path.rename(tmp_path / file_name(key))
    found, notes = load(tmp_path, other)
    assert found is None
    assert "speaks of another" in notes[0]


def test_a_new_driver_is_told_that_the_old_ones_tuning_is_ignored(book: TuningBook, tmp_path: Path) -> None:
    """The same platform on the same hardware."""
    found, notes = load(tmp_path, ME.model_copy(update={"library_sha256": "1" * 64, "driver_version": "2"}))
    assert found is None
    assert "is ignored: it was found for driver 1" in notes[0]
    assert "this is 2" in notes[0]


def test_a_changed_kernel_uses_nothing_of_its_own(book: TuningBook, tmp_path: Path) -> None:
    """Aloud, and the other variants go on."""
    found, notes = load_tunings(
        tmp_path, {"pocl": ME}, {**KERNELS, "block": Kernel(entry=ENTRIES["block"], sha256="b")}
    )
    assert found["pocl"].tuned == ()
    assert "block of the tuning file" in notes[0]
    assert "another kernel source" in notes[0]


def test_a_variant_that_is_gone_uses_nothing(book: TuningBook, tmp_path: Path) -> None:
    """Its catalogue entry was removed."""
    found, notes = load_tunings(tmp_path, {"pocl": ME}, {"packed": KERNELS["packed"]})
    assert found["pocl"].tuned == ()
    assert "block" in notes[0]


def test_every_torn_file_is_ignored(book: TuningBook, tmp_path: Path) -> None:
    """Cut anywhere: a sentence and the shipped parameters, never an error, never a part."""
    whole = book.path.read_bytes()
    for length in range(0, len(whole.rstrip()), 37):
        book.path.write_bytes(whole[:length])
        found, notes = load(tmp_path)
        assert found is None
        assert "is ignored" in notes[0]
        assert "shipped parameters" in notes[0]


def alter(place: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set one value in the document."""

    def change(document: dict[str, Any]) -> None:
        *way, last = place.split("/")
        node: Any = document
        for step in way:
            node = node[step]
        node[last] = value

    return change


HOSTILE = {
    "another-version": alter("version", 2),
    "unknown-key": alter("extra", 1),
    "an-option-as-a-name": alter("variants/block/defines/X -I", 1),
    "an-unknown-macro": alter("variants/block/defines/__kernel", 1),
    "an-option-as-a-value": alter("variants/block/defines/MR", "6 -cl-fast-relaxed-math"),
    "a-float": alter("variants/block/defines/MR", 5.0),
    "a-boolean": alter("variants/block/defines/USE_FMA", True),
    "beyond-the-header": alter("variants/block/defines/MR", 4096),
    "a-negative-value": alter("variants/block/defines/NV", -1),
    "nested": alter("variants/block/defines/MR", {"a": 1}),
    "another-name": alter("variants/block/variant", "lanes"),
    "no-hash": alter("variants/block/kernel_sha256", "latest"),
    "an-unearned-win": alter("variants/block/decision/low", 0.5),
    "an-infinite-ratio": alter("variants/block/decision/ratio", "Infinity"),
    "not-a-ratio": alter("variants/block/decision/ratio", "NaN"),
    "a-time-of-nothing": alter("variants/block/expected_ms/256", 0),
    "a-size-that-is-none": alter("variants/block/expected_ms/x", 1.0),
    "a-driver-that-is-none": alter("driver/library_sha256", ""),
    "a-register-block-beyond-the-widest": alter("variants/block/defines", {"MR": 14, "NV": 4, "VW": 16, "USE_FMA": 0}),
    "a-rejection-of-nonsense": alter(
        "rejected",
        [{"variant": "block", "kernel_sha256": "a" * 64, "defines": {"MR": 1, "--": 2}, "status": "crashed"}],
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strangers_file_is_ignored_whole(book: TuningBook, tmp_path: Path, name: str) -> None:
    """One value that no search could have written: nothing of it reaches a compiler, and the run is told."""
    document = json.loads(book.path.read_text(encoding="utf-8"))
    HOSTILE[name](document)
    book.path.write_text(json.dumps(document), encoding="utf-8")
    found, notes = load(tmp_path)
    assert found is None
    assert "is ignored" in notes[0]


@pytest.mark.parametrize("content", [b"[" * 100_000, b" " * (LARGEST_BYTES + 1), b"\xff\xfe", b"null", b"[]", b"NaN"])
def test_what_is_no_document_is_ignored(book: TuningBook, tmp_path: Path, content: bytes) -> None:
    """Deep, huge, not text, not an object."""
    book.path.write_bytes(content)
    found, notes = load(tmp_path)
    assert found is None
    assert "is ignored" in notes[0]


def test_a_pipe_in_its_place_is_ignored(book: TuningBook, tmp_path: Path) -> None:
    """Reading it would wait for a writer for ever."""
    book.path.unlink()
    os.mkfifo(book.path)
    found, notes = load(tmp_path)
    assert found is None
    assert "no plain file" in notes[0]


def test_a_directory_in_its_place_is_ignored(book: TuningBook, tmp_path: Path) -> None:
    """And does not stop a run."""
    book.path.unlink()
    book.path.mkdir()
    assert load(tmp_path)[0] is None


def test_hardware_never_becomes_a_path() -> None:
    """Its name is a stranger's."""
    key = DriverKey.of(ME.model_copy(update={"hardware": "../../etc/x", "platform_name": "/a/../b"}))
    assert key is not None
    assert "/" not in file_name(key)
    assert not file_name(key).startswith(".")


def test_a_search_replaces_what_it_cannot_use(book: TuningBook, tmp_path: Path) -> None:
    """A hostile file is not carried on beside what was found."""
    document = json.loads(book.path.read_text(encoding="utf-8"))
    HOSTILE["beyond-the-header"](document)
    book.path.write_text(json.dumps(document), encoding="utf-8")
    assert "is replaced" in book.read()[1]
    book.update(lambda file: file.with_variant(entry(variant="lanes", outcome="default kept", defines={})))
    assert set(book.read()[0].variants) == {"lanes"}
    assert book.read()[1] == ""


def rejected(number: int, sha256: str = "a" * 64) -> Rejected:
    """A candidate that crashed."""
    defines = {"MR": 1 + number % 14, "NV": 1 + number // 14, "VW": 4, "USE_FMA": 0}
    return Rejected(variant="block", kernel_sha256=sha256, defines=defines, status="crashed", signal="SIGABRT")


def test_rejections_go_when_the_kernel_changes(book: TuningBook) -> None:
    """A mended kernel may be tried again; the same candidate is kept once."""
    for _ in range(2):
        book.update(lambda file: file.with_rejected(rejected(1)))
    assert len(book.read()[0].rejected) == 1
    book.update(lambda file: file.with_variant(entry()))
    assert len(book.read()[0].rejected) == 1
    book.update(lambda file: file.with_variant(entry(kernel_sha256="b" * 64)))
    assert book.read()[0].rejected == ()


def _reject(directory: Path, first: int, together: Any) -> None:
    book = TuningBook(directory, ME, KERNELS)
    together.wait(60)
    for number in range(first, first + 8):
        book.update(lambda file, number=number: file.with_rejected(rejected(number)))  # type: ignore[misc]


def test_two_searches_at_once_lose_nothing(book: TuningBook, tmp_path: Path) -> None:
    """Each change is made on the file as the other left it."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(3)
    writers = [context.Process(target=_reject, args=(tmp_path, first, together)) for first in (0, 8, 16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(book.read()[0].rejected) == 24
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_driver_that_cannot_be_told_is_refused(tmp_path: Path) -> None:
    """Its tuning would be used with any; and a run on such a driver uses none."""
    nobody = ME.model_copy(update={"library_sha256": ""})
    with pytest.raises(DeviceError, match="cannot be told"):
        TuningBook(tmp_path, nobody, KERNELS)
    assert load(tmp_path, nobody) == (None, [])


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """A file stands where the directory should be."""
    (tmp_path / "tuning").write_text("", encoding="utf-8")
    with pytest.raises(WeekopsError, match="cannot be written"):
        TuningBook(tmp_path / "tuning", ME, KERNELS).update(lambda file: file)

"""``auto`` takes the first driver that launches, tells which it passed over and why, and what to do where none does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.drivers.auto import first_that_works
from pytest_weekops.drivers.platforms import load_profiles, name_launches
from pytest_weekops.worker.locking import DeviceLock
from pytest_weekops.worker.process import Launch
from tests.support.gates import SMALL, GateResult


@pytest.fixture
def broken(tmp_path: Path) -> Launch:
    """A driver library that is none."""
    (tmp_path / "fake.so").write_text("not a library", encoding="utf-8")
    return name_launches([f"broken=pocl@{tmp_path / 'fake.so'}"], scratch=tmp_path)[0]


@pytest.fixture
def unlinkable(tmp_path: Path, need_platform: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Launch:
    """PoCL that compiles and finds no linker at its first launch."""
    monkeypatch.setenv("PATH", "/nonexistent")
    return name_launches([need_platform("pocl-system")], scratch=tmp_path)[0]


@pytest.mark.device
def test_a_driver_that_compiles_and_cannot_launch_is_passed_over(
    tmp_path: Path, unlinkable: Launch, broken: Launch, need_platform: Callable[[str], str]
) -> None:
    """Without a linker PoCL compiles and dies at its first launch; the next driver is taken, both reasons are kept."""
    (working,) = name_launches([need_platform("rusticl")], scratch=tmp_path)
    taken = first_that_works([broken, unlinkable, working], tmp_path)
    assert taken.label == "rusticl"
    assert [words.partition(":")[0] for words in taken.passed_over] == ["broken", "pocl-system"]
    assert "Install binutils" in taken.passed_over[1]
    assert "einstall" not in taken.passed_over[1]


def test_a_driver_that_another_gate_holds_is_not_passed_over(
    tmp_path: Path, broken: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next driver might lead to the same device, and this one needs no reinstalling: who holds it is said."""
    monkeypatch.setenv("WEEKOPS_LOCK_WAIT", "0.05")
    held, said = DeviceLock("broken"), list[str]()
    held.acquire()

    def launches() -> Iterator[Launch]:
        yield broken
        raise AssertionError("another driver was tried")

    with pytest.raises(InputError, match=rf"another gate \(process {os.getpid()}: ") as caught:
        first_that_works(launches(), tmp_path, said.append)
    held.release()
    assert said == ["broken: another gate measures on this device; waiting up to 0.05 s"]
    assert "einstall" not in str(caught.value)


def test_a_time_to_wait_that_is_none_says_nothing_of_a_driver(
    tmp_path: Path, broken: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's setting is to blame, not the first driver."""
    monkeypatch.setenv("WEEKOPS_LOCK_WAIT", "abc")
    with pytest.raises(InputError, match="WEEKOPS_LOCK_WAIT is 'abc'"):
        first_that_works([broken], tmp_path)


@pytest.mark.device
def test_one_driver_under_two_names_is_tried_once(tmp_path: Path, broken: Launch) -> None:
    """``pocl`` falls back to the library that ``pocl-embedded`` names: a second try would only tell the same again."""
    with pytest.raises(InputError, match=r"broken: ") as caught:
        first_that_works([broken, broken.model_copy(update={"label": "again"})], tmp_path)
    assert "again: " not in str(caught.value)


@pytest.mark.device
def test_where_nothing_works_the_sentence_says_what_was_tried_and_what_to_install(
    tmp_path: Path, unlinkable: Launch
) -> None:
    """What was tried, why it failed, what is not installed, and what would help."""
    absent = unlinkable.model_copy(update={"label": "elsewhere", "missing": "It is not there."})
    with pytest.raises(InputError, match=r"nothing can be measured") as caught:
        first_that_works([absent, unlinkable], tmp_path)
    sentence = str(caught.value)
    assert "pocl-system: worker: pocl-system ended in phase launch with SIGABRT error: unable to execute" in sentence
    assert "apt-get install binutils" in sentence
    assert "Not installed: elsewhere." in sentence
    assert 'pip install "pytest-weekops[cpu]"' in sentence


def test_gpus_come_first() -> None:
    """Where a GPU answers, no CPU driver is asked."""
    profiles = load_profiles()
    kinds = [profiles.profiles[name].device_types == ("gpu",) for name in profiles.auto]
    assert kinds == sorted(kinds, reverse=True)
    assert kinds[0]
    assert not kinds[-1]


@pytest.mark.device
def test_a_run_says_what_it_passed_over(
    tmp_path: Path, gate: Callable[..., GateResult], need_platform: Callable[[str], str]
) -> None:
    """The terminal names the driver that was not taken, with the reason and the remedy, before it measures."""
    done = gate(*SMALL, *auto(tmp_path, need_platform("pocl-system"), need_platform("rusticl")), PATH="/nonexistent")
    assert "auto passed over pocl-system: " in done.output, done.output
    assert "Install binutils" in done.output
    assert "starting rusticl" in done.output


@pytest.mark.device
def test_a_run_without_any_driver_that_works_ends_in_a_sentence(
    tmp_path: Path, gate: Callable[..., GateResult], need_platform: Callable[[str], str]
) -> None:
    """Usage error, exit status 4, and no run that could be mistaken for one."""
    done = gate(*SMALL, *auto(tmp_path, need_platform("pocl-system")), PATH="/nonexistent")
    assert done.status == 4, done.output
    assert "No usable OpenCL driver was found" in done.output
    assert "Install binutils" in done.output
    assert "Traceback" not in done.output
    assert not done.run_dirs


def auto(directory: Path, *names: str) -> tuple[str, str]:
    """The option by which ``auto`` tries these profiles, in this order."""
    (directory / "order.yaml").write_text(f"version: 1\nauto: [{', '.join(names)}]\n", encoding="utf-8")
    return "-o", f"weekops_platform_files={directory / 'order.yaml'}"

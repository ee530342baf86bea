"""From names to launches: profiles, labels, paths, and sentences for what is not there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import DeviceError, InputError, PolicyError
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.drivers import platforms
from pytest_weekops.drivers.auto import NoDriverWorks
from pytest_weekops.drivers.platforms import load_profiles, reference_launch, resolve_against, resolve_platforms
from pytest_weekops.plugin import options
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.support.command import weekops
from tests.support.libraries import build_library


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("poccl", "Did you mean pocl?"),
        ("pocl@/nowhere/x.icd", "/nowhere/x.icd is not there"),
        ("a b=pocl", "is no label"),
        ("nvidia", "no driver is installed"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(tmp_path: Path, name: str, words: str) -> None:
    """The sentence names what was asked for and what to do."""
    with pytest.raises(InputError, match=r".") as caught:
        resolve_platforms([name], scratch=tmp_path)
    assert words in str(caught.value)


def test_two_drivers_of_one_profile_get_labels(tmp_path: Path) -> None:
    """The second of two PoCLs is pocl-2, and an explicit label is kept."""
    files = []
    for name in ("one", "two", "three"):
        path = tmp_path / f"{name}.icd"
        path.write_text(f"/lib/{name}.so\n", encoding="utf-8")
        files.append(path)
    names = [f"pocl@{files[0]}", f"pocl@{files[1]}", f"new=pocl@{files[2]}"]
    launches = resolve_platforms(names, scratch=tmp_path)
    assert [launch.label for launch in launches] == ["pocl", "pocl-2", "new"]
    assert [launch.environment["OCL_ICD_VENDORS"] for launch in launches] == [str(path) for path in files]


def test_one_driver_twice_is_refused(tmp_path: Path) -> None:
    """A driver compared with itself proves nothing."""
    icd = tmp_path / "one.icd"
    icd.write_text("/lib/one.so\n", encoding="utf-8")
    with pytest.raises(InputError, match="one driver twice"):
        resolve_platforms([f"pocl@{icd}", f"pocl@{icd}"], scratch=tmp_path)


def test_a_users_file_adds_and_replaces_profiles(tmp_path: Path) -> None:
    """Profiles of one's own come beside the shipped ones."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("version: 1\nprofiles:\n  mine: {platform_name: ^Mine}\n", encoding="utf-8")
    profiles = load_profiles([mine])
    assert "mine" in profiles.profiles
    assert "pocl" in profiles.profiles


BAD_FILES = (
    "version: 1\nprofiles: {x: {icd: a}}\n",
    "version: 2\n",
    "[",
    "version: 1\nprofiles: {x: {platform_name: '('}}\n",
)


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_bad_profile_file_is_refused(tmp_path: Path, text: str) -> None:
    """Unknown keys, versions, broken YAML and broken patterns are named with their file."""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"bad\.yaml"):
        load_profiles([path])


def test_a_library_that_is_none_is_said(tmp_path: Path) -> None:
    """A file that is no driver library gives no platform, and a sentence."""
    (tmp_path / "fake.so").write_text("not a library", encoding="utf-8")
    (launch,) = resolve_platforms([f"fake=pocl@{tmp_path / 'fake.so'}"], scratch=tmp_path)
    supervisor = PlatformSupervisor(launch, Deadlines(), tmp_path)
    with pytest.raises(DeviceError, match=r"driver"):
        supervisor.start()
    supervisor.close()


CONSTRUCTORS = {
    "segv": ("raise(SIGSEGV);", "SIGSEGV"),
    "abort": ("abort();", "SIGABRT"),
    "exit": ("_exit(0);", "exit status 0"),
    "hang": ("for (;;) pause();", "more than 2 s"),
}


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_a_driver_that_misbehaves_on_being_loaded(tmp_path: Path, name: str) -> None:
    """A real library whose constructor crashes, leaves or hangs takes down its worker only, and is named."""
    body, words = CONSTRUCTORS[name]
    source = (
        "#include <signal.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
        f"__attribute__((constructor)) static void start(void) {{ {body} }}\n"
    )
    library = build_library(tmp_path / "driver.so", source)
    (launch,) = resolve_platforms([f"bad-{name}=pocl@{library}"], scratch=tmp_path)
    supervisor = PlatformSupervisor(launch, Deadlines(enumerate_s=2.0, import_s=20.0), tmp_path)
    with pytest.raises(Exception, match=r".") as caught:
        supervisor.start()
    supervisor.close()
    assert words in str(caught.value)


def drivers(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``weekops drivers``."""
    return weekops("drivers", *arguments, environment=environment)


@pytest.mark.device
def test_weekops_drivers_prints_json(need_platform: Callable[[str], str]) -> None:
    """The documented keys are there and the working driver is ok or has warnings."""
    done = drivers("--json", "--platforms", need_platform("pocl"))
    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert document["opencl"] is True
    assert document["overall_status"] == "ok"
    (entry,) = document["platforms"]
    assert entry["status"] in ("ok", "warning")
    assert entry["identity"]["library_sha256"]


def test_a_named_driver_that_is_not_installed_is_shown_beside_the_others(need_platform: Callable[[str], str]) -> None:
    """One that is missing does not keep the answer about the rest back, but it was asked for: exit status 1."""
    done = drivers("--json", "--platforms", need_platform("pocl"), "clover", WEEKOPS_ICD_DIR="/nonexistent")
    document = json.loads(done.stdout)
    assert (document["overall_status"], document["opencl"]) == ("degraded", True)
    entries = {entry["profile"]: entry for entry in document["platforms"]}
    assert entries["clover"]["status"] == "not installed"
    assert "mesa-opencl-icd" in entries["clover"]["reason"]
    assert entries["pocl"]["status"] in ("ok", "warning")
    assert done.returncode == 1


def test_no_opencl_at_all_is_an_answer(tmp_path: Path) -> None:
    """Without any ICD the command says so, with advice, status 1 and no traceback."""
    (tmp_path / "pyopencl").mkdir()
    (tmp_path / "pyopencl" / "__init__.py").write_text("", encoding="utf-8")
    done = drivers("--json", WEEKOPS_ICD_DIR="/nonexistent", PYTHONPATH=str(tmp_path))
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert (document["overall_status"], document["opencl"]) == ("none", False)
    assert document["recommendations"]
    assert "Traceback" not in done.stderr


def test_the_driver_in_service_is_reached_as_any_other(tmp_path: Path) -> None:
    """By profile and path, with a label of its own beside those under test."""
    files = [tmp_path / f"{name}.icd" for name in ("new", "old")]
    for path in files:
        path.write_text(f"/lib/{path.stem}.so\n", encoding="utf-8")
    under_test = resolve_platforms([f"pocl@{files[0]}"], scratch=tmp_path)
    found = resolve_against(f"pocl@{files[1]}", under_test, scratch=tmp_path)
    assert (found.label, found.open.icd) == ("pocl-2", str(files[1]))
    assert resolve_against(f"served=pocl@{files[1]}", under_test, scratch=tmp_path).label == "served"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("poccl", "--against 'poccl': there is no profile 'poccl'"),
        ("auto", "--against 'auto': there is no profile 'auto'"),
        ("pocl@/nowhere/x.icd", "--against pocl@/nowhere/x.icd: /nowhere/x.icd is not there"),
        ("pocl=pocl@new.icd", "--against names the label 'pocl' twice"),
        ("pocl@new.icd", "and so does pocl, which is under test"),
        ("nvidia", "no driver is installed"),
    ],
)
def test_a_driver_in_service_that_cannot_be_used_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """In a sentence that names the option; above all where it is the one under test."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.icd").write_text("/lib/new.so\n", encoding="utf-8")
    under_test = resolve_platforms([f"pocl@{tmp_path / 'new.icd'}"], scratch=tmp_path)
    with pytest.raises(InputError, match=r".") as caught:
        resolve_against(name, under_test, scratch=tmp_path)
    assert words in str(caught.value)


def test_the_reference_driver_is_intels_runtime(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """Under a label of its own; PoCL's wheel is it where that is named."""
    for name in ("pocl-embedded", "intel"):
        need_platform(name)
    found = [reference_launch(tmp_path), reference_launch(tmp_path, name="pocl-embedded")]
    assert [(each.label, each.profile) for each in found] == [("reference", "intel"), ("reference", "pocl-embedded")]


def test_the_reference_of_a_reference_driver_is_another(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """Beside itself a driver is as fast as itself, whatever it is."""
    names = [need_platform(name) for name in ("pocl-embedded", "intel")]
    launches = resolve_platforms(names, scratch=tmp_path)
    assert reference_launch(tmp_path, launches[:1]).profile == "intel"
    assert reference_launch(tmp_path, launches[1:]).profile == "pocl-embedded"
    assert reference_launch(tmp_path, launches).profile == "intel"


def test_the_options_names_are_those_of_reference_drivers() -> None:
    """Each that may be named, in the order in which they are tried."""
    (row,) = (row for row in options._CHOICES if row[0] == "reference-driver")
    assert row[1] == ("auto", "off", "on", *platforms._REFERENCES)


@pytest.mark.parametrize(
    ("name", "words"), [(None, "on: neither intel nor pocl-embedded works here"), ("intel", "intel: it does not work")]
)
def test_without_a_reference_driver_none_takes_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, words: str
) -> None:
    """The sentence names the option."""
    monkeypatch.setattr(platforms, "first_that_works", resolve_nothing)
    with pytest.raises(InputError, match=f"--reference-driver {words}"):
        reference_launch(tmp_path, name=name)


def resolve_nothing(*_arguments: object) -> None:
    """No driver works."""
    raise NoDriverWorks("Nothing answered.")

"""Which file of a build is its driver, and which builds a ladder has."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.drivers.builds import driver_in, ladder


def build(place: Path, *names: str) -> Path:
    """A build with these files; its first one."""
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(str(place / name), encoding="utf-8")
    return place / names[0]


@pytest.fixture
def versions(tmp_path: Path) -> dict[str, Path]:
    """Five builds whose order by letters is not that of their versions, each with its library."""
    return {name: build(tmp_path / f"cl-{name}", "lib/libpocl.so.2") for name in ("9", "10", "10-rc1", "11", "8")}


@pytest.mark.parametrize(
    ("names", "inside", "expected"),
    [
        (("etc/OpenCL/vendors/a.icd", "lib/libOpenCL.so"), "", 0),
        (("lib/x86_64-linux-gnu/libRusticlOpenCL.so.1", "bin/poclcc"), "", 0),
        (("driver.so",), "", 0),
        (("lib/a.so", "lib/b.so"), "*/a.so", 0),
    ],
)
def test_the_driver_of_a_build_is_found(tmp_path: Path, names: tuple[str, ...], inside: str, expected: int) -> None:
    """In the usual places, or where it is said to lie; one file under two names is one."""
    build(tmp_path, *names)
    found = tmp_path / names[expected]
    (found.parent / f"second{found.suffix}").symlink_to(found.name)
    assert driver_in(tmp_path, inside) == found
    assert driver_in(found) == found


def test_what_is_no_build_or_two_is_refused(tmp_path: Path) -> None:
    """With what was found, and what to say."""
    with pytest.raises(InputError, match="is not there"):
        driver_in(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"has no driver \(looked for .*libpocl.*--inside"):
        driver_in(tmp_path)
    build(tmp_path, "lib/libOpenCL.so", "lib64/libMesaOpenCL.so")
    with pytest.raises(InputError, match=r"2 files that may be the driver \(libOpenCL.so, libMesaOpenCL.so\)"):
        driver_in(tmp_path)


def test_a_glob_is_taken_by_version_and_ends_with_its_ends(tmp_path: Path, versions: dict[str, Path]) -> None:
    """What lies before the good one or behind the bad one is left out."""
    found = ladder([str(tmp_path / "cl-*")], versions["9"], versions["10"])
    assert found.builds == (versions["9"], versions["10-rc1"], versions["10"])
    assert found.order == "by version, as people read it"


def test_builds_that_are_listed_stay_as_they_are(tmp_path: Path, versions: dict[str, Path]) -> None:
    """Ends that are not among them come before and behind; that versions would be in another order is said."""
    good, bad = build(tmp_path / "good", "a.so"), build(tmp_path / "bad", "b.so")
    listed = [str(versions[name].parents[1]) for name in ("10", "9")]
    found = ladder(listed, good, bad)
    assert found.builds == (good, versions["10"], versions["9"], bad)
    assert found.order == "as listed, which is not the order of their versions"
    assert ladder(listed[::-1], good, bad).order == "as listed"


def test_a_ladder_that_cannot_be_climbed_is_refused(tmp_path: Path, versions: dict[str, Path]) -> None:
    """Nothing to search, one build twice, and the wrong way round."""
    with pytest.raises(InputError, match="matches nothing"):
        ladder([str(tmp_path / "none-*")], versions["9"], versions["10"])
    with pytest.raises(InputError, match=r"names .* twice"):
        ladder([str(versions["8"]), str(versions["8"])], versions["9"], versions["10"])
    with pytest.raises(InputError, match=r"before the good one .*by version"):
        ladder([str(tmp_path / "cl-*")], versions["11"], versions["9"])

"""The sources of a run are what they were when it began, whatever file of them it is that changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import SourceChanged
from pytest_weekops.files.kernel_sources import hash_sources, refuse_changed
from pytest_weekops.files.shipped import data_dir

CATALOG = """\
version: 1
kernels:
  mine: {mode: mine, operation: mine, operation_file: mine.py, file: mine.cl, layout: own}
"""


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    """A directory with one kernel of one's own, of every kind of file that there can be."""
    texts = {"catalog.yaml": CATALOG, "mine.cl": '#include "tile.h"\n', "tile.h": "", "mine.py": "", "notes.py": ""}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "abft_check.cl").write_text('#include "sum.clh"\n', encoding="utf-8")
    (tmp_path / "sum.clh").write_text("", encoding="utf-8")
    return tmp_path


def test_every_file_that_a_kernel_is_made_of_is_hashed_and_no_other(kernels: Path) -> None:
    """Catalogue, source, include, operation, and the guard's kernels with what they include."""
    names = {Path(name).name for name in hash_sources((str(kernels),))}
    assert names == {"catalog.yaml", "mine.cl", "tile.h", "mine.py", "abft_check.cl", "sum.clh"}


@pytest.mark.parametrize("name", ["catalog.yaml", "mine.cl", "tile.h", "mine.py", "abft_check.cl", "sum.clh"])
@pytest.mark.parametrize(
    ("change", "now"),
    [(lambda path: path.write_text("other", encoding="utf-8"), "[0-9a-f]{12} now"), (Path.unlink, "gone now")],
    ids=["edited", "deleted"],
)
def test_a_file_that_changed_is_refused_by_name(
    kernels: Path, name: str, change: Callable[[Path], object], now: str
) -> None:
    """With both hashes, why it matters, and what to do."""
    hashes = hash_sources((str(kernels), str(data_dir("kernels"))))
    refuse_changed(hashes)
    change(kernels / name)
    with pytest.raises(SourceChanged) as caught:
        refuse_changed(hashes)
    shown = re.escape(f"{kernels.name}/{name}")
    assert re.match(
        rf"Kernel source {shown} is not what it was when the run began \([0-9a-f]{{12}} then, {now}\)\. What is "
        r"measured before and after would be two kernels\. Leave it alone during a run, and run again\.",
        str(caught.value),
    )
    assert re.fullmatch(rf"kernel source {shown} [0-9a-f]{{12}} when the run began and {now}", caught.value.name)


def test_a_file_beside_the_kernels_may_change(kernels: Path) -> None:
    """Nothing is made of it."""
    hashes = hash_sources((str(kernels),))
    (kernels / "notes.py").write_text("changed", encoding="utf-8")
    refuse_changed(hashes)

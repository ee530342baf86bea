"""Kernel catalogues on disk: the shipped one is read strictly, and one that could be read in two ways is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.files.catalog import read_catalog, variant_names
from pytest_weekops.files.shipped import data_dir

ENTRY = "  {name}: {{mode: {name}, file: {name}.cl, layout: block}}\n"


def test_the_shipped_catalogue_is_read() -> None:
    """Its variants by mode."""
    kernels = data_dir("kernels")
    assert set(variant_names([str(kernels)])) == {entry.mode for entry in read_catalog(kernels).kernels.values()}


def test_a_variant_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    """The last one would be launched under the name of both."""
    text = "version: 1\nkernels:\n" + ENTRY.format(name="mine") * 2
    (tmp_path / "catalog.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"catalog\.yaml line 4: key kernels\.mine stands there twice") as refusal:
        read_catalog(tmp_path)
    assert refusal.value.path == str(tmp_path / "catalog.yaml")


def test_a_directory_without_one_is_refused(tmp_path: Path) -> None:
    """No kernel of it is known."""
    with pytest.raises(PolicyError, match="Without it no kernel is known"):
        variant_names([str(tmp_path)])


def test_a_catalogue_that_changes_is_read_anew(tmp_path: Path) -> None:
    """What is kept of a text is not given for another."""
    for name in ("mine", "yours"):
        (tmp_path / "catalog.yaml").write_text("version: 1\nkernels:\n" + ENTRY.format(name=name), encoding="utf-8")
        assert [entry.mode for entry in read_catalog(tmp_path).kernels.values()] == [name]

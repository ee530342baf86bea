"""Which profile is in force: read where consumers look, and refused where it is no plain file of variables."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.rollback.active import Active, active_after_switch, read_active, runtime_directory
from pytest_weekops.rollback.switch import Rollout
from tests.support.rollbacks import NEW, OLD, Checks, active, deploy_by_hand


def test_the_profile_in_force_is_named_with_its_hash(deployed: Path) -> None:
    """The file behind the link, whose path the ledger keeps relative to the runtime directory."""
    runtime = runtime_directory(deployed)
    found = read_active(runtime)
    assert (found.platform, found.sha256) == ("rusticl", hashlib.sha256(OLD.text.encode()).hexdigest())
    assert found.document(runtime) == {
        "file": f"profiles/{OLD.file_name}",
        "platform": "rusticl",
        "sha256": OLD.sha256,
    }
    assert active_after_switch(runtime) == found


def test_nothing_in_force_is_no_error(tmp_path: Path) -> None:
    """Before the first rollback there is no profile; after a switch that has to be said in a word."""
    assert read_active(tmp_path / "runtime") == Active()
    assert Active().document(tmp_path) == {"file": None, "platform": "", "sha256": ""}
    assert active_after_switch(tmp_path / "runtime").platform == "nothing"


def test_an_active_profile_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    """What consumers run on is not known, so nothing is switched."""
    deploy_by_hand(tmp_path, "A=$(ls)\n")
    with pytest.raises(InputError, match="cannot be read"):
        Rollout(tmp_path).apply(NEW, Checks())
    assert active(tmp_path) == "A=$(ls)\n"


@pytest.mark.parametrize("kind", ["pipe", "directory", "circle"])
def test_an_active_profile_that_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """Reading a pipe would wait for somebody who never comes."""
    path = tmp_path / "runtime" / "active.env"
    path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.parent.rmdir()
        path.parent.symlink_to("runtime")
    with pytest.raises(InputError, match="nothing was switched"):
        Rollout(tmp_path).plan(NEW, Checks())
    with pytest.raises(InputError, match="nothing was switched"):
        Rollout(tmp_path).apply(NEW, Checks())

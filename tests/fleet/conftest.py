"""A directory of one's own for fleets of real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gates import POLICY
from tests.support.real_fleets import BEGUN, processes, until


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of one's own, which hosts use as their temporary one; nothing that runs in it is left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")
    yield tmp_path
    for process in BEGUN:
        process.kill()
        process.wait()
    BEGUN.clear()
    left = until(lambda: not processes(tmp_path), lambda: processes(tmp_path))
    assert not left, left

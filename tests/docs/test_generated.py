"""What the pages show of the code is what the code says today."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def generate(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the generator of a checkout."""
    command = [sys.executable, str(root / "docs" / "generate.py"), *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path, repository: Path) -> Path:
    """A checkout of one's own, with what the generator reads."""
    for name in ("docs", "pytest_weekops", "policies", "kernels"):
        shutil.copytree(repository / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(repository / "reports" / "example", tmp_path / "reports" / "example")
    return tmp_path


def test_every_generated_part_is_current(repository: Path) -> None:
    """Tables and pictures were made from the code beside them."""
    done = generate(repository, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_limit_that_changes_makes_its_page_stale(copy: Path) -> None:
    """The check names the page and writes nothing; writing mends it, and nothing else."""
    model, page = copy / "pytest_weekops/core/policy/policy.py", copy / "docs/reference/policy.md"
    before = page.read_text(encoding="utf-8")
    code = model.read_text(encoding="utf-8")
    assert "min_p95_launches: int = 59" in code
    model.write_text(code.replace("min_p95_launches: int = 59", "min_p95_launches: int = 61"), encoding="utf-8")
    checked = generate(copy, "--check")
    assert (checked.returncode, checked.stdout) == (1, "docs/reference/policy.md: stale\n")
    assert page.read_text(encoding="utf-8") == before
    assert generate(copy).stdout == "docs/reference/policy.md: written\n"
    changed = set(page.read_text(encoding="utf-8").splitlines()) - set(before.splitlines())
    assert [line.split(" | ")[0] for line in changed] == ["| `min_p95_launches`"]


def test_a_room_that_changes_makes_table_and_picture_stale(copy: Path) -> None:
    """What is drawn is what the table says."""
    table = copy / "docs" / "rooms.yaml"
    table.write_text(table.read_text(encoding="utf-8").replace("the calendar", "the clock"), encoding="utf-8")
    stale = ["docs/explanation/architecture.md: stale", "docs/pictures/rooms.svg: stale"]
    assert generate(copy, "--check").stdout.splitlines() == stale


def test_a_key_without_words_is_refused(copy: Path) -> None:
    """A new key cannot reach the page without saying what it does."""
    model = copy / "pytest_weekops/core/policy/policy.py"
    code = model.read_text(encoding="utf-8")
    assert "  #: executed snapshots" in code
    model.write_text(code.replace("  #: executed snapshots", ""), encoding="utf-8")
    done = generate(copy, "--check")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "CampaignRules.minimum_snapshots has no words" in done.stderr

"""The walk of one size through the code, as ``docs/explanation/architecture.md`` tells it, followed on a real run."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.gates import POLICY, SMALL

COMMAND = "pytest suites/weekly --platforms pocl --kernels auto --sizes 256"


def page(repository: Path) -> str:
    """The part of the page that walks."""
    text = (repository / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    return text.split("## The walk of one size", 1)[1].split("\n## ", 1)[0]


def steps(repository: Path) -> list[str]:
    """The functions that the walk names, in its order, as ``module name``."""
    named = re.findall(r"`([a-z_/]+\.py)`:\s+`([A-Za-z_.]+)`", page(repository))
    return [f"{module} {name}" for module, name in named]


def test_the_walk_names_functions_that_are_there(repository: Path) -> None:
    """A function that was moved or renamed is told without a device."""
    missing = []
    for step in steps(repository):
        module, name = step.split()
        tree: ast.AST = ast.parse((repository / "pytest_weekops" / module).read_text(encoding="utf-8"))
        for part in name.split("."):
            inside = [node for node in ast.iter_child_nodes(tree) if getattr(node, "name", "") == part]
            missing += [] if inside else [step]
            tree = inside[0] if inside else tree
    assert not missing


@pytest.mark.long
@pytest.mark.device
def test_a_run_takes_the_walk_step_by_step(
    repository: Path, tmp_path: Path, need_platform: Callable[[str], str]
) -> None:
    """Each function is called, and none before the one that the walk names before it."""
    need_platform("pocl")
    assert COMMAND in page(repository)
    trace = tmp_path / "calls"
    (tmp_path / "wide.yaml").write_text(POLICY, encoding="utf-8")  # how calm this machine is is not asked here
    words = [word.replace("suites/", f"{repository}/suites/") for word in COMMAND.split()[1:]]
    package = repository / "pytest_weekops"
    words += ["-p", "no:cacheprovider", f"--policy={tmp_path}/wide.yaml"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--rootdir={tmp_path}", *words, *SMALL[2:]],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "following"), str(repository)]),
            "WEEKOPS_FOLLOWED": str(trace),
            "WEEKOPS_FOLLOWED_ROOT": f"{package}{os.sep}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1, 11), done.stdout + done.stderr  # the host may turn the verdict, never the way
    walked, named = iter(trace.read_text(encoding="utf-8").splitlines()), steps(repository)
    assert len(named) > 40
    passed: list[str] = []
    for step in named:
        assert step in walked, (
            f"after {passed[-1:] or 'the start'} the run never came to {step}"
        )  # takes what it passes
        passed.append(step)

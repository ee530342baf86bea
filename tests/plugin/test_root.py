"""A path that stands by itself behind one of our options does not take the project's configuration away unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

INI = {
    "pytest.ini": "[pytest]\n",
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "tox.ini": "[pytest]\n",
    "setup.cfg": "[tool:pytest]\n",
}


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a test, beside a policy that is not in it; pytest is called there."""
    place = pytester.path / "project"
    place.mkdir()
    (place / "test_it.py").write_text("def test_it():\n    pass\n", "utf-8")
    (pytester.path / "policy.yaml").write_text("version: 1\n", "utf-8")
    monkeypatch.chdir(place)
    return place


def collected(pytester: pytest.Pytester, *words: str) -> tuple[int, str]:
    """Exit status and what is said."""
    found = pytester.runpytest_inprocess(*words, "--collect-only", "-p", "no:cacheprovider")
    return int(found.ret), " ".join((found.stdout.str() + found.stderr.str()).split())


@pytest.mark.parametrize("name", INI)
def test_a_policy_elsewhere_does_not_hide_the_projects_configuration(
    pytester: pytest.Pytester, project: Path, name: str
) -> None:
    """The root would be taken from what both have in common; with an equals sign it does not see the path."""
    (project / name).write_text(INI[name], "utf-8")
    status, said = collected(pytester, "--policy", "../policy.yaml")
    assert status == 4
    assert "--policy ../policy.yaml: pytest took that path for one of tests" in said
    assert "Write it with an equals sign: --policy=../policy.yaml." in said
    assert collected(pytester, "--policy=../policy.yaml")[0] == 0
    assert collected(pytester, "--policy", "../policy.yaml", "-c", name)[0] == 0


def test_a_directory_that_becomes_the_root_is_refused(pytester: pytest.Pytester, project: Path) -> None:
    """Whether the project has a configuration or not: its suites would not be found either."""
    other = project.parent / "other"
    other.mkdir()
    (other / "pytest.ini").write_text("[pytest]\n", "utf-8")
    assert project.exists()
    status, said = collected(pytester, "--report-dir", str(other))
    assert status == 4
    assert f"--report-dir={other}." in said
    assert collected(pytester, f"--report-dir={other}")[0] == 0


def test_what_hides_nothing_is_taken_as_it_is_typed(pytester: pytest.Pytester, project: Path) -> None:
    """Without a configuration, with one that is not pytest's, and in a directory of a project that has one above."""
    assert collected(pytester, "--policy", "../policy.yaml")[0] == 0
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n", "utf-8")
    (project / "tox.ini").write_text("[tox]\n", "utf-8")
    assert collected(pytester, "--policy", "../policy.yaml")[0] == 0
    (project.parent / "pytest.ini").write_text("[pytest]\n", "utf-8")
    assert collected(pytester, "--policy", "../policy.yaml")[0] == 0
    (project / "own.yaml").write_text("version: 1\n", "utf-8")
    (project / "pytest.ini").write_text("[pytest]\n", "utf-8")
    assert collected(pytester, "--policy", "own.yaml")[0] == 0

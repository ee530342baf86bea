"""The public names: in one place, importable, documented, cheap, and all that shipped suites and docs import."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pytest_weekops import api, operation

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "public-api.md").read_text(encoding="utf-8")
PUBLIC = {"pytest_weekops.api", "pytest_weekops.operation"}
FENCED = re.compile(r"```python\n(.*?)```", re.DOTALL)


def imported(source: str) -> set[tuple[str, str]]:
    """Module and name of everything that a text imports from this package."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pytest_weekops":
            found |= {(str(node.module), alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name.split(".")[0] == "pytest_weekops"}
    return found


def documented(module: str) -> set[str]:
    """The names in the first cells of one module's table."""
    section = PAGE.split(f"## `{module}`", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {name for line in rows for name in re.findall(r"`(\w+)`", line.split(" | ", 1)[0])}


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("name", api.__all__)
def test_every_public_name_is_what_it_says(name: str) -> None:
    """A name that moved without its line in the table is told here, and so is a line with another name's place."""
    assert getattr(api, name) is not None
    assert api._PLACES[name].endswith((f":{name}", ":schema"))


def test_the_table_and_the_list_name_the_same() -> None:
    """Nothing is importable that is not listed, which type checkers would refuse."""
    assert sorted(api._PLACES) == sorted(api.__all__) == sorted(dir(api))


@pytest.mark.parametrize("module", sorted(PUBLIC))
def test_every_public_name_is_documented(module: str) -> None:
    """The page lists what there is, and nothing that there is not."""
    assert documented(module) == set(importlib.import_module(module).__all__)


def test_a_name_that_is_none_says_where_the_list_is() -> None:
    """A misspelt name is an AttributeError that names the page."""
    with pytest.raises(AttributeError, match=r"'Measurment'; docs/reference/public-api\.md"):
        api.Measurment  # type: ignore[attr-defined]  # noqa: B018 - asking is the test


@pytest.mark.parametrize("path", sorted((ROOT / "suites").rglob("*.py")), ids=lambda path: path.name)
def test_shipped_suites_import_public_names_only(path: Path) -> None:
    """What users copy to start from does not break when a module moves."""
    assert {module for module, _name in imported(path.read_text(encoding="utf-8"))} <= PUBLIC


@pytest.mark.parametrize("name", ["writing-suites.md", "kernels.md", "public-api.md"])
def test_docs_for_users_import_public_names_only(name: str) -> None:
    """Each name that a page shows users importing exists and is public."""
    (page,) = (ROOT / "docs").rglob(name)
    found = {pair for code in FENCED.findall(page.read_text(encoding="utf-8")) for pair in imported(code)}
    assert found
    assert {(module, imports) for module, imports in found if module not in PUBLIC} == set()
    assert all(hasattr(importlib.import_module(module), imports) for module, imports in found)


def test_every_room_says_that_it_is_private() -> None:
    """Whoever opens a package to see whether he may import from it reads the answer."""
    silent = []
    for path in sorted((ROOT / "pytest_weekops").rglob("__init__.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if path.parent.name != "pytest_weekops" and "Private: import from `pytest_weekops.api`." not in text:
            silent.append(str(path.parent.relative_to(ROOT)))
    assert not silent


@pytest.mark.parametrize("code", ["import pytest_weekops", "import pytest_weekops.api"])
def test_the_face_is_free_of_what_it_stands_for(code: str) -> None:
    """Importing the package, or the list of its public names, loads no library."""
    assert not loaded_by(code) & {"pydantic", "numpy", "yaml", "pytest", "pyopencl", "rich"}


def test_a_script_that_opens_a_run_loads_no_pytest() -> None:
    """Public names of the run come without those of the plugin."""
    names = "open_run, RunRequest, measure_plan, end_suite, conclude, resolve_platforms, load_policy, CampaignPlan"
    assert not loaded_by(f"from pytest_weekops.api import {names}") & {"pytest", "pyopencl"}


def test_operations_need_nothing_but_their_four_words() -> None:
    """What a worker imports with a user's operation stays as small as it is."""
    assert operation.__all__ == ["Buffer", "Launch", "Local", "Step"]
    assert not loaded_by("import pytest_weekops.operation") & {"pydantic", "pytest", "yaml", "rich"}


def test_the_package_is_typed() -> None:
    """py.typed lies in the package that the wheel takes whole."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["pytest_weekops"]
    assert (ROOT / "pytest_weekops" / "py.typed").is_file()

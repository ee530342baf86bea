"""The arrows of docs/architecture.md: who may import whom, and that the pytest process never loads a driver."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "pytest_weekops"
ALLOWED = {
    "core": {"core"},
    "device": {"core", "device", "files", "worker.protocol", "worker.framing"},
    "report": {"core", "report", ""},
    "worker.protocol": {"core", "worker.protocol"},
    "worker.framing": {"core", "worker.protocol", "worker.framing"},
    "worker": {"core", "worker"},
}
HEAVY_IN_CORE = {"pytest", "pyopencl", "os", "subprocess", "pathlib", "time", "socket", "yaml"}


def layer(module: str) -> str:
    """The layer of a module below the package: its entry in ALLOWED, or "" for the upper parts."""
    for name in sorted(ALLOWED, key=len, reverse=True):
        if module == name or module.startswith(f"{name}."):
            return name
    return ""


def imports(path: Path) -> set[str]:
    """Full names of everything a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules() -> list[Path]:
    """Every Python file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    """A module imports only from the layers below it."""
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    own = layer(module)
    if not own:
        return
    for name in imports(path):
        if name.startswith("pytest_weekops."):
            target = name.removeprefix("pytest_weekops.")
            fits = any(target == ok or target.startswith(f"{ok}.") for ok in ALLOWED[own] if ok)
            assert fits or (target.startswith("__version__") and "" in ALLOWED[own]), f"{module} imports {name}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: path.name)
def test_core_is_pure(path: Path) -> None:
    """No I/O, no clock, no environment, no driver in core."""
    found = {name.split(".")[0] for name in imports(path)} & HEAVY_IN_CORE
    assert not found, f"{path.name} imports {found}"


def test_only_device_code_knows_pyopencl() -> None:
    """Pyopencl is imported in pytest_weekops/device and nowhere else."""
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in modules()
        if any(n.split(".")[0] == "pyopencl" for n in imports(path))
    }
    assert users == {"device"}


def test_the_plugin_is_cheap_to_import() -> None:
    """A pytest run that has no use for the plugin loads none of its heavy parts."""
    heavy = "('pydantic', 'numpy', 'yaml', 'pyopencl', 'scipy', 'rich', 'jinja2')"
    loaded = "import sys, pytest_weekops.plugin, pytest_weekops.plugin.fixtures"
    code = f"{loaded}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_gate_run_never_loads_pyopencl(tmp_path: Path) -> None:
    """The pytest process of a whole canonical run ends without pyopencl in sys.modules, whatever the drivers do."""
    (tmp_path / "spy.py").write_text(
        "import sys\ndef pytest_unconfigure():\n    print('LOADED', 'pyopencl' in sys.modules, file=sys.stderr)\n",
        encoding="utf-8",
    )
    suite = PACKAGE.parent / "suites" / "canonical"
    command = [sys.executable, "-m", "pytest", "-p", "spy", f"--rootdir={tmp_path}", str(suite), "--report-dir=reports"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**_environment(), "PYTHONPATH": "."}
    )
    assert "LOADED False" in done.stderr, done.stdout + done.stderr


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)

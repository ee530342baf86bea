"""The arrows of docs/rooms.yaml: who may import whom, and that the pytest process never loads a driver."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pytest_weekops"
ROOMS: dict[str, dict[str, object]] = yaml.safe_load((ROOT / "docs" / "rooms.yaml").read_text("utf-8"))["rooms"]
HEAVY_IN_CORE = {"pytest", "pyopencl", "os", "subprocess", "pathlib", "time", "socket", "yaml"}
# What both ends of the pipe share: the wire, what is said of a driver's files, and the look at the host they run on.
LEFT_OF_WORKER = {
    "worker/peak_messages.py",
    "worker/protocol.py",
    "worker/framing.py",
    "worker/seen_files.py",
    "worker/load.py",
}


def modules() -> list[Path]:
    """Every Python file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def room_of(place: Path) -> str:
    """The room of a module, by its place in the package; empty for the package's own face."""
    parts = place.relative_to(PACKAGE).parts[:-1]
    for depth in range(len(parts), 0, -1):
        if (name := "/".join(parts[:depth])) in ROOMS:
            return name
    return "/".join(parts)


def may_import(room: str) -> list[str]:
    """The rooms that a room may import from, itself left out."""
    allowed = ROOMS[room]["imports"]
    assert isinstance(allowed, list)
    return allowed


@cache
def imports(path: Path) -> frozenset[str]:
    """Full names of everything a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def module_at(name: str) -> Path | None:
    """The file of ours that an imported name comes from, or None for the package's face and what is not ours."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return None
    for end in range(len(parts), 1, -1):
        place = PACKAGE.joinpath(*parts[1:end])
        if place.with_suffix(".py").is_file():
            return place.with_suffix(".py")
        if (place / "__init__.py").is_file():
            return place / "__init__.py"
    return None


def own_imports(path: Path) -> set[Path]:
    """The files of ours that a file imports from."""
    return {found for name in imports(path) if (found := module_at(name)) is not None}


def test_every_module_has_a_room() -> None:
    """Nothing lies on the landing but the package's face and what users import from it."""
    homeless = [str(path.relative_to(PACKAGE)) for path in modules() if room_of(path) not in ROOMS]
    assert sorted(homeless) == ["__init__.py", "api.py", "operation.py"]


def test_no_arrow_points_upwards() -> None:
    """The table itself has no circle, and names each room below the rooms that import from it."""
    order = list(ROOMS)
    TopologicalSorter({room: may_import(room) for room in ROOMS}).prepare()
    upwards = [(room, lower) for room in ROOMS for lower in may_import(room) if order.index(lower) <= order.index(room)]
    assert not upwards


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    """A module imports from its own room and from those that the table allows it."""
    room = room_of(path)
    if room not in ROOMS:
        return
    for target in own_imports(path):
        assert room_of(target) in (room, *may_import(room)), f"{room}: {path.name} imports {target}"


@pytest.mark.parametrize("room", ROOMS)
def test_no_arrow_is_drawn_in_vain(room: str) -> None:
    """Each room that the table allows is really used: what nobody needs is not allowed."""
    used = {room_of(target) for path in modules() if room_of(path) == room for target in own_imports(path)}
    assert set(may_import(room)) <= used


def test_no_module_imports_itself_in_a_circle() -> None:
    """Modules form no circle, whatever is imported late or for types only."""
    TopologicalSorter({path: own_imports(path) - {path} for path in modules()}).prepare()


@pytest.mark.parametrize("path", sorted((PACKAGE / "device").rglob("*.py")), ids=lambda path: path.name)
def test_device_shares_the_wire_alone(path: Path) -> None:
    """Of the controller's side, a worker's own program knows what travels between the two, and nothing more."""
    found = {str(target.relative_to(PACKAGE)) for target in own_imports(path) if room_of(target) == "worker"}
    assert found <= LEFT_OF_WORKER


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: path.name)
def test_core_is_pure(path: Path) -> None:
    """No I/O, no clock, no environment, no driver in core."""
    found = {name.split(".")[0] for name in imports(path)} & HEAVY_IN_CORE
    assert not found, f"{path.name} imports {found}"


@pytest.mark.parametrize(("library", "room"), [("pyopencl", "device"), ("pytest", "plugin"), ("_pytest", "plugin")])
def test_each_world_is_known_to_one_room(library: str, room: str) -> None:
    """OpenCL is device's business, pytest is plugin's, and nobody else imports either."""
    users = {room_of(path) for path in modules() if any(name.split(".")[0] == library for name in imports(path))}
    assert users == {room}


def test_the_document_shows_the_table() -> None:
    """docs/explanation/architecture.md has each room with what it is for and what it imports, as the table has them."""
    text = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    rows = [
        f"| `{name}/` | {room['says']} | {', '.join(may_import(name)) or 'nothing of ours'} |"
        for name, room in ROOMS.items()
    ]
    assert "\n".join(rows) in text


def test_tests_stand_in_the_rooms_they_ask() -> None:
    """Every directory of tests is a room, or one of those that belong to no room."""
    beside = {"", "support", "whole"}
    places = {path.parent.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert {place.removeprefix(".") for place in places} - beside <= set(ROOMS) | {
        "docs",
        "faults",
        "fuzz",
        "neighbours",
        "sabotage",
        "typing",
    }


def test_the_plugin_is_cheap_to_import() -> None:
    """A pytest run that has no use for the plugin loads none of its heavy parts."""
    heavy = "('pydantic', 'numpy', 'yaml', 'pyopencl', 'scipy', 'rich', 'jinja2', 'sqlalchemy', 'psycopg')"
    loaded = "import sys, pytest_weekops.plugin, pytest_weekops.plugin.fixtures"
    code = f"{loaded}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.long
def test_a_gate_run_never_loads_pyopencl(tmp_path: Path) -> None:
    """The pytest process of a whole canonical run ends without pyopencl in sys.modules, whatever the drivers do."""
    (tmp_path / "spy.py").write_text(
        "import sys\ndef pytest_unconfigure():\n    print('LOADED', 'pyopencl' in sys.modules, file=sys.stderr)\n",
        encoding="utf-8",
    )
    suite = ROOT / "suites" / "canonical"
    command = [sys.executable, "-m", "pytest", "-p", "spy", f"--rootdir={tmp_path}", str(suite), "--report-dir=reports"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "."}
    )
    assert "LOADED False" in done.stderr, done.stdout + done.stderr

"""The environment variables that the package reads, and those that a runtime profile sets."""

from __future__ import annotations

import ast
from pathlib import Path

from generating.words import table

PACKAGE = Path(__file__).resolve().parents[2] / "pytest_weekops"
READ = {
    "COLUMNS": "how wide a terminal is taken to be; lines of `weekops` for a pipe or a file are never wrapped",
    "GITHUB_ACTIONS": "set by GitHub: findings are also printed as its annotations",
    "GITHUB_STEP_SUMMARY": "set by GitHub: the file to which the verdict is added for the page of the job",
    "LD_LIBRARY_PATH": "kept behind what a platform profile puts before it",
    "LD_PRELOAD": "what it names is listed among a driver's files",
    "PYTHONPATH": "kept behind the package's own place, for workers and for the gate after a rollback",
    "SSH_CONNECTION": "set by sshd: where a worker that was started over ssh finds the coordinator of its fleet",
    "WEEKOPS_ICD_DIR": "where ICD files lie, `{vendors}` in a platform profile (default: `/etc/OpenCL/vendors`)",
    "WEEKOPS_LEDGER": "the database with the ledger that a report directory has joined, `postgresql://USER@HOST/DATABASE`",
    "WEEKOPS_LOCK_DIR": "where device locks lie (default: a directory per user in the system's temporary one)",
    "WEEKOPS_LOCK_NAMESPACE": "for tests: device locks that gates outside do not see; a measured run's verdict says so",
    "WEEKOPS_LOCK_WAIT": "seconds to wait for a device that another gate measures on (default: 60)",
    "WEEKOPS_NO_PAGE": "any value: a run writes no `report.html`; `weekops page` makes it whenever it is wanted",
    "WEEKOPS_TRACEBACK": "any value: an internal error of `weekops` shows its traceback",
}
FORGED = "no worker gets it: it would change what is built, or which device is taken"
PROFILE = {
    "WEEKOPS_PLATFORM": "the platform that is in service",
    "WEEKOPS_POLICY_ID": "the policy by which it was chosen",
    "WEEKOPS_POLICY_SHA256": "the hash of that policy",
    "WEEKOPS_T5_POLICY": "`guarded`: launches are to be checked",
    "WEEKOPS_T5_MAX_OVERHEAD_PERCENT": "the policy's bound of the guard's overhead, %",
    "WEEKOPS_T5_MAX_FALSE_POSITIVE_RATE": "its bound of false alarms, a share",
    "WEEKOPS_T5_MAX_DISABLE_EVENTS": "its bound of the guard being disabled",
}


def read_names() -> set[str]:
    """Every variable that some module of the package looks up by its name."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked = node.args[:1] if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.get" else []
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                asked = [node.slice]
            found |= {name.value for name in asked if isinstance(name, ast.Constant) and isinstance(name.value, str)}
    return found


def read() -> str:
    """What is read. Raises ``LookupError`` where code and words differ."""
    from pytest_weekops.worker.process import _FORGED

    if wrong := read_names() ^ (set(READ) - {"PYTHONPATH"}):
        raise LookupError(
            f"{', '.join(sorted(wrong))}: read and not told, or told and not read. Mend READ in {__file__}."
        )
    rows = [(f"`{name}`", words) for name, words in READ.items()] + [(f"`{name}`", FORGED) for name in _FORGED]
    return table(("variable", "what it does"), rows)


def profile() -> str:
    """What ``active.env`` sets. Raises ``LookupError`` where code and words differ."""
    from pytest_weekops.core.week.rollback import build_profile

    built = build_profile("x", environment={}, policy={}, policy_sha256="")
    if wrong := set(built.environment) ^ set(PROFILE):
        raise LookupError(
            f"{', '.join(sorted(wrong))}: set and not told, or told and not set. Mend PROFILE in {__file__}."
        )
    return table(("variable", "what it says"), [(f"`{name}`", words) for name, words in PROFILE.items()])

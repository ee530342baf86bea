"""A stand-in for piglit's program, for what a real driver cannot be made to do on demand.

``plan.json`` beside it has, for each test, the statuses of its first and further runs; and how all of it ends.
"""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

PROGRAM = """#!{python}
import json, os, re, sys, time
from pathlib import Path

here = Path(__file__).resolve().parent
plan = json.loads((here / "plan.json").read_text())
words = sys.argv[2:]
chosen = [words[at + 1] for at, word in enumerate(words) if word == "-t"]
names = [name for name in plan["tests"] if all(re.search(each, name) for each in chosen)]
if sys.argv[1] == "print-cmd":
    print("Some words of the program")
    for name in names:
        print(name, ":::", "./tests/one.cl", "-auto")
    sys.exit(plan.get("listing", 0))
counter = here / "runs"
number = int(counter.read_text()) if counter.exists() else 0
counter.write_text(str(number + 1))
(here / f"run-{{number}}.json").write_text(json.dumps({{"words": words, "environment": dict(os.environ)}}))
if "--test-list" in words:
    names = Path(words[words.index("--test-list") + 1]).read_text().split()
tests = {{}}
for name in names:
    ends = plan["tests"][name]
    out = "#   Platform: " + plan["platform"] if plan["platform"] else ""
    tests[name] = {{"result": ends[min(number, len(ends) - 1)], "out": out, "err": "", "subtests": {{}}}}
if plan.get("waits"):
    (here / "waiting").write_text(str(os.getpid()))
    time.sleep(600)
place = Path(words[-1])
place.mkdir(parents=True)
if not plan.get("torn"):
    tests.pop(plan.get("drops"), None)
    (place / "results.json").write_text(json.dumps({{"tests": tests}}))
sys.exit(plan.get("status", 0))
"""


def stand_in(directory: Path, tests: dict[str, list[str]], platform: str = "pocl", **more: Any) -> str:
    """Write the program and what it does; the path to call it by."""
    (directory / "tests").mkdir(parents=True, exist_ok=True)
    (directory / "tests" / "one.cl").write_text("kernel void f() {}")
    (directory / "plan.json").write_text(json.dumps({"tests": tests, "platform": platform, **more}))
    program = directory / "piglit"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)

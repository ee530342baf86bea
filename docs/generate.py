"""Write what the pages show of the code: tables between marks, and pictures.

``python docs/generate.py`` writes; ``--check`` writes nothing, names what is stale and ends with 1. A page holds a
table between ``<!-- generated: NAME -->`` and ``<!-- end -->``; NAME is one of ``BLOCKS``, with its argument, if any.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]  # what these pages show is the code beside them

from generating import (  # noqa: E402
    checks,
    commands,
    coverage,
    environment,
    faults,
    fleet,
    holds,
    hooks,
    options,
    peak,
    policies,
    records,
    rooms,
    sabotage,
    sittings,
    terminal,
    wrong_kernels,
)

from pytest_weekops.core.fleet.outcome import HostState  # noqa: E402
from pytest_weekops.core.fleet.stages import Do, Happened, Phase  # noqa: E402
from pytest_weekops.core.fleet.verdict import FleetDecision  # noqa: E402
from pytest_weekops.core.judge.finding import CheckStatus, ExitStatus  # noqa: E402
from pytest_weekops.core.measurement.records import MeasurementStatus  # noqa: E402

BLOCKS: dict[str, Callable[..., str]] = {
    "policy-keys": policies.keys,
    "severity-levels": policies.levels,
    "options": options.options,
    "deadlines": options.deadlines,
    "ini-values": options.inis,
    "markers": options.markers,
    "commands": commands.commands,
    "hooks": hooks.hooks,
    "fixtures": hooks.fixtures,
    "checks": checks.checks,
    "check-statuses": partial(checks.words_of, CheckStatus),
    "exit-statuses": partial(checks.words_of, ExitStatus),
    "measurement-statuses": partial(checks.words_of, MeasurementStatus),
    "record": records.record,
    "decision": records.decision,
    "decision-rules": records.decision_rules,
    "variables-read": environment.read,
    "variables-of-profiles": environment.profile,
    "fleet-keys": fleet.keys,
    "fleet-checks": fleet.checks,
    "fleet-decisions": partial(checks.words_of, FleetDecision),
    "fleet-states": partial(checks.words_of, HostState),
    "fleet-events": partial(checks.words_of, Happened),
    "fleet-actions": partial(checks.words_of, Do),
    "fleet-phases": partial(checks.words_of, Phase),
    "rooms": rooms.room_table,
    "fault-counts": faults.counts,
    "fault-phases": faults.phases,
    "faults": faults.faults,
    "sabotage-counts": sabotage.counts,
    "sabotages": sabotage.sabotages,
    "sabotages-stored": sabotage.stored,
    "sabotages-shared": sabotage.shared,
    "holds": holds.holds,
    "fuzzed": sittings.fuzzed,
    "soaked": sittings.soaked,
    "bisected": sittings.bisected,
    "peak-items": peak.items,
    "coverage": coverage.coverage,
    "wrong-kernels": wrong_kernels.wrong_kernels,
}
PICTURES: dict[str, Callable[[], str]] = {"rooms.svg": rooms.picture, "terminal.svg": terminal.picture}
MARK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+)(?P<words>[^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """A page with every block as the code has it now. Raises ``LookupError`` for a block that nobody makes."""

    def made(found: re.Match[str]) -> str:
        if found["name"] not in BLOCKS:
            raise LookupError(f"no block is called {found['name']!r}; there are {', '.join(BLOCKS)}")
        return f"{found[1]}\n{BLOCKS[found['name']](*found['words'].split()).strip()}\n\n{found[4]}"

    return MARK.sub(made, text)


def everything() -> dict[Path, str]:
    """Each file that has something generated in it, as it should be."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
    found = {path: page(text) for path, text in pages.items() if "<!-- generated:" in text}
    return {**found, **{DOCS / "pictures" / name: make() for name, make in PICTURES.items()}}


def main(argv: list[str] | None = None) -> int:
    """Write or check; 1 where a check finds something stale, or where the code does not say what a page needs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where something is stale")
    arguments = parser.parse_args(argv)
    try:
        made = everything()
    except (LookupError, TypeError) as error:
        print(f"docs/generate.py: {error}", file=sys.stderr)
        return 1
    stale = [(p, t) for p, t in made.items() if not p.is_file() or p.read_text(encoding="utf-8") != t]
    for path, text in stale:
        print(f"{path.relative_to(DOCS.parent)}: {'stale' if arguments.check else 'written'}")
        if not arguments.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if arguments.check and stale:
        print("Run `python docs/generate.py` and commit what it writes.", file=sys.stderr)
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What it costs to look at a known fault again: CPU seconds of a weekly gate on PoCL with one, beside one without.

    python benchmarks/known_faults.py [--snapshots 2] [--turns 3]

A kernel of the script's own is right at n = 64. At n = 80 it is right as well, or wrong, or takes its worker down; each
fault is once expected by a file of known faults and once not. The gates run in turns; of each the CPU time of pytest
and of all it started is taken (user and system). Printed is the median over the turns, and what the second cell adds,
by snapshot, to a gate that measures the first alone. Nothing is compared with a limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CATALOG = "version: 1\nkernels:\n  odd: {mode: odd, operation: gemm, file: odd.cl, layout: elementwise, needs: {}}\n"
SUM = "float sum = 0.0f;"
KERNELS = {
    "right": SUM,
    "wrong": "float sum = n == 80 ? 9.0f : 0.0f;",
    "crashed": f"{SUM} if (n == 80) *(volatile __global float *)8 = sum;",
}
ALONE = "not there"
POLICY = """\
version: 1
policy_id: known-faults
inherits: portable.yaml
evidence: {max_expected_share: 0.5}
guardrails: {max_abs_throughput_drift_percent: 95, max_throughput_deviation_percent: 95, drift_reason: costs alone}
host: {max_pace_change_percent: 900, max_anchor_change_percent: 900, max_steal_percent: 90, max_wait_s: 0,
  max_run_delay_percent: null}
"""
EXPECTED = """\
version: 1
expectations:
  - driver: {{profile: pocl, library_sha256: "{library}"}}
    case: odd:80
    kind: {kind}{phase}
    reason: it is made so
    owner: the benchmark
    expires: {day}
"""


def gate(
    project: Path, name: str, sizes: tuple[int, ...], snapshots: int, *, known: str = ""
) -> tuple[float, dict[str, Any], str]:
    """CPU seconds of one gate with this kernel, its decision, and the phase in which a worker crashed, if one did.

    Raises ``RuntimeError`` where it makes no decision.
    """
    kernels = project / "kernels"
    kernels.mkdir(exist_ok=True)
    text = (ROOT / "kernels" / "gemm_scalar.cl").read_text(encoding="utf-8")
    (kernels / "odd.cl").write_text(text.replace(SUM, KERNELS[name]), encoding="utf-8")
    (kernels / "catalog.yaml").write_text(CATALOG, encoding="utf-8")
    (project / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    words = [*("--weekops-platforms", "pocl", "--weekops-kernels", "odd"), "--weekops-sizes", *map(str, sizes)]
    words += [f"--weekops-snapshots={snapshots}", f"--weekops-max-snapshots={snapshots}", "--weekops-iterations=15"]
    words += ["--weekops-session-ms=80", "--weekops-pressure-pulses=0", "--weekops-policy=policy.yaml"]
    words += [f"--weekops-expectations={known}"] if known else []
    reports = project / f"{name}-{len(sizes)}-{'known' if known else 'unknown'}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "suites" / "weekly")]
    command += [f"--rootdir={project}", f"--weekops-report-dir={reports}", *words]
    environment = {"WEEKOPS_LOCK_WAIT": "3600", **os.environ}  # waiting costs no CPU time
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = list(reports.glob("*/decision.json"))
    if len(found) != 1:
        raise RuntimeError(f"{name}: the gate made {len(found)} decisions: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    lines = map(json.loads, (found[0].parent / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    crashed = [line["data"]["phase"] for line in lines if line["data"].get("status") == "crashed"]
    return seconds, json.loads(found[0].read_text(encoding="utf-8")), crashed[0] if crashed else ""


def turn(project: Path, snapshots: int) -> dict[str, tuple[int, float]]:
    """Exit status and CPU seconds of each gate, by what its second cell does."""
    seconds, decision, phase = gate(project, "right", (64,), snapshots)
    library, found = decision["identities"]["pocl"]["library_sha256"], {ALONE: (decision["exit_status"], seconds)}
    day = datetime.now(UTC).date() + timedelta(days=30)
    for name in KERNELS:
        seconds, decision, phase = gate(project, name, (64, 80), snapshots)
        found[name] = decision["exit_status"], seconds
        if name != "right":
            where = f"\n    phase: {phase}" if phase else ""
            text = EXPECTED.format(library=library, kind=name, phase=where, day=day)
            (project / "known.yaml").write_text(text, encoding="utf-8")
            seconds, decision, _phase = gate(project, name, (64, 80), snapshots, known="known.yaml")
            found[f"{name}, expected"] = decision["exit_status"], seconds
            tell(f"{name}, expected", decision)
    return found


def tell(name: str, decision: dict[str, Any]) -> None:
    """Say on standard error why a gate blocked that was to leave its known fault out."""
    for finding in decision["verdict"]["findings"]:
        if decision["exit_status"] and finding["blocking"] and finding["status"] != "pass":
            print(f"{name}: {finding['check']} {finding['status']}: {finding['message']}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the gates, and print what the second cell adds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=2, help="snapshots of each gate (default: 2)")
    parser.add_argument("--turns", type=int, default=3, help="how often each gate is run (default: 3)")
    asked = parser.parse_args()
    turns = []
    for _number in range(asked.turns):
        with tempfile.TemporaryDirectory(prefix="known-faults-") as directory:
            turns.append(turn(Path(directory), asked.snapshots))
        print(f"turn {len(turns)}: {turns[-1]}", file=sys.stderr, flush=True)
    print(f"{'the cell n = 80':<22}{'exit status':>12}{'CPU s of the gate':>20}{'added by snapshot':>20}")
    alone = statistics.median(each[ALONE][1] for each in turns)
    for name in turns[0]:
        status = "/".join(sorted({str(each[name][0]) for each in turns}))
        seconds = statistics.median(each[name][1] for each in turns)
        added = "" if name == ALONE else f"{(seconds - alone) / asked.snapshots:.2f}"
        print(f"{name:<22}{status:>12}{seconds:>20.2f}{added:>20}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

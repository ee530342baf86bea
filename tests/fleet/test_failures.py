"""Behind one scheduler: a driver that crashes on one host, and the scheduler is killed while the other measures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pytest_weekops import cli
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.worker_command import tls_words
from tests.support.gates import SMALL
from tests.support.libraries import build_library
from tests.support.real_fleets import FAR, begin, decision, said, scheduler, start, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("place"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CRASHES = "#include <stdlib.h>\nint clEnqueueNDRangeKernel(void) { abort(); }\n"
# Far longer than the other host takes to crash.
LONG = ("--snapshots", "500", "--max-snapshots", "500", "--session-ms", "2000")


def test_a_driver_that_crashes_and_a_scheduler_that_is_killed(need_platform: Callable[[str], str], place: Path) -> None:
    """Both are named with what became of them, neither promotes, and nothing of them runs on."""
    keys = Keys.make(place / "keys")
    central, address = scheduler(keys)
    started = [central]
    try:
        words = [
            address,
            "--no-nanny",
            "--no-dashboard",
            "--nthreads",
            "1",
            "--resources",
            "device=1",
            *tls_words(keys),
        ]
        # Two machines by what they lock: here both would wait for the one device, whoever comes second in vain.
        started += [
            start("worker", *words, "--name", name, WEEKOPS_LOCK_NAMESPACE=f"{place} {name}")
            for name in ("crashing", "cut")
        ]
        written(address, need_platform("pocl"), place)
        coordinator = begin(
            "fleet", "run", "fleet.yaml", "weekly", "--sizes", "61", "--kernels", "auto", "--keys", "keys"
        )
        told = "crashing .*: (lost|late|no_data|inconclusive|iterate|refused|promoted)"
        assert until(lambda: bool(re.search(told, said())) or coordinator.poll() is not None, said) is None
        assert until(lambda: "cut (cut): running" in said() or coordinator.poll() is not None, said) is None
        central.kill()
        status = coordinator.wait(FAR)
    finally:
        for process in started:
            process.kill()
            process.wait()
    outcomes = {outcome.host: outcome for outcome in decision().outcomes}
    crashed, cut = outcomes["crashing"], outcomes["cut"]
    assert (cut.state, cut.why) == ("lost", "its worker is gone"), said()
    assert crashed.state in ("iterate", "no_data"), said()
    assert "crash" in " ".join([crashed.why, *(finding.message for finding in crashed.findings)]), said()
    assert status in (1, 10), said()
    assert cli.main(["fleet", "verify"]) == 0


def written(address: str, profile: str, place: Path) -> None:
    """A fleet of these two, each under a label of its own; what crashes is the same driver behind a library."""
    (launch,) = resolve_platforms([profile], scratch=place)
    shim = build_library(place / "crashes.so", CRASHES)
    (place / "platforms.yaml").write_text(
        "version: 1\nprofiles:\n  aborts:\n"
        f"    platform_name: '{launch.open.platform_name}'\n    icds: ['{launch.open.icd}']\n"
        f"    environment: {{LD_PRELOAD: '{shim}'}}\n    missing: It is a test's.\n",
        "utf-8",
    )
    own = ("-o", f"weekops_platform_files={place / 'platforms.yaml'}")
    labels = {"crashing": ("aborts", (*SMALL[2:], *own)), "cut": (profile, LONG)}
    lines = ["version: 1", "fleet_id: tests", "pools:"]
    lines += [f"  {name}: {{label: {name}, scheduler: '{address}', hosts: [{name}]}}" for name in labels]
    lines += ["labels:"]
    for name, (of, options) in labels.items():
        lines.append(f"  {name}: {{profiles: [{of}], policy: policy.yaml, options: {list(options)}}}")
    Path("fleet.yaml").write_text("\n".join(lines) + "\n", "utf-8")

"""A host that is a job of a real SLURM with one node: submitted, measured, and let go of when the run ends."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("dask_jobqueue")

from pytest_weekops import cli
from tests.support.real_fleets import FAR, begin, command, said, states
from tests.support.slurm import started

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("place"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_a_job_of_slurm_is_a_host(
    need_platform: Callable[[str], str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one node has room for one job: the second comes when the first's host is done with, and its job let go of."""
    queue = "jobs: COUNT, cores: 1, memory: 32 MiB, walltime: '00:30:00', here: 127.0.0.1"
    Path("fleet.yaml").write_text(
        "version: 1\nfleet_id: tests\npools:\n"
        f"  rack: {{label: cpu, slurm: {{{queue.replace('COUNT', '2')}, shared: {place}}}}}\n"
        f"  none: {{label: cpu, slurm: {{{queue.replace('COUNT', '1')}, shared: {place}, queue: nowhere}}}}\n"
        f"labels:\n  cpu: {{profiles: [{need_platform('pocl')}], policy: policy.yaml}}\n",
        "utf-8",
    )
    with started(place / "slurm") as settings:
        monkeypatch.setenv("SLURM_CONF", str(settings))
        assert begin(*command(Path("fleet.yaml"))).wait(FAR * 2) == 11, said()
        assert states() == {"rack-1": "promoted", "rack-2": "promoted", "none-1": "lost"}
        assert "invalid partition specified: nowhere" in said()
        assert cli.main(["fleet", "verify"]) == 0
        left = subprocess.run(["squeue", "--noheader", "--states=PD,R"], capture_output=True, text=True, check=True)
        assert left.stdout == ""
    assert not list(place.glob(".weekops-fleet-*"))
    assert list(place.glob("reports/fleet/*/logs/weekops-rack-1-*.out"))

"""What Linux tells of a host, from files as its kernels write them, and nothing made up where there are none."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pytest_weekops.run.witnesses import Witnesses

STAT = "cpu  100 0 100 700 0 0 0 {steal} 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
PRESSURE = "some avg10=1.00 avg60=2.00 avg300=3.00 total={total}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"


def write(root: Path, **files: str) -> None:
    """Files by path, ``__`` for ``/``."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


@pytest.fixture
def two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds pass between one look and the next, on a host of two CPUs."""
    clock = iter(range(0, 100, 2))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("two_seconds")
def test_every_witness_of_a_host_that_tells_all(tmp_path: Path) -> None:
    """Shares of all CPUs' time for what was stolen and withheld, of the time for waiting; events; the clock."""
    group = "sys/fs/cgroup/job/step/cpu.stat"
    heat = "sys/devices/system/cpu/cpu{}/thermal_throttle/core_throttle_count"
    clock = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
    write(tmp_path, proc__stat=STAT.format(steal=100), proc__pressure__cpu=PRESSURE.format(total=1_000_000))
    write(tmp_path, proc__self__cgroup="0::/job/step\n", **{group: "usage_usec 5\nthrottled_usec 1000000\n"})
    write(
        tmp_path,
        **{heat.format(0): "3\n", heat.format(1): "4\n", clock.format(0): "2000000\n", clock.format(1): "3000000\n"},
    )
    meter = Witnesses(tmp_path)
    write(tmp_path, proc__stat=STAT.format(steal=200), proc__pressure__cpu=PRESSURE.format(total=1_500_000))
    write(tmp_path, **{group: "usage_usec 5\nthrottled_usec 3000000\n", heat.format(1): "6\n"})
    seen = meter.seen()
    assert (seen.steal_percent, seen.throttled_percent, seen.pressure_percent) == (100.0, 50.0, 25.0)
    assert (seen.thermal_events, seen.cpu_mhz) == (2, 2500.0)


@pytest.mark.usefixtures("two_seconds")
@pytest.mark.parametrize(
    ("membership", "place", "unit"),
    [
        ("0::/\n", "sys/fs/cgroup/cpu.stat", "throttled_usec {}000\n"),
        ("0::/job/step\n", "sys/fs/cgroup/job/cpu.stat", "throttled_usec {}000\n"),  # the quota is the group's above
        (
            "3:cpu,cpuacct:/job\n1:name=systemd:/x\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.stat",
            "throttled_time {}000000\n",
        ),
        ("3:cpu:/job\n", "sys/fs/cgroup/cpu/job/cpu.stat", "throttled_time {}000000\n"),
        ("2:cpu:/\n0::/job\n", "sys/fs/cgroup/unified/job/cpu.stat", "throttled_usec {}000\n"),
    ],
)
def test_a_quota_is_found_in_either_version_and_in_the_groups_above(
    tmp_path: Path, membership: str, place: str, unit: str
) -> None:
    """A container's limit stands in the group that it is for, which need not be the gate's own."""
    write(tmp_path, proc__self__cgroup=membership, **{place: unit.format(100)})
    meter = Witnesses(tmp_path)
    write(tmp_path, **{place: unit.format(1100)})
    assert meter.seen().throttled_percent == 25.0


@pytest.mark.usefixtures("two_seconds")
@pytest.mark.parametrize("text", ["", "nonsense\n", "cpu 1 2\n", "some total=\n", "throttled_usec many\n"])
def test_a_host_that_does_not_tell_is_no_calm_host(tmp_path: Path, text: str) -> None:
    """None, and never 0: nobody looked."""
    write(tmp_path, proc__stat=text, proc__pressure__cpu=text, proc__self__cgroup="0::/\n")
    write(tmp_path, **{"sys/fs/cgroup/cpu.stat": text, "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": text})
    seen = Witnesses(tmp_path).seen()
    assert set(vars(seen).values()) == {None}
    assert set(vars(Witnesses(tmp_path / "nowhere").seen()).values()) == {None}


@pytest.mark.usefixtures("two_seconds")
def test_a_count_that_went_back_tells_nothing(tmp_path: Path) -> None:
    """As after a container that was made anew: a negative share would be a calm one."""
    place = "sys/fs/cgroup/cpu.stat"
    write(
        tmp_path,
        proc__self__cgroup="0::/\n",
        proc__pressure__cpu=PRESSURE.format(total=500),
        **{place: "throttled_usec 9\n"},
    )
    meter = Witnesses(tmp_path)
    write(tmp_path, proc__pressure__cpu=PRESSURE.format(total=400), **{place: "throttled_usec 8\n"})
    assert set(vars(meter.seen()).values()) == {None}

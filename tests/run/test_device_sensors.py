"""What a GPU's sensors tell: NVML from a library of the tests' own behind NVIDIA's binding, amdgpu from its files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.device_condition import DeviceCondition
from pytest_weekops.run.device_sensors import DeviceWatch, Look, condition, sensors_of
from tests.support.libraries import build_library

ADDRESS = "0000:41:00.0"
# What NVML's header declares of it; a device is a number here, and one at another address is none.
NVML = """\
#include <string.h>
typedef struct {{ unsigned pid; unsigned long long memory; unsigned instance, compute; }} process;
int nvmlInitWithFlags(unsigned flags) {{ return {init}; }}
const char *nvmlErrorString(int code) {{ return "an error"; }}
int nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **device)
{{
    *device = (void *)1;
    return strcmp(id, "{address}") == 0 ? 0 : 6;
}}
int nvmlDeviceGetClockInfo(void *device, int kind, unsigned *mhz) {{ *mhz = 1980; return kind == 0 ? 0 : 2; }}
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) {{ *celsius = 71; return {heat}; }}
int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *bits) {{ *bits = {bits}; return 0; }}
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, process *found)
{{
    int fits = found && *count >= 2;
    *count = 2;
    if (fits) memset(found, 0, 2 * sizeof(process));
    return fits ? 0 : 7;
}}
"""
ASK = f"""\
import json
from pytest_weekops.run.device_sensors import sensors_of
found = []
for address in ("{ADDRESS}", "0000:42:00.0"):
    look = sensors_of(address)
    one = look() if look else None
    found.append(one and [one.clock_mhz, one.temperature_c, sorted(one.slowed_by), one.processes])
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("init", "heat", "bits", "told"),
    [
        (0, 0, 0x1, [[1980.0, 71.0, [], 2], None]),  # idle is no reason
        (0, 0, 0x4 | 0x40, [[1980.0, 71.0, ["heat", "power"], 2], None]),
        (0, 3, 0x8, [[1980.0, None, ["hardware"], 2], None]),  # not supported: absent, and the rest is there
        (9, 0, 0x0, [None, None]),  # the kernel driver is not loaded
    ],
)
def test_what_nvml_tells(tmp_path: Path, init: int, heat: int, bits: int, told: list[object]) -> None:
    """The binding finds the library by its name, as it does NVIDIA's; a device at another address has no sensors."""
    pytest.importorskip("pynvml")
    source = NVML.format(init=init, heat=heat, bits=bits, address=ADDRESS)
    build_library(tmp_path / "libnvidia-ml.so.1", source)
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == told


def test_what_amdgpu_tells(tmp_path: Path) -> None:
    """Hertz and thousandths of a degree; a file that cannot be read is absent."""
    place = tmp_path / "sys/bus/pci/devices" / ADDRESS / "hwmon/hwmon3"
    place.mkdir(parents=True)
    (place / "freq1_input").write_text("1340000000\n", encoding="ascii")
    (place / "temp1_input").write_text("64000\n", encoding="ascii")
    look = sensors_of(ADDRESS, tmp_path)
    assert look is not None
    assert look() == Look(clock_mhz=1340.0, temperature_c=64.0)
    (place / "temp1_input").write_text("?\n", encoding="ascii")
    assert look() == Look(clock_mhz=1340.0)
    assert sensors_of("0000:43:00.0", tmp_path) is None
    assert sensors_of("") is None


def test_looks_are_taken_until_the_end() -> None:
    """The first at once, and one at the end; a device without sensors has no condition."""
    seen = threading.Event()

    def look() -> Look:
        seen.set()
        return Look(clock_mhz=1000.0, temperature_c=50.0, slowed_by=frozenset({"power"}), processes=1)

    watch = DeviceWatch(look, every_s=0.01)
    assert seen.wait(10)
    found = watch.end()
    assert found is not None
    assert found.looks >= 1
    assert (found.least_clock_mhz, found.slowed_by, found.processes) == (1000.0, ("power",), 1)
    assert DeviceWatch(None).end() is None


def test_a_witness_that_breaks_is_absent() -> None:
    """And takes nothing down: whatever a vendor's library raises."""

    def look() -> Look:
        raise OSError("the device fell off the bus")

    assert DeviceWatch(look).end() is None


def test_what_so_many_looks_come_to() -> None:
    """The clock's bounds, the highest temperature, each reason once, the most users; absent stays absent."""
    looks = [
        Look(1900.0, 60.0, frozenset(), 1),
        Look(1400.04, 83.0, frozenset({"power", "heat"}), 3),
        Look(None, None, None, None),
    ]
    assert condition(looks) == DeviceCondition(
        looks=3,
        least_clock_mhz=1400.0,
        most_clock_mhz=1900.0,
        most_temperature_c=83.0,
        slowed_by=("heat", "power"),
        processes=3,
    )
    assert condition([Look()]) == DeviceCondition(looks=1)
    assert condition([]) is None

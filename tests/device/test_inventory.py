"""Which device answers where more drivers do than were asked for. Runs in a subprocess: it imports pyopencl."""

from __future__ import annotations

import json
import subprocess
import sys

# (platforms as the loader lists them, each with its devices; what is asked for; who answers, or words of the refusal)
POCL = ("Portable Computing Language", [["cpu-x", "cpu"]])
OTHER_POCL = ("Portable Computing Language", [["cpu-y", "cpu"]])
MESA = ("rusticl", [["llvmpipe", "cpu"], ["radeonsi", "gpu"]])
PORTABLE: dict[str, object] = {"platform_name": "^Portable"}
CARD: dict[str, object] = {"platform_name": "rusticl"}
ASKED: dict[str, tuple[list[object], dict[str, object], str]] = {
    "a platform that leaked in stands before it": ([MESA, POCL], PORTABLE, "Portable Computing Language: cpu-x"),
    "and behind it": ([POCL, MESA], PORTABLE, "Portable Computing Language: cpu-x"),
    "the index of the platform is another": ([OTHER_POCL, MESA], CARD, "rusticl: radeonsi"),
    "a device by its kind": ([MESA], {**CARD, "device_types": ["cpu"]}, "rusticl: llvmpipe"),
    "no device of that kind": ([POCL], {**PORTABLE, "device_types": ["gpu"]}, "has no device of kind gpu"),
    "no device of that name": ([POCL], {**PORTABLE, "device_pattern": "Radeon"}, "whose name matches 'Radeon'"),
    "one name twice": ([POCL, OTHER_POCL], {**PORTABLE, "device_pattern": "cpu-"}, "matches 2 devices: cpu-x, cpu-y"),
    "another driver alone": ([MESA], PORTABLE, "matches no OpenCL platform"),
}
PROGRAM = """
import json, sys
from types import SimpleNamespace as Made
from pytest_weekops.core.errors import DeviceError
from pytest_weekops.device import inventory
from pytest_weekops.worker.protocol import OpenRequest

KINDS = {name: flag for flag, name in inventory._TYPE_NAMES}

def made(name, devices):
    found = [Made(name=each, type=KINDS[kind]) for each, kind in devices]
    return Made(name=name, vendor="", version="OpenCL 3.0 ", get_devices=lambda: found)

said = {}
for what, (platforms, asked, _answer) in json.loads(sys.argv[1]).items():
    inventory.cl = Made(get_platforms=lambda: [made(*each) for each in platforms], Error=KeyError)
    try:
        platform, device = inventory.find_device(OpenRequest(profile="p", **asked))
        said[what] = f"{platform.name}: {device.name}"
    except DeviceError as error:
        said[what] = str(error)
print(json.dumps(said))
"""


def test_the_device_that_was_asked_for_answers_or_none() -> None:
    """Wherever it stands among others; two of which either might be meant are refused, and so is another one."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(ASKED)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for what, (_platforms, _asked, words) in ASKED.items():
        assert words in said[what], what

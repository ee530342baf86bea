"""Where a GPU sits, from what NVIDIA's and AMD's drivers answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyopencl as cl
import pytest

from pytest_weekops.device.pci import pci_address

INFO = cl.device_info


class Told:
    """A device that answers some questions; others are an error of OpenCL, as for a driver without the extension."""

    def __init__(self, answers: dict[int, Any]) -> None:
        self._answers = answers

    def get_info(self, what: int) -> Any:
        """The answer, or OpenCL's refusal."""
        if what not in self._answers:
            raise cl.LogicError("clGetDeviceInfo failed: INVALID_VALUE")
        return self._answers[what]


@pytest.mark.parametrize(
    ("answers", "address"),
    [
        ({INFO.PCI_BUS_ID_NV: 0x41, INFO.PCI_SLOT_ID_NV: 0x08, INFO.PCI_DOMAIN_ID_NV: 2}, "0002:41:01.0"),
        ({INFO.PCI_BUS_ID_NV: 3, INFO.PCI_SLOT_ID_NV: 1}, "0000:03:00.1"),  # a driver that does not tell the domain
        ({INFO.TOPOLOGY_AMD: SimpleNamespace(bus=-63, device=0, function=0)}, "0000:c1:00.0"),  # its bytes are signed
        ({}, ""),
    ],
)
def test_the_address_is_written_as_linux_writes_it(answers: dict[int, Any], address: str) -> None:
    """Domain, bus, device and function, in hexadecimal digits."""
    assert pci_address(Told(answers)) == address

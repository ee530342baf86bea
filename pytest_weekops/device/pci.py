"""Where a GPU sits on the PCI bus, as its driver tells."""

from __future__ import annotations

from typing import Any

import pyopencl as cl


def pci_address(device: Any) -> str:
    """As Linux writes it, ``0000:41:00.0``; empty where the driver does not tell.

    Asked by the extensions ``cl_nv_device_attribute_query``, whose slot is device number and function in one, and
    ``cl_amd_device_attribute_query``, whose topology has no domain.
    """
    try:
        bus = device.get_info(cl.device_info.PCI_BUS_ID_NV)
        slot = device.get_info(cl.device_info.PCI_SLOT_ID_NV)
        return f"{_domain(device):04x}:{bus:02x}:{slot >> 3:02x}.{slot & 7:x}"
    except (cl.Error, AttributeError, TypeError):
        pass
    try:
        place = device.get_info(cl.device_info.TOPOLOGY_AMD)
        return f"0000:{place.bus & 0xFF:02x}:{place.device & 0xFF:02x}.{place.function & 7:x}"
    except (cl.Error, AttributeError, TypeError):
        return ""


def _domain(device: Any) -> int:
    try:
        return int(device.get_info(cl.device_info.PCI_DOMAIN_ID_NV))
    except (cl.Error, AttributeError, TypeError):
        return 0

"""What the file of an operation of your own imports; docs/explanation/kernels.md walks through one.

Such a file is loaded in worker processes only. It defines one class named ``Operation``; a problem of size ``n`` is
whatever the class makes of it.
"""

from __future__ import annotations

from pytest_weekops.core.measurement.launch import Buffer, Launch, Local, Step

__all__ = ["Buffer", "Launch", "Local", "Step"]

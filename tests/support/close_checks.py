"""The program under Oclgrind, with the kernels that check others taken from a directory of a test's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pytest_weekops.device import close_checks, microscope

close_checks.data_dir = lambda name: Path(os.environ["CLOSE_CHECKS_OF"])  # noqa: ARG005 - only kernels are asked for

if __name__ == "__main__":
    sys.exit(microscope.main(sys.argv[1:]))

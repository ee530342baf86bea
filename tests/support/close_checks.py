"""The program under Oclgrind, with the kernels that check others taken from a directory of a test's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pytest_weekops.device import close_checks, microscope

vars(close_checks)["data_dir"] = lambda _name: Path(os.environ["CLOSE_CHECKS_OF"])

if __name__ == "__main__":
    sys.exit(microscope.main(sys.argv[1:]))

"""``python -m pytest_weekops.cli``: the same as ``weekops``."""

import sys

from pytest_weekops.cli import main

sys.exit(main())

"""Reading a fleet file from disk, as strictly as a policy: every refusal names file, line, key and value."""

from __future__ import annotations

from pathlib import Path

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.files.strict_yaml import Source, read_yaml


def load_fleet(path: Path | str) -> FleetFile:
    """Read one fleet file. Raises ``PolicyError``."""
    source = Source("Fleet file", Path(path))
    document = read_yaml(source, "Without it nobody knows which hosts are asked for. Check the path.")
    return FleetFile.model_validate(document)

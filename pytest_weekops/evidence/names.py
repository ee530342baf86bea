"""What pages are called that runs leave, where fleet runs lie, and how files of one device and driver are called."""

from __future__ import annotations

import hashlib
import re

PAGE_NAME = "report.html"
FLEETS, FLEET_PAGE_NAME = "fleet", "fleet.html"  # where fleet runs lie in a report directory, and the page of each


def keyed_name(words: str, key: str) -> str:
    """Name of a JSON file that is one key's: a slug of words for people, and a hash of all that must be the same."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-")[:60]
    return f"{slug}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"

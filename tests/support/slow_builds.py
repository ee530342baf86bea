"""Builds without a driver: files that say by how much they are slower, and a split that reads them and is right."""

from __future__ import annotations

import math
from pathlib import Path

from pytest_weekops.campaigns.bisect_split import SplitAsked, SplitFound
from pytest_weekops.core.bisect.saying import Opinion
from pytest_weekops.core.bisect.search import Said
from pytest_weekops.evidence.bisections import hashes
from pytest_weekops.policies.files import load_policy

GOOD, SLOW = "0", "-0.05"  # the log of a build's speed over the good one's
MUTE, NOTHING = "mute", "nothing"  # one that no split decides, and one that no gate can measure


class SlowBuilds:
    """Builds in a directory, from the good one to the bad one, and the splits that were made of them."""

    def __init__(self, directory: Path, *contents: str) -> None:
        self.directory = directory
        self.paths = [directory / f"build-{number}.so" for number in range(len(contents))]
        for path, content in zip(self.paths, contents, strict=True):
            path.write_text(content, encoding="utf-8")
        self.asked: list[str] = []

    def split(self, asked: SplitAsked) -> SplitFound:
        """What a split that is always right would say."""
        load_policy(asked.policy)  # as the gate reads it
        self.asked.append(asked.build.name)
        content = asked.build.read_text(encoding="utf-8")
        if content == NOTHING:
            return SplitFound(4, said="no driver answers")
        log = float(content) if content != MUTE else 0.0
        said = Said.SKIPPED if content == MUTE else Said.BAD if log < math.log(asked.limit) else Said.GOOD
        error = None if said is Said.SKIPPED else asked.settings.step_error
        files, good = hashes([asked.build]), hashes([Path(asked.settings.good)])
        found = Opinion(said, content, log, log - 0.01, log + 0.01, error, 6)
        return SplitFound(0, asked.report_dir / asked.name, found, files, good, 0.7)

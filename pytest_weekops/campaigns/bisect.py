"""The search for the first bad build: both ends first, then step by step, each of them kept before the next begins."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_weekops.campaigns.bisect_split import SplitAsked, SplitFound, measured_split
from pytest_weekops.core.bisect.search import Contradiction, Narrowed, Said, narrowed
from pytest_weekops.core.bisect.step import Settings, Step
from pytest_weekops.core.bisect.surety import halfway
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.evidence.bisections import BisectionBook, changed_since, hashes
from pytest_weekops.files.atomic import write_atomic

ENDS = 0  # number of the step that compares the two ends
_WORDS = {"speed": "slower", "correctness": "wrong", "crash": "crashing"}


class NotDecided(WeekopsError):
    """The two ends do not differ for certain, for want of evidence."""


class Bisection:
    """One bisection and what it has found so far. ``split`` measures; it is given so that tests need no driver."""

    def __init__(
        self,
        book: BisectionBook,
        settings: Settings,
        say: Callable[[str], None],
        split: Callable[[SplitAsked], SplitFound] = measured_split,
    ) -> None:
        self.book, self.settings, self._say, self._split = book, settings, say, split
        self._unmeasured: dict[str, Step] = {}

    # -- the two ends ----------------------------------------------------------------------------------------------

    def ends(self) -> Step:
        """The bad build against the good one, measured or as it was.

        Raises ``InputError`` where the bad one has not what is looked for, ``NotDecided`` where that is not certain.
        """
        settings = self.settings
        kept = next((step for step in self.book.steps() if step.number == ENDS), None)
        if kept is not None and (changed := changed_since({**kept.files, **kept.good_files})):
            raise InputError(
                f"{changed[0]} is not the file any more that the two ends were measured with. Every step in "
                f"{self.book.directory} was taken against it. Put it back, or begin anew with another --dir."
            )
        step = kept or self._measured(Path(settings.bad), ENDS, limit=1.0, policy=self._policy("ends.yaml", None))
        if step.said is Said.BAD:
            return step
        if not step.run:
            raise InputError(
                f"The two ends could not be compared: {step.why}. Without that there is nothing to search for. See to "
                "what the gate says."
            )
        what = f"{settings.bad} is not certainly {_WORDS[settings.by]}: {step.why}"
        if step.said is Said.GOOD:
            raise InputError(
                f"The two ends do not differ by {settings.by}: {what}. There is no build to search for. Check which "
                "builds they are, the sizes and kernels, or search --by something else."
            )
        raise NotDecided(
            f"Whether the two ends differ by {settings.by} is not decided: {what}. A search between them would end "
            "anywhere, so none was begun. Give more snapshots (--max-snapshots) and another --dir, or a quieter host."
        )

    def limit(self, ends: Step) -> float:
        """The ratio that steps ask for: halfway between the good build's speed and the bad one's."""
        return halfway(ends.log_ratio) if self.settings.by == "speed" and ends.log_ratio is not None else 1.0

    # -- steps -----------------------------------------------------------------------------------------------------

    def step(self, build: Path, ends: Step) -> Step:
        """What is said of a build: as it was measured, where it still is that build, else measured now."""
        for kept in reversed(self.book.steps()):
            if kept.number != ENDS and kept.build == str(build):
                if not (changed := changed_since(kept.files)):
                    return kept
                self._say(f"{build}: {Path(changed[0]).name} is another file than when it was measured; measured anew")
                break
        number = max((step.number for step in self.book.steps()), default=ENDS) + 1
        policy = self._policy("steps.yaml", ends.spread_percent)
        return self._measured(build, number, limit=self.limit(ends), policy=policy)

    def search(self, builds: Sequence[Path], ends: Step) -> Narrowed:
        """Ask build after build until no further one helps. Raises ``InputError`` where the answers contradict."""
        while True:
            state = self.state(builds)
            place = state.next_place
            if place is None:
                return state
            self._say(
                f"between {builds[state.good]} (good) and {builds[state.bad]} (bad), {len(state.untried)} builds left"
            )
            step = self.step(builds[place], ends)
            if not step.run:
                self._unmeasured[step.build] = step

    def state(self, builds: Sequence[Path]) -> Narrowed:
        """What the steps so far leave. Raises ``InputError`` where a bad build comes before a good one."""
        found = self.known(builds)
        answers = {place: found[str(build)].said for place, build in enumerate(builds) if str(build) in found}
        try:
            return narrowed(len(builds) - 1, answers)
        except Contradiction as error:
            raise InputError(
                f"{builds[error.bad]} is bad and {builds[error.good]} behind it is good: there is no first bad build. "
                "Either more than one change is in between, or the order is not that of the builds. Search a part of "
                "the ladder, or list it in its order."
            ) from error

    def known(self, builds: Sequence[Path]) -> Mapping[str, Step]:
        """The last step of each build in between that still speaks of it, by build."""
        wanted = {str(build) for build in builds[1:-1]}
        kept = {step.build: step for step in self.book.steps() if step.number != ENDS and step.build in wanted}
        return {**self._unmeasured, **{name: step for name, step in kept.items() if not changed_since(step.files)}}

    def _measured(self, build: Path, number: int, *, limit: float, policy: Path) -> Step:
        asked = SplitAsked(
            self.settings, build, limit, policy, self.book.runs, "ends" if number == ENDS else _name(build)
        )
        self._say(f"step {number}: {build} against {self.settings.good}")
        found = self._split(asked)
        step = _step(asked, found, number, self.book.directory)
        if step.run:
            self.book.keep(step)
        self._say(f"step {number}: {step.said.value}: {step.why}")
        return step

    def _policy(self, name: str, spread: float | None) -> Path:
        """The policy of a step: the user's, with a step's share of the error, and the noise that the ends had."""
        own = self.settings.policy or "portable.yaml"
        evidence = {"max_false_block": self.settings.step_error, "max_false_promote": self.settings.step_error}
        if spread is not None:
            evidence["assumed_sd_percent"] = round(spread, 3)
        path = self.book.directory / name
        head = f"version: 1\npolicy_id: bisect-{Path(name).stem}\ninherits: {json.dumps(own)}\nevidence:\n"
        text = head + "".join(f"  {key}: {value!r}\n" for key, value in evidence.items())
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomic(path, text)
        return path


def _name(build: Path) -> str:
    """What tells a build's runs from others', for people: its last directories and its name."""
    return "-".join(build.parts[-4:])


def _step(asked: SplitAsked, found: SplitFound, number: int, directory: Path) -> Step:
    said = found.opinion
    facts = {"number": number, "build": str(asked.build), "limit": asked.limit, "status": found.status}
    if said is None or found.run_dir is None:
        files = hashes([asked.build])
        return Step(said=Said.SKIPPED, why=f"nothing was measured: {found.said}", files=files, good_files={}, **facts)
    return Step(
        said=said.said,
        why=said.why,
        run=os.path.relpath(found.run_dir, directory),
        log_ratio=said.log_ratio,
        lower=said.lower,
        upper=said.upper,
        error=said.error,
        taken=said.taken,
        spread_percent=found.spread,
        files=found.files or {},
        good_files=found.good_files or {},
        **facts,
    )

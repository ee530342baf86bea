"""Tuned build parameters in a run: found in the report directory, written into the journal, told to people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.evidence.tuning_event import EVENT
from pytest_weekops.evidence.tunings import load_kernels, load_tunings

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.run.live import Run


def put_in_force(run: Run, directory: Path | None) -> list[dict[str, Any]]:
    """Load each platform's own tuning, and journal which one is used and what was ignored. Never stops a run.

    What was journalled of those in use is given back.
    """
    if directory is None:
        run.journal.append(EVENT, {"off": True})
        return [{"off": True}]
    used: list[dict[str, Any]] = []
    try:
        kernels = load_kernels(run.kernel_dirs)
    except (OSError, ValueError, WeekopsError) as error:  # each case that needs them will say so as well
        run.tunings, ignored = {}, [f"Every tuning is ignored: the kernels cannot be read: {error}."]
    else:
        run.tunings, ignored = load_tunings(directory, run.everybody if run.plan.service else run.identities, kernels)
    for label, tuning in run.tunings.items():
        if not tuning.tuned:
            continue
        variants = [each.model_dump(mode="json") for each in tuning.tuned]
        facts = {"platform": label, "file": tuning.file, "sha256": tuning.sha256, "variants": variants}
        run.journal.append(EVENT, facts)
        used.append(facts)
        _note(run, f"{label}: tuned by {tuning.file}: {tuning.words}")
    for sentence in ignored:
        run.journal.append("note", {"tuning": sentence})
        _note(run, sentence)
    return used


def compare_with_baselines(run: Run) -> None:
    """Say where a run and the pinned baseline it is held against are tuned differently."""
    for label, identity in run.identities.items():
        mine = {each.variant for each in run.tunings[label].tuned} if label in run.tunings else set()
        for baseline in run.baselines:
            if baseline.fits(identity) and set(baseline.tuned) != mine:
                sentence = _difference(label, baseline, mine)
                run.journal.append("note", {"tuning": sentence})
                _note(run, sentence)


def _difference(label: str, baseline: Baseline, mine: set[str]) -> str:
    then, now = ", ".join(sorted(baseline.tuned)) or "nothing", ", ".join(sorted(mine)) or "nothing"
    return (
        f"{label}: baseline {baseline.run_id} was measured with {then} tuned, this run with {now}. A change against it "
        "may be the tuning's and not the driver's. Pin a new baseline, or measure with --tuning off."
    )


def _note(run: Run, sentence: str) -> None:
    run.notes.append(sentence)
    run.say(sentence)

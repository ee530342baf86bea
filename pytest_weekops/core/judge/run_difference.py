"""What two runs were made of, side by side: what could explain that they ended otherwise, before anybody guesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks.expected_faults import words_of
from pytest_weekops.core.judge.expected import Outcome
from pytest_weekops.core.judge.expected_gates import GateOutcome
from pytest_weekops.core.measurement.driver_change import driver_changes
from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.core.policy.policy import Policy

_UNSEEN = "did not look at the driver's files, so they are not compared"
# What a plan says of how it is measured; its gates follow from these.
_PLAN = ("kind", "platforms", "kernels", "sizes", "seeds", "snapshots", "sessions", "iterations", "session_ms")


def run_difference(
    before: Campaign, after: Campaign, policies: tuple[Policy, Policy], programs: tuple[Mapping[str, str], ...] = ()
) -> dict[str, tuple[str, ...]]:
    """Differences in words by what they are of; an empty entry was compared and is the same.

    ``programs`` holds a version by name for each run, for example of the package and of Python. A platform whose files
    one run did not look at is compared by its identity alone, and that is said.
    """
    found = {f"driver {platform}": tuple(_driver(platform, before, after)) for platform in _platforms(before, after)}
    found["kernels"] = tuple(_mapping(_kernels(before), _kernels(after)))
    found["policy"] = tuple(map(str, diff_policies(*policies)))
    found["plan"] = tuple(_plan(before, after))
    found["known faults"] = tuple(_mapping(_known(before), _known(after)))
    if len(programs) == 2:
        found["programs"] = tuple(_mapping(dict(programs[0]), dict(programs[1])))
    return found


def difference_word(words: tuple[str, ...]) -> str:
    """What an entry of :func:`run_difference` comes to, in a word or two."""
    if not words:
        return "the same"
    return "no difference seen" if all(line.endswith(_UNSEEN) for line in words) else "differs"


def _platforms(before: Campaign, after: Campaign) -> list[str]:
    return list(dict.fromkeys([*before.identities, *after.identities]))


def _driver(platform: str, before: Campaign, after: Campaign) -> Iterator[str]:
    old, new = before.identities.get(platform), after.identities.get(platform)
    if old is None or new is None:
        yield f"only the {'second' if old is None else 'first'} run has it"
        return
    files = before.driver_files(platform), after.driver_files(platform)
    yield from driver_changes(old, new, *files)
    for which, listing in zip(("first", "second"), files, strict=True):
        if not listing:
            yield f"the {which} run {_UNSEEN}"


def _kernels(campaign: Campaign) -> dict[str, str]:
    """Source and build options by platform, size and variant; the options decide as much as the source."""
    return {
        f"{m.case.platform} {m.variant} {m.case.size}": " ".join([m.kernel_sha256[:12], *m.build_options])
        for m in campaign.counted
    }


def _known(campaign: Campaign) -> dict[str, str]:
    """What became of each known fault that speaks of the run: excused, expired, not needed any more."""
    found: tuple[Outcome | GateOutcome, ...] = (*campaign.gate_expectations, *campaign.expectations)
    return {words_of(one): one.state for one in found}


def _plan(before: Campaign, after: Campaign) -> Iterator[str]:
    for name in _PLAN:
        old, new = getattr(before.plan, name), getattr(after.plan, name)
        if old != new:
            yield f"{name} {_shown(old)} became {_shown(new)}"


def _mapping(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield f"{key} {before.get(key, 'absent')} became {after.get(key, 'absent')}"


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)

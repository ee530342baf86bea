"""Every file of a driver the same from first to last, and what is said where a driver is another one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_weekops.core.judge.campaign import Baseline, BaselineRow, Campaign
from pytest_weekops.core.judge.checks.one_driver import one_driver
from pytest_weekops.core.judge.drivers import files_apart, since_baseline, split_drivers
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.run_difference import difference_word, run_difference
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.driver_change import driver_changes
from pytest_weekops.core.measurement.driver_files import DriverFile, DriverListing
from pytest_weekops.core.measurement.records import HostKernel, Measurement
from pytest_weekops.policies.files import default_policy
from tests.support.synthetic import make_campaign, make_identity, make_plan, make_records

PLAN = make_plan(sizes=(128,))
LIBRARY = DriverFile(path="/usr/lib/libpocl.so", sha256="1" * 64)
LLVM = DriverFile(path="/usr/lib/libLLVM.so.1", sha256="a" * 64)
NEWER = LLVM.model_copy(update={"sha256": "b" * 64})
FIRST = DriverListing(platform="pocl", files=(LIBRARY, LLVM))
MORE = DriverFile(path="/usr/lib/libsvml.so", sha256="2" * 64)
LONGER = DriverListing(platform="pocl", files=(LIBRARY, LLVM, MORE), after=FIRST.digest)
UPDATED = DriverListing(platform="pocl", files=(LIBRARY, NEWER))
UNREAD = DriverListing(platform="pocl", files=(LIBRARY, LLVM.model_copy(update={"sha256": ""})))


def campaign(*listings: DriverListing, last: DriverListing | None = None, looked: bool = True) -> Campaign:
    """A healthy campaign with these listings, all measured under the first of them but the last, under ``last``."""
    records = make_records(PLAN)
    places = [place for place, record in enumerate(records) if isinstance(record, Measurement)]
    for place in places:
        named = last if place == places[-1] and last is not None else listings[0] if listings else None
        records[place] = records[place].model_copy(update={"driver_files": named.digest if named else ""})
    found = make_campaign(PLAN, [*listings, *records])
    identity = make_identity("pocl").model_copy(update={"kernel": HostKernel(release="6.1") if looked else None})
    return Campaign(plan=found.plan, records=found.records, identities={"pocl": identity})


def found(*listings: DriverListing, last: DriverListing | None = None, looked: bool = True) -> Finding:
    """What the check finds."""
    return one_driver(default_policy(), campaign(*listings, last=last, looked=looked))


HEALTHY: dict[str, Callable[[], Finding]] = {
    "one listing": lambda: found(FIRST),
    "a driver that loaded more of itself": lambda: found(FIRST, LONGER, last=LONGER),
    "a version that did not look": lambda: found(looked=False),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_driver_that_stayed_the_same_passes(name: str) -> None:
    """Also one that grew, and records from before listings were kept."""
    assert HEALTHY[name]().status.value == "pass"


def test_a_compiler_that_was_updated_in_mid_run_fails() -> None:
    """The file is named with both hashes; the whole verdict is iterate for it."""
    finding = found(FIRST, UPDATED, last=UPDATED)
    assert (finding.status.value, finding.reason_code) == ("fail", "changed")
    assert "pocl: libLLVM.so.1 aaaaaaaaaaaa became bbbbbbbbbbbb" in finding.message
    verdict = judge(default_policy(), campaign(FIRST, UPDATED, last=UPDATED))
    assert "one_driver" in verdict.failed_checks


def test_a_change_that_was_taken_back_fails_as_well() -> None:
    """In between, something was measured with another driver."""
    assert found(FIRST, UPDATED, FIRST.model_copy(update={"files": (LIBRARY, LLVM)})).reason_code == "changed"


BROKEN: dict[str, tuple[Callable[[], Finding], str]] = {
    "no_files": (lambda: found(), "No listing"),
    "no_files ": (lambda: found(FIRST, last=LONGER), "128"),
    "unreadable": (lambda: found(UNREAD), "libLLVM.so.1"),
}


@pytest.mark.parametrize("code", BROKEN)
def test_what_cannot_be_told_is_no_pass(code: str) -> None:
    """A listing that is missing, one that nobody wrote down, and a file that could not be read."""
    look, words = BROKEN[code]
    finding = look()
    assert (finding.status.value, finding.reason_code) == ("no_data", code.strip())
    assert words.lower() in finding.message.lower()


def baseline(**facts: object) -> Baseline:
    """A baseline of this device."""
    row = BaselineRow(kernel="auto", size=128, mean_gflops=1.0, p95_ms=1.0)
    return Baseline(
        profile="pocl",
        hardware="a processor x 2",
        run_id="weekly-1",
        created_at="2026-11-20T12:00:00+00:00",
        source_sha256="0" * 64,
        rows=(row,),
        **facts,
    )


def test_what_changed_since_the_baseline_is_a_note() -> None:
    """The driver may be another one, that is what a baseline is for; the verdict says which files are."""
    older = make_identity("pocl").model_copy(update={"kernel": HostKernel(release="5.10")})
    now = campaign(UPDATED)
    pinned = Campaign(now.plan, now.records, now.identities, (baseline(identity=older, files=FIRST.files),))
    (note,) = since_baseline(pinned)
    assert "since baseline weekly-1" in note
    assert "kernel release 5.10 became 6.1" in note
    assert "libLLVM.so.1 aaaaaaaaaaaa became bbbbbbbbbbbb" in note
    assert note in judge(default_policy(), pinned).notes
    assert since_baseline(Campaign(now.plan, now.records, now.identities, (baseline(),))) == ()


def test_a_split_says_what_its_drivers_share() -> None:
    """Files by name and contents, wherever they lie; libraries before headers."""
    header = DriverFile(path="/a/opencl-c.h", sha256="3" * 64, seen="beside")
    elsewhere = LIBRARY.model_copy(update={"path": "/opt/libpocl.so"})
    assert files_apart(("old", "new"), ((header, LLVM, LIBRARY), (elsewhere, NEWER))) == (
        "driver files: old and new have 1 in common",
        "only in old: libLLVM.so.1 aaaaaaaaaaaa; opencl-c.h 333333333333",
        "only in new: libLLVM.so.1 bbbbbbbbbbbb",
    )


def test_two_runs_are_compared_part_by_part() -> None:
    """What is the same has an empty entry, and what one run did not look at is said."""
    policy = default_policy()
    tight = policy.model_copy(update={"split": policy.split.model_copy(update={"min_ratio": 0.95})})
    before, after = campaign(FIRST), campaign(UPDATED)
    found = run_difference(before, after, (policy, tight), ({"python": "3.11"}, {"python": "3.12"}))
    assert found["driver pocl"] == ("libLLVM.so.1 aaaaaaaaaaaa became bbbbbbbbbbbb",)
    assert found["kernels"] == found["plan"] == ()
    assert found["policy"][0].startswith("stricter: split.min_ratio")
    assert found["programs"] == ("python 3.11 became 3.12",)
    older = run_difference(campaign(looked=False), after, (policy, policy))
    assert older["driver pocl"] == ("the first run did not look at the driver's files, so they are not compared",)
    assert difference_word(older["driver pocl"]) == "no difference seen"
    assert [difference_word(found[part]) for part in ("driver pocl", "plan")] == ["differs", "the same"]
    assert not any(words for part, words in run_difference(before, before, (policy, policy)).items())


def test_a_listing_that_is_missing_is_no_data() -> None:
    """Also the first, under which nothing was measured: what changed since then could not be told."""
    assert found(LONGER, last=LONGER).reason_code == "no_files"


def test_the_two_drivers_of_a_split_are_told_apart_where_both_were_looked_at() -> None:
    """One listing alone says nothing of what they share."""
    plan = make_plan("split", sizes=(128,))
    sides = {name: DriverListing(platform=name, files=(LIBRARY, LLVM)) for name in plan.platforms}
    both = make_campaign(plan, [*sides.values(), *make_records(plan)])
    assert split_drivers(both) == ("driver files: clover and rusticl have 2 in common",)
    one = make_campaign(plan, [sides["clover"], *make_records(plan)])
    assert split_drivers(one) == ()


def test_runs_of_other_platforms_and_plans_are_compared() -> None:
    """A platform that only one of them has is named, and each part of the plan that changed."""
    policy = default_policy()
    plan = make_plan(platforms=("clover",), sizes=(128, 256))
    other = make_campaign(plan, make_records(plan))
    found = run_difference(campaign(FIRST), other, (policy, policy))
    assert found["driver pocl"] == ("only the first run has it",)
    assert found["driver clover"] == ("only the second run has it",)
    assert "sizes 128 became 128, 256" in found["plan"]
    assert "programs" not in found


def test_files_tell_of_a_driver_whose_identity_nobody_kept() -> None:
    """Two listings are compared without the identities; a kernel of one side alone is no change."""
    listings = FIRST.files, UPDATED.files
    told = ("libLLVM.so.1 aaaaaaaaaaaa became bbbbbbbbbbbb",)
    assert driver_changes(None, make_identity("pocl"), *listings) == told
    looked = make_identity("pocl").model_copy(update={"kernel": HostKernel(release="6.1")})
    assert driver_changes(make_identity("pocl"), looked, *listings) == told
    assert driver_changes(None, looked, (), UPDATED.files) == ()

"""Where a run comes from: drivers, plan, policy, kernels and files, each with the hash by which it can be checked."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.report.page.shown import Fact

Document = Mapping[str, Any]
_GIB = 1024**3


def show_identities(campaign: Campaign, document: Document) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    """Who answered on each platform, as told by the driver and read from its files."""
    listings = document.get("driver_files", {})
    return tuple(
        (label, tuple(fact for fact in _identity(one, listings.get(label)) if fact.value))
        for label, one in campaign.identities.items()
    )


def _identity(one: DeviceIdentity, listing: Document | None) -> Iterator[Fact]:
    yield Fact("platform", f"{one.platform_name}, {one.platform_vendor}, {one.platform_version}")
    yield Fact("device", f"{one.device_name}, {one.device_vendor}, {one.device_type}, {one.device_version}")
    yield Fact("driver version", one.driver_version)
    yield Fact("hardware", f"{one.hardware}, host {one.host}")
    yield Fact("library", one.library_path or one.library, is_code=True)
    yield Fact("library sha256", one.library_sha256, is_code=True)
    yield Fact("answered by", one.answered_by, is_code=True)
    yield Fact("ICD", one.icd, is_code=True)
    if listing:
        yield Fact("driver's files", f"{len(listing['files'])}, listed in decision.json")
        yield Fact("their sha256", str(listing["sha256"]), is_code=True)
    if one.kernel is not None:
        told = {**one.kernel.drivers, **one.kernel.firmware}
        words = ", ".join(f"{name} {version or 'without a version'}" for name, version in told.items())
        yield Fact("host kernel", f"{one.kernel.release}{', ' if words else ''}{words}")
    yield Fact("quirks", ", ".join(one.quirks))
    yield Fact(
        "environment", " ".join(f"{name}={value}" for name, value in sorted(one.environment.items())), is_code=True
    )
    limits = f"{one.compute_units} compute units, {one.global_mem_bytes / _GIB:.1f} GiB, "
    yield Fact("limits", f"{limits}work-groups of {one.max_work_group_size}, {one.local_mem_bytes // 1024} KiB local")
    yield Fact("pyopencl", one.pyopencl_version)


def show_run(document: Document) -> tuple[Fact, ...]:
    """The run itself: when, with what command, and what it planned."""
    plan = document["plan"]
    counts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in document["counts"].items())
    facts = [
        Fact("run", document["run_id"], is_code=True),
        Fact("made", f"{document['created_at']} by pytest-weekops {document['version']}"),
        Fact("command", shlex.join(document["command"]), is_code=True),
        Fact("platforms", ", ".join(plan["platforms"])),
        Fact("kernels", ", ".join(plan["kernels"])),
        Fact("sizes", ", ".join(map(str, plan["sizes"]))),
        Fact("seeds", ", ".join(map(str, plan["seeds"]))),
        Fact(
            "per case",
            f"{plan['sessions']} sessions of at least {plan['iterations']} launches and {plan['session_ms']:g} ms",
        ),
        Fact("counts", counts),
    ]
    return tuple(fact for fact in facts if fact.value)


def show_policy(document: Document) -> tuple[Fact, ...]:
    """The policy by which it was judged, and the baselines that it was held against."""
    policy = document["policy"]
    pinned = [
        Fact(
            f"baseline of {each['profile']}",
            f"run {each['run_id']} of {each['created_at']}, journal sha256 {each['source_sha256'][:16]}",
        )
        for each in document.get("baselines", ())
    ]
    return (Fact("policy", str(policy["id"])), Fact("policy sha256", str(policy["sha256"]), is_code=True), *pinned)


def show_policy_change(policy: Policy, before: tuple[str, Policy] | None) -> tuple[Fact, ...]:
    """Each limit that became stricter or looser since the run before; nothing where none is known."""
    if before is None:
        return ()
    run_id, older = before
    words = list(map(str, diff_policies(older, policy))) or ["no limit differs"]
    return tuple(Fact(f"since {run_id}" if place == 0 else "and", text) for place, text in enumerate(words))


def show_kernels(document: Document) -> tuple[Fact, ...]:
    """Each kernel source and its hash."""
    return tuple(Fact(str(name), str(digest), is_code=True) for name, digest in sorted(document["kernels"].items()))


def show_files(files: Sequence[Mapping[str, Any]]) -> tuple[Fact, ...]:
    """Links to what lies beside the page, with the hashes that it has to have."""
    return tuple(
        Fact(str(each["path"]), str(each.get("sha256") or "not written"), is_code=True, target=_relative(each["path"]))
        for each in files
    )


def _relative(path: object) -> str:
    """A plain name beside the page as a link; nothing for anything else, which a page must not lead to."""
    text = str(path)
    plain_name = text.replace(".", "").replace("-", "").replace("_", "")
    return f"./{text}" if plain_name.isascii() and plain_name.isalnum() else ""

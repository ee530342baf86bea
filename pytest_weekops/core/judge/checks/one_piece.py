"""Checks on the evidence as one piece: the same kernel all along, the work that its name says, errors of real sums."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS
from pytest_weekops.core.measurement.pace import is_covered
from pytest_weekops.core.measurement.records import Case, Measurement
from pytest_weekops.core.measurement.work import work_of
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.units import SHIPPED_UNITS

# Whose true results no float32 holds; of the others some only copy or count, and a sum may be exact by chance.
INEXACT = frozenset({"gemm", "triad", "fft", "nbody", "spmv", "stencil2d", "stencil3d"})
LEAST_EDGE = 8  # so many rows and columns of random floats do not all round to the exact result


def one_kernel(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """From the first record to the last, a cell is one variant of one source, built with the same options.

    T3 may choose another variant; the same variant is still the same source and options. Workers refuse sources that
    are not what they were when the run began.
    """
    check = "one_kernel"
    kept: dict[tuple[object, ...], tuple[Case, object]] = {}
    bad = [(m.case.id, f"{m.changed} in {m.case.id}") for m in campaign.measurements if m.changed]
    for m in campaign.counted:
        case = m.case
        facts: list[tuple[str, tuple[object, ...], object]] = [
            ("kernel source", (case.platform, m.variant), m.kernel_sha256),
            ("build options", (case.platform, case.size, m.variant), m.build_options),
        ]
        if m.selector is None:
            facts.append(("variant", (case.platform, case.kernel, case.size), m.variant))
        for what, key, value in facts:
            first, expected = kept.setdefault((what, *key), (case, value))
            if value != expected:
                bad.append((case.id, f"{what} {_shown(expected)} in {first.id} and {_shown(value)} in {case.id}"))
    if bad:
        message = f"this changed while it was measured: {listed([w for _, w in bad])}. One kernel at a time is judged."
        rows = tuple(dict.fromkeys(name for name, _words in bad))
        return failed(check, "changed", message, rows=rows, observed=len(bad), required=0)
    return passed(check, "each cell is one kernel from first to last", observed=0, required=0)


def _shown(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)[:12]
    return text or "none"


def work_as_stated(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """A launch's operations and bytes are those of its operation at that size, of one's own always the same.

    It is the operation of its kernel, counted in its own unit: another one would have other limits, or none.
    """
    check = "work_as_stated"
    groups: dict[tuple[str, int], tuple[str, tuple[float, float]]] = {}
    bad: list[tuple[str, str]] = []
    for m in campaign.counted:
        bad += [(m.case.id, f"{m.case.id}: {words}") for words in _misnamed(m)]
        expected = work_of(m.operation, m.case.size, m.flops)
        why = "by its formula"
        if expected is None:
            first, expected = groups.setdefault((m.case.kernel, m.case.size), (m.case.id, (m.flops, m.bytes_moved)))
            why = f"in {first}"
        found = (m.flops, m.bytes_moved if m.operation != "gemm" else expected[1])
        for what, value, right in zip(("flops", "bytes_moved"), found, expected, strict=True):
            if not math.isclose(value, right, rel_tol=1e-9):
                bad.append((m.case.id, f"{m.case.id}: {what} of a launch is {value:.6g}, and {right:.6g} {why}"))
    if bad:
        message = (
            f"the work is not what was asked for: {listed([words for _, words in bad])}. Throughput follows from it."
        )
        rows = tuple(dict.fromkeys(name for name, _words in bad))
        return failed(check, "other_work", message, rows=rows, observed=len(bad), required=0)
    return passed(check, "every launch did the work of its operation", observed=0, required=0)


def _misnamed(m: Measurement) -> Iterator[str]:
    """What is another operation than its kernel's, or counted in another unit than its own."""
    if m.case.kernel in ("auto", *CONTROLLED_KERNELS) and m.operation != "gemm":
        yield f"{m.case.kernel} launches gemm, and this is a record of {m.operation}"
    unit = SHIPPED_UNITS.get(m.operation, m.unit)
    if m.unit != unit:
        yield f"{m.operation} is counted in {unit}, and this record in {m.unit}"


def errors_possible(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """No float32 result of many random sums is exact: an error of 0 was never computed.

    Operations that copy, count or sort are exact, and own ones may be.
    """
    check = "errors_possible"
    bad = [
        (m.case.id, session.session)
        for m in campaign.counted
        if m.operation in INEXACT and m.case.size >= LEAST_EDGE
        for session in m.sessions
        if session.max_abs_error == 0 or session.k_scaled_error == 0
    ]
    if bad:
        words = listed([f"{name} session {session}" for name, session in bad])
        message = f"an error of exactly 0 is not possible, so nothing was compared: {words}"
        rows = tuple(dict.fromkeys(name for name, _session in bad))
        return failed(check, "exact", message, rows=rows, observed=len(bad), required=0)
    return passed(check, "every error is one of rounding", observed=0, required=0)


def witnesses_present(policy: Policy, campaign: Campaign) -> Finding:
    """Every session was warmed up, and of a CPU device each measurement has what the policy's host limits speak of."""
    check = "witnesses_present"
    cold = [(m.case.id, s.session) for m in campaign.counted for s in m.sessions if not s.warmup_ns]
    if cold:
        words = listed([f"{name} session {session}" for name, session in cold])
        rows = tuple(dict.fromkeys(name for name, _session in cold))
        message = f"no warm-up: {words}. A first launch compiles, and is no launch like the others."
        return no_data(check, "no_warm_up", message, rows=rows, observed=len(cold), required=0)
    unseen = [m.case.id for m in campaign.counted if m.on_cpu and not _host_was_seen(m)]
    if unseen:
        rules = policy.host
        message = (
            f"neither pace nor anchors: {listed(unseen)}. The policy allows the pace to change by "
            f"{rules.max_pace_change_percent:g} % and the anchor by {rules.max_anchor_change_percent:g} %, "
            "and nothing tells how the host changed."
        )
        return no_data(check, "no_witness", message, rows=tuple(unseen), observed=len(unseen), required=0)
    return passed(check, "every session was warmed up, and the host was seen beside it", observed=0, required=0)


def _host_was_seen(m: Measurement) -> bool:
    host = m.host
    anchors = (host.anchor_before_ms, host.anchor_after_ms)
    whole = all(anchor is not None and math.isfinite(anchor) and anchor > 0 for anchor in anchors)
    return whole or is_covered(host.paces, max(1, len(m.sessions)))

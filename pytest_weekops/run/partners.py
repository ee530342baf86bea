"""Partners of a run: which driver may take turns with those under test, what it is asked, what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError, WorkerError
from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS
from pytest_weekops.core.measurement.needs import lacking
from pytest_weekops.core.measurement.plan import UNASKED_FROM
from pytest_weekops.core.measurement.records import Case, Measurement, PartnerRecord, PartnerSamples, Turns

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.plan import CampaignPlan, Partner
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.worker.supervisor import PlatformSupervisor
    from pytest_weekops.worker.turns import Comparison


def strangers(partner: DeviceIdentity, identities: Mapping[str, DeviceIdentity], *, must: bool) -> str:
    """Why a partner cannot stand beside the platforms, or nothing: a ratio between two devices says nothing of drivers.

    It ``must`` be on the device of each platform, or on that of any.
    """
    others = {label: each.hardware for label, each in identities.items() if each.hardware != partner.hardware}
    if not others or (not must and len(others) < len(identities)):
        return ""
    there = ", ".join(f"{label} is on {hardware}" for label, hardware in others.items())
    return (
        f"{partner.profile} is on {partner.hardware}, and {there}. A ratio between two devices says nothing of two "
        "drivers."
    )


def start_partner(
    wanted: Partner, supervisor: PlatformSupervisor, identities: Mapping[str, DeviceIdentity]
) -> PartnerRecord:
    """Start who takes turns with the platforms: who it is, and why it stands aside where it may and has to.

    Raises ``InputError`` where nothing could be compared with it.
    """
    try:
        identity = supervisor.start()
    except WorkerError as error:
        raise InputError(
            f"{wanted.label} does not start, and without it nothing can be compared: {error}. See to that driver, "
            "or measure without it."
        ) from error
    problem = strangers(identity, identities, must=wanted.role == "service")
    if problem and wanted.required:
        raise InputError(f"{problem} Name a driver of the same device; --device picks one.")
    return PartnerRecord(label=wanted.label, role=wanted.role, identity=identity, aside=problem)


def takes_turns(case: Case, plan: CampaignPlan, mine: DeviceIdentity, theirs: DeviceIdentity, *, is_gemm: bool) -> bool:
    """Whether the plan's partner takes turns with a case: on the same device, where it can run the kernel.

    A reference driver that nobody asked for takes turns in long launches alone.
    """
    if plan.partner is None or theirs.hardware != mine.hardware:
        return False
    if not plan.partner.required and not (is_gemm and case.size >= UNASKED_FROM):
        return False
    return not any(lacking(each, theirs) for each in plan.needs if each.kernel == case.kernel)


def partner_case(case: Case, partner: Partner) -> Case:
    """What a partner is asked beside a case.

    The driver in service has the same mode, with its own selection and guard; the reference driver what ``auto`` takes
    in the controlled lanes, so that it always launches one kernel.
    """
    lane = partner.role == "reference" and case.kernel in CONTROLLED_KERNELS
    return case.model_copy(update={"platform": partner.label, **({"kernel": "auto"} if lane else {})})


def with_partner(mine: Measurement, theirs: Measurement, found: Comparison) -> Measurement:
    """A measurement with the turns that it took and its partner's launches in them."""
    identity = theirs.identity
    samples = PartnerSamples(
        platform=theirs.case.platform,
        library_sha256=identity.library_sha256 if identity is not None else "",
        driver_version=identity.driver_version if identity is not None else "",
        variant=theirs.variant,
        kernel_sha256=theirs.kernel_sha256,
        sessions=theirs.sessions,
    )
    turns = Turns(
        letter="B", order=found.order, launches=found.launches, partner=samples, broken_off=_broken(theirs, found)
    )
    return mine.model_copy(update={"turns": turns})


def _broken(theirs: Measurement, found: Comparison) -> str:
    """Why there are no pairs, in a line: with what the partner said where it was the partner."""
    words = found.broken_off.splitlines()[0] if found.broken_off else ""
    said = theirs.reason.splitlines()[0] if words and theirs.reason else ""
    return f"{words}: {said}"[:300] if said else words[:300]

"""The plan of a run: every option of it resolved once, and the sentences that refuse a plan that could not decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.judge.outcome import listed
from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS, KERNEL_SETS, named_kernels
from pytest_weekops.core.suggestion import suggest
from pytest_weekops.plugin.options import PHASES, Options, parse_integer
from pytest_weekops.plugin.reasons import no_baseline

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.catalog import KernelEntry
    from pytest_weekops.core.measurement.needs import KernelNeeds
    from pytest_weekops.core.measurement.plan import CampaignPlan, Partner

DEFAULT_SIZES = (1400, 2048)
DEFAULT_SEEDS = (11,)
DEFAULT_SNAPSHOTS, DEFAULT_MAX_SNAPSHOTS = 3, 12


def build_plan(
    config: pytest.Config,
    kind: str,
    *,
    labels: Sequence[str],
    entries: Mapping[str, KernelEntry],
    gates: Sequence[str] = (),
    partner: Partner | None = None,
    kernels: Sequence[str] = (),
) -> CampaignPlan:
    """Resolve every option of one run into a frozen plan.

    ``labels`` are the platforms' worker labels (split: baseline first), ``entries`` the catalogues' kernels by mode,
    ``kernels`` the modes that are measured where the options name none.
    Raises ``pytest.UsageError`` for a value that cannot be used.
    """
    from pytest_weekops.core.measurement.plan import CampaignPlan, Deadlines, PressurePlan
    from pytest_weekops.core.measurement.schedule import expected_gates
    from pytest_weekops.core.policy.bounds import LEAST_RATIO

    options = Options(config)
    kernels = asked_kernels(options, kind, entries, kernels)
    sizes = options.integers("sizes", DEFAULT_SIZES, least=1)
    required = options.integers("required-sizes", (), least=1)
    _refuse_missing_required(options, required, sizes)
    split = kind == "split"
    looks = _looks(options) if kind != "canonical" else ()
    plan = CampaignPlan(
        kind=kind,
        platforms=tuple(labels),
        kernels=kernels,
        sizes=sizes,
        seeds=options.integers("seeds", DEFAULT_SEEDS),
        snapshots=looks[-1] if looks else 1,
        looks=looks,
        snapshot_interval_s=_interval(options),
        sessions=options.integer("sessions", 2, least=1),
        iterations=options.integer("iterations", 10, least=1),
        session_ms=options.number("session-ms", 1000.0),
        pressure=PressurePlan(
            size=options.integer("pressure-size", 896, least=1),
            iterations=options.integer("pressure-iterations", 3),
            pulses=options.integer("pressure-pulses", 3),
            mode=options.text("pressure-mode") or "before",
        ),
        deadlines=Deadlines(**_deadlines(options)),
        device_pattern=options.text("device"),
        baseline_platform=labels[0] if split else None,
        candidate_platform=labels[1] if split else None,
        min_rusticl_ratio=options.number("min-rusticl-ratio", 0.85, least=LEAST_RATIO) if split else None,
        required_sizes=(required or sizes) if split else (),
        no_baseline=no_baseline(options, kind),
        mode="ci" if options.text("mode") == "ci" else "local",
        in_turns=split,
        partner=partner,
        cold_starts=_cold_starts(options),
        **_known_faults(options, required),
        **_evidence(options, kind),
        **(_beside_times(options, kernels, entries) if kind != "canonical" else {}),
        variants=_variants(entries) if gates else (),
    )
    smoke = options.given("driver-smoke")
    return plan.model_copy(update={"gates": expected_gates(plan, canonical=tuple(gates), smoke=smoke)})


def asked_kernels(
    options: Options, kind: str, entries: Mapping[str, KernelEntry], kernels: Sequence[str]
) -> tuple[str, ...]:
    """Modes to measure: those of the options, else ``kernels``, else the kind's. Raises ``pytest.UsageError``."""
    words = options.words("kernels") or kernels or ("default" if kind == "weekly" else "auto",)
    options.refuse_duplicates("kernels", words)
    found = tuple(named_kernels(words, entries))
    _refuse_unknown_kernels(options, found, tuple(entries))
    return found


def _beside_times(options: Options, kernels: Sequence[str], entries: Mapping[str, KernelEntry]) -> dict[str, Any]:
    """What the plan's kernels need that not every device has, and those whose results alone are judged.

    Raises ``pytest.UsageError`` where that is all of them.
    """
    from pytest_weekops.core.measurement.needs import needs_of
    from pytest_weekops.core.units import RESULTS_ONLY

    mine = {name: entries[name] for name in kernels if name in entries}
    results = tuple(name for name, entry in mine.items() if name in RESULTS_ONLY and entry.operation == name)
    if kernels and len(results) == len(kernels):
        raise pytest.UsageError(
            f"{options.said('kernels')} {' '.join(kernels)}: of these the results are judged and no times, so that "
            "nothing would say how fast the driver is. Add a kernel that is timed, such as auto, or check them alone "
            "with --tier canonical."
        )
    needs = (needs_of(name, entry.needs) for name, entry in mine.items())
    return {"needs": tuple(each for each in needs if each.is_needy), "results_only": results}


def _variants(entries: Mapping[str, KernelEntry]) -> tuple[KernelNeeds, ...]:
    """The kernels that the canonical tier's gates ask for: a later run that asks for fewer answers none that failed."""
    from pytest_weekops.core.measurement.needs import needs_of

    return tuple(needs_of(name, entry.needs) for name, entry in entries.items())


def _looks(options: Options) -> tuple[int, ...]:
    """After how many snapshots the run is looked at: from the least number on to the most."""
    from pytest_weekops.core.judge.certainty.sequential import LookPlan

    least = options.integer("snapshots", DEFAULT_SNAPSHOTS, least=1)
    most = options.integer("max-snapshots", max(least, DEFAULT_MAX_SNAPSHOTS), least=1)
    if most < least:
        raise pytest.UsageError(
            f"{options.said('max-snapshots')} {most} is below the least number, {least}. A run cannot end before that. "
            f"Give {options.said('max-snapshots')} {least} or more, or fewer {options.said('snapshots')}."
        )
    if most < 2:
        raise pytest.UsageError(
            f"{options.said('max-snapshots')} 1: one snapshot cannot decide anything, since nothing shows how much it "
            f"differs from the next. Give {options.said('max-snapshots')} 2 or more."
        )
    return LookPlan.between(max(2, least), most).looks


def _known_faults(options: Options, required: Sequence[int]) -> dict[str, Any]:
    """The known faults that a plan carries, and the hash of their file; none of a size that was named as required."""
    from pytest_weekops.files.expectations import load_expectations, load_known_losses

    asked = options.text("expectations")
    try:
        entries, digest = load_expectations(Path(asked) if asked else None)
        losses = load_known_losses(Path(asked) if asked else None)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error
    if excused := [one.case for one in entries if not one.gate and int(one.case.rpartition(":")[2]) in required]:
        raise pytest.UsageError(
            f"{options.said('expectations')} expects {listed(excused)} to fail, and {options.said('required-sizes')} "
            f"requires {' '.join(map(str, required))}. What is required has no excuse: take it out of one of the two."
        )
    return {"expected": entries, "expectations_sha256": digest, "known_losses": losses}


def evidence_sources(options: Options) -> tuple[tuple[str, str], ...]:
    """Each suite that is asked for, with the path of its results or nothing. Raises ``pytest.UsageError``."""
    from pytest_weekops.core.conformance.results import SUITES

    said, words = options.said("evidence"), options.words("evidence")
    found = []
    for word in words:
        suite, equals, path = word.partition("=")
        if suite not in SUITES or (equals and not path):
            raise pytest.UsageError(
                f"{said} {word!r:.80} names no suite whose results can be read. The verdict would not take them in."
                f"{suggest(suite, SUITES)} Known: {', '.join(SUITES)}, each alone or as SUITE=PATH."
            )
        found.append((suite, path))
    suites = [suite for suite, _path in found]
    if twice := sorted({suite for suite in suites if suites.count(suite) > 1}):
        raise pytest.UsageError(
            f"{said} names {', '.join(twice)} more than once. Of two sets of results of one suite on one driver nobody "
            "could tell which counts. Name each suite once."
        )
    return tuple(found)


def _evidence(options: Options, kind: str) -> dict[str, Any]:
    """The suites of a plan and the tests of them that are known to fail; nothing where none is asked for."""
    sources = evidence_sources(options)
    if not sources:
        return {}
    if kind == "canonical":
        if not options.given("evidence"):
            return {}  # of an ini file, for the runs that compare drivers
        raise pytest.UsageError(
            f"{options.said('evidence')} speaks of a weekly or split campaign, and this is a canonical one, which "
            "compares no drivers. Leave it out."
        )
    from pytest_weekops.files.expectations import load_known_tests

    suites = tuple(dict.fromkeys(suite for suite, _path in sources))
    asked = options.text("expectations")
    try:
        known = load_known_tests(Path(asked) if asked else None)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error
    return {"evidence": suites, "known_tests": tuple(one for one in known if one.suite in suites)}


def _cold_starts(options: Options) -> int:
    asked = options.typed("cold")
    said, smoke = options.said("cold"), options.said("driver-smoke")
    if asked is not None and not options.given("driver-smoke"):
        raise pytest.UsageError(
            f"{said} {asked} belongs to the driver smoke, and {smoke} was not given: nothing would be started. "
            f"Use: pytest {smoke} {said} {asked}"
        )
    return 0 if asked is None else parse_integer(said, asked, least=1)


def _interval(options: Options) -> float:
    minutes = options.number("snapshot-interval-minutes", 0.0)
    return minutes * 60.0 if minutes else options.number("snapshot-interval", 0.0)


def _deadlines(options: Options) -> dict[str, float]:
    found: dict[str, float] = {}
    for phase in PHASES:
        if options.given(f"deadline-{phase}"):
            found[phase.replace("-", "_") + "_s"] = options.number(f"deadline-{phase}", 0.0, least=0.001)
    return found


def _refuse_unknown_kernels(options: Options, kernels: Sequence[str], variants: Sequence[str]) -> None:
    known = ("auto", *CONTROLLED_KERNELS, *variants, *KERNEL_SETS)
    for kernel in kernels:
        if kernel not in known:
            raise pytest.UsageError(
                f"{options.said('kernels')} {kernel!r} is no kernel mode. Nothing by that name is in a kernel "
                f"catalogue.{suggest(kernel, known)} Known: {', '.join(known)}."
            )


def _refuse_missing_required(options: Options, required: Sequence[int], sizes: Sequence[int]) -> None:
    missing = [size for size in required if size not in sizes]
    if missing:
        raise pytest.UsageError(
            f"{options.said('required-sizes')} {' '.join(map(str, missing))} is not among {options.said('sizes')} "
            f"{' '.join(map(str, sizes))}. A required size that is not measured can only block. Measure it too, or "
            "leave it out."
        )

"""What opening a run needs, frozen before anything is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.process import Launch


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """One run as it was asked for, by pytest or by a script.

    ``launches`` start the plan's platforms; ``scratch`` is an empty directory of the caller's, for the float64
    references; ``prefix`` begins the run directory's name (the plan's kind where it is empty); ``baseline`` is the file
    of a pinned baseline (else those pinned in ``report_dir``); ``tuning`` a directory of tuning files, None for none.
    ``resume`` is the directory of a run that was broken off, or its name in ``report_dir``: only what it lacks is
    measured. ``partner`` starts the plan's partner. ``calibrations`` is where calibrations lie, where that is not
    ``report_dir``. ``evidence`` are the suites of the plan with the path of results that the user named, or
    None for those that are kept in ``conformance`` (``report_dir`` where it is None), where peaks lie, too. ``say``
    prints a line for people.
    """

    plan: CampaignPlan
    policy: Policy
    launches: tuple[Launch, ...]
    report_dir: Path
    scratch: Path
    kernel_dirs: tuple[str, ...] = field(default_factory=lambda: (str(data_dir("kernels")),))
    prefix: str = ""
    baseline: str = ""
    tuning: Path | None = None
    resume: Path | None = None
    calibrations: Path | None = None
    partner: Launch | None = None
    evidence: tuple[tuple[str, Path | None], ...] = ()
    conformance: Path | None = None
    command: tuple[str, ...] = ()
    say: Callable[[str], None] = lambda _line: None

"""A recorded campaign in normal form: runs in the order they stand in the file, numbers as they were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_weekops.core.numbers import as_number, as_whole

RecordedKind = Literal["weekly", "split", "canary_campaign", "stress_split"]
THROUGHPUT, P95, ERROR, PEAK = "avg_mean_gflops", "p95_time_ms", "max_error_max", "peak_mean_gflops"


def seed_text(seed: object) -> str:
    """A seed as text that is the same for the same seed, however a file spells it."""
    whole = as_whole(seed)
    return repr(seed) if whole is None else repr(whole)


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``metrics`` are as recorded: any key may be absent and any value anything."""

    number: int
    status: str
    platform: str
    kernel: str
    size: int
    seed: Any
    snapshot: int | None
    metrics: Mapping[str, Any]
    returncode: Any = None

    @property
    def seed_key(self) -> str:
        """The seed as text: 412 and 412.0 are one seed."""
        return seed_text(self.seed)

    @property
    def key(self) -> str:
        """The policy row this run feeds."""
        return f"{self.kernel}:{self.size}"

    @property
    def on(self) -> str:
        """The platform asked for, in lower case."""
        return self.platform.lower()

    @property
    def is_ok(self) -> bool:
        """Whether the run ended ok."""
        return self.status == "ok"

    @property
    def name(self) -> str:
        """A name for people."""
        where = f"snapshot {self.snapshot}" if self.snapshot is not None else f"seed {self.seed!r:.20}"
        return f"run {self.number} ({self.platform[:40]} {self.kernel[:40]}:{self.size} {where})"

    @property
    def case(self) -> tuple[str, str, int, str, int | None]:
        """What was measured: no two runs of a campaign share it."""
        return self.on, self.kernel, self.size, self.seed_key, self.snapshot

    @property
    def card(self) -> str:
        """The device's name; what stands in brackets behind it are versions, which change."""
        return str(self.metrics.get("device")).split(" (", 1)[0]

    def number_of(self, metric: str) -> float | None:
        """A metric as a float, or None where it is absent or no number."""
        return as_number(self.metrics.get(metric))


@dataclass(frozen=True)
class RecordedCampaign:
    """One recorded file. ``defects`` are sentences about what could not be read.

    ``unread`` are those about entries that are no runs, ``unread_ok`` the ones among them that do not say they failed:
    the older evaluators passed over what failed, and would have stopped at these. ``copies`` are the runs as the
    file's own list of snapshots repeats them, ``rolled_back`` the snapshots that this list says were rolled back.
    """

    kind: RecordedKind
    runs: tuple[Run, ...]
    pressure: tuple[Mapping[str, Any], ...] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rollback_event: Any = None
    rollback_recorded: bool = True  # False where the file does not say whether it was rolled back
    copies: tuple[Run, ...] = ()
    rolled_back: tuple[str, ...] = ()
    baseline: RecordedCampaign | None = None
    defects: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unread_ok: tuple[str, ...] = ()

    @property
    def ok_runs(self) -> tuple[Run, ...]:
        """The runs that ended ok, in file order."""
        return tuple(run for run in self.runs if run.is_ok)

    @property
    def baseline_runs(self) -> tuple[Run, ...]:
        """The ok runs on Clover that a campaign's own rules compare with; none without a baseline."""
        return tuple(run for run in self.baseline.ok_runs if run.on == "clover") if self.baseline is not None else ()

    @property
    def is_split(self) -> bool:
        """Whether two platforms are compared."""
        return self.kind in ("split", "stress_split")


def group(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs by ``kernel:size``, keys sorted, each list in the order given."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.key, []).append(run)
    return dict(sorted(found.items()))

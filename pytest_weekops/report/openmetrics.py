"""A run's numbers as OpenMetrics text, for a node exporter's text files and for GitLab's metrics report.

Only gauges, and no time stamps beside samples: what a text file collector takes is older than OpenMetrics.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Verdict
from pytest_weekops.report.saying import plain
from pytest_weekops.report.table import rose_beyond_belief

Labels = Mapping[str, object]
Sample = tuple[str, Labels, float]

WORDS = {
    "weekops_run_timestamp_seconds": "When the run began, seconds since 1970; one that is old says nothing of today.",
    "weekops_run_info": "The run that these numbers are of; always 1.",
    "weekops_driver_info": "The driver that answered; always 1.",
    "weekops_promoted": "1 where the verdict is promote, else 0.",
    "weekops_exit_status": "What the run ended with: 0 promote, 1 iterate, 10 roll back, 11 more evidence is needed.",
    "weekops_severity": "Severity of the verdict, 1 to 4; 1 is the worst.",
    "weekops_check_passed": "1 where all that a check found passes, else 0.",
    "weekops_records": "How much was planned and measured, and how measurements ended.",
    "weekops_resolution_percent": "How far below a limit a slowdown would have been seen with 95 % power.",
    "weekops_spread_percent": "How much one snapshot is taken to vary.",
    "weekops_open_answers": "Limits that are neither kept nor broken for certain.",
    "weekops_cell_passed": "1 where nothing is wrong with a cell, or with a ratio of a split, else 0.",
    "weekops_cell_throughput_gflops": "Mean throughput of a cell, GFLOPS.",
    "weekops_cell_throughput_gbs": "Mean throughput of a cell that is judged in GB/s.",
    "weekops_cell_launch_median_ms": "Median launch of a cell, milliseconds.",
    "weekops_cell_launch_p95_ms": "95th percentile of a cell's launches, milliseconds.",
    "weekops_cell_drift_percent": "Trend of a cell's throughput over the run; falls are below 0.",
    "weekops_cell_launches": "Launches that count for a cell.",
    "weekops_split_ratio": "Throughput of the candidate over that of the baseline.",
    "weekops_split_latency_ratio": "p95 of the candidate over that of the baseline.",
    "weekops_split_baseline_median_ms": "Median launch of the baseline, milliseconds.",
    "weekops_split_candidate_median_ms": "Median launch of the candidate, milliseconds.",
}
_OF_ROWS = {
    "median_ms": "weekops_cell_launch_median_ms",
    "p95_ms": "weekops_cell_launch_p95_ms",
    "launches": "weekops_cell_launches",
    "ratio": "weekops_split_ratio",
    "latency_ratio": "weekops_split_latency_ratio",
    "baseline_median_ms": "weekops_split_baseline_median_ms",
    "candidate_median_ms": "weekops_split_candidate_median_ms",
}
_NAMING = ("platform", "kernel", "size", "seed", "partner")


def render_openmetrics(verdict: Verdict, document: Mapping[str, Any]) -> str:
    """All numbers of a run, with what it was and when. Raises ``InputError`` for one that began at no time."""
    return _Text().add_all((*_identity(document), *_numbers(verdict, document))).render()


def render_gitlab_metrics(verdict: Verdict, document: Mapping[str, Any]) -> str:
    """The same numbers without the run's name and time, so that a branch's are compared with its target's.

    GitLab takes everything behind a ``#`` for a comment, in names as well, so none is left in them.
    """
    return _Text(forbidden="#").add_all(_numbers(verdict, document)).render()


def _identity(document: Mapping[str, Any]) -> Iterator[Sample]:
    kind = {"kind": document["kind"]}
    yield "weekops_run_timestamp_seconds", kind, parse_time(document["created_at"]).timestamp()
    policy = {"policy": document["policy"]["id"], "policy_sha256": document["policy"]["sha256"]}
    run = {name: document[name] for name in ("run_id", "decision", "version")}
    yield "weekops_run_info", {**kind, **run, **policy}, 1
    for label, identity in document["identities"].items():
        told = {"driver_version": identity["driver_version"], "device": identity["device_name"]}
        yield (
            "weekops_driver_info",
            {**kind, "platform": label, **told, "library_sha256": identity["library_sha256"]},
            1,
        )


def _numbers(verdict: Verdict, document: Mapping[str, Any]) -> Iterator[Sample]:
    kind = {"kind": document["kind"]}
    yield "weekops_promoted", kind, document["decision"] == Decision.PROMOTE.value
    yield "weekops_exit_status", kind, document["exit_status"]
    yield "weekops_severity", kind, document["severity"]
    passed: dict[str, bool] = {}
    for finding in verdict.findings:
        passed[finding.check] = passed.get(finding.check, True) and finding.status is CheckStatus.PASS
    for check, is_passed in passed.items():
        yield "weekops_check_passed", {**kind, "check": check}, is_passed
    for what, count in document["counts"].items():
        yield "weekops_records", {**kind, "what": what}, count
    if (found := verdict.certainty) is not None:
        yield "weekops_spread_percent", kind, found.spread_percent
        yield "weekops_open_answers", kind, found.open
        if found.resolution_percent is not None:
            yield "weekops_resolution_percent", kind, found.resolution_percent
    for row in verdict.rows:
        yield from _row(kind, row)


def _row(kind: Labels, row: Mapping[str, Any]) -> Iterator[Sample]:
    """One line of the tables, in the table's own choice of numbers."""
    labels = {**kind, **{name: row[name] for name in _NAMING if row.get(name) is not None}}
    if "seed" in row and row["seed"] is None:
        labels["seed"] = "all"  # the mean beside its parts, which a sum must be able to leave out
    if not row.get("partner"):
        yield "weekops_cell_passed", labels, row.get("status") == CheckStatus.PASS.value
    in_bytes = row.get("unit") == "GB/s"
    throughput = row.get("mean_gbs" if in_bytes else "mean_gflops")
    if throughput is not None:
        yield f"weekops_cell_throughput_{'gbs' if in_bytes else 'gflops'}", labels, throughput
    if row.get("drift_percent") is not None and not rose_beyond_belief(row):
        yield "weekops_cell_drift_percent", labels, row["drift_percent"]
    for key, name in _OF_ROWS.items():
        if row.get(key) is not None:
            yield name, labels, row[key]


@dataclass
class _Text:
    """Samples by metric. Two whose labels are the same, once they are text, are told apart by a number."""

    forbidden: str = ""
    _families: dict[str, dict[tuple[tuple[str, str], ...], float]] = field(default_factory=dict)

    def add_all(self, samples: Iterable[Sample]) -> _Text:
        for name, labels, value in samples:
            family = self._families.setdefault(name, {})
            key = tuple((label, self._label(text)) for label, text in labels.items())
            place = 1
            while (numbered := key if place == 1 else (*key, ("n", str(place)))) in family:
                place += 1
            family[numbered] = value
        return self

    def _label(self, text: object) -> str:
        words = plain(str(text))
        for character in self.forbidden:
            words = words.replace(character, "\N{REPLACEMENT CHARACTER}")
        return words.replace("\\", "\\\\").replace('"', '\\"')

    def render(self) -> str:
        lines = []
        for name, words in WORDS.items():
            if name in self._families:
                lines += [f"# TYPE {name} gauge", f"# HELP {name} {words}"]
                for key, value in self._families[name].items():
                    labels = ",".join(f'{label}="{text}"' for label, text in key)
                    lines.append(f"{name}{{{labels}}} {_number(value)}")
        return "\n".join([*lines, "# EOF", ""])


def _number(value: float) -> str:
    """As both formats write it; whole numbers whole."""
    if isinstance(value, int):
        return str(int(value))
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return repr(value)

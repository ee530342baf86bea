"""Numbers as OpenMetrics, read by the parsers of Prometheus' own client: the numbers are the verdict's."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_older

from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.report.openmetrics import render_openmetrics
from pytest_weekops.report.table import number, tables
from tests.support.outputs import EVIL, MARKUP, promoted, split, wrong

Found = dict[str, list[tuple[dict[str, str], float]]]


def read(text: str) -> Found:
    """Labels and value of each sample by metric; the older format, which node exporters read, says the same."""
    found: Found = {}
    for family in read_openmetrics(text):  # type: ignore[no-untyped-call]
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            assert (sample.timestamp, sample.exemplar) == (None, None)
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    older = {name: sample for family in read_older(text) for name, *sample in family.samples}
    assert older.keys() == found.keys()
    return found


def one(found: Found, name: str, **labels: str) -> float:
    """The value of the sample that has these labels among its own."""
    (value,) = [value for given, value in found[name] if labels.items() <= given.items()]
    return value


@pytest.mark.parametrize("made", [promoted, split, wrong])
def test_the_verdict_and_its_numbers(made: Any) -> None:
    """Bit for bit those of the verdict's rows, and the tables' texts are these numbers, rounded."""
    verdict, document = made()
    found = read(render_openmetrics(verdict, document))
    assert one(found, "weekops_promoted") == (document["decision"] == "promote")
    assert one(found, "weekops_exit_status") == document["exit_status"]
    assert one(found, "weekops_severity") == document["severity"]
    began = datetime.fromisoformat(document["created_at"]).timestamp()
    assert one(found, "weekops_run_timestamp_seconds") == began
    assert one(found, "weekops_run_info")
    assert {given["what"]: value for given, value in found["weekops_records"]} == document["counts"]
    failing = {given["check"] for given, value in found["weekops_check_passed"] if not value}
    assert failing == {finding.check for finding in verdict.findings if finding.status != "pass"}
    for table in tables(verdict.kind, verdict.rows):
        for row, texts in zip(table.rows, table.lines, strict=True):
            naming = [name for name in ("platform", "kernel", "size", "seed") if name in row]
            named = {name: "all" if row[name] is None else str(row[name]) for name in naming}
            assert one(found, "weekops_cell_passed", **named) == (row["status"] == "pass")
            speed = "weekops_split_ratio" if "ratio" in row else "weekops_cell_throughput_gflops"
            value = one(found, speed, **named)
            assert value == row.get("ratio", row.get("mean_gflops"))
            assert number(value, 3 if "ratio" in row else 2) == texts[1]


def test_what_was_not_measured_is_not_zero() -> None:
    """A cell without data fails and has no number."""
    verdict, document = promoted()
    rows = ({"platform": "pocl", "kernel": "a", "size": 1, "status": "no_data", "measured": 0, "planned": 6},)
    found = read(render_openmetrics(verdict.model_copy(update={"rows": rows}), document))
    assert one(found, "weekops_cell_passed", kernel="a") == 0
    assert not [name for name in found if name.startswith("weekops_cell_") and name != "weekops_cell_passed"]


def test_odd_numbers_and_units() -> None:
    """GB/s are no GFLOPS; what is not finite is written as the formats have it; a rise beyond belief is left out."""
    verdict, document = promoted()
    common = {"platform": "pocl", "size": 1, "status": "pass"}
    rows = (
        {**common, "kernel": "a", "unit": "GB/s", "mean_gflops": 1.0, "mean_gbs": 2.5, "p95_ms": math.inf},
        {**common, "kernel": "b", "mean_gflops": math.nan, "drift_percent": 400.0, "median_ms": -math.inf},
        {**common, "kernel": "c", "mean_gflops": 3.0, "drift_percent": -4.5},
        {**common, "kernel": "c", "partner": "service", "mean_gflops": 7.0, "status": "beside"},
    )
    found = read(render_openmetrics(verdict.model_copy(update={"rows": rows}), document))
    assert found["weekops_cell_throughput_gbs"][0][1] == 2.5
    assert [given["kernel"] for given, _value in found["weekops_cell_throughput_gflops"]] == ["b", "c", "c"]
    assert math.isnan(one(found, "weekops_cell_throughput_gflops", kernel="b"))
    assert one(found, "weekops_cell_throughput_gflops", partner="service") == 7.0
    assert one(found, "weekops_cell_launch_p95_ms") == math.inf
    assert one(found, "weekops_cell_launch_median_ms") == -math.inf
    assert one(found, "weekops_cell_drift_percent") == -4.5
    assert len(found["weekops_cell_passed"]) == 3


def test_names_of_strangers_are_one_label() -> None:
    """Quotes, backslashes, newlines and ends of the text stay in the label that they are in."""
    found = read(render_openmetrics(*wrong()))
    (driver, _one), *rest = found["weekops_driver_info"]
    assert not rest
    assert driver["device"] == EVIL.replace("\n", "\N{REPLACEMENT CHARACTER}").replace(
        "\x1b", "\N{REPLACEMENT CHARACTER}"
    )
    assert MARKUP in {given["kernel"] for given, _value in found["weekops_cell_passed"]}


def test_a_check_passes_with_all_of_its_findings() -> None:
    """One of several that fails is enough, wherever it stands."""
    verdict, document = promoted()
    good, other = verdict.findings[:2]
    bad = good.model_copy(update={"status": CheckStatus.INCONCLUSIVE})
    for findings in ((good, bad, other), (bad, good, other)):
        found = read(render_openmetrics(verdict.model_copy(update={"findings": findings}), document))
        assert one(found, "weekops_check_passed", check=good.check) == 0
        assert one(found, "weekops_check_passed", check=other.check) == 1


def test_names_that_look_the_same_are_two() -> None:
    """No sample is there twice, which would make the whole text invalid, and none is lost."""
    verdict, document = promoted()
    row = {"platform": "pocl", "size": 1, "status": "pass", "mean_gflops": 1.0}
    rows = ({**row, "kernel": "a\x00"}, {**row, "kernel": "a\x01", "mean_gflops": 2.0})
    found = read(render_openmetrics(verdict.model_copy(update={"rows": rows}), document))
    assert [value for _given, value in found["weekops_cell_throughput_gflops"]] == [1.0, 2.0]

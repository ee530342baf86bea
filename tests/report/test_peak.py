"""Level 0 in words: what has no number says why, and what was not measured is named."""

from __future__ import annotations

from pytest_weekops.core.measurement.peak import ITEMS, PlatformPeak, found, without_number
from pytest_weekops.report.peak import figure, peak_lines


def test_each_item_is_a_line_and_each_end_is_told() -> None:
    """A number with its interval, or the reason; then the end of the driver, and what is missing."""
    copied = found(ITEMS["memory_copy"], [1000.0] * 11, 12340.0, "8 words per item")
    wrong = without_number(ITEMS["local_read"], "wrong", "local memory: 3 of 8 words are wrong")
    lacking = without_number(ITEMS["arithmetic_half"], "not_applicable", "the device has no half (cl_khr_fp16)")
    went = copied.model_copy(update={"reason": "its worker ended"})
    items = (copied, wrong, lacking, without_number(ITEMS["build_cold"], "failed", "hung"), went)
    lines = list(peak_lines([PlatformPeak(platform="p", device="d", driver="e 1", ended="gone", items=items)]))
    assert lines[0] == "p: d, e 1"
    assert [" ".join(line.split()) for line in lines[1:6]] == [
        "memory_copy 12.34 GB/s [12.34, 12.34] 8 words per item",
        "local_read WRONG: local memory: 3 of 8 words are wrong",
        "arithmetic_half not applicable: the device has no half (cl_khr_fp16)",
        "build_cold FAILED: hung",
        "memory_copy 12.34 GB/s [12.34, 12.34] 8 words per item; its worker ended",
    ]
    assert lines[6] == "  ENDED: gone"
    assert lines[7].startswith("  not measured: memory_triad, ")
    assert "memory_copy" not in lines[7]
    assert len(lines) == 9


def test_a_platform_without_a_driver_is_its_end() -> None:
    """And no list of 22 names behind it."""
    lines = list(peak_lines([PlatformPeak(platform="p", ended="no driver is installed")]))
    assert lines[:2] == ["p", "  ENDED: no driver is installed"]
    assert len(lines) == 3


def test_figures_have_four_digits() -> None:
    """Whatever their size."""
    assert [figure(x) for x in (None, 0.031234, 31.234, 31234.5)] == ["-", "0.03123", "31.23", "31234"]

"""Names that records carry: a case's id and the policy row it feeds."""

from __future__ import annotations

from pytest_weekops.core.measurement.records import Case


def test_a_case_is_named_whole_and_feeds_a_row_without_platform_seed_and_snapshot() -> None:
    """The id tells two cases apart, the row is shared by all that one limit speaks of."""
    case = Case(platform="rusticl", kernel="auto", size=2048, seed=11, snapshot=3)
    assert (case.id, case.row) == ("rusticl-auto-2048-seed11-s3", "auto:2048")
    again = case.model_copy(update={"platform": "clover", "seed": 12, "snapshot": 4})
    assert again.row == case.row
    assert again.id != case.id

"""The page of a recorded campaign: its numbers as they were recorded, its verdict, and in words what it cannot show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.recorded.campaign import RecordedCampaign
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign, read_campaign
from pytest_weekops.policies.files import default_policy
from pytest_weekops.report.page.recorded import MOST_CELLS, MOST_RUNS, RecordedFile, show_recorded
from pytest_weekops.report.page.recorded_ratios import RATIO_CHECK
from pytest_weekops.report.page.render import render_page
from pytest_weekops.report.page.shown import Page
from tests.support.recorded_data import RECORDED, needs_recorded
from tests.support.run_pages import Seen

EVIL = '<img src=x onerror="alert(1)">'


def run(snapshot: int | None = 1, *, kernel: str = "auto_t3_controlled", speed: Any = 850.25, **told: Any) -> Any:
    """One run as the older runner wrote it."""
    metrics = {"device": "RX 590 (polaris10)", "avg_mean_gflops": speed, "p95_time_ms": 6.125, "max_error_max": 1e-4}
    given = {"status": "ok", "platform_selector": "Clover", "kernel": kernel, "size": 1400, "seed": 7}
    return {**given, "metrics": metrics, **({} if snapshot is None else {"snapshot": snapshot}), **told}


def campaign_of(*runs: Any, **metadata: Any) -> RecordedCampaign:
    """A file of these runs, read."""
    return parse_campaign({"metadata": metadata or {"planned_snapshots": 2}, "runs": list(runs)}, "week.json")


def page_of(campaign: RecordedCampaign) -> Page:
    """What its page shows."""
    verdict = judge_recorded(default_policy(), campaign).verdict
    return show_recorded(campaign, verdict, RecordedFile("week.json", "ab" * 32, "weekops page week.json"))


def test_numbers_are_those_of_the_file() -> None:
    """Each run of each cell in the order of the file; what failed, and what is no number, is shown as none."""
    page = page_of(
        campaign_of(
            run(1), run(2, speed=float("nan")), run(3, speed=-1.0), run(4, status="failed"), run(5, speed=1e300)
        )
    )
    (cell,) = page.cells
    assert (cell.name, cell.unit, cell.status) == ("Clover auto_t3_controlled:1400", "GFLOPS", "fail")
    assert [each.throughput for each in cell.attempts] == [850.25, None, None, None, None]
    assert [each.p95_ms for each in cell.attempts] == [6.125, None, None, None, None]
    assert [each.status for each in cell.attempts] == ["ok", "ok", "ok", "failed", "ok"]
    assert cell.attempts[1].reason == "its throughput is no usable number"
    assert page.attendance.columns == ("1", "2", "3", "4", "5")
    assert page.decision == "iterate"


def test_it_says_what_it_cannot_show() -> None:
    """No launch, no host, no hash: whoever reads a recorded page must not take it for more."""
    page = page_of(campaign_of(run(1)))
    words = " ".join(page.cannot_say)
    assert [word for word in ("no launch of it", "neither its pace", "no hash") if word not in words] == []
    text = Seen(render_page(page)).words
    assert "recorded weekly campaign" in text
    assert "No gate was recorded." in text
    assert "Made from the recorded file alone: weekops page week.json makes it again" in text


def test_seeds_of_a_split_are_columns() -> None:
    """And each platform is a cell of its own."""
    split = campaign_of(
        *(run(None, platform_selector=name, seed=seed) for name in ("Clover", "rusticl") for seed in (212, "x")),
        seeds=[212],
    )
    page = page_of(split)
    assert split.is_split
    assert [cell.platform for cell in page.cells] == ["Clover", "rusticl"]
    assert page.attendance.columns == ("seed 212", "seed 'x'")
    assert [each.seed for each in page.cells[0].attempts] == [212, "'x'"]
    assert any("two platforms" in words for words in page.cannot_say)


def split_of(*speeds: tuple[str, Any, Any], size: int = 1400) -> RecordedCampaign:
    """A split of these platforms, seeds and mean throughputs."""
    return campaign_of(
        *(run(None, platform_selector=name, seed=seed, speed=speed, size=size) for name, seed, speed in speeds),
        seeds=[212, 312],
    )


def test_ratios_of_a_split_are_the_judges() -> None:
    """Over all seeds and of each one, against the floor that the verdict has; the finding leads to their picture."""
    split = split_of(("Clover", 312, 800.0), ("Clover", 212, 900.0), ("rusticl", 212, 891.0), ("rusticl", 312, 600.0))
    page = page_of(split)
    (shown,) = page.comparisons
    (judged,) = (each for each in judge_recorded(default_policy(), split).verdict.findings if each.check == RATIO_CHECK)
    details = {each["seed"]: each["ratio"] for each in judged.details}
    assert (shown.name, shown.least, shown.status) == ("auto_t3_controlled:1400", judged.required, "fail")
    assert shown.ratio == details[None] == 1491.0 / 1700.0
    assert shown.by_seed == ((312, ((None, details["312"]),)), (212, ((None, details["212"]),)))
    assert shown.reason == "auto_t3_controlled:1400 seed 312: 0.7500"
    (finding,) = (each for each in page.open_findings if each.check == RATIO_CHECK)
    assert [link.target for link in finding.seen_at] == [shown.anchor]
    text = render_page(page)
    seen = Seen(text)
    assert {"ratios", shown.anchor, "split"} <= set(seen.ids)
    assert "auto_t3_controlled:1400: ratio of each seed" in text
    assert "seed ratio 312 0.750 212 0.990 all 0.877" in seen.words
    assert "with the range of its seeds" in seen.words


def test_a_ratio_that_cannot_be_told_is_none() -> None:
    """Half of a pair, and numbers that are none: the cell stands there in red, and no picture pretends to a ratio."""
    bad: Any
    for bad in (float("nan"), -5.0, 0.0, "fast"):
        (shown,) = page_of(split_of(("Clover", 212, 900.0), ("rusticl", 212, bad))).comparisons
        assert (shown.status, shown.ratio, shown.by_seed) == ("fail", None, ())
    page = page_of(split_of(("Clover", 212, 900.0), ("rusticl", 212, 890.0), ("Clover", 312, 900.0)))
    (shown,) = page.comparisons
    assert (shown.status, shown.reason) == ("fail", "auto_t3_controlled:1400 seed 312: absent on one platform")
    assert [seed for seed, _ratio in shown.by_seed] == [212]
    failed = [run(None, platform_selector=name, seed=7, status="failed") for name in ("Clover", "rusticl")]
    page = page_of(campaign_of(*failed, seeds=[7]))
    assert [(each.status, each.reason) for each in page.comparisons] == [
        ("fail", "a seed did not run on both platforms")
    ]
    assert "No pair of measurements could be compared." in Seen(render_page(page)).words


def test_only_a_split_has_ratios() -> None:
    """And one that promotes leads from its passed check to all of them."""
    assert page_of(campaign_of(run(1), run(2))).comparisons == ()
    page = page_of(split_of(("Clover", 212, 900.0), ("rusticl", 212, 900.0)))
    assert [each.status for each in page.comparisons] == ["pass"]
    (finding,) = (each for each in page.passed if each.check == RATIO_CHECK)
    assert [link.target for link in finding.seen_at] == ["split"]


@needs_recorded
def test_the_recorded_splits_have_their_pictures() -> None:
    """Each kernel and size of a file that was really recorded has a ratio of each of its seeds."""
    path = RECORDED / "campaigns" / "week12_block4_combined_split_3072_20260209_013814.json"
    page = page_of(read_campaign(path, own_rules=True))
    assert [each.size for each in page.comparisons] == [1400, 2048, 3072] * 2
    assert [seed for each in page.comparisons for seed, _ratio in each.by_seed] == [412, 512] * 6
    assert all(each.status == "pass" and 0.85 < (each.ratio or 0.0) < 1.1 for each in page.comparisons)


def test_a_file_of_any_length_makes_a_page_that_opens() -> None:
    """And says that it shows a part."""
    long = [run(place) for place in range(MOST_RUNS + 5)]
    many = page_of(campaign_of(*(run(1, kernel=f"k{place}") for place in range(MOST_CELLS + 3)), *long))
    assert len(many.cells) == MOST_CELLS
    assert any(words.startswith("This page shows") for words in many.cannot_say)
    assert [len(cell.attempts) for cell in page_of(campaign_of(*long)).cells] == [MOST_RUNS]


def test_findings_lead_to_what_they_name() -> None:
    """Each link is a place on the page."""
    page = page_of(campaign_of(run(1), run(1), run(2, kernel=EVIL)))
    text = render_page(page)
    seen = Seen(text)
    assert EVIL not in text
    targets = {f'id="{link.target}"' for each in (*page.open_findings, *page.passed) for link in each.seen_at}
    assert [target for target in targets if target not in text] == []
    assert seen.words


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict is `weekops judge`'s; the page lies beside the file, and options of recorded files are for those."""
    place = tmp_path / "week.json"
    place.write_text(json.dumps({"metadata": {"planned_snapshots": 1}, "runs": [run(1)]}), encoding="utf-8")
    status = main(["judge", str(place)])
    assert main(["page", str(place)]) == 0
    told = capsys.readouterr()
    assert f"exit status {status}" in told.out
    page = (tmp_path / "week.html").read_text(encoding="utf-8")
    assert "weekops page week.json" in page
    assert main(["page", str(place), "--output", str(tmp_path / "week.json")]) == 4
    (tmp_path / "run").mkdir()
    assert main(["page", str(tmp_path / "run"), "--baseline", str(place)]) == 4
    assert "--baseline is for recorded files" in capsys.readouterr().err

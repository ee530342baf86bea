"""The page as HTML: text from strangers stays text, numbers that are none are drawn as nothing, and it is one file."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
from markupsafe import Markup

from pytest_weekops.core.guard.injection import BitRecall, FaultRecall, Injection, InjectionRecord
from pytest_weekops.core.measurement.lane_records import GuardEvidence, SelectorEvidence, Trial
from pytest_weekops.core.measurement.plan import Partner
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.report.page.drawing import drawing
from pytest_weekops.report.page.filling import coded
from pytest_weekops.report.page.overviews import attendance_picture, comparison_picture, limits_picture
from pytest_weekops.report.page.pictures import cell_picture
from pytest_weekops.report.page.render import render_page
from pytest_weekops.report.page.shown import Answer, Attempt, Attendance, Cell, Comparison
from tests.support.run_pages import Seen, shown
from tests.support.synthetic import make_identity, make_plan, make_records

EVIL = '<img src=x onerror="alert(1)">'
SCRIPT = "</style></title><script>alert(2)</script>$\\frac{1}{0}$ &amp; \x1b[31m\u202e"

NAMES = ("platform_name", "device_name", "driver_version", "library", "hardware", "host", "answered_by")


@cache
def page_of(kernel: str, words: str) -> str:
    """The page of a run in which every name and every reason is these."""
    plan = make_plan("weekly", kernels=(kernel,), sizes=(128,), snapshots=2, looks=(2,))
    identity = make_identity("pocl").model_copy(
        update=dict.fromkeys(NAMES, words) | {"environment": {words: words}, "quirks": (words,)}
    )
    changes = {"variant": words, "build_options": (words,), "void": True, "void_reason": words}
    records = make_records(plan)
    first = next(record for record in records if isinstance(record, Measurement))
    gate = records[0].model_copy(update={"reason": words, "passed": False})
    return render_page(shown(plan, [gate, first.model_copy(update=changes), *records], identities={"pocl": identity}))


def test_markup_of_strangers_is_text() -> None:
    """A kernel, a driver, a reason and an environment full of markup give the same elements as harmless ones."""
    evil, harmless = Seen(page_of(EVIL, SCRIPT)), Seen(page_of("auto", "words"))
    assert not {"script", "img"} & set(evil.tags)
    for tag in (set(evil.tags) | set(harmless.tags)) - {"path", "use", "g", "text", "tspan", "defs"}:
        assert evil.tags[tag] == harmless.tags[tag], tag
    assert not [name for name, _value in evil.attributes if name.startswith("on")]
    assert EVIL in evil.text
    assert "<script>alert(2)</script>" in evil.text
    assert not {"\x1b", "\u202e"} & set(page_of(EVIL, SCRIPT))
    assert {link[1:] for link in evil.links if link.startswith("#")} <= set(evil.ids)


def test_only_words_between_backticks_become_code() -> None:
    """Backticks that do not pair are text, and nothing in them is markup."""
    assert coded("run `weekops <b>` now") == Markup("run <code>weekops &lt;b&gt;</code> now")
    assert coded("a ` b <i>") == Markup("a ` b &lt;i&gt;")


def _attempt(**changes: object) -> Attempt:
    facts: dict[str, object] = {"snapshot": 1, "seed": 11, "order": 1, "minutes": None, "status": "ok", **changes}
    return Attempt(**facts)  # type: ignore[arg-type]


def _cell(*attempts: Attempt) -> Cell:
    return Cell(
        anchor="cell-1",
        name="pocl auto:1",
        platform="pocl",
        kernel="auto",
        size=1,
        unit="GFLOPS",
        status="pass",
        limits="",
        attempts=attempts,
        floors=(),
        ceilings_ms=(),
        interval=(1.0, None, None),
        host="",
        built=(),
    )


@pytest.mark.parametrize(
    "times",
    [(0.0,), (math.nan, math.inf), (-1.0, 5.0), (1e-9, 1.0, 1e300)],
    ids=repr,
)
def test_degenerate_launches_are_drawn(times: tuple[float, ...]) -> None:
    """Zero, NaN, infinity, one, equal and far apart times give a picture and no exception."""
    with drawing():
        good = _attempt(launches_ms=times, throughput=1.0, low=0.5, high=2.0, median_ms=times[0], p95_ms=times[-1])
        assert cell_picture(_cell(good, _attempt(status="void", launches_ms=times))) is not None
        assert cell_picture(_cell(_attempt(left_out_ms=times))) is not None
        assert cell_picture(_cell(_attempt(status="crashed"))) is None


def test_nothing_is_drawn_of_nothing() -> None:
    """No cells, no limits, no ratio: no picture; open ends and far values are cut at the border."""
    comparison = Comparison(
        anchor="split-1", name="a", kernel="a", size=1, status="no_data", reason="", least=0.85, ratio=None,
        interval=None, by_seed=(),
    )  # fmt: skip
    answers = [Answer("a", "floor", "b", "pass", margin, None, None, 3, 3) for margin in (1.0, 2.0, 1e6)]
    with drawing():
        assert attendance_picture(Attendance(cells=(), columns=(), places=())) is None
        assert limits_picture(()) is None
        assert comparison_picture(comparison) is None
        assert limits_picture(answers) is not None


def test_who_is_not_judged_is_neither_good_nor_bad() -> None:
    """A partner's row in the table of a run that promotes: red would be a failure, and green one that was judged."""
    plan = make_plan(snapshots=3, looks=(3,), iterations=20, partner=Partner(label="clock", role="reference"))
    html = render_page(shown(plan, make_records(plan)))
    assert '<span class="badge plain">beside</span>' in html
    assert 'class="badge bad"' not in html


def test_lanes_have_their_sections() -> None:
    """Overheads with their limit, recall by bit with its counts, and what T3 tried stand on the page."""
    plan = make_plan("weekly", kernels=("auto_t3_controlled", "auto_t5_guarded"), sizes=(1024,), snapshots=2)
    trials = (Trial(arm="packed", size=1024, ms=1.5), Trial(arm="block", size=1024, ms=2.0, problem="wrong result"))
    lanes: dict[str, dict[str, Any]] = {
        "auto_t3_controlled": {
            "selector": SelectorEvidence(
                fallback_rate=0.0,
                policy_disabled=False,
                chosen="packed",
                static="packed",
                trials=trials,
                regret_launches=0.5,
                crashed=("scalar",),
                decisions=8,
            )
        },
        "auto_t5_guarded": {
            "guard": GuardEvidence(
                overhead_percent=1.25,
                false_positive_rate=0.0,
                disable_events=0,
                checks=16,
                overhead_low_percent=1.0,
                overhead_high_percent=1.5,
            )
        },
    }
    records = [
        r.model_copy(update=lanes[r.case.kernel]) if isinstance(r, Measurement) else r for r in make_records(plan)
    ]
    found = Injection(
        variant="packed",
        size=1024,
        z=6.0,
        bits=(BitRecall(bit=30, tried=40, caught=39), BitRecall(bit=3, tried=40, caught=0)),
        critical=FaultRecall(name="critical", tried=100, caught=99),
        faults=(),
        clean_launches=300,
        false_alarms=2,
        largest_residual_share=0.1,
    )
    campaign = InjectionRecord(
        platform="pocl", library_sha256="0" * 64, hardware="a processor x 2", made_at="2026-11-20", result=found
    )
    seen = Seen(render_page(shown(plan, [campaign, *records])))  # type: ignore[list-item]
    assert {"t5", "t3", "t5-overhead", "t5-recall-1"} <= set(seen.ids)
    assert "critical: 99 of 100 caught, 99.00 % [94.55, 99.97]" in seen.words
    assert "2 false alarms in 300 launches" in seen.words
    assert "overhead 1.25 %" in seen.words
    assert "packed 2 1.500 chosen" in seen.words
    assert "block 2 - wrong result" in seen.words
    assert "scalar 0 - took the worker down" in seen.words

"""Pages in a real browser, from disk, the network off: nothing breaks, links land, and everybody can read them."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.report.fleet.render import render_fleet
from pytest_weekops.report.page.render import render_page
from tests.report.fleet.test_showing import rack
from tests.report.page.test_render import EVIL, SCRIPT, page_of
from tests.support.gates import SMALL, GateResult
from tests.support.recorded_data import changed, split
from tests.support.run_pages import shown
from tests.support.sites import small_reports
from tests.support.synthetic import make_plan, make_records

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[3]
SCREENSHOTS = ROOT / "build" / "screenshots"
MOST_BYTES = 2 * 1024**2


def _crashed() -> str:
    plan = make_plan("weekly")
    changes = {"status": MeasurementStatus.CRASHED, "sessions": (), "reason": "signal 11"}
    records = make_records(plan)
    return render_page(
        shown(
            plan,
            [r.model_copy(update=changes) if isinstance(r, Measurement) and r.case.size == 256 else r for r in records],
        )
    )


def _split() -> str:
    plan = make_plan("split", looks=(3, 6))
    return render_page(shown(plan, make_records(plan, speed=lambda c: 0.5 if c.platform == "rusticl" else 1.0)))


def _long_run() -> str:
    kernels, sizes = ("auto_t3_controlled", "auto_t5_guarded"), (512, 1024, 2048)
    plan = make_plan("weekly", kernels=kernels, sizes=sizes, snapshots=60, iterations=100)
    return render_page(shown(plan, make_records(plan)))


def _recorded_split() -> str:
    place = SCREENSHOTS / "recorded-split.json"
    slow = changed(split(), "runs", 12, "metrics", "avg_mean_gflops", to=700.0)
    place.write_text(json.dumps(slow), encoding="utf-8")
    assert main(["page", str(place)]) == 0
    return place.with_suffix(".html").read_text(encoding="utf-8")


def _example() -> str:
    place = SCREENSHOTS / "example.html"
    assert main(["page", str(ROOT / "reports" / "example"), "--output", str(place)]) == 0
    return place.read_text(encoding="utf-8")


KINDS: dict[str, Callable[[], str]] = {
    "example": _example,
    "crashed": _crashed,
    "split": _split,
    "recorded-split": _recorded_split,
    "hostile": lambda: page_of(EVIL, SCRIPT),
    "sixty-snapshots": _long_run,
    "fleet": lambda: render_fleet(rack()),
}


@cache
def made(kind: str) -> Path:
    """The page of that kind on disk."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    place = SCREENSHOTS / f"{kind}.html"
    place.write_text(KINDS[kind](), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that is installed here; where the gate for changes runs, one that is missing is a failure."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None or importlib.util.find_spec("playwright") is None:
        if os.environ.get("WEEKOPS_REQUIRE_PLATFORMS"):
            pytest.fail("Chromium and Playwright are required here, and one is missing")
        pytest.skip("needs Chromium, and the extra `browser`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        started = tool.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


def opened(
    browser: Browser, kind: str | Path, *, width: int = 1280, scheme: Any = "light", scripts: bool = True
) -> Page:
    """The page from disk, in a context of its own without a network; what the console says is an error at once."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, java_script_enabled=scripts
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith("file://") else said.append(request.url))
    page.goto((kind if isinstance(kind, Path) else made(kind)).as_uri())
    assert not said
    return page


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_wide_and_light_and_narrow_and_dark(browser: Browser, kind: str) -> None:
    """Nothing is fetched, the console is silent, nothing scrolls sideways, and two megabytes are enough."""
    assert made(kind).stat().st_size < MOST_BYTES
    for width, scheme in ((390, "dark"),) if kind == "sixty-snapshots" else ((1280, "light"), (390, "dark")):
        page = opened(browser, kind, width=width, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=SCREENSHOTS / f"{kind}-{width}-{scheme}.png", full_page=True)
        page.context.close()


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [("example", "light"), ("split", "dark"), ("recorded-split", "light"), ("crashed", "light"), ("fleet", "dark")],
)
def test_axe_finds_nothing_serious(browser: Browser, kind: str, scheme: str) -> None:
    """Contrast, names, headings, tables, scrollable regions: no violation that is serious or worse."""
    from axe_playwright_python.sync_playwright import Axe

    page = opened(browser, kind, width=390, scheme=scheme)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    # Each picture is one image with a name; thousands of dashes inside it are nothing that axe could say more of.
    found = Axe().run(page, context={"include": [["html"]], "exclude": [["svg > g"]]}).response["violations"]
    bad = {v["id"]: v["nodes"][0]["html"][:200] for v in found if v["impact"] in ("serious", "critical")}
    assert not bad
    page.context.close()


@pytest.mark.parametrize("kind", ["crashed", "split"])
def test_every_findings_link_lands_on_its_picture(browser: Browser, kind: str) -> None:
    """Each link inside the findings brings what it names into view; passed checks open by keyboard."""
    page = opened(browser, kind)
    page.locator("section:has(> #findings) > details > summary").focus()
    page.keyboard.press("Enter")
    targets = page.eval_on_selector_all(
        ".seen a", "links => [...new Set(links.map(link => link.getAttribute('href')))]"
    )
    assert targets
    for target in targets:
        page.locator(f'.seen a[href="{target}"]').first.click()
        page.wait_for_function(
            "id => { const box = document.getElementById(id).getBoundingClientRect();"
            "        return box.bottom > 0 && box.top < innerHeight; }",
            arg=target[1:],
        )
    page.context.close()


def test_the_essentials_need_no_scripts(browser: Browser) -> None:
    """With scripts off the verdict, what it cannot say, the findings and the pictures are there."""
    page = opened(browser, "crashed", scripts=False)
    assert page.locator("h1").inner_text().startswith("iterate")
    assert page.locator("#cannot-say").is_visible()
    assert page.locator(".findings > li").first.is_visible()
    assert page.locator("#cell-1 svg").is_visible()
    page.context.close()


def test_it_prints(browser: Browser) -> None:
    """On paper it has a few pages and no navigation."""
    page = opened(browser, "example")
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator("#cell-6 svg").is_visible()
    assert page.pdf(path=SCREENSHOTS / "example.pdf").startswith(b"%PDF")
    page.context.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small ledger full of hostile names, linked to its runs."""
    place = small_reports(tmp_path_factory.mktemp("reports"))
    assert main(["site", "--report-dir", str(place)]) == 0
    return place / "site"


SITE_PAGES = {
    "index": "index.html",
    "week": "weeks/2026-w47.html",
    "hostile-week": "weeks/2026-w48.html",
    "cell": "cells/pocl-auto-*.html",
    "hostile-cell": "cells/pocl-img-*.html",
    "compare": "compare/*.html",
}


@pytest.mark.parametrize("name", SITE_PAGES)
def test_a_site_opens_wide_and_narrow_and_everybody_can_read_it(browser: Browser, site: Path, name: str) -> None:
    """Each kind of page: the console silent, nothing sideways, no serious violation."""
    from axe_playwright_python.sync_playwright import Axe

    (place,) = sorted(site.glob(SITE_PAGES[name]))
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = opened(browser, place, width=width, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"site-{name}-{width}-{scheme}.png", full_page=True)
        if width == 390:
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            found = Axe().run(page, context={"include": [["html"]], "exclude": [["svg > g"]]}).response["violations"]
            assert not {v["id"]: v["nodes"][0]["html"][:200] for v in found if v["impact"] in ("serious", "critical")}
        page.context.close()


def test_a_site_is_walked_by_keyboard_without_scripts(browser: Browser, site: Path) -> None:
    """From the calendar to a week, to a cell, to two runs side by side, and back to the first page."""
    page = opened(browser, site / "index.html", scripts=False)
    steps = ('.weeks a:has-text("W48")', 'th a:has-text("pocl auto 128")', 'a[aria-label^="compare"]', ".kind a")
    for step in steps:
        page.locator(step).first.focus(timeout=5000)
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    assert page.locator("h1").inner_text().startswith("Channel:")
    page.go_back()
    assert page.locator("#differences").is_visible()
    page.context.close()


def test_a_gate_leaves_its_page(gate: Callable[..., GateResult], need_platform: Callable[[str], str]) -> None:
    """A real run ends with its page beside its journal, made last, with the verdict that it ended with."""
    result = gate("--platforms", need_platform("pocl"), *SMALL, WEEKOPS_NO_PAGE="")
    (run_dir,) = result.run_dirs
    text = (run_dir / "report.html").read_text(encoding="utf-8")
    assert f"<title>{result.decision['decision']}: weekly run {run_dir.name}</title>" in text
    assert "was not written" not in result.output
    assert f"exit status {result.status}<" in text

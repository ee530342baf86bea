"""Make ``docs/pictures/page.png``: the page of the shipped run in a browser, as the README and the docs show it.

Needs Chromium and the extra ``browser``. Pixels differ between browsers and fonts, so that nobody checks them: make it
anew after a change of what the page looks like, and look at it.
"""

from __future__ import annotations

import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from pytest_weekops.cli import main

DOCS = Path(__file__).resolve().parent
EXAMPLE, PICTURE = DOCS.parent / "reports" / "example", DOCS / "pictures" / "page.png"
WIDTH, TOP, CELLS, COLORS = 1120, 590, 690, 128


def shot(page: Page, top: float, height: int) -> Image.Image:
    """A stripe of the page from ``top`` pixels on."""
    clip = {"x": 0.0, "y": top, "width": float(WIDTH), "height": float(height)}
    return Image.open(BytesIO(page.screenshot(full_page=True, clip=clip)))  # type: ignore[arg-type]


def picture() -> Image.Image:
    """The head of the page, and below it the first two cells."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as tool:
        place = Path(scratch) / "report.html"
        if main(["page", str(EXAMPLE), "--output", str(place)]):
            raise SystemExit("the page was not made")
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(place.as_uri())
        cells = page.locator("#cell-1").bounding_box()
        if cells is None:
            raise SystemExit("the page has no cell")
        whole = Image.new("RGB", (WIDTH, TOP + CELLS))
        whole.paste(shot(page, 0, TOP), (0, 0))
        whole.paste(shot(page, cells["y"] - 10, CELLS), (0, TOP))
        browser.close()
    return whole


if __name__ == "__main__":
    picture().quantize(COLORS).save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1024:.0f} KiB")

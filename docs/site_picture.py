"""Make ``docs/pictures/site.png``: the site of recorded campaigns in a browser, as the docs show it.

    python docs/site_picture.py DIRECTORY

Every campaign of the directory that has runs is imported as history, a site is built of it, and its first page and the
page of one cell are photographed. Needs Chromium and the extras ``browser`` and ``history``. As with the picture of a
run's page, nobody checks the pixels: make it anew after a change of what the pages look like, and look at it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from pytest_weekops.cli import main

PICTURE = Path(__file__).resolve().parent / "pictures" / "site.png"
WIDTH, COLORS = 1120, 64
CELLS, HISTORY = 500, 705  # pixels of the list of cells, and of a cell's page


def campaigns(directory: Path) -> list[str]:
    """The files that are a campaign: with runs, and nothing else's record."""
    found = []
    for path in sorted(directory.rglob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        found += [str(path)] if isinstance(document, dict) and "runs" in document else []
    return found


def shot(browser: Browser, place: Path, height: int, anchor: str = "") -> Image.Image:
    """A stripe of a page, from its top or from an element on."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.goto(place.as_uri())
    box = page.locator(anchor).bounding_box() if anchor else None
    clip = {"x": 0.0, "y": box["y"] - 16 if box else 0.0, "width": float(WIDTH), "height": float(height)}
    return Image.open(BytesIO(page.screenshot(full_page=True, clip=clip)))  # type: ignore[arg-type]


def picture(directory: Path) -> Image.Image:
    """The cells on the site's first page, and the history of one of them."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as tool:
        where, site = f"--report-dir={scratch}", Path(scratch) / "site"
        if main(["history", "import", where, *campaigns(directory)]) or main(["site", where]):
            raise SystemExit("the site was not made")
        (cell,) = site.glob("cells/imported-clover-auto-t3-controlled-1400-*.html")
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        whole = Image.new("RGB", (WIDTH, CELLS + HISTORY))
        whole.paste(shot(browser, site / "index.html", CELLS, "#cells"), (0, 0))
        whole.paste(shot(browser, cell, HISTORY), (0, CELLS))
        browser.close()
    return whole


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    picture(parser.parse_args().directory).quantize(COLORS).save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1024:.0f} KiB")

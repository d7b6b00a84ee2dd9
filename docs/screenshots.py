"""Serve the demo portal and photograph its pages with Chromium: those that the README shows into docs/images, and every page, wide and
narrow, light and dark, into .cache/screenshots to look at.

python docs/screenshots.py [URL]      without a URL, the demo is made in a temporary folder and served
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from every_page import every_page  # noqa: E402

IMAGES = ROOT / "docs" / "images"
ALL = ROOT / ".cache" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
WIDE, NARROW = {"width": 1400, "height": 875}, {"width": 390, "height": 844}


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo portal that is ended afterwards."""
    program = Path(sys.executable).with_name("tomoportal")
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), "demo", "--folder", folder, "--port", "0"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            words = (word for line in process.stdout for word in line.split())
            try:
                yield next(word for word in words if word.startswith("http://")).rstrip("/")
            finally:
                process.terminate()


def photograph(page: Any, name: str) -> None:
    """Save what is visible once all pictures there have come; those further down, which are loaded late, are not waited for."""
    page.wait_for_load_state("networkidle")
    page.evaluate(
        "Promise.all([...document.images].filter(image => image.complete).map(image => image.decode().catch(() => null)))"
    )
    page.screenshot(path=IMAGES / f"{name}.jpg", type="jpeg", quality=84)


def look_around(page: Any, url: str, suffix: str = "") -> None:
    """The pages that a visitor passes on the way to a tomogram."""
    page.goto(url)
    photograph(page, f"home{suffix}")
    page.goto(f"{url}/browse-data/datasets?object=membrane")
    photograph(page, f"datasets{suffix}")
    page.locator(".entry-title a").last.click()
    photograph(page, f"dataset{suffix}")
    page.locator("th[scope=row] a").first.click()
    photograph(page, f"run{suffix}")
    page.get_by_role("link", name="View tomogram").first.click()
    inner = page.locator("iframe").element_handle().content_frame()
    inner.wait_for_function("() => window.viewer && window.viewer.isReady()", timeout=120_000)
    page.wait_for_timeout(4000)
    page.screenshot(path=IMAGES / f"viewer{suffix}.jpg", type="jpeg", quality=84)


def look_at_all(browser: Any, url: str) -> None:
    """Every page from top to bottom, named after its route (`runs-id-narrow-dark.jpg`), and its dialogs (`datasets-id-cite-dialog-…`).
    A page is loaded once for each width."""
    ALL.mkdir(parents=True, exist_ok=True)
    pages = every_page(url)
    for width, size in (("wide", WIDE), ("narrow", NARROW)):
        context = browser.new_context(viewport=size, reduced_motion="reduce")
        page = context.new_page()
        page.route("**/viewer/v/**", lambda route: route.abort())
        for found in pages:
            name = re.sub(r"[^a-z0-9]+", "-", found.route.lower()).strip("-") or "home"
            page.goto(url + found.path)
            page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
            in_both_schemes(page, f"{name}-{width}", whole=True)
            for link in page.locator("a[data-dialog]").all():
                link.click()
                page.locator("dialog[open] h1").wait_for()
                in_both_schemes(page, f"{name}-{link.inner_text().lower()}-dialog-{width}", whole=False)
                page.keyboard.press("Escape")
                page.wait_for_url(url + found.path)
        context.close()


def in_both_schemes(page: Any, name: str, *, whole: bool) -> None:
    """Save a page in light and dark; `whole`: with what lies below the window."""
    page.wait_for_load_state("networkidle")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=ALL / f"{name}-{scheme}.jpg", type="jpeg", quality=80, full_page=whole)


def photograph_napari(url: str) -> None:
    """The plugin, on a screen of its own."""
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    subprocess.run([*screen, sys.executable, ROOT / "docs" / "napari_picture.py", url], check=True)


def main(address: str = "") -> None:
    """All pictures, wide and narrow."""
    IMAGES.mkdir(exist_ok=True)
    kinds = (("", WIDE), ("-narrow", NARROW))
    with nullcontext(address) if address else demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for suffix, size in kinds:
            context = browser.new_context(viewport=size)
            look_around(context.new_page(), url.rstrip("/"), suffix)
            context.close()
        look_at_all(browser, url.rstrip("/"))
        browser.close()
        photograph_napari(url.rstrip("/"))


if __name__ == "__main__":
    main(*sys.argv[1:2])

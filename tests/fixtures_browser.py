"""Debian's Chromium for tests. It lives for one module: Playwright's event loop must not run beside other tests'."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
         "--disable-gpu-compositing"]  # fmt: skip
"""WebGL 2 without a graphics card; the pages around it are put together without it, for a third less work."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; skips where it is not installed."""
    if not CHROMIUM.exists():
        pytest.skip("/usr/bin/chromium is not installed (tests/prepare does it)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


CONTRAST = """() => {
  // The lowest contrast (WCAG 2) of text against the nearest opaque background, faded and pictured texts apart.
  const light = rgb => rgb.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const found = getComputedStyle(at).backgroundColor;
      if (found.startsWith("rgb")) { const [r, g, b, a = 1] = parse(found); if (a === 1) return [r, g, b]; }
      else if (at.matches(".site-header")) return ground(document.body);
    }
    return [255, 255, 255];
  };
  let lowest = 21;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest(".sr, .skip, .plate, .dot, .zero, .off, .gap, [aria-hidden=true], noscript, option")) continue;
    const style = getComputedStyle(element);
    if (parse(style.color)[3] === 0) continue;  // nothing is painted
    const [a, b] = [light(parse(style.color).slice(0, 3)), light(ground(element))];
    lowest = Math.min(lowest, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
  }
  return lowest;
}"""

"""axe-core in pages of the browser: rules about what people who see, hear or type differently can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[1] / ".cache" / "axe-core" / "axe.min.js"
LOOKS = ["color-contrast", "scrollable-region-focusable", "link-in-text-block"]
"""The rules whose answer changes with colours and width."""
_RUN = """async only => (await axe.run({exclude: ['iframe']}, {
    resultTypes: ['violations'], preload: false, iframes: false, ...(only ? {runOnly: only} : {}),
  })).violations
  .map(found => `${found.id} (${found.impact}): ${found.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`)"""


def with_axe(page: Any) -> None:
    """Load axe-core into every document that this window opens; skips where it is not installed."""
    if not AXE.is_file():
        pytest.skip(f"{AXE} is missing (tests/prepare fetches it)")
    page.context.add_init_script(path=AXE)


def axe_faults(page: Any, only: list[str] | None = None) -> list[str]:
    """What breaks a rule in the page as it is now; `only`: the rules to look at, all of them without."""
    return page.evaluate(_RUN, only)

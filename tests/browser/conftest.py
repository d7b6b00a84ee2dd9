"""Debian's Chromium on the real server: `demo` serves the small demo deposition, `lists` the invented portal with 27 datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fixtures_demo import DemoPortal
from fixtures_server import serving
from fixtures_web import CROWDED, web_portal
from tomoportal.settings import Settings


@pytest.fixture(scope="session")
def demo(demo_portal: DemoPortal) -> Iterator[str]:
    """Address of a server with real data."""
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="session")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server with many invented datasets: their folders are there, their files are not (404, not 503)."""
    folder = tmp_path_factory.mktemp("lists")
    for number in range(28):
        (folder / "files" / str(CROWDED + number)).mkdir(parents=True)
    (folder / "files" / "pictures").mkdir()
    web_portal(folder, pictures=False).close()
    with serving(
        Settings(storage=str(folder / "files"), database=f"sqlite:///{folder / 'catalog.sqlite'}")
    ) as url:
        yield url


class Window:
    """A page of the browser that notes complaints of the console (absent files apart) and the hosts it talked to."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    def _said(self, message: Any) -> None:
        if message.type == "error" and "404" not in message.text:
            self.complaints.append(message.text)

    def goto(self, address: str) -> Any:
        self.page.goto(address)
        return self.page


@pytest.fixture
def window(chromium: Any) -> Iterator[Callable[..., Window]]:
    """`window(width=…, **context options)` opens a window; after the test none may have complained."""
    opened: list[tuple[Any, Window]] = []

    def open_one(width: int = 1280, height: int = 860, **options: Any) -> Window:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        opened.append((context, Window(context.new_page())))
        return opened[-1][1]

    yield open_one
    for context, found in opened:
        assert found.complaints == []
        context.close()

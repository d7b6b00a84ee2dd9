"""The pages over an invented portal, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fixtures_web import web_app, web_portal
from tomoportal.catalog import Catalog
from tomoportal.settings import Settings

_VOID = {"meta", "link", "img", "input", "br", "hr", "path", "circle", "rect"}


class Page(HTMLParser):
    """A parsed page: `text`, `links`, `ids`, `titles`, attributes of all tags; wrong nesting is collected in `faults`."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.blocks: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.faults += [f"{tag} is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
            self.blocks.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes {self._open[-3:]}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.blocks[tag][-1] += data
        if "script" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, tag: str, attribute: str) -> list[str]:
        return [found[attribute] or "" for name, found in self.tags if name == tag and attribute in found]


class Browser:
    """Gets pages as a visitor without JavaScript does."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def page(self, path: str, status: int = 200) -> Page:
        answer = self.client.get(path)
        assert answer.status_code == status, f"{path}: {answer.status_code}"
        page = Page(answer.text)
        assert not page.faults, f"{path}: {page.faults[:3]}"
        return page


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("web")
    with web_portal(folder, pictures=False) as catalog:
        yield catalog


@pytest.fixture(scope="session")
def browser(portal: Catalog) -> Browser:
    app = web_app(
        portal, Path("no-files"), Settings(title="Test portal", public_url="https://portal.example")
    )
    return Browser(TestClient(app, raise_server_exceptions=False))

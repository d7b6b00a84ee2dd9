"""What visitors of lists would wait for is asked beforehand, after every load."""

from __future__ import annotations

from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import sqlalchemy as sql
from starlette.testclient import TestClient

from fixtures_web import DAY, web_app, web_portal
from tomoportal.catalog import View
from tomoportal.catalog.rows import count_load
from tomoportal.errors import CatalogError
from tomoportal.web import warming

LISTS = (
    "/browse-data/datasets",
    "/browse-data/runs",
    "/browse-data/depositions",
    "/objects",
    "/organisms",
    "/authors",
)


def test_what_was_asked_beforehand_is_not_asked_again(tmp_path: Path) -> None:
    with web_portal(tmp_path, pictures=False) as catalog, TestClient(web_app(catalog, tmp_path)) as visitor:
        said: list[str] = []
        sql.event.listen(catalog.database.reader, "before_cursor_execute", lambda *of: said.append(of[2]))
        for ask in warming.questions():
            ask(catalog.view(today=DAY))
        before = {
            text for text in said if text.startswith(("SELECT json", "SELECT t", "SELECT (", "SELECT CAST"))
        }
        assert len(before) > 50
        for path in LISTS:
            said.clear()
            assert visitor.get(path).status_code == 200
            assert not before & set(said), path


def test_every_state_is_asked_about_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Queue[str] = Queue()
    views: Queue[Any] = Queue()
    monkeypatch.setattr(warming, "PAUSE", 0.001)
    monkeypatch.setattr(warming, "questions", lambda: iter([lambda view: asked.put(view.version)]))
    with web_portal(tmp_path, pictures=False) as catalog:

        def look() -> View:
            if views.qsize() == 1:
                views.put(None)
                raise CatalogError("not now")
            views.put(None)
            return catalog.view(today=DAY)

        thread = warming.Warming(look)
        thread.start()
        first = asked.get(timeout=30)
        with catalog.database.write() as connection:
            count_load(connection, catalog.database)
        second = asked.get(timeout=30)
        thread.stop()
        assert first != second == catalog.view(today=DAY).version
        assert asked.empty()

"""The client is inside the package, with its licence and without what nobody needs."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from tomoportal.api import viewer


def get(path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=viewer.viewer_routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_client_is_inside_the_package():
    folder = viewer.client_folder()
    assert folder == viewer.VENDORED
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert not list(folder.glob("*.map"))
    assert (folder / "VERSION").read_text().strip()


def test_installed_package_stands_in(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(viewer, "VENDORED", tmp_path)
    viewer.client_folder.cache_clear()
    try:
        folder = viewer.client_folder()
        assert folder is not None
        assert folder.parts[-3:] == ("neuroglancer", "static", "client")
    finally:
        viewer.client_folder.cache_clear()


def test_without_a_client_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewer, "client_folder", lambda: None)
    answer = get(viewer.VIEWER_PATH)
    assert answer.status_code == 501
    assert "pip install neuroglancer" in answer.text


def test_scripts_and_programs_have_their_types():
    page = get(viewer.VIEWER_PATH).text
    assert page.index(viewer.STUB) < page.index("main.")
    for file in viewer.VENDORED.glob("*.wasm"):
        assert get(viewer.VIEWER_PATH + file.name).headers["content-type"] == "application/wasm"
    for file in viewer.VENDORED.glob("main*.js"):
        answer = get(viewer.VIEWER_PATH + file.name)
        assert "javascript" in answer.headers["content-type"]
        assert "immutable" in answer.headers["cache-control"]

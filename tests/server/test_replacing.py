"""Whoever reads over HTTP while an entity is being replaced gets all of the old one, all of the new one, or "come back later"."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import httpx

from fixtures_catalog import small_portal
from tomoportal.layout.ids import Allotment
from tomoportal.layout.paths import Key, folder, sidecar
from tomoportal.layout.private import Ledger, Record, ledger_path, read_ledger
from tomoportal.layout.publish import publish, reveal
from tomoportal.server import build_app
from tomoportal.settings import Settings
from tomoportal.storage import LocalStorage

KEY = Key("tomogram", dataset="30001", run="TS_01", spacing="10.000", id=100)
FILES = tuple(
    f"{folder(KEY)}/{name}" for name in ("volume.mrc", "volume.zarr/0/0/0/0", "volume.zarr/.zattrs")
)
PATHS = (*FILES, sidecar(KEY))


class Stopped(Exception):
    """The power went."""


class DyingStorage(LocalStorage):
    """Stops before the change number `left`."""

    left = 10**9

    def _change(self) -> None:
        if self.left == 0:
            raise Stopped
        self.left -= 1

    def write(self, path, data):
        self._change()
        return super().write(path, data)

    def create(self, path, data):
        self._change()
        return super().create(path, data)

    def upload(self, path, file):
        self._change()
        return super().upload(path, file)

    def delete(self, path):
        self._change()
        super().delete(path)

    def delete_tree(self, prefix):
        self._change()
        super().delete_tree(prefix)


def put(storage: LocalStorage, scratch: Path, word: str) -> Ledger:
    """Publish a version whose files all hold `word`."""
    shutil.rmtree(scratch, ignore_errors=True)
    for path in FILES:
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(word)
    files = {path: {"size": len(word), "sha256": None} for path in FILES}
    record = Record(KEY, {"deposition_id": 20001}, sidecar(KEY), inputs=word, files=files)
    ledger = read_ledger(storage, ledger_path(KEY))
    return publish(storage, ledger_path(KEY), ledger, Allotment.open(storage, "30001"), record, {"version": word}, scratch)  # fmt: skip


def answers(settings: Settings) -> set[str]:
    """What a reader gets for all files: words of versions, or status numbers."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(build_app(settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.get(f"/files/{path}") for path in PATHS]

    seen = set()
    for answer in asyncio.run(ask()):
        if answer.status_code != 200:
            seen.add(str(answer.status_code))
        else:
            text = answer.text
            seen.add(json.loads(text)["version"] if text.startswith("{") else text)
    return seen


def test_stopping_anywhere_shows_old_or_new_and_never_a_mix(tmp_path: Path):
    small_portal(tmp_path).close()
    first = tmp_path / "first"
    put(LocalStorage(first), tmp_path / "scratch", "old")
    root, seen = tmp_path / "files", []
    settings = Settings(storage=str(root), database=f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    for change in range(200):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(first, root)
        storage = DyingStorage(root)
        storage.left = change
        try:
            ledger = put(storage, tmp_path / "scratch", "new")
        except Stopped:
            seen.append(answers(settings))
            continue
        break
    assert len(seen) > 6
    assert all(answer in ({"old"}, {"503"}) for answer in seen), seen
    assert seen[0] == {"old"}
    assert seen[-1] == {"503"}
    assert answers(settings) == {"503"}
    reveal(LocalStorage(root), ledger.records.values())
    assert answers(settings) == {"new"}

"""A file that a portal makes when it is asked for: its name, size and version are known by asking for its headers."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from tomoportal.client.downloads.fetch import bare, trouble
from tomoportal.client.downloads.fetching import download
from tomoportal.client.downloads.listing import Asker
from tomoportal.client.downloads.manifest import Item, Manifest, ManifestWriter
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.wire import Answer
from tomoportal.errors import RemoteError

_GIVEN_NAME = re.compile(r'filename="([^"]+)"')


def fetch_made(portal: str, url: str, folder: Path, options: Options) -> Path:
    """Download it under the name that the portal gives it, else the last of the address."""
    asker = Asker(options.patience)
    try:
        item = asker.ask("HEAD", url, lambda answer: _item(url, answer))
    finally:
        asker.wire.drop()
    with tempfile.TemporaryFile() as file:
        writer = ManifestWriter(file, portal, url)
        writer.add(item)
        writer.end()
        download(Manifest(file, url), folder, options)
    return folder / item.path


def _item(url: str, answer: Answer) -> Item:
    if answer.status != 200:
        raise _told_by_get(url, answer)
    given = _GIVEN_NAME.search(answer.headers.get("content-disposition", ""))
    name = given[1] if given else PurePosixPath(unquote(urlsplit(url).path)).name
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        raise RemoteError(f"{url} has no name under which it could be stored.")
    size = answer.headers.get("content-length", "")
    tag = bare(answer.headers.get("etag", ""))
    answer.read()
    return Item(name, url, int(size) if size.isdecimal() else None, "", tag)


def _told_by_get(url: str, answer: Answer) -> Exception:
    """An answer to HEAD has no sentence in it: ask for that."""
    answer.read()
    asker = Asker(1.0)
    try:
        return asker.ask("GET", url, lambda more: trouble(url, more if more.status != 200 else answer))
    finally:
        asker.wire.drop()

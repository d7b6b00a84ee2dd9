"""What lies in one folder of the public files, told to programs: as JSON, or as the plain page of links that `wget -r`, fsspec and
rclone understand. How browsers are shown it is for the pages to say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qs, quote

from tomoportal.api.listing import page
from tomoportal.api.portal import Portal
from tomoportal.errors import NotFound
from tomoportal.storage import Entry

MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class Folder:
    """One page of a folder: `path` is empty for the root and ends in a slash otherwise; `folders` are names without one. `more` is the
    name after which the next page goes on, empty at the end."""

    path: str
    folders: tuple[str, ...]
    files: tuple[Entry, ...]
    more: str

    def name(self, entry: Entry) -> str:
        """The name of a file in this folder."""
        return entry.path[len(self.path) :]

    @property
    def next(self) -> str:
        """The address of the next page, from this one; empty at the end."""
        return f"?after={quote(self.more, safe='')}" if self.more else ""


def read_folder(portal: Portal, path: str, query: bytes) -> Folder:
    """The folder at `path` (ending in a slash, or empty) as an anonymous reader sees it. Raises `NotFound` where nothing of it may be
    seen, `Refused` (503) while something in it is being replaced."""
    after = parse_qs(query.decode("latin-1")).get("after", [""])[0]
    found = page(portal, path, "/", f"{path}{after}" if after else "", MOST_NAMES)
    if path and not after and not found.entries and not found.prefixes:
        raise NotFound(path)
    names = tuple(prefix[len(path) : -1] for prefix in found.prefixes)
    return Folder(path, names, found.entries, found.last[len(path) :])


def as_json(folder: Folder) -> bytes:
    """`{"path", "folders": [name], "files": [{"name", "size", "modified", "etag"}], "next"}`; `next` is an address or null."""
    files = [
        {
            "name": folder.name(entry),
            "size": entry.size,
            "modified": moment(entry),
            "etag": f'"{entry.tag}"',
        }
        for entry in folder.files
    ]
    told = {
        "path": folder.path,
        "folders": list(folder.folders),
        "files": files,
        "next": folder.next or None,
    }
    return json.dumps(told, ensure_ascii=False).encode()


def as_links(folder: Folder) -> bytes:
    """A page with one relative link a line, as web servers make it of a folder."""
    lines = [_link(f"{name}/", "") for name in folder.folders]
    lines += [_link(folder.name(entry), f"{moment(entry)}  {entry.size}") for entry in folder.files]
    if folder.next:
        lines.append(f'<a href="{folder.next}">further names</a>')
    title = escape(f"/{folder.path}")
    body = "\n".join(lines)
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><pre>\n{body}\n</pre></body></html>\n"
    ).encode()


def _link(name: str, facts: str) -> str:
    return f'<a href="{quote(name, safe="/")}">{escape(name)}</a>  {facts}'.rstrip()


def moment(entry: Entry) -> str:
    """When a file was changed: `2024-05-23T12:00:00Z`."""
    return f"{datetime.fromtimestamp(int(entry.modified), UTC):%Y-%m-%dT%H:%M:%SZ}"

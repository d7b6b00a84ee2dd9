"""A folder of the public files, for those who click on its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tomoportal.settings import Settings
from tomoportal.web import render
from tomoportal.web.context import Crumb

ROOT = "Files"


@dataclass(frozen=True, slots=True)
class Item:
    """A line: a folder has neither `size` (bytes) nor `changed` (ISO 8601)."""

    name: str
    href: str
    size: int | None = None
    changed: str = ""


@dataclass(frozen=True, slots=True)
class FolderPage:
    """What stands on the page; `path` is empty for the root, `s3` is the address of the folder for S3 tools, `next` that of the page
    with further names."""

    name: str
    path: str
    crumbs: tuple[Crumb, ...]
    items: tuple[Item, ...]
    s3: str
    up: bool
    next: str


def folder_page(
    path: str,
    folders: Sequence[str],
    files: Sequence[tuple[str, int, str]],
    next: str,
    settings: Settings,
) -> str:
    """The HTML. `path` ends in a slash or is empty, `files` are (name, bytes, ISO 8601), `next` is an address or empty."""
    steps = path.split("/")[:-1]
    items = [Item(f"{name}/", f"{quote(name, safe='')}/") for name in folders]
    items += [Item(name, quote(name, safe=""), size, changed) for name, size, changed in files]
    page = FolderPage(
        name=steps[-1] if steps else ROOT,
        path=path,
        crumbs=_crumbs(steps),
        items=tuple(items),
        s3=f"s3://{settings.bucket}/{path}",
        up=bool(steps),
        next=next,
    )
    return render.environment().get_template("folder.html").render(page=page, site=settings)


def _crumbs(steps: Sequence[str]) -> tuple[Crumb, ...]:
    names = (ROOT, *steps)
    above = len(names) - 1
    return tuple(
        Crumb(name, "../" * (above - place) if place < above else "") for place, name in enumerate(names)
    )

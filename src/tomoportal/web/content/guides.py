"""The guides of the project, `docs/*.md`: in the wheel beside the package's modules, in a checkout at its root."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import tomoportal
from tomoportal.web import urls
from tomoportal.web.content.markdown import Document, document
from tomoportal.web.content.pictures import measured

_PACKAGE = Path(tomoportal.__file__).parent
_ORDER = (
    "deposition",
    "layout",
    "looking",
    "basket",
    "downloading",
    "client",
    "napari",
    "api",
    "graphql",
    "search",
    "operate",
    "site",
)


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide; `slug` is the end of its address."""

    slug: str
    file: Path

    @property
    def href(self) -> str:
        return urls.guide(self.slug)

    def read(self) -> Document:
        """It as HTML."""
        return _read(self.file, self.file.stat().st_mtime_ns)


def folder() -> Path:
    """Where the guides lie."""
    shipped = _PACKAGE / "docs"
    return shipped if shipped.is_dir() else _PACKAGE.parents[1] / "docs"


def guides() -> tuple[Guide, ...]:
    """All there are, in the order in which a newcomer needs them."""
    files = {file.stem: file for file in sorted(folder().glob("*.md")) if file.stem != "README"}
    known = [slug for slug in _ORDER if slug in files]
    return tuple(
        Guide(slug, files[slug]) for slug in [*known, *(slug for slug in files if slug not in known)]
    )


@lru_cache(maxsize=64)
def _read(file: Path, _changed: int) -> Document:
    return document(file.read_text(encoding="utf-8"), _readdressed, partial(measured, file.parent))


def _readdressed(href: str) -> str:
    """`layout.md#alignments` → the guide's address, `images/run.jpg` → where it is served; what lies outside of the guides has none."""
    path, mark, anchor = href.partition("#")
    if not path or ":" in path or path.startswith("/"):
        return href
    if ".." in path:
        return ""
    if path.endswith(".md"):
        return urls.guide(Path(path).stem) + mark + anchor
    return urls.guide_file(path)

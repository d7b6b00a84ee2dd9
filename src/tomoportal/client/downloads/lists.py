"""A manifest in the notations of other programs. Their lines are made of checked paths and addresses only: neither can hold a line end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tomoportal.client.downloads.manifest import Item, Manifest


def _aria2(item: Item) -> str:
    checksum = f"  checksum=sha-256={item.sha256}\n" if item.sha256 else ""
    return f"{item.url}\n  out={item.path}\n{checksum}"


def _curl(item: Item) -> str:
    path = item.path.replace('"', '\\"')
    return f'url = "{item.url}"\noutput = "{path}"\n'


def _sums(item: Item) -> str:
    return f"{item.sha256}  {item.path}\n" if item.sha256 else ""


JSONL = "jsonl"
NOTATIONS: dict[str, tuple[str, Callable[[Item], str]]] = {
    "aria2": ("", _aria2),
    "curl": ("fail\ncreate-dirs\n", _curl),
    "sha256sum": ("", _sums),
}
"""What stands first, and a file in each: `aria2c -i LIST`, `curl -K LIST`, `sha256sum -c LIST` (files whose checksum is recorded)."""


def told_as(manifest: Manifest, notation: str) -> Iterator[str]:
    """The lines of a manifest, as they are or in another notation."""
    if notation == JSONL:
        yield from manifest.lines()
        return
    first, line = NOTATIONS[notation]
    yield first
    for item in manifest.items():
        yield line(item)

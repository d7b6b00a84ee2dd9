"""Listing the public files of a storage as S3 does: keys in byte order, from a key on, folded at a delimiter, page by page.

A local tree is walked lazily and folders before the page are not looked into; `remote_listing` asks object stores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tomoportal.api.content import ABSENT, LONGEST_PATH
from tomoportal.api.portal import Portal, being_replaced
from tomoportal.api.remote_listing import OutOfOrder, all_files, files_after, holds_public, level_after
from tomoportal.catalog import Visibility
from tomoportal.errors import StorageError
from tomoportal.layout.paths import folder, is_private, owner
from tomoportal.storage import Entry, LocalStorage
from tomoportal.storage.protocol import clean_path, is_clean

RemoteFiles = Callable[[Portal, str, str], Iterator[Entry]]


@dataclass(frozen=True, slots=True)
class Page:
    """Files and common prefixes (both in byte order); `last` is where the next page goes on, empty at the end."""

    entries: tuple[Entry, ...]
    prefixes: tuple[str, ...]
    last: str


def page(portal: Portal, prefix: str, delimiter: str, after: str, most: int) -> Page:
    """The first `most` public keys with `prefix` that come after `after`.

    With a delimiter, keys that have it behind the prefix are folded into one common prefix. Raises `Refused` (503) when an entity
    on the page is being replaced: a list with gaps would pass for the whole.
    """
    if not _may_exist(prefix.rpartition("/")[0]):
        return Page((), (), "")
    portal.check_reach(prefix)
    try:
        return _gathered(_folded(portal, prefix, delimiter, after, files_after), most)
    except OutOfOrder:
        return _gathered(_folded(portal, prefix, delimiter, after, all_files), most)


def _gathered(found: Iterator[Entry | str], most: int) -> Page:
    entries: list[Entry] = []
    prefixes: list[str] = []
    last = ""
    for item in found:
        if len(entries) + len(prefixes) == most:
            return Page(tuple(entries), tuple(prefixes), last)
        if isinstance(item, Entry):
            entries.append(item)
            last = item.path
        else:
            prefixes.append(item)
            last = item
    return Page(tuple(entries), tuple(prefixes), "")


def _may_exist(home: str) -> bool:
    """Whether a folder of this name could hold public files: nothing outside the tree, nothing hidden."""
    try:
        return len(home) <= LONGEST_PATH and not is_private(clean_path(home))
    except StorageError:
        return False


def _folded(
    portal: Portal, prefix: str, delimiter: str, after: str, remote_files: RemoteFiles
) -> Iterator[Entry | str]:
    """Public files and common prefixes in order."""
    if delimiter == "/":
        is_local = isinstance(portal.storage, LocalStorage)
        yield from _one_level(portal, prefix, after) if is_local else _remote_level(portal, prefix, after)
        return
    common = ""
    for entry in _public_files(portal, prefix, after, remote_files):
        end = entry.path.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield entry
            continue
        folded = entry.path[: end + len(delimiter)]
        if folded != common and folded > after:
            common = folded
            yield folded


def _one_level(portal: Portal, prefix: str, after: str) -> Iterator[Entry | str]:
    """The common case of browsing: one local folder, without looking into the ones below except for whether they hold anything."""
    home = prefix.rpartition("/")[0]
    for name, is_folder, entry in _scan(portal, home):
        path = f"{home}/{name}" if home else name
        key = f"{path}/" if is_folder else path
        if not key.startswith(prefix) or key <= after or _is_closed(portal, path):
            continue
        if is_folder:
            if _holds_public(portal, path):
                yield key
        elif _is_public(portal, path) and entry is not None:
            yield entry


def _remote_level(portal: Portal, prefix: str, after: str) -> Iterator[Entry | str]:
    for key, entry in level_after(portal, prefix, after):
        path = entry.path if entry else key[:-1]
        if _is_closed(portal, path):
            continue
        if entry is None:
            if holds_public(portal, path):
                yield key
        elif _is_public(portal, path):
            yield entry


def _holds_public(portal: Portal, home: str) -> bool:
    """Whether anything below a folder may be seen; what is being replaced may."""
    return any(
        portal.seen(entry.path)[1] is not Visibility.HIDDEN
        for entry in _walk(portal, home, prefix="", after="")
    )


def _public_files(portal: Portal, prefix: str, after: str, remote_files: RemoteFiles) -> Iterator[Entry]:
    is_local = isinstance(portal.storage, LocalStorage)
    home = prefix.rpartition("/")[0]
    for entry in _walk(portal, home, prefix, after) if is_local else remote_files(portal, prefix, after):
        if _is_public(portal, entry.path):
            yield entry


def _walk(portal: Portal, home: str, prefix: str, after: str) -> Iterator[Entry]:
    """Files below a local folder in byte order; folders whose keys all come before `after` or lack the prefix are skipped."""
    for name, is_folder, entry in _scan(portal, home):
        path = f"{home}/{name}" if home else name
        key = f"{path}/" if is_folder else path
        if not is_folder:
            if entry is not None and key.startswith(prefix) and key > after:
                yield entry
            continue
        reachable = key.startswith(prefix) or prefix.startswith(key)
        if reachable and (key > after or after.startswith(key)) and not _is_closed(portal, path):
            yield from _walk(portal, path, prefix, after)


def _scan(portal: Portal, home: str) -> Iterator[tuple[str, bool, Entry | None]]:
    """(name, is folder, file) of what may be seen in a local folder, in the byte order of its keys."""
    assert isinstance(portal.storage, LocalStorage)
    root = portal.storage.url
    place = f"{root}/{home}" if home else root
    real = os.path.realpath(place)
    if real != place and not real.startswith(f"{root}/"):
        return
    try:
        with os.scandir(place) as scan:
            items = [(item, item.is_dir()) for item in scan if _may_be_named(item.name)]
    except OSError as error:
        if error.errno in ABSENT:
            return
        raise StorageError(home, f"the server cannot read this folder ({error.strerror})") from error
    items.sort(key=lambda pair: pair[0].name + "/" if pair[1] else pair[0].name)
    for item, is_folder in items:
        if (item.is_symlink() or real != place) and not _leads_to_public(portal, root, item.path):
            continue
        if is_folder:
            yield item.name, True, None
        elif item.is_file():
            found = item.stat()
            path = f"{home}/{item.name}" if home else item.name
            tag = f"{found.st_mtime_ns:x}-{found.st_size:x}"
            yield item.name, False, Entry(path, found.st_size, tag, found.st_mtime)


def _may_be_named(name: str) -> bool:
    """Whether a name can be asked for at all: hidden ones cannot, nor those that HTTP and XML do not carry."""
    return not is_private(name) and is_clean(name)


def _leads_to_public(portal: Portal, root: str, place: str) -> bool:
    """Whether what is reached through a link stays inside the tree and may be seen where it really lies."""
    real = os.path.realpath(place)
    return (
        real.startswith(f"{root}/") and portal.seen(real.removeprefix(f"{root}/"))[1] is not Visibility.HIDDEN
    )


def _is_public(portal: Portal, path: str) -> bool:
    key, seen = portal.seen(path)
    if key is None or seen is Visibility.HIDDEN:
        return False
    if seen is Visibility.REPLACING or portal.replacing(key):
        raise being_replaced(path)
    return True


def _is_closed(portal: Portal, path: str) -> bool:
    """Whether a folder is that of an entity which this reader may not see: nothing below it is to be seen then."""
    key = owner(path)
    return key is not None and folder(key) == path and portal.visible(key) is Visibility.HIDDEN

"""Listing the public files of an object store: each page is asked of the store from where it begins, and a level of folders as a
level, so that a page costs a page whatever the size of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator

from tomoportal.api.portal import Portal
from tomoportal.catalog import Visibility
from tomoportal.layout.paths import SIDECARS, folder, is_private, owner
from tomoportal.storage.protocol import Entry, is_clean


class OutOfOrder(Exception):
    """This store lists in another order than that of the bytes; `all_files` has to be asked. Never leaves the listing."""


def files_after(portal: Portal, prefix: str, after: str) -> Iterator[Entry]:
    """Files with `prefix` that come after `after`, in byte order, fetched while they are taken. Raises `OutOfOrder`."""
    last = ""
    for entry in portal.storage.list_after(prefix.rpartition("/")[0], max(after, prefix[:-1])):
        path = entry.path
        if path < last:
            raise OutOfOrder
        last = path
        if path > prefix and not path.startswith(prefix):
            return
        if _is_asked_for(path, prefix, after):
            yield entry


def all_files(portal: Portal, prefix: str, after: str) -> Iterator[Entry]:
    """The same from stores in disorder: everything in the folder is listed first."""
    for entry in portal.storage.list(prefix.rpartition("/")[0]):
        if _is_asked_for(entry.path, prefix, after):
            yield entry


def _is_asked_for(key: str, prefix: str, after: str) -> bool:
    return key.startswith(prefix) and key > after and not is_private(key) and is_clean(key.removesuffix("/"))


def level_after(portal: Portal, prefix: str, after: str) -> list[tuple[str, Entry | None]]:
    """(key, file or None for a folder) of what lies directly in the folder that holds `prefix`, in byte order; the keys of folders end
    in a slash."""
    home = prefix.rpartition("/")[0]
    level = portal.storage.level(home)
    found: dict[str, Entry | None] = {entry.path: entry for entry in level.files}
    found |= {f"{home}/{name}/" if home else f"{name}/": None for name in level.folders}
    return [(key, found[key]) for key in sorted(found) if _is_asked_for(key, prefix, after)]


def holds_public(portal: Portal, home: str) -> bool:
    """Whether anything below a folder may be seen; what is being replaced may. Public entities have a sidecar in their folder."""
    key = owner(home)
    if key and key.kind in SIDECARS and folder(key) == home and portal.visible(key) is Visibility.PUBLIC:
        return True
    return any(
        portal.seen(entry.path)[1] is not Visibility.HIDDEN for entry in portal.storage.list_after(home, "")
    )

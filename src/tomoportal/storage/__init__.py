"""Where bytes live: one small interface over a local folder and over object stores.

`open_storage(url)` gives a `Storage`. Paths inside one are relative POSIX strings without a leading slash;
a path that would leave the root is refused. Nothing here knows the standard layout or any file format.
"""

from __future__ import annotations

from tomoportal.storage.local import LocalStorage
from tomoportal.storage.protocol import Entry, Level, Storage, clean_path

__all__ = ["Entry", "Level", "LocalStorage", "Storage", "clean_path", "is_folder", "open_storage"]

OBJECT_SCHEMES = ("s3", "gs", "az")


def is_folder(url: str) -> bool:
    """Whether `open_storage` gives a folder of this machine."""
    scheme, separator, _ = url.partition("://")
    return not separator or scheme == "file"


def open_storage(url: str) -> Storage:
    """A folder (`path` or `file:///path`) or an object store (`s3://bucket/prefix`, `gs://…`, `az://…`)."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in OBJECT_SCHEMES:
        from tomoportal.storage.objects import ObjectStorage

        return ObjectStorage.from_url(url)
    if separator and scheme != "file":
        from tomoportal.errors import UsageError

        raise UsageError(
            f"{url}: storage of the kind {scheme}:// is not known; expected a folder or one of "
            + ", ".join(f"{known}://" for known in OBJECT_SCHEMES)
        )
    return LocalStorage(rest if separator else url)

"""Who sends the bytes of `/files` after this server has decided that they may be seen: it itself, a proxy in front of it, or the
object store. `/s3` always sends by itself, since its clients follow nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tomoportal.api.content import Headers, Opened, Scope
from tomoportal.errors import UsageError
from tomoportal.storage import LocalStorage, Storage

STREAM, PRESIGNED, PROXY = "stream", "presigned", "x-accel:"
SECONDS = 3600
"""For which the address of an object can be used."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`way` is `stream`, `presigned`, or `x-accel:` and the internal location of the proxy, such as `x-accel:/stored/`."""

    way: str
    storage: Storage

    def is_own(self, method: str) -> bool:
        """Whether this server answers such a request by itself. Addresses of objects are good for GET alone."""
        return self.way == STREAM or (self.way == PRESIGNED and method == "HEAD")

    def question(self, scope: Scope) -> dict[str, Any]:
        """What is asked of the file before somebody else sends it: nothing is read of it, and a proxy has tags and ranges of its
        own."""
        headers = [] if self.way.startswith(PROXY) else scope["headers"]
        return {**scope, "method": "HEAD", "headers": headers}

    def answer(self, opened: Opened) -> tuple[int, Headers]:
        """Status and headers that make the other one send."""
        if self.way.startswith(PROXY):
            place = f"{self.way.removeprefix(PROXY)}{quote(opened.path)}"
            return 200, [(b"x-accel-redirect", place.encode()), (b"content-length", b"0")]
        address = self.storage.address(opened.path, SECONDS)
        return 307, [(b"location", address.encode()), (b"content-length", b"0")]


def delivery(way: str, storage: Storage) -> Delivery:
    """Raises `UsageError` for a way that there is not, or not for this storage."""
    check_way(way, is_folder=isinstance(storage, LocalStorage))
    return Delivery(way, storage)


def check_way(way: str, *, is_folder: bool) -> None:
    """The same without a storage: what a process has opened is of no use to those that it makes of itself."""
    if way.startswith(PROXY):
        place = way.removeprefix(PROXY)
        if not (place.startswith("/") and place.endswith("/")):
            raise UsageError(
                f"--deliver {way}: a location begins and ends with a slash, as in x-accel:/stored/."
            )
        if not is_folder:
            raise UsageError(
                f"--deliver {way}: a proxy sends files of a folder; for an object store take `presigned`."
            )
    elif way == PRESIGNED:
        if is_folder:
            raise UsageError(
                "--deliver presigned: only an object store has such addresses, and --storage is a folder."
            )
    elif way != STREAM:
        raise UsageError(f"--deliver {way}: expected stream, presigned or x-accel:/location/.")

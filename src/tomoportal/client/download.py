"""Downloads: files over HTTP, checked and never half-written; folders by the portal's S3-compatible listing."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

from tomoportal.errors import RemoteError, UsageError

if TYPE_CHECKING:
    from tomoportal.client.connection import Client

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Downloads:
    """`download_…` for every entity; each raises `UsageError` for what the entity does not have."""

    client: Client

    def download_mrcfile(self, dest_path: str | os.PathLike[str] | None = None) -> Path:
        """The MRC file of a tomogram or tilt series, into the folder `dest_path` (default: here)."""
        return _file(self.client, self._address("https_mrc_file"), _folder(dest_path))

    def download_omezarr(self, dest_path: str | os.PathLike[str] | None = None) -> Path:
        """The OME-Zarr folder of a tomogram or tilt series."""
        return _tree(self.client, self._address("s3_omezarr_dir"), _folder(dest_path))

    def download_everything(self, dest_path: str | os.PathLike[str] | None = None) -> Path:
        """All files of a dataset, run or voxel spacing, in a folder of its name."""
        return _tree(self.client, self._address("s3_prefix"), _folder(dest_path))

    def download_angle_list(self, dest_path: str | os.PathLike[str] | None = None) -> Path:
        """The text file with the tilt angles of a tilt series."""
        return _file(self.client, self._address("https_angle_list"), _folder(dest_path))

    def download_metadata(self, dest_path: str | os.PathLike[str] | None = None) -> Path:
        """The metadata of an annotation."""
        return _file(self.client, self._address("https_metadata_path"), _folder(dest_path))

    def _address(self, field: str) -> str:
        if field not in type(self).fields:  # type: ignore[attr-defined]
            raise UsageError(
                f"{type(self).__name__} has no {field}; there is nothing of that kind to download."
            )
        address = self.__dict__[field]
        if address is None:
            raise UsageError(f"{self!r} has no file of this kind.")
        return address


def _folder(dest_path: str | os.PathLike[str] | None) -> Path:
    folder = Path(dest_path) if dest_path is not None else Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(client: Client, url: str, folder: Path, name: str | None = None, size: int | None = None) -> Path:
    """Stream `url` to a temporary name, then rename. A file of the expected size is there already: nothing is done."""
    import httpx

    target = folder / (name or PurePosixPath(unquote(urlsplit(url).path)).name)
    if size is not None and target.is_file() and target.stat().st_size == size:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        with client.stream(url) as response:
            if response.status_code != 200:
                raise RemoteError(f"{url} answered {response.status_code}.", response.status_code)
            with part.open("wb") as file:
                for chunk in response.iter_bytes(1 << 20):
                    file.write(chunk)
            expected = response.headers.get("content-length")
    except httpx.HTTPError as error:
        raise RemoteError(f"{url}: the download broke off ({error}).") from error
    if expected is not None and part.stat().st_size != int(expected):
        raise RemoteError(f"{url}: {part.stat().st_size} of {expected} bytes came; run it again.")
    os.replace(part, target)
    return target


def _tree(client: Client, s3_address: str, folder: Path) -> Path:
    """Every object below an s3:// address, through the portal's listing."""
    bucket, _, key = s3_address.removeprefix("s3://").partition("/")
    prefix = key.rstrip("/") + "/"
    endpoint = client.url.removesuffix("/graphql") + f"/s3/{quote(bucket)}"
    parent = str(PurePosixPath(prefix).parent)
    base = "" if parent == "." else parent + "/"
    found = [(key, key.removeprefix(base), size) for key, size in _listing(client, endpoint, prefix)]
    for object_key, relative, _ in found:
        if ".." in PurePosixPath(relative).parts or relative.startswith("/"):
            raise RemoteError(
                f"{endpoint} lists {object_key!r}, which would leave the destination; nothing of it was written."
            )
    for object_key, relative, size in found:
        _file(client, f"{endpoint}/{quote(object_key)}", folder, relative, size)
    return folder / PurePosixPath(prefix).name


def _listing(client: Client, endpoint: str, prefix: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    token = ""
    while True:
        more = f"&continuation-token={quote(token, safe='')}" if token else ""
        page = _xml(client, f"{endpoint}?list-type=2&prefix={quote(prefix, safe='')}{more}")
        for item in page.iter(f"{_NAMESPACE}Contents"):
            found.append((_text(item, "Key"), int(_text(item, "Size"))))
        token = _text(page, "NextContinuationToken")
        if not token:
            return found


def _xml(client: Client, url: str) -> ElementTree.Element:
    with client.stream(url) as response:
        content = response.read()
    if response.status_code != 200:
        raise RemoteError(f"{url} answered {response.status_code}.", response.status_code)
    return ElementTree.fromstring(content)


def _text(element: ElementTree.Element, name: str) -> Any:
    return element.findtext(f"{_NAMESPACE}{name}") or ""

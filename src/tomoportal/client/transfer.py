"""Transfers: one file over HTTPS, or a folder through the portal's S3-compatible listing, into a local folder.

What comes is collected in a hidden folder beside the target and renamed at the end, so that a target is whole or absent; a
broken-off folder is taken up again. Beside each finished target lies its origin (`.TS_001.mrc.origin`): the address and the
size and ETag of each file. A target is kept when that is what the portal has today, and never replaced unasked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

from tomoportal.errors import RemoteError, UsageError

if TYPE_CHECKING:
    import httpx

    from tomoportal.client.connection import Client

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_BLOCK = 1 << 20
_GIVEN_NAME = re.compile(r'filename="([^"]+)"')


@dataclass(frozen=True)
class Origin:
    """Where something comes from: `files` maps the path below the target (`""`: the target is the file) to `[bytes, ETag]`."""

    address: str
    files: dict[str, list[Any]]

    def is_at(self, target: Path) -> bool:
        """Whether all files lie there with their sizes."""
        return all(_has_size(target / name, size) for name, (size, _) in self.files.items())


def fetch_file(client: Client, url: str, folder: Path, overwrite: bool = False) -> Path:
    """The file at `url` in `folder`, under the name that the portal gives it, else the last of the address. Raises `UsageError` when
    something else has that name."""
    with _answer(client, url) as response:
        given = _GIVEN_NAME.search(response.headers.get("content-disposition", ""))
        target = folder / _safe(given[1] if given else PurePosixPath(unquote(urlsplit(url).path)).name, url)
        origin = Origin(url, {"": _version(response)})
        if _is_settled(target, origin, overwrite):
            return target
        work = _work(target, url)
        work.mkdir(parents=True, exist_ok=True)
        _save(response, url, work / "content")
    _put(work, target, origin, overwrite)
    return target


def fetch_tree(client: Client, s3_address: str, folder: Path, overwrite: bool = False) -> Path:
    """Every object below an `s3://` address, as a folder of the same name in `folder`; errors as for `fetch_file`."""
    bucket, _, key = s3_address.removeprefix("s3://").partition("/")
    prefix = key.rstrip("/") + "/"
    endpoint = client.url.removesuffix("/graphql") + f"/s3/{quote(bucket)}"
    address = f"{endpoint}/{quote(prefix)}"
    target = folder / _safe(PurePosixPath(prefix).name, address)
    origin = Origin(address, _listing(client, endpoint, prefix))
    if _is_settled(target, origin, overwrite):
        return target
    work = _work(target, address)
    _resume(work, origin)
    for name, version in origin.files.items():
        if not (work / "content" / name).is_file():
            _fetch_into(client, address + quote(name), version, work, name)
    _put(work, target, origin, overwrite)
    return target


def _is_settled(target: Path, origin: Origin, overwrite: bool) -> bool:
    """Whether nothing is left to do. Raises `UsageError` for a target that is something else and may not be replaced."""
    if not os.path.lexists(target):
        return False
    known = _read(_receipt(target))
    tagged = all(tag for _, tag in origin.files.values())
    if tagged and known == origin and origin.is_at(target):
        return True
    if not overwrite:
        raise _refusal(target, known, origin)
    return False


def _refusal(target: Path, known: Origin | None, origin: Origin) -> UsageError:
    if known is None:
        reason = "exists, and nothing tells where it comes from"
    elif known.address != origin.address:
        reason = f"was downloaded from {known.address}"
    else:
        reason = "is not what the portal has today: it changed there or here since it was downloaded"
    return UsageError(
        f"{target} {reason}. It was kept, and {origin.address} was not downloaded: "
        f"choose another folder, or replace it with overwrite=True."
    )


def _resume(work: Path, origin: Origin) -> None:
    """Keep of an earlier attempt what is still the same at the portal."""
    content, note = work / "content", work / "origin.json"
    known = _read(note)
    earlier = known.files if known else {}
    for path in [path for path in content.rglob("*") if not path.is_dir()]:
        name = path.relative_to(content).as_posix()
        version = origin.files.get(name)
        if version is None or version != earlier.get(name) or not _has_size(path, version[0]):
            path.unlink()
    content.mkdir(parents=True, exist_ok=True)
    _write(note, origin)


def _fetch_into(client: Client, url: str, version: list[Any], work: Path, name: str) -> None:
    with _answer(client, url) as response:
        came = _version(response)
        if came != version and all(came) and all(version):
            raise RemoteError(f"{url} changed while its folder was being downloaded; run it again.")
        _save(response, url, work / "part")
    target = work / "content" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(work / "part", target)


def _put(work: Path, target: Path, origin: Origin, overwrite: bool) -> None:
    """Rename the finished content to its place. Stopping in between leaves a target without an origin, or none."""
    if os.path.lexists(target):
        if not overwrite:
            raise _refusal(target, _read(_receipt(target)), origin)
        _receipt(target).unlink(missing_ok=True)
        os.replace(target, _emptied(work / "replaced"))
    os.replace(work / "content", target)
    _write(_receipt(target), origin)
    shutil.rmtree(work)


def _emptied(folder: Path) -> Path:
    """A place inside a new folder, for whatever is to be moved away."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return folder / "it"


def _work(target: Path, address: str) -> Path:
    """The hidden folder in which a download is collected: one for each target and address."""
    mark = hashlib.sha256(address.encode()).hexdigest()[:8]
    return target.with_name(f".{target.name}.{mark}.part")


def _receipt(target: Path) -> Path:
    return target.with_name(f".{target.name}.origin")


def _read(path: Path) -> Origin | None:
    try:
        return Origin(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # a broken note says as little as none


def _write(path: Path, origin: Origin) -> None:
    path.write_text(json.dumps(asdict(origin)), encoding="utf-8")


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _safe(name: str, address: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        raise RemoteError(f"{address} has no name under which it could be stored.")
    return name


@contextmanager
def _answer(client: Client, url: str) -> Iterator[httpx.Response]:
    import httpx

    try:
        with client.stream(url) as response:
            if response.status_code != 200:
                raise RemoteError(
                    f"{url} answered {response.status_code}{_reason(response)}", response.status_code
                )
            yield response
    except httpx.HTTPError as error:
        raise RemoteError(f"{url}: the download broke off ({error}); run it again.") from error


def _reason(response: httpx.Response) -> str:
    """What the portal says about an error, as it does in JSON."""
    try:
        return f": {json.loads(response.read())['error']['message']}"
    except (ValueError, KeyError, TypeError):
        return "."


def _version(response: httpx.Response) -> list[Any]:
    size = response.headers.get("content-length")
    return [None if size is None else int(size), _tag(response.headers.get("etag", ""))]


def _tag(text: str) -> str:
    return text.removeprefix("W/").strip('"')


def _save(response: httpx.Response, url: str, path: Path) -> None:
    with path.open("wb") as file:
        for block in response.iter_bytes(_BLOCK):
            file.write(block)
    size, _ = _version(response)
    if size is not None and path.stat().st_size != size:
        raise RemoteError(f"{url}: {path.stat().st_size} of {size} bytes came; run it again.")


def _listing(client: Client, endpoint: str, prefix: str) -> dict[str, list[Any]]:
    """Path below the prefix → `[bytes, ETag]`."""
    found: dict[str, list[Any]] = {}
    token = ""
    while True:
        more = f"&continuation-token={quote(token, safe='')}" if token else ""
        with _answer(client, f"{endpoint}?list-type=2&prefix={quote(prefix, safe='')}{more}") as response:
            page = _page(response.read(), endpoint)
        for item in page.iter(f"{_NAMESPACE}Contents"):
            key = _text(item, "Key")
            if not key.endswith("/"):
                found[_below(key, prefix, endpoint)] = [int(_text(item, "Size")), _tag(_text(item, "ETag"))]
        token = _text(page, "NextContinuationToken")
        if not token:
            break
    if not found:
        raise RemoteError(f"{endpoint} lists nothing below {prefix}; there is nothing to download.")
    return found


def _page(content: bytes, endpoint: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise RemoteError(
            f"{endpoint} did not answer with a listing ({error}). Is a portal there?"
        ) from error


def _below(key: str, prefix: str, endpoint: str) -> str:
    name = key.removeprefix(prefix)
    if not key.startswith(prefix) or name.startswith("/") or ".." in PurePosixPath(name).parts:
        raise RemoteError(
            f"{endpoint} lists {key!r}, which would leave the destination; nothing of it was written."
        )
    return name


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{_NAMESPACE}{name}") or ""

"""Commands that fetch what a page shows: plain HTTP, curl, the AWS command line, Python. Text only; nothing is fetched here."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from tomoportal.web.context import Visit
from tomoportal.web.entities.facts import FileLink

_KEPT = "%/:?#[]@!$&'()*+,;=~"
"""What stays in an address: all that means something there, and what is escaped already."""
IN_PLACE = "Python, over HTTP"
"""What opens a volume without fetching the whole of it."""
_ZARR = """# pip install zarr fsspec aiohttp
import zarr

volume = zarr.open_group({address}, mode="r")
half = volume["1"][:]  # z, y, x"""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to paste into a terminal or a notebook."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file or folder with the ways to get it. `href` is empty for folders, which browsers cannot save."""

    label: str
    size: float | None
    href: str
    commands: tuple[Command, ...]


def local_name(run: str, owner: str, file: FileLink, *, keep: bool = False) -> str:
    """What a file is called at home, so that nothing of one run overwrites another: `TS_001_TM-2.mrc`. With `keep` its own name
    stands behind, for owners with several files of one kind."""
    name = _remote_name(file)
    parts = [run, owner, name if keep else ""]
    kept = "_".join(re.sub(r"[^\w.+-]+", "_", part) for part in parts if part)
    return kept if keep else kept + PurePosixPath(name).suffix


def download(visit: Visit, file: FileLink, local: str) -> Download:
    """The ways to get one file, or one OME-Zarr folder; `local` is what the commands call it."""
    address = quote(visit.absolute(file.https), safe=_KEPT)
    commands = []
    if not file.is_folder:
        commands.append(
            Command("curl", shlex.join(["curl", "-gfL" if "[" in address else "-fL", "-o", local, address]))
        )
    commands.append(_aws(visit, file.s3, local, is_folder=file.is_folder))
    if file.is_folder:
        commands.append(Command(IN_PLACE, _ZARR.format(address=json.dumps(address))))
    return Download(file.label, file.size, "" if file.is_folder else file.https, tuple(commands))


def own_files(
    visit: Visit, run: str, owner: str, found: Iterable[FileLink], *, keep: bool = False
) -> tuple[Download, ...]:
    """The ways to get the files of what belongs to a run, each by a name of its own: `owner` stands in it, and with `keep` the name that
    it has there."""
    return tuple(download(visit, file, local_name(run, owner, file, keep=keep)) for file in found)


def folder(visit: Visit, label: str, s3: str, size: float | None, python: str) -> Download:
    """The ways to get everything below a prefix; `python` is the statement that does it with the client."""
    client = f"from tomoportal import Client, {python.split('.')[0]}\n\nclient = Client({json.dumps(visit.base)})\n{python}"
    return Download(
        label,
        size,
        "",
        (_aws(visit, s3, s3.rstrip("/").rsplit("/", 1)[-1], is_folder=True), Command("Python", client)),
    )


def _remote_name(file: FileLink) -> str:
    return file.s3.rstrip("/").rsplit("/", 1)[-1] or "file"


def _aws(visit: Visit, s3: str, name: str, *, is_folder: bool) -> Command:
    source = s3.rstrip("/") + "/" if is_folder else s3
    target = f"{name}/" if is_folder else name
    words = ["aws", "s3", "sync" if is_folder else "cp", source, target]
    ending = f"--no-sign-request --endpoint-url {shlex.quote(visit.base + '/s3')}"
    return Command("AWS command line", f"{shlex.join(words)} {ending}")

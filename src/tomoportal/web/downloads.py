"""Commands that fetch what a page shows: plain HTTP, curl, the AWS command line, Python. Text only; nothing is fetched here."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from tomoportal.web.context import Visit
from tomoportal.web.facts import FileLink


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


def download(visit: Visit, file: FileLink) -> Download:
    """The ways to get one file, or one OME-Zarr folder."""
    address = visit.absolute(file.https)
    name = _name(file.https)
    commands = [] if file.is_folder else [Command("curl", f"curl -fLO {shlex.quote(address)}")]
    if file.s3:
        commands.append(_aws(visit, file.s3, name, is_folder=file.is_folder))
    if file.is_folder:
        code = f'import zarr\n\nvolume = zarr.open_group("{address}", mode="r")\nhalf = volume["1"][:]  # z, y, x'
        commands.append(Command("Python (reads over HTTP)", code))
    return Download(file.label, file.size, "" if file.is_folder else file.https, tuple(commands))


def folder(visit: Visit, label: str, s3: str, size: float | None, python: str) -> Download:
    """The ways to get everything below a prefix; `python` is the statement that does it with the client."""
    client = (
        f'from tomoportal import Client, {python.split(".")[0]}\n\nclient = Client("{visit.base}")\n{python}'
    )
    return Download(label, size, "", (_aws(visit, s3, _name(s3), is_folder=True), Command("Python", client)))


def _aws(visit: Visit, s3: str, name: str, *, is_folder: bool) -> Command:
    source = s3.rstrip("/") + "/" if is_folder else s3
    target = f"{name}/" if is_folder else name
    words = ["aws", "s3", "sync" if is_folder else "cp", source, target]
    ending = f"--no-sign-request --endpoint-url {shlex.quote(visit.base + '/s3')}"
    return Command("AWS command line", f"{shlex.join(words)} {ending}")


def _name(address: str) -> str:
    return urlsplit(address).path.rstrip("/").rsplit("/", 1)[-1]

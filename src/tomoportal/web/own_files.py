"""The files of what belongs to a run, as downloads with names of their own."""

from __future__ import annotations

from collections.abc import Iterable

from tomoportal.web.context import Visit
from tomoportal.web.downloads import Download, download, local_name
from tomoportal.web.facts import FileLink


def own_files(
    visit: Visit, run: str, owner: str, found: Iterable[FileLink], *, keep: bool = False
) -> tuple[Download, ...]:
    """The ways to get each; `owner` stands in their names at home, and with `keep` their own names too."""
    return tuple(download(visit, file, local_name(run, owner, file, keep=keep)) for file in found)

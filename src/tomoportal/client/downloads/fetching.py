"""From sources to files: list them, write the manifest, bring what it lists."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tomoportal.client.downloads.engine import Engine, Outcome
from tomoportal.client.downloads.listing import Asker, Source, listed
from tomoportal.client.downloads.manifest import Manifest, ManifestWriter, Totals
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.place import Destination
from tomoportal.errors import Incomplete, UsageError


def write_manifest(file: IO[bytes], portal: str, sources: Iterable[Source], patience: float) -> Totals:
    """List the sources into a manifest. Raises `UsageError` when there are none."""
    bases: dict[str, None] = {}

    def of_one_base() -> Iterator[Source]:
        for source in sources:
            bases[source.base] = None
            if len(bases) > 1:
                raise UsageError(
                    f"These files lie at several places ({', '.join(bases)}); download those of one at a time."
                )
            yield source

    writer: ManifestWriter | None = None
    for item in listed(portal, of_one_base(), patience):
        if writer is None:
            writer = ManifestWriter(file, portal, next(iter(bases)))
        writer.add(item)
    if writer is None:
        raise UsageError("Nothing of this is at the portal: no file fits what was asked for.")
    return writer.end()


@contextmanager
def planned(portal: str, sources: Iterable[Source], patience: float) -> Iterator[Manifest]:
    """The manifest of the sources, kept for as long as the block runs."""
    with tempfile.TemporaryFile() as file:
        write_manifest(file, portal, sources, patience)
        yield Manifest(file, "the portal's list of files")


@contextmanager
def fetched_manifest(url: str, patience: float) -> Iterator[Manifest]:
    """The manifest at an address, kept for as long as the block runs. Raises `RemoteError`, `UsageError` for what is none."""
    asker = Asker(patience)
    try:
        with tempfile.TemporaryFile() as file:
            asker.save(url, file)
            yield Manifest(file, url)
    finally:
        asker.wire.drop()


def download(manifest: Manifest, folder: Path, options: Options) -> Outcome:
    """Bring everything. Raises `Incomplete`, or the only error there was."""
    return settled(Engine(manifest, Destination(folder), options).run())


def settled(outcome: Outcome) -> Outcome:
    """The same, when nothing failed."""
    if outcome.failed_units == 1:
        raise outcome.failed[0]
    if outcome.failed_units:
        raise Incomplete(outcome.failed, outcome.failed_units)
    return outcome


def fetch(portal: str, sources: Iterable[Source], folder: Path, options: Options) -> list[Path]:
    """Download the sources; the paths of the files and whole folders (OME-Zarr), in the order of the sources."""
    with planned(portal, sources, options.patience) as manifest:
        download(manifest, folder, options)
        return [folder / unit.path for unit in manifest.units()]

"""Sizes of mirrored volumes: measured once, kept beside the database, forgotten when the metadata change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures_layout import small_layout
from fixtures_mirror import Mirror
from tomoportal.catalog import Addresses, Catalog, load, open_catalog
from tomoportal.catalog.measure import measure
from tomoportal.model import query as q
from tomoportal.storage import LocalStorage
from tomoportal.storage.protocol import Entry

SPACING = "10500/TS_001/Reconstructions/VoxelSpacing13.480"
TOMOGRAM = f"{SPACING}/Tomograms/100"


class Listing(LocalStorage):
    """Remembers what was listed as a whole."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.listed: list[str] = []

    def list(self, prefix: str = "") -> Iterator[Entry]:
        self.listed.append(prefix)
        return super().list(prefix)


def sizes(catalog: Catalog, entity: str, *names: str) -> list[Any]:
    rows = catalog.view(addresses=Addresses()).rows(q.Select(entity, tuple(q.Value(n, n) for n in names)))
    return [tuple(row[name] for name in names) if len(names) > 1 else row[names[0]] for row in rows]


def test_sizes_are_those_of_the_files(mirror: Mirror, catalog: Catalog, url: str) -> None:
    storage = Listing(mirror.root)
    found = measure(storage, url)
    assert (found.datasets, found.runs, found.known) == (("10500",), 1, 0)
    assert storage.listed == ["10500/TS_001"]
    load(storage, catalog)
    assert sizes(catalog, "Tomogram", "file_size_omezarr") == [mirror.size_below(f"{TOMOGRAM}/TS_001.zarr")]
    series = "10500/TS_001/TiltSeries/100/TS_001.{}"
    assert sizes(catalog, "TiltSeries", "file_size_mrc", "file_size_omezarr") == [
        (mirror.sizes[series.format("mrc")], mirror.size_below(series.format("zarr")))
    ]
    mask = mirror.size_below(f"{SPACING}/Annotations/101/membrane-1.0_segmentationmask.zarr")
    assert ("zarr", mask) in sizes(catalog, "AnnotationFile", "format", "file_size")
    assert sizes(catalog, "Dataset", "file_size") == [mirror.size_below("10500")]


def test_later_loads_and_new_catalogues_keep_them(mirror: Mirror, catalog: Catalog, url: str) -> None:
    storage = Listing(mirror.root)
    measure(storage, url)
    load(storage, catalog)
    known = sizes(catalog, "Tomogram", "file_size_omezarr")
    catalog.database.create()
    storage.listed.clear()
    assert measure(storage, url).known == 1
    with open_catalog(url) as anew:
        load(storage, anew)
        assert sizes(anew, "Tomogram", "file_size_omezarr") == known != [None]
    assert not storage.listed


def test_it_goes_on_where_it_was_stopped(mirror: Mirror, url: str) -> None:
    mirror.run("TS_002")
    mirror.run("TS_003")
    finished: list[str] = []

    def stop(run: str) -> None:
        finished.append(run)
        if len(finished) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(LocalStorage(mirror.root), url, done=stop)
    storage = Listing(mirror.root)
    found = measure(storage, url)
    assert (found.runs, found.known, storage.listed) == (1, 2, ["10500/TS_003"])


def test_a_size_goes_when_its_metadata_change(mirror: Mirror, catalog: Catalog, url: str) -> None:
    storage = LocalStorage(mirror.root)
    measure(storage, url)
    mirror.change(f"{TOMOGRAM}/tomogram_metadata.json", tomogram_version=2)
    load(storage, catalog)
    assert sizes(catalog, "Tomogram", "file_size_omezarr") == [None]
    assert sizes(catalog, "Dataset", "file_size") == [None]
    assert None not in sizes(catalog, "TiltSeries", "file_size_omezarr")
    assert measure(storage, url).runs == 1
    load(storage, catalog)
    assert sizes(catalog, "Dataset", "file_size") == [mirror.size_below("10500")]


def test_only_those_named_and_none_of_ours(mirror: Mirror, url: str) -> None:
    layout = small_layout(mirror.root)
    assert measure(layout.storage, url, ["30001"]).datasets == ()
    assert measure(layout.storage, url, ["10500"]).runs == 1

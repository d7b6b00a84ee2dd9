"""Addresses of a portal that people copy from a browser, and what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from tomoportal.client.classes import AnnotationFile, Run, Tomogram
from tomoportal.client.connection import Client
from tomoportal.client.http_store import HttpStore
from tomoportal.client.volume import open_volume
from tomoportal.errors import UsageError
from tomoportal.napari.appearance import LayerData
from tomoportal.napari.layers import image_layer, part_layers, tomogram_layers
from tomoportal.napari.parts import part_of
from tomoportal.viewer.colours import colours

_VOLUME = re.compile(r"(?P<portal>https?://.+?)/files/.+\.zarr")
_PAGE = re.compile(r"(?P<portal>https?://.+?)(?:/view)?/(?P<kind>tomograms|runs)/(?P<id>\d+)")
_EXPECTED = "expected the page of a tomogram or run, or the address of an OME-Zarr folder below /files/."


def is_known(address: str) -> bool:
    """Whether it may be something that can be opened."""
    return bool(_PAGE.fullmatch(_bare(address)) or _VOLUME.fullmatch(_bare(address)))


def layers_at(address: str) -> Iterator[LayerData]:
    """What an address stands for. A run stands for the tomogram that its portal shows first.

    Raises `UsageError`, `RemoteError`, `FormatError`.
    """
    bare = _bare(address)
    if page := _PAGE.fullmatch(bare):
        client, id = Client(page["portal"]), int(page["id"])
        chosen = parse_qs(urlsplit(address).query).get("tomogram", [""])[0]
        if page["kind"] == "tomograms" or chosen.isdecimal():
            return tomogram_layers(_tomogram(client, int(chosen) if chosen.isdecimal() else id))
        return tomogram_layers(first_tomogram(_run(client, id)))
    if volume := _VOLUME.fullmatch(bare):
        return _volume(Client(volume["portal"]), bare)
    raise UsageError(f"{address} cannot be opened; {_EXPECTED}")


def first_tomogram(run: Run) -> Tomogram:
    """The tomogram that is shown first: by the portal's choice, else the finest. Raises `UsageError` when there is none."""
    tomograms = [one for one in run.tomograms if one.https_omezarr_dir]
    if not tomograms:
        raise UsageError(f"{run!r} has no tomogram in OME-Zarr; there is nothing to open.")
    return min(tomograms, key=lambda one: (not one.is_visualization_default, one.voxel_spacing, one.id))


def _bare(address: str) -> str:
    """Without the state of a page."""
    return re.split(r"[?#]", address, maxsplit=1)[0].rstrip("/")


def _tomogram(client: Client, id: int) -> Tomogram:
    found = Tomogram.get_by_id(client, id, prefetch="run")
    if found is None:
        raise UsageError(f"there is no tomogram {id} at {client.base_url}.")
    return found


def _run(client: Client, id: int) -> Run:
    found = Run.get_by_id(client, id)
    if found is None:
        raise UsageError(f"there is no run {id} at {client.base_url}.")
    return found


def _volume(client: Client, address: str) -> Iterator[LayerData]:
    """A tomogram alone, a mask in its colour, or whatever image there is."""
    for tomogram in Tomogram.find(client, Tomogram.https_omezarr_dir == address, prefetch="run"):
        return tomogram_layers(tomogram, parts=())
    for file in AnnotationFile.find(client, AnnotationFile.https_path == address):
        part = replace(part_of(file), is_visible=True)
        return iter(part_layers(part, colours([part.identity])[0]))
    first = open_volume(HttpStore(client, address), address)
    rest = [open_volume(HttpStore(client, address), address, level) for level in range(1, first.levels)]
    return iter([image_layer([first, *rest], address.rpartition("/")[2])])

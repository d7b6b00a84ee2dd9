"""What the metadata of an OME-Zarr image tell about its levels: NGFF 0.4 on Zarr v2, 0.5 on Zarr v3. Axes are z, y, x.

Zarr v2: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html, v3: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numcodecs import GZip, get_codec
from numcodecs.blosc import Blosc
from numcodecs.zstd import Zstd

from tomoportal.errors import FormatError, NotFound
from tomoportal.storage import Storage

Shape = tuple[int, int, int]
Decoder = Callable[[Any], Any]

BROKEN = (RuntimeError, ValueError, KeyError, TypeError, IndexError, AttributeError, StopIteration)
"""What damaged metadata and chunks raise."""
_CHECKSUM = 4
_V3: dict[str, Decoder] = {
    "blosc": Blosc().decode,
    "zstd": Zstd().decode,
    "gzip": GZip().decode,
    "crc32c": lambda data: memoryview(data)[:-_CHECKSUM],
}
"""Codecs of Zarr v3 from bytes to bytes; a checksum is taken off, the decoder before it finds damage."""


@dataclass(frozen=True, slots=True)
class Level:
    """One array of the pyramid: its folder (`path`), shape and chunks, how chunks are decoded (`decoders`, the first one first),
    and how many voxels of the finest level one voxel of it covers along z, y, x (`factors`)."""

    path: str
    shape: Shape
    chunks: Shape
    dtype: np.dtype
    decoders: tuple[Decoder, ...]
    fill: float
    prefix: str
    separator: str
    factors: Shape

    def chunk_path(self, index: Shape) -> str:
        """Where the chunk at a place of the grid lies."""
        return f"{self.path}/{self.prefix}{self.separator.join(map(str, index))}"

    def decoded(self, data: Any) -> np.ndarray:
        """The voxels of a chunk as it is stored. Raises one of `BROKEN`."""
        for decode in self.decoders:
            data = decode(data)
        return np.frombuffer(data, self.dtype, math.prod(self.chunks)).reshape(self.chunks)


def metadata_path(storage: Storage, path: str) -> str:
    """The file that describes the image in the folder `path`; that of Zarr v2 where there is neither. Raises `StorageError`."""
    described = f"{path}/zarr.json"
    try:
        storage.stat(f"{path}/.zattrs")
    except NotFound:
        with suppress(NotFound):
            storage.stat(described)
            return described
    return f"{path}/.zattrs"


def read_levels(storage: Storage, path: str) -> tuple[Level, ...]:
    """The levels of the image in the folder `path`, finest first. Raises `FormatError` for what is no such image, `StorageError`."""
    try:
        image, array = _image(storage, path)
        levels = tuple(array(image, dataset) for dataset in image["datasets"])
    except NotFound as error:
        raise FormatError(
            path, "no pictures can be made of this; expected OME-Zarr 0.4 on Zarr v2 or 0.5 on Zarr v3."
        ) from error
    except FormatError:
        raise
    except BROKEN as error:
        raise FormatError(path, f"the metadata of this OME-Zarr are damaged ({error}).") from error
    if not levels:
        raise FormatError(path, "this OME-Zarr has no levels.")
    return levels


def _image(storage: Storage, path: str) -> tuple[Any, Callable[[Any, Any], Level]]:
    """The image's description, and what reads one of its arrays."""

    def described(name: str) -> Any:
        return json.loads(storage.read(f"{path}/{name}"))

    try:
        image = described(".zattrs")["multiscales"][0]
    except NotFound:
        attributes = described("zarr.json")["attributes"]
        image = attributes.get("ome", attributes)["multiscales"][0]
        return image, lambda image, of: _v3(
            f"{path}/{of['path']}", described(f"{of['path']}/zarr.json"), _factors(image, of)
        )
    return image, lambda image, of: _v2(
        f"{path}/{of['path']}", described(f"{of['path']}/.zarray"), _factors(image, of)
    )


def _factors(image: Any, dataset: Any) -> Shape:
    finest, own = _scale(image["datasets"][0]), _scale(dataset)
    z, y, x = (max(1, round(coarse / fine)) for coarse, fine in zip(own, finest, strict=True))
    return z, y, x


def _scale(dataset: Any) -> list[float]:
    """The voxel size of a level along z, y, x."""
    return next(step["scale"] for step in dataset["coordinateTransformations"] if step["type"] == "scale")


def _v2(place: str, array: Any, factors: Shape) -> Level:
    z, y, x = array["shape"]
    if array.get("order", "C") != "C":
        raise FormatError(place, "chunks in this order cannot be read; expected order C.")
    codecs = [codec for codec in (*(array.get("filters") or ()), array.get("compressor")) if codec]
    return Level(
        place, (z, y, x), _sides(place, array["chunks"]), np.dtype(array["dtype"]),
        tuple(get_codec(codec).decode for codec in reversed(codecs)), array.get("fill_value") or 0, "",
        array.get("dimension_separator", "."), factors,
    )  # fmt: skip


def _v3(place: str, array: Any, factors: Shape) -> Level:
    z, y, x = array["shape"]
    grid, keys, codecs = array["chunk_grid"], array["chunk_key_encoding"], array["codecs"]
    names = [codec["name"] for codec in codecs]
    if "sharding_indexed" in names:
        raise FormatError(
            place, "sharded OME-Zarr cannot be cut into pictures yet.", "The 3-D viewer and zarr read it."
        )
    if names[0] != "bytes" or grid["name"] != "regular" or not set(names[1:]) <= set(_V3):
        raise FormatError(
            place,
            f"chunks of the codecs {', '.join(names)} cannot be read; expected bytes, then {', '.join(_V3)}.",
        )
    is_big = codecs[0].get("configuration", {}).get("endian") == "big"
    dtype = np.dtype(array["data_type"]).newbyteorder(">" if is_big else "<")
    is_plain = keys["name"] == "v2"
    separator = keys.get("configuration", {}).get("separator", "." if is_plain else "/")
    return Level(
        place, (z, y, x), _sides(place, grid["configuration"]["chunk_shape"]), dtype,
        tuple(_V3[name] for name in reversed(names[1:])), float(array["fill_value"]), "" if is_plain else f"c{separator}",
        separator, factors,
    )  # fmt: skip


def _sides(place: str, chunks: Any) -> Shape:
    z, y, x = chunks
    if min(z, y, x) < 1:
        raise FormatError(place, f"chunks of {z} × {y} × {x} voxels hold nothing.")
    return z, y, x

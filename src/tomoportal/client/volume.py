"""A volume of a portal as a lazy array: only the chunks that are computed with travel."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tomoportal.client.extras import needed
from tomoportal.client.pages import portal_of
from tomoportal.errors import FormatError, RemoteError, UsageError

if TYPE_CHECKING:
    import dask.array
    import numpy

    from tomoportal.client.entities import ClientEntity

AXES = "zyx"
_IN_ANGSTROM = {
    None: 1.0,
    "angstrom": 1.0,
    "nanometer": 10.0,
    "micrometer": 1e4,
    "picometer": 0.01,
    "meter": 1e10,
}
"""Ångströms in the units of NGFF; axes without a unit are taken for Å, as the portal writes them."""

Via = Literal["https", "s3"]


@dataclass(frozen=True, eq=False)
class Volume:
    """One resolution level of an OME-Zarr image. `array`: dask array of the shape (z, y, x); `voxel_size`: Å along z, y, x; `level`:
    0 is the finest of `levels`; `address`: where it comes from."""

    array: dask.array.Array
    voxel_size: tuple[float, float, float]
    level: int
    levels: int
    address: str
    axes: str = AXES

    @property
    def shape(self) -> tuple[int, ...]:
        """(z, y, x)."""
        return self.array.shape

    @property
    def dtype(self) -> numpy.dtype[Any]:
        """The type of a voxel."""
        return self.array.dtype

    def __getitem__(self, index: Any) -> dask.array.Array:
        """A part of the array, still lazy."""
        return self.array[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> numpy.ndarray[Any, Any]:
        """The whole array, fetched now."""
        import numpy

        return numpy.asarray(self.array.compute(), dtype=dtype)

    def __repr__(self) -> str:
        size = " × ".join(str(extent) for extent in self.shape)
        spacing = ", ".join(f"{extent:g}" for extent in self.voxel_size)
        return f"Volume({size} {self.dtype}, axes {self.axes}, voxels of {spacing} Å, level {self.level} of {self.levels})"


class Openable:
    """For what has an OME-Zarr folder."""

    _places: tuple[str, str] = ("https_omezarr_dir", "s3_omezarr_dir")

    def open(self, level: int = 0, *, via: Via = "https") -> Volume:
        """The OME-Zarr image at a resolution level (0 is the finest) as a lazy array, over HTTP or from S3, without downloading it.

        Needs `tomoportal[analysis]`, and `tomoportal[s3]` for S3: anonymous, at the portal itself or else where `AWS_ENDPOINT_URL` and
        `AWS_REGION` say. Raises `UsageError` when there is no such image or level, `RemoteError`, `FormatError`.
        """
        if via not in ("https", "s3"):
            raise UsageError(f"via is {via!r}; expected 'https' or 's3'.")
        entity: Any = self
        address = entity.__dict__.get(self._places[via == "s3"])
        if address is None:
            raise UsageError(f"{self!r} has no OME-Zarr image.")
        return open_volume(_store(entity, address, via), address, level)


class OpenableFile(Openable):
    """For files of annotations."""

    _places = ("https_path", "s3_path")

    def open(self, level: int = 0, *, via: Via = "https") -> Volume:
        """A mask in OME-Zarr as a lazy array; see `Tomogram.open`."""
        entity: Any = self
        if entity.format != "zarr":
            raise UsageError(
                f"{self!r} is a file of the format {entity.format}; only zarr can be opened without downloading it."
            )
        return super().open(level, via=via)


def _store(entity: ClientEntity, address: str, via: Via) -> Any:
    for package in ("zarr", "dask.array"):
        needed(package, "open()")
    if via == "s3":
        return _s3_store(entity, address)
    from tomoportal.client.http_store import HttpStore

    return HttpStore(entity.client, address.rstrip("/"))


def _s3_store(entity: ClientEntity, address: str) -> Any:
    needed("obstore", "open(via='s3')", "s3")
    from obstore.store import S3Store
    from zarr.storage import ObjectStore

    portal = portal_of(entity)
    options: dict[str, Any] = {"skip_signature": True}
    if portal:
        options |= {"endpoint": f"{portal}/s3", "region": "us-east-1", "virtual_hosted_style_request": False}
    elif elsewhere := os.environ.get("AWS_ENDPOINT_URL"):
        options |= {"endpoint": elsewhere, "virtual_hosted_style_request": False}
    allow_http = options.get("endpoint", "").startswith("http://")
    store = S3Store.from_url(address, client_options={"allow_http": allow_http}, **options)
    return ObjectStore(store, read_only=True)


def open_volume(store: Any, address: str, level: int = 0) -> Volume:
    """A level of the OME-Zarr image in a store of zarr-python."""
    import dask.array
    import zarr

    try:
        group = zarr.open_group(store, mode="r")
    except FileNotFoundError as error:
        raise RemoteError(f"{address} is no OME-Zarr image, or cannot be reached.", 404) from error
    image, count = _image(group.attrs.asdict(), address)
    if not 0 <= level < count:
        raise UsageError(f"{address} has the levels 0 to {count - 1}; there is no level {level}.")
    described = image["datasets"][level]
    array = group[described["path"]]
    if not isinstance(array, zarr.Array) or array.ndim != len(AXES):
        raise FormatError(address, f"level {level} is no array with three axes.")
    lazy = dask.array.from_zarr(array)
    return Volume(lazy, _voxel_size(image, described, address), level, count, address)


def _image(attributes: Mapping[str, Any], address: str) -> tuple[Mapping[str, Any], int]:
    """The first image that the metadata describe (NGFF 0.4, or 0.5 below `ome`), and how many levels it has."""
    images = attributes.get("ome", attributes).get("multiscales")
    if not images or not images[0].get("datasets"):
        raise FormatError(address, "its metadata describe no image (multiscales).")
    return images[0], len(images[0]["datasets"])


def _voxel_size(
    image: Mapping[str, Any], described: Mapping[str, Any], address: str
) -> tuple[float, float, float]:
    """Å along z, y, x: all scales of the level and of the image, in the units of the axes."""
    steps = [*described.get("coordinateTransformations", ()), *image.get("coordinateTransformations", ())]
    scales = [step["scale"] for step in steps if step.get("type") == "scale"]
    axes = image.get("axes") or [{"name": name} for name in AXES]
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in axes]
    units = [axis.get("unit") if isinstance(axis, dict) else None for axis in axes]
    if "".join(names) != AXES or not scales or not set(units) <= set(_IN_ANGSTROM):
        raise FormatError(
            address, f"its axes are {names} in {units} with {len(scales)} scales; expected z, y, x."
        )
    z, y, x = (
        math.prod(column) * _IN_ANGSTROM[unit]
        for column, unit in zip(zip(*scales, strict=True), units, strict=True)
    )
    return z, y, x

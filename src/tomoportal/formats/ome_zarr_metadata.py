"""The metadata files of an OME-Zarr image on disk: NGFF 0.4 on Zarr v2, exactly as bytes. Pure; writes nothing.

Format: https://ngff.openmicroscopy.org/0.4/ and the Zarr v2 specification. Axes are z, y, x in ångström.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

COMPRESSOR, LEVEL = "lz4", 5
BYTE_SHUFFLE, BIT_SHUFFLE = 1, 2


def group_metadata() -> bytes:
    """The content of `.zgroup`."""
    return _text({"zarr_format": 2})


def array_metadata(shape: Sequence[int], chunks: Sequence[int], dtype: str, shuffle: int) -> bytes:
    """The content of `.zarray`; `dtype` is a numpy type string such as `<f4`."""
    return _text(
        {
            "chunks": list(chunks),
            "compressor": {
                "blocksize": 0,
                "clevel": LEVEL,
                "cname": COMPRESSOR,
                "id": "blosc",
                "shuffle": shuffle,
            },
            "dimension_separator": "/",
            "dtype": dtype,
            "fill_value": 0.0 if dtype[1] == "f" else 0,
            "filters": None,
            "order": "C",
            "shape": list(shape),
            "zarr_format": 2,
        }
    )


def image_metadata(
    scales: Sequence[Sequence[float]], image_label: Mapping[str, object] | None = None
) -> bytes:
    """The content of `.zattrs`; `scales` holds the voxel size (z, y, x) in Å of each level. `image_label` is what NGFF calls
    `image-label`: it stands where NGFF has it, and in the `metadata` of the image, where readers of the public portal's masks look."""
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    datasets = [
        {"coordinateTransformations": _placed(scale, scales[0]), "path": str(level)}
        for level, scale in enumerate(scales)
    ]
    labels = {"image-label": dict(image_label)} if image_label else {}
    image = {"axes": axes, "datasets": datasets, "metadata": labels, "name": "/", "version": "0.4"}
    return _text({"multiscales": [image], **labels})


def image_label(colours: Mapping[int, Sequence[int]]) -> dict[str, object]:
    """What NGFF says of label images: each label with its colour (red, green, blue)."""
    listed = [{"label-value": label, "rgba": [*colour, 255]} for label, colour in colours.items()]
    return {"colors": listed, "version": "0.4"}


def _placed(scale: Sequence[float], finest: Sequence[float]) -> list[dict[str, object]]:
    """Where a level lies. The origin is the centre of the first voxel of the finest level; the first voxel of a coarser one covers
    several of those, so that its centre is farther in."""
    placed: list[dict[str, object]] = [{"scale": list(scale), "type": "scale"}]
    shift = [round((size - fine) / 2, 6) for size, fine in zip(scale, finest, strict=True)]
    if any(shift):
        placed.append({"translation": shift, "type": "translation"})
    return placed


def _text(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, indent=4, sort_keys=True).encode()

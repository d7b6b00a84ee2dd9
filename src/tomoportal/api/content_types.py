"""Which content type a stored file is sent with: by its name, and never one that a browser would run."""

from __future__ import annotations

_JSON = b"application/json"
_TEXT = b"text/plain; charset=utf-8"
_BYTES = b"application/octet-stream"
"""Also for MRC, EER, DM4, chunks, IMOD models and HDF5, which have no registered type."""

_TEXT_ENDINGS = (
    *("csv", "log", "md", "star", "tbl", "toml", "tsv", "txt", "xml", "yaml", "yml"),
    *("aln", "cmm", "com", "defocus", "fid", "mdoc", "order", "pf", "prexf", "prexg"),
    *("rawtlt", "tlt", "tltxf", "xf", "xg", "xtilt"),
)
_TYPES = {
    **dict.fromkeys(("json", "zattrs", "zarray", "zgroup", "zmetadata"), _JSON),
    "ndjson": b"application/x-ndjson",
    "png": b"image/png",
    "gif": b"image/gif",
    **dict.fromkeys(("jpg", "jpeg"), b"image/jpeg"),
    **dict.fromkeys(("tif", "tiff"), b"image/tiff"),
    "glb": b"model/gltf-binary",
    "obj": b"model/obj",
    "stl": b"model/stl",
    "gz": b"application/gzip",
    "zip": b"application/zip",
    **dict.fromkeys(_TEXT_ENDINGS, _TEXT),
}
_PRECOMPUTED = "info"
"""The metadata file of Neuroglancer's precomputed format."""


def content_type(path: str) -> bytes:
    """The header's value for a path of the layout."""
    name = path.rpartition("/")[2]
    return _JSON if name == _PRECOMPUTED else _TYPES.get(name.rpartition(".")[2].lower(), _BYTES)

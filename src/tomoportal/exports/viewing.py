"""The viewer state of a tomogram, made when it is asked for: the volume with every annotation that fits it now.

What the catalogue knows decides what is shown. The copy that ingestion left in the layout gives what rows do not hold: the limits of
contrast, the numbers of objects in a mask, surfaces, colours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from tomoportal.catalog import View
from tomoportal.layout.paths import owner, viewer_layer
from tomoportal.model.fields import FILES_MARK
from tomoportal.model.query import Many, One, Selection, Value
from tomoportal.viewer.overlays import MASKS, Shown, is_drawn, overlay
from tomoportal.viewer.state import ImageLayer, tomogram_state

_FORMATS = {**dict.fromkeys(MASKS, "zarr"), "TriangularMesh": "glb"}
"""Shape → the format of the file that stands for it; of points it is ndjson."""
IN_LAYOUT = {"Mesh": "TriangularMesh"}
"""The API's words for shapes that are called otherwise in the layout."""
_UNKNOWN = (0.0, 1.0)
_OURS = "|zarr2:"
"""How our states name a volume. What another program has left, in the copy of another portal's files, is shown as it is."""

_ANNOTATION: tuple[Selection, ...] = (
    *(Value(name, name) for name in ("object_name", "object_id", "annotation_method", "ground_truth_status")),
    One("spacing", "tomogram_voxel_spacing", (Value("voxel_spacing", "voxel_spacing"),)),
    Many("shapes", "annotation_shapes", (
        Value("shape", "shape_type"),
        Many("files", "annotation_files", (
            Value("path", "https_path"), Value("format", "format"), Value("alignment", "alignment_id"),
            Value("visible", "is_visualization_default"),
        )),
    )),
)  # fmt: skip
_TOMOGRAM: tuple[Selection, ...] = (
    *(Value(name, name) for name in ("alignment_id", "voxel_spacing", "size_x", "size_y", "size_z")),
    Value("zarr", "https_omezarr_dir"),
    Value("copy", "neuroglancer_config"),
    One("run", "run", (Value("name", "name"), Many("annotations", "annotations", _ANNOTATION))),
)


def viewer_state(view: View, tomogram: int) -> str | None:
    """The state as JSON text, with the addresses of `view`; None when this reader may not see the tomogram, or nothing of it can be
    looked at. Annotations are drawn that share its alignment; without one, those of its voxel spacing."""
    row = view.one("Tomogram", tomogram, _TOMOGRAM)
    if row is None or not row["zarr"] or row["voxel_spacing"] <= 0:
        return None if row is None else row["copy"]
    copy = json.loads(row["copy"]) if row["copy"] else None
    known = [address for layer in (copy or {}).get("layers", ()) for address in addresses(layer)]
    if copy is not None and not any(_OURS in address for address in known):
        return str(row["copy"])
    base = view.addresses.files
    missing = [shown for shown in _fitting(row, base) if not any(leads_to(at, shown.path) for at in known)]
    made = tomogram_state(_image(row, base), [overlay(shown) for shown in missing])
    layers = json.loads(json.dumps(made["layers"]).replace(FILES_MARK, base))
    if copy is None:
        del layers[0]["shaderControls"]
        return json.dumps(made | {"layers": layers}, ensure_ascii=False)
    return json.dumps(
        copy | {"layers": [*copy["layers"], *_renamed(copy["layers"], layers[1:])]}, ensure_ascii=False
    )


def addresses(layer: dict[str, Any]) -> Iterator[str]:
    """Where the data of a layer come from, unquoted. A source is an address, an object with one, or a list of these."""
    source = layer.get("source") or []
    for item in source if isinstance(source, list) else [source]:
        yield unquote(str(item.get("url", "") if isinstance(item, dict) else item))


def leads_to(address: str, path: str) -> bool:
    """Whether an address of a layer is that of a path of the layout."""
    _, found, rest = address.partition(path)
    return bool(found) and (not rest or rest[0] in "/|")


def drawn_from(path: str, shape: str) -> str:
    """The path that the layer of an annotation file is drawn from: that of a mask itself, else the folder made for the viewer."""
    key = owner(path)
    return path if shape in MASKS or key is None else viewer_layer(key, shape)


def _fitting(row: dict[str, Any], base: str) -> Iterator[Shown]:
    """What is drawn with a tomogram."""
    for annotation in row["run"]["annotations"]:
        spacing = annotation["spacing"]["voxel_spacing"]
        for item in annotation["shapes"]:
            shape = IN_LAYOUT.get(item["shape"], item["shape"])
            for file in item["files"]:
                is_same = file["alignment"] == row["alignment_id"]
                fits = is_same and (file["alignment"] is not None or spacing == row["voxel_spacing"])
                if fits and is_drawn(shape) and file["format"] == _FORMATS.get(shape, "ndjson"):
                    yield _shown(annotation, shape, file, spacing, base)


def _shown(annotation: dict[str, Any], shape: str, file: dict[str, Any], spacing: float, base: str) -> Shown:
    path = drawn_from(file["path"].removeprefix(base).strip("/"), shape)
    return Shown(
        annotation["object_name"], annotation["object_id"], annotation["annotation_method"],
        bool(annotation["ground_truth_status"]), shape, path, spacing, bool(file["visible"]),
    )  # fmt: skip


def _image(row: dict[str, Any], base: str) -> ImageLayer:
    size = (row["size_x"] or 1, row["size_y"] or 1, row["size_z"] or 1)
    path = row["zarr"].removeprefix(base).strip("/")
    return ImageLayer(row["run"]["name"], path, row["voxel_spacing"], size, _UNKNOWN, _UNKNOWN)


def _renamed(before: list[dict[str, Any]], added: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Added layers, numbered where a layer is called so already: the viewer knows layers by their names."""
    taken = {layer.get("name") for layer in before}
    for layer in added:
        name, number = layer["name"], 2
        while name in taken:
            name, number = f"{layer['name']} ({number})", number + 1
        taken.add(name)
        yield layer | {"name": name}

"""Every path of the standard layout, built and parsed. Paths are relative POSIX strings without a leading slash.

[dataset]/dataset_metadata.json, Images/
[dataset]/[run]/run_metadata.json, Frames/, Gains/, TiltSeries/[id]/, Alignments/[id]/, IdentifiedObjects/
[dataset]/[run]/Reconstructions/VoxelSpacing[%.3f]/Tomograms/[id]/, Annotations/[id]/, Images/[tomogram]/,
                                                   NeuroglancerPrecompute/
DepositionMetadata/[deposition]/deposition_metadata.json, Images/
.tomoportal/     private
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

PRIVATE = ".tomoportal"
DEPOSITIONS = "DepositionMetadata"
DEPOSITIONS_OF_REFERENCE = "depositions_metadata"
IMAGES = "Images"
FIRST_ID = 100
"""Folder ids count from here in their container."""

SidecarKind = Literal[
    "deposition", "dataset", "run", "frames", "gains", "tiltseries", "alignment", "identified_objects", "voxel_spacing",
    "tomogram", "annotation", "view",
]  # fmt: skip

_FORBIDDEN_RUNS = {IMAGES, PRIVATE, DEPOSITIONS, DEPOSITIONS_OF_REFERENCE}
_SPACING = re.compile(r"VoxelSpacing(\d+\.\d{3})$")
_ID = re.compile(r"[0-9]{1,18}\Z")
_HIDDEN = re.compile(r"(?:^|/)\.(?!z(?:attrs|array|group|metadata)(?:/|\Z))")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")


@dataclass(frozen=True, slots=True)
class Key:
    """Names one entity of the layout, or the place of one.

    `kind` decides which of the others are set; a `view` is what is derived from a tomogram and its annotations (pictures, viewer state).
    `deposition` and `dataset` are folder names, `spacing` the text `10.000`,
    `id` the folder id inside the container.
    """

    kind: SidecarKind
    deposition: str = ""
    dataset: str = ""
    run: str = ""
    spacing: str = ""
    id: int = 0

    def of(self, kind: SidecarKind, *, spacing: str | None = None, id: int = 0) -> Key:
        """Another entity of the same run (and, unless given, the same voxel spacing)."""
        return Key(
            kind, self.deposition, self.dataset, self.run, self.spacing if spacing is None else spacing, id
        )


def safe_name(name: str) -> bool:
    """Whether `name` may be a folder or file name of the layout: one segment, no control characters, not hidden."""
    return bool(name) and not _UNSAFE.search(name) and not name.startswith(".") and len(name.encode()) <= 200


def safe_run_name(name: str) -> bool:
    """Whether a run may be called so."""
    return safe_name(name) and name not in _FORBIDDEN_RUNS and name not in SIDECARS.values()


def spacing_name(voxel_spacing: float) -> str:
    """`10.0` → `10.000`: how a voxel spacing in Å stands in folder names."""
    return f"{round(float(voxel_spacing), 3):.3f}"


def folder(key: Key) -> str:
    """The folder that belongs to an entity, without a trailing slash."""
    run = f"{key.dataset}/{key.run}"
    spacing = f"{run}/Reconstructions/VoxelSpacing{key.spacing}"
    match key.kind:
        case "deposition":
            return f"{DEPOSITIONS}/{key.deposition}"
        case "dataset":
            return key.dataset
        case "run":
            return run
        case "frames":
            return f"{run}/Frames"
        case "gains":
            return f"{run}/Gains"
        case "tiltseries":
            return f"{run}/TiltSeries/{key.id}"
        case "alignment":
            return f"{run}/Alignments/{key.id}"
        case "identified_objects":
            return f"{run}/IdentifiedObjects"
        case "voxel_spacing":
            return spacing
        case "tomogram":
            return f"{spacing}/Tomograms/{key.id}"
        case "view":
            return f"{spacing}/{IMAGES}/{key.id}"
        case "annotation":
            return f"{spacing}/Annotations/{key.id}"


SIDECARS = {
    "deposition": "deposition_metadata.json",
    "dataset": "dataset_metadata.json",
    "run": "run_metadata.json",
    "frames": "frames_metadata.json",
    "tiltseries": "tiltseries_metadata.json",
    "alignment": "alignment_metadata.json",
    "identified_objects": "identified_objects_metadata.json",
    "tomogram": "tomogram-metadata.json",
}
"""File names of sidecars; an annotation's is named after the object, and gains and voxel spacings have none."""


def sidecar(key: Key, stem: str = "") -> str:
    """Path of the sidecar JSON; `stem` is the file stem of an annotation (`cytosolic_ribosome-1.0`)."""
    name = f"{stem}.json" if key.kind == "annotation" else SIDECARS[key.kind]
    return f"{folder(key)}/{name}"


def annotation_stem(name: str, version: object, description: str | None = None) -> str:
    """File stem of an annotation: the object's description (if it has at most 50 characters) or name, and the version."""
    words = description if description and len(description) <= 50 else name
    return f"{re.sub(r'[^0-9a-z]', '_', words.lower())}-{re.sub(r'[^0-9a-z.]', '_', str(version).lower())}"


def pictures(key: Key) -> str:
    """Folder of the pictures of a deposition, dataset or tomogram."""
    if key.kind == "tomogram":
        return f"{folder(key.of('voxel_spacing'))}/{IMAGES}/{key.id}"
    return f"{folder(key)}/{IMAGES}"


def picture(key: Key, size: str) -> str:
    """A picture: `size` is original, snapshot, thumbnail or expanded."""
    name = f"key-photo-{size}.png" if key.kind == "tomogram" else f"{size}.png"
    return f"{pictures(key)}/{name}"


def viewer_folder(key: Key) -> str:
    """Folder with the viewer states and layers of a voxel spacing."""
    return f"{folder(key.of('voxel_spacing'))}/NeuroglancerPrecompute"


def viewer_state(tomogram: Key) -> str:
    """Path of the stored viewer state of a tomogram."""
    return f"{viewer_folder(tomogram)}/{tomogram.id}-neuroglancer-config.json"


def viewer_layer(annotation: Key, shape: str) -> str:
    """Folder of the viewer layer of one shape of an annotation."""
    return f"{viewer_folder(annotation)}/{annotation.id}-{shape.lower()}_precompute"


def is_private(path: str) -> bool:
    """Whether a path must never be served or listed: the private area, and anything hidden."""
    return _HIDDEN.search(path) is not None


def owner(path: str) -> Key | None:
    """The entity that a path belongs to: the innermost one with a sidecar of its own. None for what belongs to none.

    Pictures and viewer states belong to their tomogram, viewer layers to their annotation.
    """
    parts = path.strip("/").split("/")
    if not parts[0] or is_private(path):
        return None
    if parts[0] in (DEPOSITIONS, DEPOSITIONS_OF_REFERENCE):
        return Key("deposition", deposition=parts[1]) if len(parts) > 1 and parts[1] else None
    if len(parts) == 1 or parts[1] in (IMAGES, SIDECARS["dataset"]):
        return Key("dataset", dataset=parts[0])
    run = Key("run", dataset=parts[0], run=parts[1])
    match parts[2:]:
        case ["TiltSeries", number, *_] if _ID.match(number):
            return run.of("tiltseries", id=int(number))
        case ["Alignments", number, *_] if _ID.match(number):
            return run.of("alignment", id=int(number))
        case ["Frames", *_]:
            return run.of("frames")
        case ["Gains", *_]:
            return run.of("gains")
        case ["IdentifiedObjects", *_]:
            return run.of("identified_objects")
        case ["Reconstructions", spacing, *rest] if match := _SPACING.match(spacing):
            return _owner_in_spacing(run.of("voxel_spacing", spacing=match[1]), rest)
        case _:
            return run


def _owner_in_spacing(spacing: Key, rest: list[str]) -> Key:
    match rest:
        case ["Tomograms" | "Images", number, *_] if _ID.match(number):
            return spacing.of("tomogram", id=int(number))
        case ["Annotations", number, *_] if _ID.match(number):
            return spacing.of("annotation", id=int(number))
        case ["NeuroglancerPrecompute", name, *_]:
            number, _, tail = name.partition("-")
            if _ID.match(number):
                is_state = tail.startswith("neuroglancer")
                return spacing.of("tomogram" if is_state else "annotation", id=int(number))
    return spacing


def kind_of_sidecar(path: str) -> Key | None:
    """The entity whose sidecar lies at `path`, in our spelling or the reference system's; None for any other file."""
    parent, _, name = path.rpartition("/")
    key = owner(path)
    if key is None or not name.endswith(".json"):
        return None
    if key.kind == "annotation":
        return key if re.search(r"[0-9]\.json$", name) and parent == folder(key) else None
    accepted = {SIDECARS.get(key.kind), "tomogram_metadata.json" if key.kind == "tomogram" else None}
    is_home = parent == folder(key) or (
        key.kind == "deposition" and parent.split("/")[0] == DEPOSITIONS_OF_REFERENCE
    )
    return key if name in accepted and is_home else None

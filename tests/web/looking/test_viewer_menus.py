"""What the menus of the viewer offer: tomograms by spacing and alignment, layers by deposition, and why the rest is not drawn."""

from __future__ import annotations

from typing import Any

from tomoportal.web.looking.viewer_menus import overlay_groups, tomogram_groups

BASE = "http://portal.example/files/"
HOME = "10000/TS_1/Reconstructions/VoxelSpacing10.000"


def tomogram(id: int, alignment: int | None, spacing: float, zarr: str | None = "x.zarr") -> dict[str, Any]:
    return {
        "id": id, "alignment_id": alignment, "voxel_spacing": spacing, "size_x": 1000, "size_y": 900, "size_z": 300,
        "reconstruction_method": "WBP", "processing": "raw", "reconstruction_software": "IMOD", "processing_software": "IMOD",
        "https_omezarr_dir": zarr,
    }  # fmt: skip


def annotation(
    id: int, shape: str, path: str, alignment: int | None, deposition: str = "A"
) -> dict[str, Any]:
    files = [{"path": f"{BASE}{HOME}/Annotations/{path}", "alignment": alignment}]
    return {
        "id": id, "object_name": f"object {id}", "object_count": id, "ground_truth_status": id == 1,
        "deposition": {"id": 1, "title": deposition}, "shapes": [{"shape": shape, "files": files}],
    }  # fmt: skip


def layer(name: str, kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "source": {"url": f"{BASE}{HOME}/{path}/|zarr2:"}, **more}


def test_tomograms_are_grouped_and_the_current_one_leads():
    rows = [
        tomogram(1, 7, 10.0),
        tomogram(2, 8, 5.0, None),
        tomogram(3, 8, 10.0),
        tomogram(4, 8, 10.0),
        tomogram(5, None, 10.0),
    ]
    groups = tomogram_groups(3, rows, 4)
    assert [[item.id for item in group.tomograms] for group in groups] == [[3, 4], [2], [1], [5]]
    assert [bool(group.note) for group in groups] == [False, False, True, True]
    assert [item.is_current for item in groups[0].tomograms] == [False, True]
    assert groups[0].title == "10\u202fÅ, AL-8"
    assert groups[1].tomograms[0].href == ""
    assert groups[0].tomograms[0].href == "/view/runs/3?tomogram=3"
    assert groups[0].tomograms[0].detail == "TM-3, 1,000 × 900 × 300\u202fpx, IMOD"


def test_without_alignment_only_the_same_voxels_are_comparable():
    groups = tomogram_groups(3, [tomogram(1, None, 10.0), tomogram(2, None, 5.0), tomogram(3, None, 10.0)], 1)
    assert [[item.id for item in group.tomograms] for group in groups] == [[1, 3], [2]]
    assert [bool(group.note) for group in groups] == [False, True]


def test_layers_find_their_annotations():
    rows = [
        annotation(1, "SegmentationMask", "100/m.zarr", 7),
        annotation(2, "Point", "101/p.ndjson", 7, "B"),
        annotation(3, "Point", "102/q.ndjson", 8),
        annotation(4, "Mesh", "103/s.glb", 7),
    ]
    state = {
        "layers": [
            layer("TS_1", "image", "Tomograms/100/TS_1.zarr"),
            layer("mask", "segmentation", "Annotations/100/m.zarr", segmentDefaultColor="#102030", visible=False),
            layer("points", "annotation", "NeuroglancerPrecompute/101-point_precompute", annotationColor="#405060"),
            layer("mine", "annotation", "elsewhere"),
        ]
    }  # fmt: skip
    groups, missing = overlay_groups(rows, state, tomogram(1, 7, 10.0), BASE)
    assert [(group.title, [item.layer for item in group.overlays]) for group in groups] == [
        ("A", ["mask"]),
        ("B", ["points"]),
        ("Other layers", ["mine"]),
    ]
    mask, points = groups[0].overlays[0], groups[1].overlays[0]
    assert (mask.is_truth, mask.is_on, mask.colour, mask.shape) == (True, False, "#102030", "segmentation")
    assert (points.is_truth, points.is_on, points.colour, points.count) == (False, True, "#405060", 2)
    assert [(item.name, item.note) for item in missing] == [
        ("object 3", "AL-8"),
        ("object 4", "nothing that the viewer draws"),
    ]


def test_layers_whose_paths_begin_alike_are_told_apart():
    rows = [
        annotation(1, "SegmentationMask", "100/m.zarr", 7),
        annotation(2, "SegmentationMask", "100/m.zarr2", 7),
    ]
    state = {"layers": [layer("one", "segmentation", "Annotations/100/m.zarr")]}
    groups, missing = overlay_groups(rows, state, tomogram(1, 7, 10.0), BASE)
    assert [item.layer for item in groups[0].overlays] == ["one"]
    assert [item.name for item in missing] == ["object 2"]

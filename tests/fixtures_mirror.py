"""A mirror of the reference system, written by hand from what is known of its files: names, folders and JSON, nothing of ours.

`Mirror(root)` makes deposition 10300 and dataset 10500 with the run TS_001: frames, a gain reference, a tilt series, an alignment,
identified objects, a tomogram with pictures and viewer state, an annotation with points and one with a mask in OME-Zarr and MRC.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

HOST = "https://files.portal.example/data"
DATES = {"deposition_date": "2024-01-02", "release_date": "2024-02-03", "last_modified_date": "2024-03-04"}
AUTHORS = [
    {"name": "Grace Hopper", "ORCID": "0000-0002-1825-0097", "primary_author_status": True, "corresponding_author_status": True},
    {"name": "Rosalind Franklin"},
]  # fmt: skip
NOT_REPORTED = {"name": "not_reported", "id": "not_reported"}
IDENTITY = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


class Mirror:
    """Writes files; `sizes` are the bytes of every file by path."""

    def __init__(self, root: Path, *, deposition: int = 10300, dataset: int = 10500) -> None:
        self.root, self.deposition, self.dataset = root, str(deposition), str(dataset)
        self.sizes: dict[str, int] = {}
        self.json(
            f"depositions_metadata/{deposition}/deposition_metadata.json", deposition_metadata(deposition)
        )
        self.json(f"{dataset}/dataset_metadata.json", self.with_ids(dataset_metadata(dataset)))
        for name in ("snapshot", "thumbnail"):
            self.file(f"{dataset}/Images/{name}.png", b"\x89PNG " + name.encode())
        self.run("TS_001")

    def copied(self, root: Path) -> Mirror:
        """The same files in another folder."""
        shutil.copytree(self.root, root)
        copy = Mirror.__new__(Mirror)
        copy.__dict__.update(self.__dict__, root=root, sizes=dict(self.sizes))
        return copy

    def file(self, path: str, data: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self.sizes[path] = len(data)

    def json(self, path: str, data: Any) -> None:
        self.file(path, json.dumps(data, indent=4).encode())

    def read(self, path: str) -> Any:
        return json.loads((self.root / path).read_text())

    def change(self, path: str, **changes: Any) -> None:
        """Write a JSON file anew with some keys changed; None removes one."""
        data = {**self.read(path), **changes}
        self.json(path, {key: value for key, value in data.items() if value is not None})
        later = os.stat(self.root / path).st_mtime + 1
        os.utime(self.root / path, (later, later))

    def with_ids(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "deposition_id": self.deposition, "last_updated_at": 1700000000}

    def size_below(self, folder: str) -> int:
        return sum(size for path, size in self.sizes.items() if path.startswith(f"{folder}/"))

    def run(self, name: str) -> None:
        """A run with everything in it."""
        home = f"{self.dataset}/{name}"
        self.json(f"{home}/run_metadata.json", self.with_ids({"run_name": name}))
        self._frames(home, name)
        self.file(f"{home}/Gains/superres_gain.mrc", b"gain" * 30)
        self._tiltseries(f"{home}/TiltSeries/100", home, name)
        self._alignment(f"{home}/Alignments/100", home, name)
        objects = [
            {
                "object_id": "GO:0005739",
                "object_name": "mitochondrion",
                "object_description": None,
                "object_state": "intact",
            }
        ]
        self.json(f"{home}/IdentifiedObjects/identified_objects.json", objects)
        told = {
            "object_count": 1,
            "columns": list(objects[0]),
            "file_format": "json",
            "source_file": "/lab/objects.csv",
            "identifier": 100,
        }
        self.json(f"{home}/IdentifiedObjects/identified_objects_metadata.json", self.with_ids(told))
        self._reconstructions(f"{home}/Reconstructions/VoxelSpacing13.480", home, name)

    def _frames(self, home: str, name: str) -> None:
        frames = []
        for order in range(3):
            path = f"{home}/Frames/{name}_{order:03}.tiff"
            self.file(path, b"II*\0" + bytes(100 + order))
            frames.append(
                {"acquisition_order": order, "accumulated_dose": 6.0 * order, "exposure_dose": 6.0, "is_gain_corrected": True, "path": path}
            )  # fmt: skip
        self.file(f"{home}/Frames/{name}.mdoc", b"PixelSpacing = 3.37\n")
        metadata = {
            "dose_rate": 2.0, "is_gain_corrected": True, "frames": frames, "frames_acquisition_file": f"{home}/Frames/{name}.mdoc",
        }  # fmt: skip
        self.json(f"{home}/Frames/frames_metadata.json", self.with_ids(metadata))

    def _tiltseries(self, here: str, home: str, name: str) -> None:
        self.volume(f"{here}/{name}", (3, 16, 16), (1, 16, 16))
        self.file(f"{here}/{name}.rawtlt", b"-3.0\n0.0\n3.0\n")
        self.file(f"{here}/{name}_CTFFIND_ctf.txt", b"# no\n")
        sections = [
            {"z_index": n, "frame_acquisition_order": n, "raw_angle": 3.0 * n - 3, "astigmatic_angle": 12.5, "cross_correlation": 0.11,
             "major_defocus": 30000.0, "max_resolution": 8.5, "minor_defocus": 29500.0, "phase_shift": 0.0}
            for n in range(3)
        ]  # fmt: skip
        self.json(f"{here}/tiltseries_metadata.json", self.with_ids({
            **tiltseries_metadata(),
            "scales": [{"z": 3, "y": 16, "x": 16}, {"z": 3, "y": 8, "x": 8}, {"z": 3, "y": 4, "x": 4}], "size": {"z": 3, "y": 16, "x": 16},
            "omezarr_dir": f"{here}/{name}.zarr", "mrc_file": f"{here}/{name}.mrc", "run_name": name, "frames_count": 3,
            "pixel_spacing": 3.37, "per_section_parameter": sections, "raw_tlt_path": f"{here}/{name}.rawtlt",
            "ctf_path": f"{here}/{name}_CTFFIND_ctf.txt",
        }))  # fmt: skip

    def _alignment(self, here: str, home: str, name: str) -> None:
        for ending in ("xf", "tlt"):
            self.file(f"{here}/{name}.{ending}", b"1 0 0 1 0 0\n")
        sections = [
            {"z_index": n, "tilt_angle": 3.0 * n - 2.9, "volume_x_rotation": 0.0, "in_plane_rotation": [[1.0, 0.0], [0.0, 1.0]],
             "x_offset": 1.5, "y_offset": -3.2}
            for n in range(3)
        ]  # fmt: skip
        self.json(f"{here}/alignment_metadata.json", self.with_ids({
            "format": "IMOD", "alignment_type": "GLOBAL", "method_type": "fiducial_based", "is_portal_standard": False,
            "volume_dimension": {"x": 539.2, "y": 539.2, "z": 269.6}, "volume_offset": {"x": 0, "y": 0, "z": 0}, "tilt_offset": 0,
            "x_rotation_offset": 0, "affine_transformation_matrix": IDENTITY, "per_section_alignment_parameters": sections,
            "alignment_path": f"{here}/{name}.xf", "tilt_path": f"{here}/{name}.tlt", "tiltx_path": None,
            "tiltseries_path": f"{home}/TiltSeries/100/tiltseries_metadata.json", "files": [f"{here}/{name}.xf", f"{here}/{name}.tlt"],
        }))  # fmt: skip

    def _reconstructions(self, here: str, home: str, name: str) -> None:
        self._tomogram(here, home, name)
        aligned = f"{home}/Alignments/100/alignment_metadata.json"
        points = f"{here}/Annotations/100/cytosolic_ribosome-1.0"
        self.file(
            f"{points}_point.ndjson", b'{"type": "point", "location": {"x": 1.0, "y": 2.0, "z": 3.0}}\n' * 4
        )
        files = [
            {
                "format": "ndjson",
                "path": f"{points}_point.ndjson",
                "shape": "Point",
                "is_visualization_default": True,
            }
        ]
        ribosome = {"id": "GO:0022626", "name": "cytosolic ribosome"}
        self.json(f"{points}.json", self.with_ids({
            **annotation_metadata("ribosome-1", ribosome), "object_count": 4, "files": files, "alignment_metadata_path": aligned,
        }))  # fmt: skip
        mask = f"{here}/Annotations/101/membrane-1.0"
        self.volume(f"{mask}_segmentationmask", (8, 16, 16), (8, 16, 16))
        files = [
            {
                "format": ending,
                "path": f"{mask}_segmentationmask.{ending}",
                "shape": "SegmentationMask",
                "is_visualization_default": True,
            }
            for ending in ("zarr", "mrc")
        ]
        membrane = {"id": "GO:0016020", "name": "membrane"}
        self.json(f"{mask}.json", self.with_ids({
            **annotation_metadata("membrane-1", membrane), "object_count": 0, "files": files, "alignment_metadata_path": aligned,
        }))  # fmt: skip
        self.file(f"{here}/NeuroglancerPrecompute/100-cytosolic_ribosome-1.0_point/info", b"{}")
        self.file(f"{here}/NeuroglancerPrecompute/101-membrane-1.0_segmentationmask/info", b"{}")
        self.json(
            f"{here}/NeuroglancerPrecompute/100-neuroglancer_config.json",
            self.with_ids(viewer_state(here, name)),
        )

    def _tomogram(self, here: str, home: str, name: str) -> None:
        tomogram = f"{here}/Tomograms/100"
        self.volume(f"{tomogram}/{name}", (8, 16, 16), (8, 16, 16))
        for size in ("original", "snapshot", "thumbnail", "expanded"):
            self.file(f"{here}/Images/100/key-photo-{size}.png", b"\x89PNG " + size.encode())
        self.json(f"{tomogram}/tomogram_metadata.json", self.with_ids({
            "voxel_spacing": 13.48, "fiducial_alignment_status": "FIDUCIAL", "reconstruction_method": "Fourier Space",
            "reconstruction_software": "IMOD", "processing": "raw", "processing_software": "", "tomogram_version": 1,
            "is_visualization_default": True, "ctf_corrected": True, "offset": {"x": 0, "y": 0, "z": 0},
            "affine_transformation_matrix": IDENTITY, "dates": DATES, "authors": AUTHORS,
            "scales": [{"z": 8, "y": 16, "x": 16}, {"z": 4, "y": 8, "x": 8}, {"z": 2, "y": 4, "x": 4}], "size": {"z": 8, "y": 16, "x": 16},
            "omezarr_dir": f"{tomogram}/{name}.zarr", "mrc_file": f"{tomogram}/{name}.mrc", "run_name": name,
            "key_photo": {word: f"{here}/Images/100/key-photo-{word}.png" for word in ("snapshot", "thumbnail")},
            "alignment_metadata_path": f"{home}/Alignments/100/alignment_metadata.json",
            "neuroglancer_config_path": f"{here}/NeuroglancerPrecompute/100-neuroglancer_config.json",
        }))  # fmt: skip

    def volume(self, stem: str, shape: tuple[int, int, int], chunks: tuple[int, int, int]) -> None:
        """An MRC and an OME-Zarr (Zarr v2, three levels) of zeros."""
        self.file(f"{stem}.mrc", bytes(1024) + np.zeros(shape, np.float32).tobytes())
        levels = [
            {"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}]}
            for level in range(3)
        ]
        axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
        self.json(f"{stem}.zarr/.zgroup", {"zarr_format": 2})
        self.json(
            f"{stem}.zarr/.zattrs",
            {"multiscales": [{"axes": axes, "datasets": levels, "version": "0.4", "name": "/"}]},
        )
        for level in range(3):
            small = [max(1, size >> level) for size in shape]
            array = {
                "chunks": list(chunks), "compressor": None, "dimension_separator": "/", "dtype": "<f4", "fill_value": 0.0, "filters": None,
                "order": "C", "shape": small, "zarr_format": 2,
            }  # fmt: skip
            self.json(f"{stem}.zarr/{level}/.zarray", array)
            for z in range(-(-small[0] // chunks[0])):
                self.file(f"{stem}.zarr/{level}/{z}/0/0", np.zeros(chunks, np.float32).tobytes())


def deposition_metadata(number: int) -> dict[str, Any]:
    return {
        "deposition_identifier": number, "deposition_title": "Cells of the reference", "deposition_description": "Mirrored",
        "deposition_types": ["dataset", "annotation"], "authors": AUTHORS, "dates": DATES,
        "cross_references": {"publications": "doi:10.1101/2024.01.01.000001", "related_database_entries": "EMPIAR-12345"},
        "key_photos": {"snapshot": None, "thumbnail": None}, "deposition_id": str(number), "last_updated_at": 1700000000,
    }  # fmt: skip


def dataset_metadata(number: int) -> dict[str, Any]:
    return {
        "dataset_identifier": number, "dataset_title": "Mirrored algae", "dataset_description": "Lamellae", "authors": AUTHORS,
        "funding": [{"funding_agency_name": "Sun Fund", "grant_id": "S-1"}], "dates": DATES, "sample_type": "organism",
        "sample_preparation": "plunged", "grid_preparation": "milled", "organism": {"name": "Chlamydomonas", "taxonomy_id": 3055},
        "assay": {"name": "microscopy assay", "id": "EFO:0002909"}, "development_stage": {"name": "unknown", "id": "unknown"},
        "cell_component": NOT_REPORTED, "cell_strain": NOT_REPORTED, "cell_type": NOT_REPORTED, "disease": NOT_REPORTED,
        "tissue": NOT_REPORTED,
        "key_photos": {name: f"{number}/Images/{name}.png" for name in ("snapshot", "thumbnail")},
    }  # fmt: skip


def tiltseries_metadata() -> dict[str, Any]:
    return {
        "acceleration_voltage": 300000, "spherical_aberration_constant": 2.7, "microscope": {"manufacturer": "TFS", "model": "Krios G4"},
        "microscope_optical_setup": {"energy_filter": "Selectris X", "phase_plate": None, "image_corrector": None},
        "camera": {"manufacturer": "TFS", "model": "Falcon 4i", "acquire_mode": "counting"}, "tilt_range": {"min": -3.0, "max": 3.0},
        "tilt_step": 3.0, "tilting_scheme": "dose symmetric", "tilt_axis": 85.3, "total_flux": 18.0, "is_aligned": False,
        "data_acquisition_software": "SerialEM", "tilt_series_quality": 4, "binning_from_frames": 1.0,
    }  # fmt: skip


def annotation_metadata(ingest_id: str, annotated: dict[str, Any]) -> dict[str, Any]:
    return {
        "annotation_ingest_id": ingest_id, "annotation_method": "template matching", "annotation_object": annotated, "authors": AUTHORS,
        "dates": DATES, "version": 1.0, "method_type": "automated", "annotation_software": "pytom", "is_curator_recommended": True,
        "ground_truth_status": False, "confidence": {"precision": 90.0, "recall": 80.0, "ground_truth_used": "experts"},
        "method_links": [{"link": "https://example.org/code", "link_type": "source_code", "custom_name": "code"}],
    }  # fmt: skip


def viewer_state(here: str, name: str) -> dict[str, Any]:
    """Like those of the reference system: with the addresses of the server that it was made for."""
    length = [1.348e-09, "m"]
    transform = {
        "outputDimensions": dict.fromkeys("xyz", length),
        "inputDimensions": dict.fromkeys("xyz", length),
    }
    precomputed = f"precomputed://{HOST}/{here}/NeuroglancerPrecompute"
    return {
        "dimensions": dict.fromkeys("xyz", length), "crossSectionScale": 1.0, "position": [8, 8, 4], "layout": "4panel",
        "layers": [
            {"type": "image", "name": name, "source": {"url": f"zarr://{HOST}/{here}/Tomograms/100/{name}.zarr", "transform": transform}},
            {"type": "segmentation", "name": "101 membrane segmentation", "segments": [1],
             "source": {"url": f"{precomputed}/101-membrane-1.0_segmentationmask", "transform": transform}},
            {"type": "annotation", "name": "100 cytosolic ribosome point",
             "source": {"url": f"{precomputed}/100-cytosolic_ribosome-1.0_point", "transform": transform}},
        ],
    }  # fmt: skip

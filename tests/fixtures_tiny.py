"""A tiny deposition of one run with everything in it, as plain data that a test can bend before writing it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import yaml

DATES = {"deposition_date": "2025-01-01", "release_date": "2025-01-02", "last_modified_date": "2025-01-03"}
AUTHORS = [
    {"name": "Ada Primary", "primary_author_status": True, "ORCID": "0000-0002-1825-0097"},
    {"name": "Carl Corresponding", "corresponding_author_status": True},
]
ANGLES = (-40.0, -20.0, 0.0, 20.0, 40.0)


def _glob(pattern: str, **more: Any) -> list[dict[str, Any]]:
    return [{"source_glob": {"list_glob": pattern, **more}}]


def _annotation(ingest_id: str, name: str, object_id: str, source: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        "annotation_ingest_id": ingest_id, "annotation_method": "by hand", "method_type": "manual",
        "annotation_object": {"id": object_id, "name": name}, "authors": AUTHORS, "dates": DATES,
        "ground_truth_status": True, "version": 1.0,
    }  # fmt: skip
    return {"metadata": metadata, "sources": [source]}


CONFIG: dict[str, Any] = {
    "version": "1.3.0",
    "standardization_config": {"deposition_id": 20001, "source_prefix": "lab"},
    "depositions": [{
        "metadata": {
            "deposition_identifier": 20001, "deposition_title": "A tiny deposition", "deposition_description": "For tests.",
            "deposition_types": ["dataset", "annotation"], "authors": AUTHORS, "dates": DATES,
        },
        "sources": [{"literal": {"value": [20001]}}],
    }],
    "datasets": [{
        "metadata": {
            "dataset_identifier": 20002, "dataset_title": "A tiny dataset", "dataset_description": "Noise and a ball.",
            "authors": AUTHORS, "dates": DATES, "sample_type": "in_silico",
            "assay": {"name": "cryogenic electron tomography", "id": "EFO:0700007"},
            "development_stage": {"name": "unknown", "id": "unknown"}, "disease": {"name": "normal", "id": "PATO:0000461"},
            "organism": {"name": "Saccharomyces cerevisiae", "taxonomy_id": 4932},
        },
        "sources": [{"literal": {"value": ["20002"]}}],
    }],
    "runs": [{"sources": _glob("tomograms/*.mrc", name_regex=r"(.*)\.mrc")}],
    "voxel_spacings": [{"sources": [{"literal": {"value": [10.0]}}]}],
    "frames": [{"metadata": {"dose_rate": 2.0, "is_gain_corrected": True}, "sources": [{"literal": {"value": ["default"]}}]}],
    "collection_metadata": [{"sources": _glob("{run_name}.mdoc")}],
    "rawtilts": [{"sources": _glob("{run_name}.rawtlt")}],
    "alignments": [{
        "metadata": {"format": "IMOD", "alignment_type": "GLOBAL", "method_type": "fiducial_based"},
        "sources": [{"source_multi_glob": {"list_globs": ["{run_name}.xf", "{run_name}.tlt"]}}],
    }],
    "tiltseries": [{
        "metadata": {
            "acceleration_voltage": 300000, "camera": {"manufacturer": "Gatan", "model": "K3"},
            "data_acquisition_software": "SerialEM", "is_aligned": False,
            "microscope": {"manufacturer": "TFS", "model": "Krios"}, "microscope_optical_setup": {"energy_filter": "GIF"},
            "spherical_aberration_constant": 2.7, "tilt_axis": 84.7, "tilt_range": {"min": -40, "max": 40},
            "tilt_series_quality": 4, "tilt_step": 20, "tilting_scheme": "bidirectional", "total_flux": 15.0,
            "pixel_spacing": 2.5,
        },
        "sources": _glob("{run_name}.st"),
    }],
    "tomograms": [{
        "metadata": {
            "voxel_spacing": 10.0, "fiducial_alignment_status": "FIDUCIAL", "ctf_corrected": False,
            "reconstruction_method": "WBP", "reconstruction_software": "IMOD", "processing": "raw",
            "tomogram_version": 1.0, "offset": {"x": 0, "y": 0, "z": 0}, "is_visualization_default": True,
            "authors": AUTHORS, "dates": DATES,
        },
        "sources": _glob("tomograms/{run_name}.mrc"),
    }],
    "annotations": [
        _annotation("ball-1", "ball", "GO:0022626", {
            "Point": {"file_format": "csv", "glob_string": "{run_name}.csv", "is_visualization_default": True}
        }),
        _annotation("membrane-1", "membrane", "GO:0016020", {
            "SemanticSegmentationMask": {"file_format": "mrc", "glob_string": "{run_name}_mask.mrc", "mask_label": 2}
        }),
    ],
}  # fmt: skip


@dataclass
class Tiny:
    """The deposition in `folder`: change `config`, call `write`, break the sources under `source`."""

    folder: Path
    config: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(CONFIG))

    @property
    def source(self) -> Path:
        """What `--source` takes."""
        return self.folder / "sources"

    @property
    def lab(self) -> Path:
        """Where the source files lie."""
        return self.source / "lab"

    @property
    def file(self) -> Path:
        """The deposition file."""
        return self.folder / "tiny.yaml"

    def write(self) -> Tiny:
        """Write the deposition file."""
        self.file.write_text(yaml.safe_dump(self.config, sort_keys=False))
        return self

    def run(self, name: str, *, seed: int = 1, shape: tuple[int, int, int] = (12, 20, 24)) -> Tiny:
        """Write the sources of one run: noise with a dark ball in the middle, where the point is."""
        (self.lab / "tomograms").mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(seed)
        z, y, x = np.indices(shape)
        centre = [side // 2 for side in shape]
        distance = np.sqrt(sum((axis - c) ** 2 for axis, c in zip((z, y, x), centre, strict=True)))
        volume = random.normal(0, 1, shape).astype(np.float32)
        volume[distance <= 4] -= 10
        write_mrc(self.lab / f"tomograms/{name}.mrc", volume, 10.0)
        mask = np.where(distance <= 4, 2, np.where(distance <= 5, 1, 0)).astype(np.int8)
        write_mrc(self.lab / f"{name}_mask.mrc", mask, 10.0)
        stack = random.poisson(40, (len(ANGLES), 32, 40)).astype(np.int16)
        write_mrc(self.lab / f"{name}.st", stack, 2.5)
        (self.lab / f"{name}.csv").write_text(f"{centre[2]},{centre[1]},{centre[0]}\n3,4,5\n")
        (self.lab / f"{name}.rawtlt").write_text("".join(f"{angle:7.2f}\n" for angle in ANGLES))
        (self.lab / f"{name}.tlt").write_text("".join(f"{angle + 0.1:7.2f}\n" for angle in ANGLES))
        (self.lab / f"{name}.xf").write_text(
            "   0.9999500   0.0099998  -0.0099998   0.9999500   1.500  -2.000\n" * len(ANGLES)
        )
        (self.lab / f"{name}.mdoc").write_text(_mdoc(name))
        return self


def write_mrc(path: Path, data: np.ndarray, voxel: float) -> None:
    """An MRC file by mrcfile."""
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        file.voxel_size = voxel


def _mdoc(name: str) -> str:
    lines = ["PixelSpacing = 2.5", "Voltage = 300", f"ImageFile = {name}.st", ""]
    lines += [
        "[T = SerialEM: tests]",
        "",
        "[T =     Tilt axis angle = 84.7, binning = 1  spot = 6  camera = 0]",
        "",
    ]
    for number, angle in enumerate(sorted(ANGLES, key=abs)):
        lines += [
            f"[ZValue = {number}]", f"TiltAngle = {angle}", "ExposureDose = 3.0", "ExposureTime = 1.5",
            f"SubFramePath = D:\\frames\\{name}_{number:03d}.tif", "NumSubFrames = 10",
            f"DateTime = 28-Apr-25  11:38:{10 + number}", "",
        ]  # fmt: skip
    return "\n".join(lines)


@pytest.fixture
def tiny(tmp_path) -> Tiny:
    """One run, written and ready to ingest."""
    return Tiny(tmp_path / "tiny").run("R1").write()


def annotations_by_others(tiny: Tiny, folder: str) -> Tiny:
    """A second deposition (20101), of annotations, that refers to the dataset, runs, spacings and alignments of the first."""
    config = {
        key: copy.deepcopy(tiny.config[key]) for key in ("version", "standardization_config", "depositions")
    }
    config["standardization_config"]["deposition_id"] = 20101
    config["depositions"][0]["metadata"] |= {
        "deposition_identifier": 20101,
        "deposition_types": ["annotation"],
    }
    config["depositions"][0]["sources"] = [{"literal": {"value": [20101]}}]
    config["datasets"] = [{"sources": [{"literal": {"value": ["20002"]}}]}]
    config["runs"] = [{"sources": [{"destination_glob": {"list_glob": "{dataset_output_path}/*"}}]}]
    config["voxel_spacings"] = [{"sources": [{"destination_glob": {
        "list_glob": "{run_output_path}/Reconstructions/VoxelSpacing*", "name_regex": "VoxelSpacing(.*)",
    }}]}]  # fmt: skip
    config["alignments"] = [{"sources": [{"destination_glob": {
        "list_glob": "{run_output_path}/Alignments/100/alignment_metadata.json",
    }}]}]  # fmt: skip
    config["annotations"] = copy.deepcopy(tiny.config["annotations"][:1])
    other = Tiny(tiny.folder.parent / folder, config)
    other.lab.mkdir(parents=True, exist_ok=True)
    return other

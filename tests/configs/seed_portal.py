"""Deposition files and sources for what a real deposition only refers to: datasets with runs, alignments and tomograms that must
be in the portal already (imports nothing of ours)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from configs.plain_config import PlainConfig
from configs.tree_builder import Built
from configs.tree_files import Wanted, write

DATES = {"deposition_date": "2025-01-01", "release_date": "2025-01-02", "last_modified_date": "2025-01-03"}
AUTHORS = [{"name": "Ada Example", "primary_author_status": True, "corresponding_author_status": True}]


def referred(config: PlainConfig) -> bool:
    """Whether the datasets of the file must be in the portal already."""
    return not any(entry.get("metadata") for entry in config.entries("datasets"))


def seeds(config: PlainConfig, built: Built, folder: Path) -> Iterator[Path]:
    """Deposition files for the datasets that are referred to, and for the deposition when it is; their source is `folder`."""
    wanted = sorted(built.runs.items()) if referred(config) else []
    for place, (dataset, runs) in enumerate(wanted):
        spacings = sorted({value for run in runs for value in built.spacings.get((dataset, run), {10.0})})
        yield _written(folder, 19000 + place, dataset, runs, spacings)
    if not any(entry.get("metadata") for entry in config.entries("depositions")):
        yield _written(folder, int(config.literals("depositions")[0]), "19999", ["another"], [10.0])


def _written(folder: Path, deposition: int, dataset: str, runs: list[str], spacings: list[float]) -> Path:
    for run in runs:
        for spacing in spacings:
            write(folder / dataset / f"{run}_{spacing}.mrc", Wanted("tomograms", spacing=spacing))
    file = folder / f"{dataset}.yaml"
    file.write_text(yaml.safe_dump(_deposition(deposition, dataset, runs, spacings)))
    return file


def _deposition(number: int, dataset: str, runs: list[str], spacings: list[float]) -> dict[str, Any]:
    said = {"authors": AUTHORS, "dates": DATES}
    deposition = {"deposition_identifier": number, "deposition_title": "What was there", "deposition_description": "Seed.",
                  "deposition_types": ["dataset"], **said}  # fmt: skip
    about = {"dataset_identifier": int(dataset), "dataset_title": f"Dataset {dataset}", "dataset_description": "Seed.",
             "sample_type": "in_silico", "assay": {"name": "cryogenic electron tomography", "id": "EFO:0700007"},
             "development_stage": {"name": "unknown", "id": "unknown"}, "disease": {"name": "normal", "id": "PATO:0000461"},
             **said}  # fmt: skip
    return {
        "version": "1.3.0",
        "standardization_config": {"deposition_id": number, "source_prefix": dataset},
        "depositions": [{"metadata": deposition, "sources": _literal(number)}],
        "datasets": [{"metadata": about, "sources": _literal(dataset)}],
        "runs": [{"sources": _literal(*runs)}],
        "voxel_spacings": [{"sources": _literal(*spacings)}],
        "alignments": [{"sources": _literal("default")}],
        "tomograms": [
            {"metadata": _tomogram(spacing) | said, "sources": [{"source_glob": {"list_glob": f"{{run_name}}_{spacing}.mrc"}}]}
            for spacing in spacings
        ],
    }  # fmt: skip


def _literal(*values: Any) -> list[dict[str, Any]]:
    return [{"literal": {"value": list(values)}}]


def _tomogram(spacing: float) -> dict[str, Any]:
    return {
        "voxel_spacing": spacing, "fiducial_alignment_status": "NON_FIDUCIAL", "ctf_corrected": False, "processing": "raw",
        "reconstruction_method": "WBP", "reconstruction_software": "IMOD", "tomogram_version": 1.0,
        "offset": {"x": 0, "y": 0, "z": 0}, "is_visualization_default": True,
    }  # fmt: skip

"""A small layout on disk, written the way the ingest writes one: sidecars, ledgers with ids, one index per dataset."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from tomoportal.layout import paths, private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Record
from tomoportal.storage import LocalStorage

DATES = {"deposition_date": "2024-05-01", "release_date": "2024-05-23", "last_modified_date": "2024-05-24"}
AUTHORS = [
    {"name": "Ada Ångström", "ORCID": "0000-0002-1825-0097", "primary_author_status": True},
    {"name": "Béla"},
]


class Layout:
    """Writes entities; every write brings the ledgers up to date, and the indexes too unless `gather` is false."""

    def __init__(self, root: Path, *, gather: bool = True) -> None:
        self.storage, self.gathers = LocalStorage(root), gather
        self.records: dict[str, Record] = {}

    def copied(self, root: Path) -> Layout:
        """The same layout in another folder."""
        shutil.copytree(self.storage.root, root)
        copy = Layout(root, gather=self.gathers)
        copy.records = dict(self.records)
        return copy

    def put(self, key: Key, sidecar: dict[str, Any], *, stem: str = "", size: int = 1000) -> Record:
        """Publish an entity with this sidecar."""
        path = paths.sidecar(key, stem)
        owner = key.dataset or f"deposition-{key.deposition}"
        old = self.records.get(paths.folder(key)) or Record(key, {"made": "for a test"}, sidecar=path)
        record = Allotment.open(self.storage, owner).complete(old, sidecar)
        data = json.dumps(sidecar).encode()
        record = Record(
            key, record.identity, path, hashlib.sha256(data).hexdigest(), files={f"{paths.folder(key)}/data": {"size": size}},
            ids=record.ids,
        )  # fmt: skip
        self.storage.write(path, data)
        self._keep(record)
        return record

    def spacing(self, key: Key) -> None:
        """A voxel spacing has no sidecar, only a record."""
        record = Allotment.open(self.storage, key.dataset).complete(Record(key, {}), {})
        self._keep(record)

    def _keep(self, record: Record) -> None:
        self.records[paths.folder(record.key)] = record
        home = private.ledger_path(record.key)
        ledger = private.read_ledger(self.storage, home).put(record)
        private.write_ledger(self.storage, home, ledger)
        if record.key.dataset and self.gathers:
            self.gather(record.key.dataset)

    def gather(self, dataset: str) -> None:
        """Write the index of a dataset."""
        private.gather_index(self.storage, dataset)


def small_layout(root: Path, *, dataset: str = "30001") -> Layout:
    """One deposition, one dataset with one run that has something of everything."""
    layout = Layout(root)
    layout.put(Key("deposition", deposition="20001"), deposition_sidecar(20001))
    layout.put(Key("dataset", dataset=dataset), dataset_sidecar(int(dataset)))
    add_run(layout, dataset, "TS_01")
    return layout


def deposition_sidecar(number: int, **changes: Any) -> dict[str, Any]:
    """The metadata of a deposition."""
    return {
        "deposition_identifier": number, "deposition_title": "Algae", "deposition_description": "Frozen", "authors": AUTHORS,
        "deposition_types": ["dataset", "annotation"], "dates": DATES, "deposition_id": str(number), **changes,
    }  # fmt: skip


def dataset_sidecar(number: int, **changes: Any) -> dict[str, Any]:
    """The metadata of a dataset."""
    return {
        "dataset_identifier": number, "dataset_title": "Chloroplasts", "dataset_description": "Thin lamellae", "authors": AUTHORS,
        "organism": {"name": "Chlamydomonas reinhardtii", "taxonomy_id": 3055}, "sample_type": "organism", "dates": DATES,
        "funding": [{"funding_agency_name": "Moon Fund", "grant_id": 12}], "deposition_id": "20001",
        "key_photos": {"snapshot": f"{number}/Images/snapshot.png"}, **changes,
    }  # fmt: skip


def add_run(layout: Layout, dataset: str, name: str, *, sections: int = 2) -> None:
    """A run with frames, tilt series, alignment, two tomograms, a point annotation and a mask."""
    run = Key("run", dataset=dataset, run=name)
    layout.put(run, {"run_name": name, "deposition_id": "20001"})
    frames = [
        {"acquisition_order": n, "path": f"{dataset}/{name}/Frames/{n}.tif", "is_gain_corrected": False}
        for n in range(sections)
    ]
    layout.put(
        run.of("frames"),
        {
            "frames": frames,
            "frames_acquisition_files": [f"{dataset}/{name}/Frames/a.mdoc"],
            "deposition_id": "20001",
        },
    )
    layout.put(
        run.of("tiltseries", id=100),
        tiltseries_sidecar(paths.folder(run.of("tiltseries", id=100)), name, sections),
    )
    refined = [
        {"z_index": n, "tilt_angle": 3.0 * n, "in_plane_rotation": [[0.5, -0.5], [0.5, 0.5]]}
        for n in range(sections)
    ]
    alignment = {
        "method_type": "undefined", "per_section_alignment_parameters": refined, "deposition_id": "20001",
        "tiltseries_path": paths.sidecar(run.of("tiltseries", id=100)),
    }  # fmt: skip
    layout.put(run.of("alignment", id=100), alignment)
    layout.put(
        run.of("identified_objects"),
        {"objects": [{"object_id": "GO:0005739", "object_name": "mitochondrion"}]},
    )
    spacing = run.of("voxel_spacing", spacing="10.000")
    layout.spacing(spacing)
    for number, deposition in ((100, "20001"), (101, "20002")):
        tomogram = spacing.of("tomogram", id=number)
        layout.put(tomogram, tomogram_sidecar(tomogram, deposition))
    layout.storage.write(
        paths.viewer_state(spacing.of("tomogram", id=100)), b'{"layers": [{"source": "{files}x"}]}'
    )
    annotation = spacing.of("annotation", id=100)
    layout.put(annotation, annotation_sidecar(annotation), stem="ribosome-1.0")


def tiltseries_sidecar(folder: str, name: str, sections: int = 2, **changes: Any) -> dict[str, Any]:
    """The metadata of a tilt series."""
    section_list = [
        {"z_index": n, "raw_angle": 3.0 * n, "frame_acquisition_order": n} for n in range(sections)
    ]
    return {
        "acceleration_voltage": 300000, "spherical_aberration_constant": 2.7, "microscope": {"manufacturer": "TFS", "model": "Krios"},
        "microscope_optical_setup": {"energy_filter": "Selectris"}, "camera": {"manufacturer": "TFS", "model": "FALCON 4i"},
        "tilt_range": {"min": -60, "max": 60.004}, "tilt_step": 3, "tilting_scheme": "dose symmetric", "tilt_axis": 85.3, "total_flux": 120,
        "data_acquisition_software": "SerialEM", "tilt_series_quality": 4, "is_aligned": False, "pixel_spacing": 13.479999542236328,
        "size": {"x": 64, "y": 60, "z": 2}, "mrc_file": f"{folder}/{name}.mrc", "omezarr_dir": f"{folder}/{name}.zarr",
        "file_sizes": {"mrc": 5000000000, "omezarr": 400}, "per_section_parameter": section_list, "deposition_id": "20001", **changes,
    }  # fmt: skip


def tomogram_sidecar(key: Key, deposition: str, **changes: Any) -> dict[str, Any]:
    """The metadata of a tomogram."""
    return {
        "run_name": key.run, "size": {"x": 64, "y": 60, "z": 20}, "voxel_spacing": 10.0, "fiducial_alignment_status": "FIDUCIAL",
        "reconstruction_method": "Fourier Space", "processing": "raw", "reconstruction_software": "IMOD", "tomogram_version": 1,
        "is_visualization_default": True, "offset": {"x": 0, "y": 0, "z": 0}, "dates": DATES, "authors": AUTHORS,
        "scales": [{"x": 64, "y": 60, "z": 20}, {"x": 32, "y": 30, "z": 10}], "deposition_id": deposition,
        "alignment_metadata_path": paths.sidecar(key.of("alignment", spacing="", id=100)),
        "omezarr_dir": f"{paths.folder(key)}/v.zarr", **changes,
    }  # fmt: skip


def annotation_sidecar(key: Key, **changes: Any) -> dict[str, Any]:
    """The metadata of an annotation with points and a mask in two formats."""
    folder = paths.folder(key)
    files = [
        {
            "format": "ndjson",
            "path": f"{folder}/r_point.ndjson",
            "shape": "Point",
            "is_visualization_default": True,
        },
        {
            "format": "zarr",
            "path": f"{folder}/r_mask.zarr",
            "shape": "SegmentationMask",
            "is_visualization_default": True,
        },
        {
            "format": "mrc",
            "path": f"{folder}/r_mask.mrc",
            "shape": "SegmentationMask",
            "is_visualization_default": False,
        },
    ]
    return {
        "annotation_object": {"id": "GO:0005840", "name": "cytosolic ribosome"}, "annotation_method": "matching",
        "method_type": "automated",
        "annotation_ingest_id": "a1", "dates": DATES, "authors": AUTHORS, "files": files, "object_count": 7, "deposition_id": "20001",
        "method_links": [{"link_type": "source_code", "link": "https://example.org", "custom_name": "code"}],
        "alignment_metadata_path": paths.sidecar(key.of("alignment", spacing="", id=100)), **changes,
    }  # fmt: skip

"""A deposition over real files of the sample data: which file belongs to which run, and the deposition file that says so."""

from __future__ import annotations

import copy
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import tifffile
import yaml

from fixtures_tiny import CONFIG

IMOD = "cryoet-alignment/tests/data/convert/imod_1/tilt_1"
PORTAL = "portal-backend/test_infra/test_files/input_bucket"
TARDIS = "tardis/tests/test_data/data_loader/cnn"


@dataclass(frozen=True)
class Real:
    """The real files of one run, as paths below the sample data; `spacing` in Å. A TIFF is converted to MRC first."""

    name: str
    spacing: float = 10.0
    stack: str = ""
    pixel: float = 1.0
    angles: str = ""
    mdoc: str = ""
    tomogram: str = ""
    mask: str = ""
    label: int = 1
    points: str = ""
    alignment: tuple[str, ...] = ()
    dimension: dict[str, float] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """All of them."""
        named = (self.stack, self.angles, self.mdoc, self.tomogram, self.mask, self.points, *self.alignment)
        return tuple(name for name in named if name)


RUNS = (
    Real("HAADF", stack="etspy/etspy/tests/test_data/HAADF.mrc", pixel=33.6, angles="etspy/etspy/tests/test_data/HAADF.rawtlt"),
    Real("TS_run1", stack=f"{PORTAL}/10001_input/metadata/TS_run1.st", pixel=5.678,
         angles=f"{PORTAL}/10001_input/metadata/TS_run1.rawtlt", mdoc=f"{PORTAL}/10001_input/metadata/mdocs_modified/foo-TS_run1.mdoc"),
    Real("test_000", stack="etspy/etspy/tests/test_data/SerialEM_MultiTilt_Test/test_000.mrc", pixel=7.88,
         mdoc="etspy/etspy/tests/test_data/SerialEM_MultiTilt_Test/test_000.mdoc"),
    Real("TS_01", mdoc="mdocfile/tests/test_data/tilt_series.mdoc"),
    Real("syn_ctrl01", mdoc="pyseg/code/pyto/tomo/test/stack_original/29.08.14_syn_ctrl01_13.08_tomo01.st.mdoc"),
    Real("dummy", mdoc="cylindra/tests/dummy.mrc.mdoc"),
    Real("aligned", alignment=("alnfile/test_data/global_no_local.xf", "alnfile/test_data/global_no_local.tlt"),
         dimension={"x": 8000.0, "y": 8000.0, "z": 2000.0}),
    Real("imod_1", alignment=(f"{IMOD}.xf", f"{IMOD}.tlt", f"{IMOD}.xtilt", "cryoet-alignment/tests/data/convert/imod_1/tilt.com"),
         dimension={"x": 3708.0, "y": 3832.0, "z": 2000.0}),
    Real("actin", 25.0, tomogram=f"{TARDIS}/train/imgs/0_0_30_47_25.tif", mask=f"{TARDIS}/train/masks/0_0_30_47_25_mask.tif"),
    Real("membrane", 25.0, tomogram=f"{TARDIS}/test/imgs/4_0_55_98_25.tif", mask=f"{TARDIS}/test/masks/4_0_55_98_25_mask.tif"),
    Real("13pf_MT", 10.52, tomogram="cylindra/tests/13pf_MT.tif"),
    Real("mrc3D", 23.2, tomogram="tardis/tests/test_data/data_type/mrc3D.mrc"),
    Real("vesicle", 6.84, mask="pyseg/data/tutorials/exp_ssmb/tracing/mb_single/in/tomo22_z50_ves_4_seg.mrc"),
    Real("EMD-3001", 0.393, tomogram="mrcfile/tests/test_data/EMD-3001.map"),
    Real("emd_5625", 4.23, tomogram="sfftk/sfftk/test_data/images/emd_5625.map"),
    Real("ribosome", 10.0, tomogram="polnet/data/templates/mrcs_10A/4v4r.mrc",
         points=f"{PORTAL}/20002/annotations/points.csv"),
)  # fmt: skip


def stored_name(path: str) -> str:
    """Where a sample file lies in the source: TIFFs as MRC."""
    return re.sub(r"\.tif$", ".mrc", path)


def collect(data: Path, source: Path) -> None:
    """Put the files of all runs into a source folder, TIFFs converted."""
    for path in (path for run in RUNS for path in run.files):
        target = source / "real" / stored_name(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".tif"):
            with mrcfile.new(target, overwrite=True) as file:
                file.set_data(tifffile.imread(data / path).astype(np.int16))
                file.voxel_size = next(run.spacing for run in RUNS if path in run.files)
        else:
            shutil.copyfile(data / path, target)


def _only(run: Real) -> dict[str, Any]:
    return {"parent_filters": {"include": {"run": [f"^{re.escape(run.name)}$"]}}}


def _glob(path: str, run: Real) -> dict[str, Any]:
    return {"source_glob": {"list_glob": stored_name(path)}, **_only(run)}


def _annotation(run: Real, path: str, number: int) -> dict[str, Any]:
    entry = copy.deepcopy(CONFIG["annotations"][number])
    entry["metadata"]["annotation_ingest_id"] += f"-{run.name}"
    (shape,) = entry["sources"][0]
    body = {"glob_string": stored_name(path), "file_format": "csv" if shape == "Point" else "mrc"}
    entry["sources"] = [
        {shape: {**body, **({} if shape == "Point" else {"mask_label": run.label})}, **_only(run)}
    ]
    return entry


def _entry(section: str, source: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    entry = copy.deepcopy(CONFIG[section][0])
    entry["metadata"] |= metadata
    entry["sources"] = [source]
    return entry


def deposition_file(path: Path) -> Path:
    """Write the deposition file."""
    config = copy.deepcopy(CONFIG)
    config["standardization_config"]["source_prefix"] = "real"
    config["runs"] = [{"sources": [{"literal": {"value": [run.name for run in RUNS]}}]}]
    config["voxel_spacings"] = [
        {
            "sources": [
                {"literal": {"value": [run.spacing]}, **_only(run)}
                for run in RUNS
                if run.tomogram or run.mask
            ]
        }
    ]
    config["frames"][0]["sources"] = [
        {"literal": {"value": ["default"]}, **_only(run)} for run in RUNS if run.mdoc
    ]
    config["collection_metadata"] = [{"sources": [_glob(run.mdoc, run) for run in RUNS if run.mdoc]}]
    config["rawtilts"] = [{"sources": [_glob(run.angles, run) for run in RUNS if run.angles]}]
    config["tiltseries"] = [
        _entry("tiltseries", _glob(run.stack, run), pixel_spacing=run.pixel) for run in RUNS if run.stack
    ]
    config["alignments"] = [
        _entry("alignments", {"source_multi_glob": {"list_globs": list(run.alignment)}, **_only(run)},
               volume_dimension=run.dimension, format="IMOD")
        for run in RUNS if run.alignment
    ]  # fmt: skip
    config["tomograms"] = [
        _entry("tomograms", _glob(run.tomogram, run), voxel_spacing=run.spacing)
        for run in RUNS
        if run.tomogram
    ]
    config["annotations"] = [_annotation(run, run.points, 0) for run in RUNS if run.points]
    config["annotations"] += [_annotation(run, run.mask, 1) for run in RUNS if run.mask]
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path

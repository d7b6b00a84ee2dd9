"""A rotation means density: the particle, turned as the portal says, is where the tomogram is dark, whatever package the list came from or
goes to. Files are written and read by the packages' documentation (`made_particles`), densities are looked up by scipy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
import mrcfile
import numpy as np
import pytest
import yaml

from demo_oracle import centres, likeness, turns
from fixtures_demo import DemoPortal, settings_in
from fixtures_server import serving
from made_particles import READ, WRITTEN, About, Made, read_ndjson
from tomoportal import Annotation, Client, Tomogram
from tomoportal.cli.ingest import ingest_config
from tomoportal.demo import shapes
from tomoportal.formats.particles.writers import WRITERS

RUN, RIBOSOME = "TS_001", "cytosolic ribosome"
SCORE, LEAD = 0.7, 0.2
"""The mean likeness that true rotations reach at least, and by how much inverse ones stay below it."""


@pytest.fixture(scope="module")
def facts(demo_portal: DemoPortal) -> dict[str, Any]:
    (dataset,) = demo_portal.truth["datasets"].values()
    return dataset["runs"][RUN]


@pytest.fixture(scope="module")
def portal(demo_portal: DemoPortal, facts, tmp_path_factory):
    """The demo, and a later deposition with the ribosomes of one of its runs in every format that has orientations."""
    folder = tmp_path_factory.mktemp("oriented")
    shutil.copytree(demo_portal.folder, folder / "portal")
    settings = settings_in(folder / "portal")
    config = write_deposition(folder, demo_portal, facts)
    report = ingest_config(config, str(folder / "sources"), settings, quiet=True)
    assert not report.sorted_problems()
    with serving(settings) as url, Client(url) as client:
        yield client


def write_deposition(folder: Path, demo_portal: DemoPortal, facts: dict[str, Any]) -> Path:
    spacing = facts["spacings"][0]
    made = Made(
        centres(facts, spacing), turns(facts), float(spacing), tuple(facts["dimensions"][spacing]), RUN
    )
    config = yaml.safe_load(demo_portal.files.configs[0].read_text())
    template = config["annotations"][0]["metadata"]
    entries = []
    for kind, (name, write, parameters) in WRITTEN.items():
        (folder / "sources/lab" / kind).mkdir(parents=True)
        write(folder / "sources/lab" / kind / name, made)
        source = {"file_format": kind, "glob_string": f"{kind}/{name}", **parameters(made)}
        entries.append(
            {
                "metadata": {**template, "annotation_ingest_id": kind},
                "sources": [{"OrientedPoint": source}],
            }
        )
    deposition = config["depositions"][0]["metadata"] | {"deposition_identifier": 10950}
    literal = {"deposition": 10950, "dataset": "10901", "run": RUN, "spacing": made.spacing}
    sources = {key: [{"literal": {"value": [value]}}] for key, value in literal.items()}
    written = {
        "version": config["version"],
        "standardization_config": {"deposition_id": 10950, "source_prefix": "lab"},
        "depositions": [{"metadata": deposition, "sources": sources["deposition"]}],
        "datasets": [{"sources": sources["dataset"]}],
        "runs": [{"sources": sources["run"]}],
        "voxel_spacings": [{"sources": sources["spacing"]}],
        "annotations": entries,
    }
    file = folder / "oriented.yaml"
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    return file


@pytest.fixture(scope="module")
def tomograms(portal: Client, tmp_path_factory) -> list[tuple[Any, np.ndarray]]:
    """The raw tomograms of the run, finest first, with their voxels as they are downloaded."""
    order = [Tomogram.voxel_spacing.ascending()]
    found = Tomogram.find(portal, [Tomogram.run.name == RUN, Tomogram.processing == "raw"], order_by=order)
    folder = tmp_path_factory.mktemp("mrc")
    return [(one, mrcfile.read(one.download_mrcfile(folder / str(one.id))).astype(float)) for one in found]


def assert_dense(volume: np.ndarray, places: np.ndarray, rotations: np.ndarray, spacing: float) -> None:
    ribosome = shapes.ribosome()
    right = likeness(volume, places, rotations, spacing, ribosome)
    inverse = likeness(volume, places, np.swapaxes(rotations, 1, 2), spacing, ribosome)
    flipped = likeness(volume, places, rotations[:, ::-1, ::-1], spacing, ribosome)
    assert right.mean() > SCORE
    assert right.mean() > max(inverse.mean(), flipped.mean()) + LEAD
    assert (right > inverse).all()


def test_every_format_comes_in_with_its_rotations(portal, facts, tomograms) -> None:
    tomogram, volume = tomograms[0]
    found = Annotation.find(portal, [Annotation.deposition_id == 10950])
    assert {one.annotation_ingest_id for one in found} == set(WRITTEN)
    for annotation in found:
        (file,) = annotation.annotation_shapes[0].annotation_files
        with portal.stream(file.https_path) as response:
            places, rotations = read_ndjson(response.read())
        assert len(places) == len(centres(facts, facts["spacings"][0])), annotation.annotation_ingest_id
        assert_dense(volume, places, rotations, tomogram.voxel_spacing)


@pytest.mark.parametrize("format", WRITERS)
def test_every_export_is_dense_in_every_tomogram(portal, tomograms, format: str, tmp_path) -> None:
    (annotation,) = Annotation.find(
        portal,
        [Annotation.run.name == RUN, Annotation.object_name == RIBOSOME, Annotation.annotation_ingest_id == "ribosome-truth"],
    )  # fmt: skip
    address = f"{portal.url.removesuffix('/graphql')}/api/annotations/{annotation.id}/export"
    assert len(tomograms) == 2
    for tomogram, volume in tomograms:
        asked = {"format": format, "tomogram": str(tomogram.id), "shape": "OrientedPoint"}
        data = httpx.get(address, params=asked, timeout=60).raise_for_status().content
        size = (tomogram.size_x, tomogram.size_y, tomogram.size_z)
        pixel = tomogram.alignment.tiltseries.pixel_spacing
        found = READ[format](data, tmp_path, About(tomogram.voxel_spacing, size, pixel))
        assert_dense(volume, *found, tomogram.voxel_spacing)

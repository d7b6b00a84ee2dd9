"""An invented portal with enough in it to page, filter and look at: 27 public datasets, one of them with 45 runs.

`web_portal(folder)` → Catalog; the key photos stand under `folder/files`. `web_app(catalog, settings, files)` → the pages as an
application, without the rest of the server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from fixtures_catalog import FUTURE, fill, row
from tomoportal.catalog import Addresses, Catalog, open_catalog
from tomoportal.settings import Settings
from tomoportal.web.site import error_handlers, routes

DAY = date(2026, 6, 1)
HOSTILE = "<script>alert('run')</script>"
ORGANISMS = (
    ("Chlamydomonas reinhardtii", 3055),
    ("Saccharomyces cerevisiae", 4932),
    ("Homo sapiens", 9606),
    ("Escherichia coli", 562),
    ("Mycoplasma pneumoniae", 2104),
)
SUBJECTS = (
    "Thylakoid membranes of a green alga, thinned with a focused ion beam",
    "Ribosomes in growing yeast",
    "Mitochondria of cultured cells under stress",
    "Chemoreceptor arrays at the pole",
    "A minimal cell, whole",
)
OBJECTS = (
    ("GO:0022626", "cytosolic ribosome"),
    ("GO:0016020", "membrane"),
    ("GO:0005839", "proteasome core complex"),
    ("GO:0005874", "microtubule"),
    ("GO:0061671", "Cbp3p-Cbp6 complex"),
    ("GO:0005884", "actin filament"),
)
CROWDED, EMPTY_RUN, SECRET = 10001, 990, 10028
"""The dataset with 45 runs; a run with nothing in it; a dataset that is not released yet."""


class _Portal:
    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.ids: Iterator[int] = count(1000)
        self.pictures: list[tuple[str, int]] = []

    def add(self, entity: str, **values: Any) -> int:
        values.setdefault("id", next(self.ids))
        self.rows.setdefault(entity, []).append(row(entity, **values))
        return values["id"]


def web_portal(folder: Path, url: str = "", *, pictures: bool = True) -> Catalog:
    """A catalogue with the invented portal in `folder/catalog.sqlite`, or in a new database at a URL; its key photos lie under
    `folder/files`."""
    portal = _Portal()
    portal.pictures += [(f"pictures/{number}.png", 100 + number) for number in range(16)]
    _deposition(portal)
    for number in range(28):
        _dataset(portal, CROWDED + number, number)
    catalog = open_catalog(url or f"sqlite:///{folder / 'catalog.sqlite'}", create=True)
    fill(catalog, portal.rows)
    for path, seed in portal.pictures if pictures else ():
        _picture(folder / "files" / path, seed)
    return catalog


def web_app(catalog: Catalog, files: Path, settings: Settings | None = None) -> Starlette:
    """The pages over a catalogue, with key photos from a folder."""
    chosen = settings or Settings(title="Tomoportal")
    addresses = Addresses("/files/", f"s3://{chosen.bucket}/")
    found = routes(lambda request: catalog.view(today=DAY, addresses=addresses), chosen)
    mounted = Mount("/files", StaticFiles(directory=files, check_dir=False))
    return Starlette(routes=[mounted, *found], exception_handlers=error_handlers(chosen))


def _deposition(portal: _Portal) -> None:
    portal.add(
        "Deposition", id=10300, title="Crowded cells, a survey", description="Five laboratories looked at five organisms.",
        deposition_publications="10.1038/s41586-020-2665-2, EMPIAR-11830", folder="DepositionMetadata/10300",
    )  # fmt: skip
    portal.add(
        "DepositionAuthor",
        deposition_id=10300,
        name="Ada Ångström",
        author_list_order=1,
        orcid="0000-0002-1825-0097",
    )


def _dataset(portal: _Portal, id: int, number: int) -> None:
    organism, taxid = ORGANISMS[number % 5]
    series = f", series {number // 5 + 1}" if number >= 5 else ""
    photo = f"{id}/Images/snapshot.png" if number != 7 else None
    portal.add(
        "Dataset", id=id, title=SUBJECTS[number % 5] + series, deposition_id=10300, organism_name=organism, organism_taxid=taxid,
        description=f"Vitrified {organism} on grids, milled where needed and tilted from −60° to 60°. {SUBJECTS[number % 5]}.",
        release_date=FUTURE if id == SECRET else f"2025-{number % 12 + 1:02d}-10T00:00:00+00:00", sample_type="organism",
        cell_name="whole cell", cell_strain_name="wild type", cell_strain_id="CVCL_0030", grid_preparation="Quantifoil R2/1, blotted 4 s",
        dataset_publications="10.7554/eLife.53065" if number % 2 else None, related_database_entries="EMPIAR-11830, EMD-16183",
        folder_path=f"{id}/", file_size=4.2e10 * (number + 1), key_photo_path=photo, key_photo_thumbnail_path=photo, folder=str(id),
    )  # fmt: skip
    if photo:
        portal.pictures.append((photo, number))
    names = (
        "Ada Ångström",
        "Béla Bartók",
        "Chandra Lekha",
        "Dorothy Hodgkin",
        "Ernst Ruska",
        "Jacques Dubochet",
    )
    for position, name in enumerate(names[: 2 + number % 5], 1):
        portal.add(
            "DatasetAuthor", dataset_id=id, name=name, author_list_order=position, primary_author_status=position == 1,
            corresponding_author_status=position == 2, orcid="0000-0002-1825-0097" if position < 3 else None,
        )  # fmt: skip
    portal.add("DatasetFunding", dataset_id=id, funding_agency_name="Moon Fund", grant_id=f"M-{number}")
    for position in range(45 if id == CROWDED else 3):
        _run(portal, id, number, position)


def _run(portal: _Portal, dataset: int, number: int, position: int) -> None:
    name = HOSTILE if (number, position) == (1, 2) else f"TS_{position + 1:03d}"
    home = f"{dataset}/TS_{position + 1:03d}"
    is_empty = (number, position) == (2, 2)
    ids = {"id": EMPTY_RUN} if is_empty else {}
    run = portal.add("Run", name=name, dataset_id=dataset, folder_path=f"{home}/", folder=home, **ids)
    if is_empty:
        return
    stack = f"{home}/TiltSeries/100"
    series = portal.add(
        "TiltSeries", run_id=run, deposition_id=10300, tilt_min=-60.0, tilt_max=60.0, tilt_range=120.0, tilt_step=3.0, tilt_axis=84.7,
        tilt_series_quality=position % 5 + 1, pixel_spacing=1.96, total_flux=122.0, acceleration_voltage=300000, size_x=4096,
        spherical_aberration_constant=2.7, tilting_scheme="dose-symmetric from 0°", microscope_model="Krios G4", camera_model="FALCON 4i",
        size_y=4096, size_z=41, mrc_path=f"{stack}/TS.mrc", omezarr_path=f"{stack}/TS.zarr", file_size_mrc=1.4e9, folder=stack,
    )  # fmt: skip
    alignment = portal.add(
        "Alignment", run_id=run, tiltseries_id=series, deposition_id=10300, alignment_type="GLOBAL", volume_x_dimension=7840.0,
        volume_y_dimension=7840.0, volume_z_dimension=1960.0, alignment_method="patch_tracking", folder=f"{home}/Alignments/100",
        affine_transformation_matrix="[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]",
    )  # fmt: skip
    movie = f"{home}/Frames/0.eer" if number % 3 else None
    portal.add(
        "Frame", run_id=run, deposition_id=10300, acquisition_order=0, path=movie, folder=f"{home}/Frames"
    )
    place = f"{home}/Reconstructions/VoxelSpacing7.840"
    spacing = portal.add(
        "TomogramVoxelSpacing", run_id=run, voxel_spacing=7.84, folder_path=f"{place}/", folder=place
    )
    for offset, processing in enumerate(("denoised", "raw")):
        _tomogram(portal, run, alignment, spacing, place, 100 + offset, processing)
    for offset in range(number % 3 + (position == 1)):
        _annotation(portal, run, alignment, spacing, place, 100 + offset, number + offset)


def _tomogram(
    portal: _Portal, run: int, alignment: int, spacing: int, place: str, id: int, processing: str
) -> None:
    folder, photo = f"{place}/Tomograms/{id}", f"pictures/{run % 16}.png"
    state = {"layers": [{"type": "image", "source": "zarr://{files}" + f"{folder}/TS.zarr", "name": "TS"}]}
    portal.add(
        "Tomogram", run_id=run, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, deposition_id=10300, voxel_spacing=7.84,
        size_x=1000, size_y=1000, size_z=250, processing=processing, reconstruction_method="WBP", is_author_submitted=True,
        fiducial_alignment_status="NON_FIDUCIAL", reconstruction_software="AreTomo3", is_visualization_default=processing == "denoised",
        mrc_path=f"{folder}/TS.mrc", omezarr_path=f"{folder}/TS.zarr", file_size_mrc=1.0e9, file_size_omezarr=1.14e9,
        neuroglancer_config=json.dumps(state) if processing == "denoised" else None, ctf_corrected=True, folder=folder,
        key_photo_path=photo, key_photo_thumbnail_path=photo, release_date="2025-01-10T00:00:00+00:00",
    )  # fmt: skip


def _annotation(
    portal: _Portal, run: int, alignment: int, spacing: int, place: str, id: int, kind: int
) -> None:
    object_id, name = OBJECTS[kind % 6]
    folder, is_truth = f"{place}/Annotations/{id}", kind % 2 == 0
    annotation = portal.add(
        "Annotation", run_id=run, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, deposition_id=10300, object_id=object_id,
        object_name=name, method_type="manual" if is_truth else "automated", ground_truth_status=is_truth, object_count=120 + id,
        confidence_precision=None if is_truth else 93.5, confidence_recall=None if is_truth else 71.25, folder=folder,
        annotation_software="crYOLO", annotation_method="template matching, checked by eye",
        release_date="2025-01-10T00:00:00+00:00",
    )  # fmt: skip
    portal.add(
        "AnnotationAuthor", annotation_id=annotation, name="Zoë Öz", author_list_order=1, folder=folder
    )
    shape = "SegmentationMask" if name == "membrane" else "Point"
    geometry = portal.add("AnnotationShape", annotation_id=annotation, shape_type=shape, folder=folder)
    for format in ("mrc", "zarr") if shape == "SegmentationMask" else ("ndjson",):
        portal.add(
            "AnnotationFile", annotation_shape_id=geometry, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, format=format,
            path=f"{folder}/{name.replace(' ', '_')}-1.0.{format}", file_size=4096.0, folder=folder,
        )  # fmt: skip


def _picture(path: Path, seed: int) -> None:
    """A grey slab with something membrane-like and coloured discs, 512 × 384."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:384, :512].astype(np.float32)
    grey = np.full((384, 512), 138.0, np.float32)
    for _ in range(7):
        centre, radius = random.uniform((0, 0), (512, 384)), random.uniform(25, 150)
        distance = np.hypot(x - centre[0], (y - centre[1]) * random.uniform(0.7, 1.4)) - radius
        grey -= 60 * np.exp(-((distance / 3.2) ** 2)) + 50 * np.exp(-(((distance - 11) / 3.2) ** 2))
    noise = Image.fromarray(random.normal(0, 30, (192, 256)).astype(np.float32)).resize((512, 384))
    colour = np.repeat((grey + np.asarray(noise) + random.normal(0, 12, grey.shape))[..., None], 3, axis=2)
    for _ in range(24):
        centre = random.uniform((0, 0), (512, 384))
        disc = np.hypot(x - centre[0], y - centre[1])[..., None]
        tint = np.array(((0, 224, 255), (255, 196, 0), (255, 84, 153))[seed % 3], np.float32)
        colour = np.where(disc < 7, 0.25 * colour + 0.75 * tint, colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colour.clip(0, 255).astype(np.uint8)).save(path)

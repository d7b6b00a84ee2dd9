"""What the public portal's pages and documentation tell people to type, but for the line of the import, against a real server whose
entities have the ids and names of those texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures_catalog import PAST, fill, row
from fixtures_server import make_file, serving
from tomoportal.catalog import open_catalog
from tomoportal.settings import Settings

RUN = "10027/TS_026"
SPACING = f"{RUN}/Reconstructions/VoxelSpacing13.480"
ANNOTATION = f"{SPACING}/Annotations/100"
FILES = {
    "10027/dataset_metadata.json": b"{}",
    f"{RUN}/run_metadata.json": b"{}",
    f"{RUN}/Frames/TS_026.mdoc": b"T = mdoc\n",
    f"{RUN}/Frames/frames_metadata.json": b"{}",
    f"{RUN}/TiltSeries/100/TS_026.mrc": b"stack",
    f"{RUN}/TiltSeries/100/TS_026.rawtlt": b"-60\n60\n",
    f"{RUN}/TiltSeries/100/TS_026.zarr/.zattrs": b"{}",
    f"{RUN}/TiltSeries/100/TS_026.zarr/0/0/0/0": b"chunk of images",
    f"{RUN}/TiltSeries/100/tiltseries_metadata.json": b"{}",
    f"{RUN}/Alignments/100/TS_026.xf": b"1 0 0 1 0 0\n",
    f"{RUN}/Alignments/100/alignment_metadata.json": b"{}",
    f"{SPACING}/Tomograms/100/TS_026.mrc": b"volume",
    f"{SPACING}/Tomograms/100/TS_026.zarr/.zattrs": b"{}",
    f"{SPACING}/Tomograms/100/TS_026.zarr/0/0/0/0": b"chunk",
    f"{SPACING}/Tomograms/100/tomogram-metadata.json": b"{}",
    f"{ANNOTATION}/ribosome-1.0_point.ndjson": b'{"type": "point", "location": {"x": 1, "y": 2, "z": 3}}\n',
    f"{ANNOTATION}/ribosome-1.0_segmentationmask.mrc": b"mask",
    f"{ANNOTATION}/ribosome-1.0_segmentationmask.zarr/.zattrs": b"{}",
    f"{ANNOTATION}/ribosome-1.0_segmentationmask.zarr/0/0/0/0": b"chunk of mask",
    f"{ANNOTATION}/ribosome-1.0.json": b"{}",
}


def _rows() -> dict[str, list[dict]]:
    run = {"run_id": 645}
    frame = {**run, "deposition_id": 10300, "alignment_id": 17}
    spacing = {"tomogram_voxel_spacing_id": 894}
    shapes = ((1, "Point", "ndjson"), (2, "SegmentationMask", "mrc"), (2, "SegmentationMask", "zarr"))
    return {
        "Deposition": [row("Deposition", id=10300, release_date=PAST, folder="DepositionMetadata/10300")],
        "Dataset": [row(
            "Dataset", id=10027, deposition_id=10300, release_date=PAST, folder_path="10027/", folder="10027",
        )],
        "Run": [row("Run", id=645, name="TS_026", dataset_id=10027, folder_path=f"{RUN}/", folder=RUN)],
        "FrameAcquisitionFile": [
            row("FrameAcquisitionFile", id=3, **run, mdoc_path=f"{RUN}/Frames/TS_026.mdoc", folder=f"{RUN}/Frames")
        ],
        "TiltSeries": [row(
            "TiltSeries", id=8, **run, deposition_id=10300, mrc_path=f"{RUN}/TiltSeries/100/TS_026.mrc",
            omezarr_path=f"{RUN}/TiltSeries/100/TS_026.zarr", angle_list_path=f"{RUN}/TiltSeries/100/TS_026.rawtlt",
            folder=f"{RUN}/TiltSeries/100",
        )],
        "Alignment": [row(
            "Alignment", id=17, **run, deposition_id=10300, tiltseries_id=8,
            metadata_path=f"{RUN}/Alignments/100/alignment_metadata.json", folder=f"{RUN}/Alignments/100",
        )],
        "TomogramVoxelSpacing": [
            row("TomogramVoxelSpacing", id=894, **run, voxel_spacing=13.48, folder_path=f"{SPACING}/", folder=SPACING)
        ],
        "Tomogram": [row(
            "Tomogram", id=1014, name="TS_026", **frame, **spacing, voxel_spacing=13.48, size_x=960, size_y=928, size_z=500,
            processing="raw",
            mrc_path=f"{SPACING}/Tomograms/100/TS_026.mrc", omezarr_path=f"{SPACING}/Tomograms/100/TS_026.zarr",
            release_date=PAST, folder=f"{SPACING}/Tomograms/100",
        )],
        "Annotation": [row(
            "Annotation", id=41, **frame, **spacing, object_name="cytosolic ribosome", release_date=PAST,
            metadata_path=f"{ANNOTATION}/ribosome-1.0.json", folder=ANNOTATION,
        )],
        "AnnotationShape": [
            row("AnnotationShape", id=id, annotation_id=41, shape_type=shape, folder=ANNOTATION)
            for id, shape in {id: shape for id, shape, _ in shapes}.items()
        ],
        "AnnotationFile": [
            row(
                "AnnotationFile", id=number, annotation_shape_id=id, alignment_id=17, **spacing, format=format,
                path=f"{ANNOTATION}/ribosome-1.0_{shape.lower()}.{format}", folder=ANNOTATION,
            )
            for number, (id, shape, format) in enumerate(shapes, 1)
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    database = f"sqlite:///{folder / 'catalog.sqlite'}"
    with open_catalog(database, create=True) as catalog:
        fill(catalog, _rows())
    for path, content in FILES.items():
        make_file(folder / "files", path, content)
    with serving(Settings(storage=str(folder / "files"), database=database)) as url:
        yield url


def _tree(folder: Path) -> dict[str, bytes]:
    """What was downloaded, without the notes that downloads keep."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and (not path.name.startswith(".") or path.name.startswith(".z"))
    }


def _below(prefix: str, to: str = "", only: str = "") -> dict[str, bytes]:
    """The files of the portal below a folder, under another one."""
    return {
        to + path.removeprefix(prefix): content
        for path, content in FILES.items()
        if path.startswith(prefix) and only in path
    }


SNIPPETS = {
    "dataset": (
        """
client = Client()
dataset = Dataset.get_by_id(client, 10027)
dataset.download_everything('10027')
""",
        _below("10027/", "10027/10027/"),
    ),
    "run": (
        """
client = Client()
run = Run.get_by_id(client, 645)
run.download_everything()
""",
        _below(f"{RUN}/", "TS_026/"),
    ),
    "annotations of a run": (
        """
client = Client()
run = Run.get_by_id(client, 645)
for annotation in run.annotations:
    annotation.download()
""",
        _below(f"{ANNOTATION}/"),
    ),
    "tomogram mrc": (
        """
client = Client()
tomogram = Tomogram.get_by_id(client, 1014)
tomogram.download_mrcfile()
""",
        {"TS_026.mrc": b"volume"},
    ),
    "tomogram zarr": (
        """
client = Client()
tomogram = Tomogram.get_by_id(client, 1014)
tomogram.download_omezarr()
""",
        _below(f"{SPACING}/Tomograms/100/TS_026.zarr", "TS_026.zarr"),
    ),
    "tomogram by name": (
        """
client = Client()
tomo = Tomogram.find(client, query_filters=[Tomogram.name == "TS_026"])
tomo.download_omezarr()
""",
        _below(f"{SPACING}/Tomograms/100/TS_026.zarr", "TS_026.zarr"),
    ),
    "annotations of a voxel spacing": (
        """
client = Client()
tomo = TomogramVoxelSpacing.get_by_id(client, 894)
annotations = tomo.annotations
for a in annotations:
    a.download()
""",
        _below(f"{ANNOTATION}/"),
    ),
    "one format": (
        """
client = Client()
annotation = Annotation.get_by_id(client, 41)
annotation.download(format='mrc')
""",
        {"ribosome-1.0_segmentationmask.mrc": b"mask", "ribosome-1.0.json": b"{}"},
    ),
    "large tomograms": (
        """
client = Client()
runs = Run.find(client, query_filters=[Run.name.ilike("%TS%"), Run.tomogram_voxel_spacings.tomograms.size_x > 900])
for run in runs:
    print(run.name)
    for spacing in run.tomogram_voxel_spacings:
        for tomogram in spacing.tomograms:
            print(tomogram.name, tomogram.size_x)
assert [run.name for run in runs] == ["TS_026"]
""",
        {},
    ),
    "lists, patterns and dates": (
        """
client = Client()
assert Tomogram.find(client, [Tomogram.voxel_spacing._in([13.48, 10.0])])
assert Run.find(client, [Run.name.like("TS_%"), Run.dataset_id == 10027])
assert Annotation.find(client, [Annotation.object_name.ilike("%ribosome%"), Annotation.run.dataset.id == 10027])
assert Dataset.find(client, [Dataset.runs.annotations.id != None, Dataset.release_date > "2020-01-01"])
assert Dataset.find(client, [Dataset.runs.tomogram_voxel_spacings.tomograms.id != None])
""",
        {},
    ),
    "tilt series": (
        """
client = Client()
ts = TiltSeries.find(client, [TiltSeries.run.name == "TS_026"])[0]
ts.download_alignment_file()
ts.download_angle_list()
ts.download_collection_metadata()
""",
        {"TS_026.rawtlt": b"-60\n60\n", "TS_026.mdoc": b"T = mdoc\n", **_below(f"{RUN}/Alignments/100/")},
    ),
    "tilt series volumes": (
        """
client = Client()
ts = TiltSeries.get_by_id(client, 8)
ts.download_mrcfile()
ts.download_omezarr()
""",
        {"TS_026.mrc": b"stack", **_below(f"{RUN}/TiltSeries/100/TS_026.zarr", "TS_026.zarr")},
    ),
    "voxel spacing": (
        """
client = Client()
spacing = TomogramVoxelSpacing.get_by_id(client, 894)
spacing.download_everything()
""",
        _below(f"{RUN}/"  , "", "Reconstructions"),
    ),
    "how EMAN2 asks": (
        """
import json
client = Client()
for tomogram in Tomogram.find(client, [Tomogram.tomogram_voxel_spacing.run.dataset.id == 10027]):
    json.dumps({name: str(value) for name, value in tomogram.to_dict().items()})
    tomogram.download_mrcfile(dest_path="there")
""",
        {"there/TS_026.mrc": b"volume"},
    ),
    "how copick asks": (
        """
client = Client()
shape = AnnotationFile.annotation_shape
files = AnnotationFile.find(client, [
    shape.annotation.run_id == 645, shape.shape_type._in(["Point", "OrientedPoint"]),
    shape.annotation.object_name._in({"cytosolic ribosome": 1}.keys()),
])
assert [file.s3_path.rpartition("/")[2] for file in files] == ["ribosome-1.0_point.ndjson"]
assert AnnotationShape.find(client, [AnnotationShape.id._in([file.annotation_shape_id for file in files])])
assert {"id", "s3_omezarr_dir", "alignment_id"} <= set(Tomogram.__annotations__)
""",
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_text_runs_as_it_stands(name, url, tmp_path, monkeypatch):
    source, expected = SNIPPETS[name]
    monkeypatch.setenv("TOMOPORTAL_URL", url)
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    try:
        exec(f"from tomoportal import *\n{source}", scope)
    finally:
        scope["client"].close()
    assert _tree(tmp_path) == expected

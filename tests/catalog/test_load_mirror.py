"""What the reference system wrote becomes rows: with ids that stay, without listing a chunk, beside datasets of our own."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures_layout import small_layout
from fixtures_mirror import Mirror
from tomoportal.catalog import Addresses, Catalog, Visibility, load, open_catalog
from tomoportal.layout.ids import FIRST_OF_MIRRORS
from tomoportal.model import query as q
from tomoportal.model.registry import ENTITIES
from tomoportal.problems import Severity
from tomoportal.storage import LocalStorage
from tomoportal.storage.protocol import Entry, Level

SPACING = "10500/TS_001/Reconstructions/VoxelSpacing13.480"
TOMOGRAM = f"{SPACING}/Tomograms/100/tomogram_metadata.json"
POINTS = f"{SPACING}/Annotations/100/cytosolic_ribosome-1.0.json"


def everything(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    view = catalog.view(addresses=Addresses("F/", "S/"))
    return {
        entity.__name__: view.rows(
            q.Select(
                entity.__name__, tuple(q.Value(f.name, f.name) for f in entity.fields.values() if f.stored)
            )
        )
        for entity in ENTITIES
    }


def one(catalog: Catalog, name: str) -> dict[str, Any]:
    (row,) = everything(catalog)[name]
    return row


def test_every_kind_of_row_arrives(mirror: Mirror, catalog: Catalog) -> None:
    report = load(LocalStorage(mirror.root), catalog)
    assert not report.problems
    assert report.datasets == ("10500",)
    counts = {name: len(rows) for name, rows in everything(catalog).items()}
    assert counts == {
        "Deposition": 1, "DepositionAuthor": 2, "DepositionType": 2, "Dataset": 1, "DatasetAuthor": 2, "DatasetFunding": 1, "Run": 1,
        "Frame": 3, "FrameAcquisitionFile": 1, "GainFile": 1, "TiltSeries": 1, "PerSectionParameters": 3, "Alignment": 1,
        "PerSectionAlignmentParameters": 3, "IdentifiedObject": 1, "TomogramVoxelSpacing": 1, "Tomogram": 1, "TomogramAuthor": 2,
        "Annotation": 2, "AnnotationAuthor": 4, "AnnotationMethodLink": 2, "AnnotationShape": 2, "AnnotationFile": 3,
    }  # fmt: skip


def test_values_and_ids(mirror: Mirror, catalog: Catalog) -> None:
    load(LocalStorage(mirror.root), catalog)
    rows = everything(catalog)
    assert (rows["Deposition"][0]["id"], rows["Dataset"][0]["id"]) == (10300, 10500)
    others = [
        row["id"] for name, items in rows.items() if name not in ("Deposition", "Dataset") for row in items
    ]
    assert min(others) >= FIRST_OF_MIRRORS
    tomogram = rows["Tomogram"][0]
    assert tomogram["reconstruction_method"] == "Fourier_Space"
    assert (tomogram["size_x"], tomogram["size_z"]) == (16, 8)
    assert tomogram["https_omezarr_dir"] == f"F/{SPACING}/Tomograms/100/TS_001.zarr"
    assert tomogram["alignment_id"] == rows["Alignment"][0]["id"]
    assert rows["Alignment"][0]["tiltseries_id"] == rows["TiltSeries"][0]["id"]
    assert rows["IdentifiedObject"][0]["object_state"] == "intact"
    assert rows["FrameAcquisitionFile"][0]["https_mdoc_path"] == "F/10500/TS_001/Frames/TS_001.mdoc"
    assert rows["PerSectionParameters"][1]["frame_id"] == rows["Frame"][1]["id"]
    assert rows["AnnotationFile"][0]["source"] == "dataset_author"
    assert rows["Dataset"][0]["key_photo_url"] == "F/10500/Images/snapshot.png"


def test_sizes_of_files_are_known_and_those_of_volumes_are_not(mirror: Mirror, catalog: Catalog) -> None:
    load(LocalStorage(mirror.root), catalog)
    rows = everything(catalog)
    tomogram = rows["Tomogram"][0]
    assert tomogram["file_size_mrc"] == mirror.sizes[f"{SPACING}/Tomograms/100/TS_001.mrc"]
    assert [row["file_size"] for row in rows["Frame"]] == [104, 105, 106]
    assert {row["format"]: row["file_size"] for row in rows["AnnotationFile"]}["zarr"] is None
    assert (
        tomogram["file_size_omezarr"]
        is rows["TiltSeries"][0]["file_size_omezarr"]
        is rows["Dataset"][0]["file_size"]
        is None
    )


def test_the_viewer_state_leads_to_this_server(mirror: Mirror, catalog: Catalog) -> None:
    load(LocalStorage(mirror.root), catalog)
    state = json.loads(one(catalog, "Tomogram")["neuroglancer_config"])
    assert [layer["source"]["url"] for layer in state["layers"]] == [
        f"zarr://F/{SPACING}/Tomograms/100/TS_001.zarr",
        f"precomputed://F/{SPACING}/NeuroglancerPrecompute/101-membrane-1.0_segmentationmask",
        f"precomputed://F/{SPACING}/NeuroglancerPrecompute/100-cytosolic_ribosome-1.0_point",
    ]


def test_files_may_be_given_out(mirror: Mirror, catalog: Catalog) -> None:
    load(LocalStorage(mirror.root), catalog)
    view = catalog.view()
    assert {view.visible(path) for path in mirror.sizes} == {Visibility.PUBLIC}


def test_ids_stay(mirror: Mirror, catalog: Catalog, url: str) -> None:
    storage = LocalStorage(mirror.root)
    load(storage, catalog)
    first = everything(catalog)
    mirror.run("TS_000")
    load(storage, catalog)
    assert all(row in everything(catalog)[name] for name, rows in first.items() for row in rows)
    both = everything(catalog)
    catalog.database.create()
    with open_catalog(url) as anew:
        assert not everything(anew)["Run"]
        load(storage, anew)
        assert everything(anew) == both


def test_ids_come_back_and_are_never_given_twice(mirror: Mirror, catalog: Catalog) -> None:
    storage = LocalStorage(mirror.root)
    load(storage, catalog)
    before = one(catalog, "Tomogram")["id"]
    sidecar = (mirror.root / TOMOGRAM).read_bytes()
    (mirror.root / TOMOGRAM).unlink()
    load(storage, catalog)
    assert not everything(catalog)["Tomogram"]
    mirror.file(TOMOGRAM.replace("/100/", "/101/"), sidecar)
    load(storage, catalog)
    assert one(catalog, "Tomogram")["id"] == before + 1
    mirror.file(TOMOGRAM, sidecar)
    load(storage, catalog)
    assert {row["id"] for row in everything(catalog)["Tomogram"]} == {before, before + 1}


def test_beside_a_dataset_of_ours(mirror: Mirror, catalog: Catalog) -> None:
    layout = small_layout(mirror.root)
    mirror.change(TOMOGRAM, deposition_id="20001")
    report = load(layout.storage, catalog)
    assert report.datasets == ("30001", "10500")
    runs = {row["dataset_id"]: row["id"] for row in everything(catalog)["Run"]}
    assert runs[30001] < FIRST_OF_MIRRORS <= runs[10500]
    shutil.rmtree(mirror.root / "10500")
    assert not [p for p in load(layout.storage, catalog).problems if "10500" in p.where]
    assert [row["id"] for row in everything(catalog)["Dataset"]] == [30001]


class Counting(LocalStorage):
    """Counts what is asked, refuses to list anything below a folder, and to look into a volume."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: Counter[str] = Counter()

    def list(self, prefix: str = "") -> Iterator[Entry]:
        raise AssertionError(f"everything below {prefix} is listed")

    def level(self, prefix: str = "") -> Level:
        assert ".zarr" not in prefix
        assert "Precompute/" not in prefix
        self.asked["level"] += 1
        return super().level(prefix)

    def folders(self, prefix: str = "") -> list[str]:  # type: ignore[valid-type]
        assert ".zarr" not in prefix
        self.asked["folders"] += 1
        return super().folders(prefix)

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        assert path.endswith(".json")
        self.asked["read"] += 1
        return super().read(path, start, length)


def test_no_chunk_is_listed_and_each_file_is_read_once(mirror: Mirror, catalog: Catalog) -> None:
    storage = Counting(mirror.root)
    load(storage, catalog)
    assert storage.asked["read"] == len([path for path in mirror.sizes if path.endswith(".json")])
    before = storage.asked["level"] + storage.asked["folders"]
    mirror.run("TS_002")
    load(storage, catalog)
    assert storage.asked["level"] + storage.asked["folders"] - before - before <= 20


def test_damaged_metadata_leave_all_rows(mirror: Mirror, catalog: Catalog) -> None:
    storage = LocalStorage(mirror.root)
    load(storage, catalog)
    before = everything(catalog)
    mirror.file(TOMOGRAM, b'{"cut": ')
    mirror.change("10500/dataset_metadata.json", dataset_title="New")
    (problem,) = load(storage, catalog).problems
    assert (problem.code, TOMOGRAM in problem.message) == ("load-unreadable", True)
    assert everything(catalog) == before


@pytest.mark.parametrize(
    ("path", "absent", "field", "value"),
    [
        (TOMOGRAM, "reconstruction_method", "reconstruction_method", "Unknown"),
        (TOMOGRAM, "reconstruction_software", "reconstruction_software", "Unknown"),
        (TOMOGRAM, "offset", "offset_x", 0),
        (POINTS, "annotation_ingest_id", "annotation_ingest_id", "cytosolic_ribosome-1.0"),
    ],
)
def test_what_may_not_be_null_gets_a_stated_value(
    mirror: Mirror, catalog: Catalog, path: str, absent: str, field: str, value: Any
) -> None:
    mirror.change(path, **{absent: None})
    problems = load(LocalStorage(mirror.root), catalog).problems
    assert {problem.severity for problem in problems} == {Severity.WARNING}
    assert all(str(value) in problem.message and problem.file == path for problem in problems)
    rows = everything(catalog)["Tomogram" if path == TOMOGRAM else "Annotation"]
    assert value in [row[field] for row in rows]


def test_a_row_that_cannot_be_is_refused_with_a_sentence(mirror: Mirror, catalog: Catalog) -> None:
    mirror.change(TOMOGRAM, fiducial_alignment_status=None)
    (problem,) = load(LocalStorage(mirror.root), catalog).problems
    assert problem.severity is Severity.ERROR
    assert "fiducial_alignment_status is absent, and tomogram needs it" in problem.message
    assert not everything(catalog)["Tomogram"]
    assert len(everything(catalog)["Annotation"]) == 2


def test_many_findings_of_a_kind_are_told_together(mirror: Mirror, catalog: Catalog) -> None:
    for number in range(2, 7):
        mirror.run(f"TS_{number:03}")
    for path in sorted(mirror.root.rglob("tomogram_metadata.json")):
        mirror.change(path.relative_to(mirror.root).as_posix(), fiducial_alignment_status="sometimes")
    problems = load(LocalStorage(mirror.root), catalog).problems
    assert len(problems) == 3
    assert "3 more of this kind in 10500" in " ".join(problem.message for problem in problems)


def test_volumes_that_were_never_written_are_not_offered(mirror: Mirror, catalog: Catalog) -> None:
    (mirror.root / SPACING / "Tomograms/100/TS_001.mrc").unlink()
    (mirror.root / SPACING / "Annotations/101/membrane-1.0_segmentationmask.mrc").unlink()
    shutil.rmtree(mirror.root / SPACING / "Images")
    problems = load(LocalStorage(mirror.root), catalog).problems
    assert sorted(problem.where for problem in problems) == ["files", "mrc_file"]
    tomogram = one(catalog, "Tomogram")
    assert tomogram["https_mrc_file"] is tomogram["key_photo_url"] is None
    assert [row["format"] for row in everything(catalog)["AnnotationFile"]] == ["ndjson", "zarr"]


def test_paths_that_name_a_bucket_are_cut(mirror: Mirror, catalog: Catalog) -> None:
    told = mirror.read(TOMOGRAM)["omezarr_dir"]
    mirror.change(TOMOGRAM, omezarr_dir=f"s3://some-bucket/public/{told}")
    assert not load(LocalStorage(mirror.root), catalog).problems
    assert one(catalog, "Tomogram")["https_omezarr_dir"] == f"F/{told}"


def test_of_several_metadata_the_last_written_counts(mirror: Mirror, catalog: Catalog) -> None:
    older = mirror.read(POINTS)
    mirror.json(POINTS.replace("-1.0", "-2.0"), {**older, "object_count": 9})
    mirror.change(POINTS, object_count=4)
    (problem,) = load(LocalStorage(mirror.root), catalog).problems
    assert problem.code == "load-several-metadata"
    assert {row["object_count"] for row in everything(catalog)["Annotation"]} == {0, 4}


def test_our_own_layout_without_its_private_area(catalog: Catalog, tmp_path: Path) -> None:
    layout = small_layout(tmp_path / "files")
    layout.storage.delete_tree(".tomoportal")
    report = load(layout.storage, catalog)
    assert report.datasets == ("30001",)
    assert len(everything(catalog)["Tomogram"]) == 1


def test_a_damaged_ledger_is_told(mirror: Mirror, tmp_path: Path) -> None:
    from tomoportal.errors import CatalogError

    (tmp_path / "catalog.mirrors.sqlite").write_bytes(
        b"not a database, but long enough to be taken for one" * 100
    )
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    with (
        open_catalog(url, create=True) as catalog,
        pytest.raises(CatalogError, match=r"catalog\.mirrors\.sqlite.*backup"),
    ):
        load(LocalStorage(mirror.root), catalog)

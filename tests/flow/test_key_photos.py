"""Pictures of datasets and depositions that the depositor gives, through the front door."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from fixtures_command import ingest_tiny

DATASET, DEPOSITION = "20002/Images", "DepositionMetadata/20001/Images"


def save(path, colour, size=(640, 480)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def colour(data: bytes) -> tuple[int, int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return tuple(int(value) for value in np.asarray(picture.convert("RGB")).mean((0, 1)).round())


def photos(**value):
    return [{"sources": [{"literal": {"value": value}}]}]


@pytest.fixture
def given(tiny):
    """Pictures beside the data, named as real files name them: with the bucket, or below the source prefix."""
    save(tiny.source / "photos/snapshot.jpg", "red")
    save(tiny.lab / "keyphotos/thumb.png", "blue", (60, 40))
    tiny.config["dataset_keyphotos"] = photos(
        snapshot="raw-bucket/photos/snapshot.jpg", thumbnail="keyphotos/thumb.png"
    )
    tiny.config["deposition_keyphotos"] = photos(snapshot="photos/snapshot.jpg", thumbnail=None)
    return tiny


def test_given_pictures_are_published_and_shown(given, portal):
    ran = ingest_tiny(given, portal)
    assert (ran.code, ran.problems) == (0, [])

    files = portal.public()
    assert colour(files[f"{DATASET}/snapshot.png"])[0] > 250
    assert colour(files[f"{DATASET}/thumbnail.png"]) == (0, 0, 255)
    assert colour(files[f"{DEPOSITION}/snapshot.png"]) == colour(files[f"{DEPOSITION}/thumbnail.png"])
    sidecar = json.loads(files["20002/dataset_metadata.json"])
    assert sidecar["key_photos"] == {
        "snapshot": f"{DATASET}/snapshot.png",
        "thumbnail": f"{DATASET}/thumbnail.png",
    }
    (row,) = portal.rows("Dataset", "key_photo_url", "key_photo_thumbnail_url")
    assert row["key_photo_url"].endswith(f"{DATASET}/snapshot.png")
    (row,) = portal.rows("Deposition", "key_photo_thumbnail_url")
    assert row["key_photo_thumbnail_url"].endswith(f"{DEPOSITION}/thumbnail.png")


def test_again_there_is_nothing_to_do_and_a_new_picture_replaces_the_old(given, portal):
    ingest_tiny(given, portal)
    before = portal.public()
    ingest_tiny(given, portal)
    assert portal.public() == before

    save(given.source / "photos/snapshot.jpg", "lime", (641, 480))
    ingest_tiny(given, portal)
    after = portal.public()
    assert colour(after[f"{DATASET}/snapshot.png"])[1] > 250
    changed = {path for path in after if after[path] != before[path]}
    assert changed <= {f"{DATASET}/snapshot.png", f"{DEPOSITION}/snapshot.png", f"{DEPOSITION}/thumbnail.png"}


def test_what_cannot_be_had_is_told_and_the_tomogram_stands_in(given, portal):
    given.config["dataset_keyphotos"] = photos(snapshot="http://127.0.0.1:1/a.png", thumbnail="lab/R1.csv")
    ran = ingest_tiny(given, portal)

    assert ran.code == 0
    told = [problem for problem in ran.problems if problem["code"] == "key-photo"]
    assert ["cannot be fetched" in told[0]["message"], "no picture" in told[1]["message"]] == [True, True]
    assert all(problem["line"] and problem["file"] == str(given.file) for problem in told)
    files = portal.public()
    volume = "20002/R1/Reconstructions/VoxelSpacing10.000/Images/100"
    assert files[f"{DATASET}/snapshot.png"] == files[f"{volume}/key-photo-snapshot.png"]


def test_a_picture_that_is_gone_stays_published(given, portal):
    ingest_tiny(given, portal)
    before = portal.public()
    (given.source / "photos/snapshot.jpg").unlink()
    ran = ingest_tiny(given, portal)

    assert ran.code == 0
    assert {problem["code"] for problem in ran.problems} == {"key-photo"}
    assert portal.public() == before


def test_without_the_wish_the_tomogram_comes_back(given, portal):
    ingest_tiny(given, portal)
    del given.config["dataset_keyphotos"]
    ingest_tiny(given, portal)

    files = portal.public()
    assert colour(files[f"{DATASET}/snapshot.png"]) == colour(
        files["20002/R1/Reconstructions/VoxelSpacing10.000/Images/100/key-photo-snapshot.png"]
    )


def test_pictures_found_by_a_pattern(given, portal):
    save(given.lab / "grid1/dataset_keyphotos/key-photo-snapshot.png", "red")
    save(given.lab / "grid1/dataset_keyphotos/key-photo-thumbnail.png", "lime")
    save(given.lab / "grid1/dataset_keyphotos/key-photo-other.png", "blue")
    source = {"list_glob": "*/dataset_keyphotos/*.png", "name_regex": r"key-photo-(.*)\.png"}
    given.config["dataset_keyphotos"] = [{"sources": [{"source_glob": source}]}]
    ran = ingest_tiny(given, portal)

    assert "neither snapshot nor thumbnail" in ran.problem("key-photo")["message"]
    files = portal.public()
    assert (colour(files[f"{DATASET}/snapshot.png"]), colour(files[f"{DATASET}/thumbnail.png"])) == (
        (255, 0, 0), (0, 255, 0),
    )  # fmt: skip


def test_pictures_that_are_in_the_portal_stay_when_the_file_refers_to_them(given, portal):
    ingest_tiny(given, portal)
    before = portal.public()
    reference = {"list_glob": "{dataset_output_path}/Images/*", "match_regex": r"(snapshot|thumbnail)\.(png|jpg|jpeg)$",
                 "name_regex": "(snapshot|thumbnail)"}  # fmt: skip
    given.config["dataset_keyphotos"] = [{"sources": [{"destination_glob": reference}]}]
    ran = ingest_tiny(given, portal)

    assert (ran.code, ran.problems) == (0, [])
    assert colour(portal.public()[f"{DATASET}/snapshot.png"]) == colour(before[f"{DATASET}/snapshot.png"])

"""Pictures of tomograms that the depositor gives."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fixtures_command import contents, ingest_tiny

IMAGES = "20002/R1/Reconstructions/VoxelSpacing10.000/Images/100"
SIZES = {"original": (800, 450), "snapshot": (512, 384), "thumbnail": (134, 100), "expanded": (1024, 768)}


@pytest.fixture
def pictured(tiny):
    """Two runs, one of them with a picture."""
    tiny.run("R2", seed=2)
    (tiny.lab / "pictures").mkdir()
    Image.new("RGB", (800, 450), "red").save(tiny.lab / "pictures/R1.jpg")
    tiny.config["key_images"] = [{"sources": [{"source_glob": {"list_glob": "pictures/{run_name}.jpg"}}]}]
    return tiny


def opened(portal, size: str, run: str = "R1") -> Image.Image:
    data = portal.public()[f"{IMAGES.replace('R1', run)}/key-photo-{size}.png"]
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG"
    return picture.convert("RGB")


def is_red(picture: Image.Image) -> bool:
    return bool(np.asarray(picture).mean((0, 1))[0] > 240 > 20 > np.asarray(picture).mean((0, 1))[1])


def test_a_picture_is_published_in_four_sizes_and_stands_for_the_dataset(pictured, portal):
    ran = ingest_tiny(pictured, portal)
    assert (ran.code, ran.problems) == (0, [])

    for size, sides in SIZES.items():
        picture = opened(portal, size)
        assert (picture.size, is_red(picture)) == (sides, True)
    assert not is_red(opened(portal, "snapshot", "R2"))
    files = portal.public()
    assert files["20002/Images/snapshot.png"] == files[f"{IMAGES}/key-photo-snapshot.png"]


def test_nothing_is_done_twice_and_a_changed_picture_alone_is_made_again(pictured, portal):
    ingest_tiny(pictured, portal)
    before = contents(portal.layout)
    ingest_tiny(pictured, portal)
    assert contents(portal.layout) == before

    Image.new("RGB", (801, 450), "lime").save(pictured.lab / "pictures/R1.jpg")
    ingest_tiny(pictured, portal)
    after = portal.public()
    changed = {path for path in after if before[path] != after[path]}
    assert all("/Images/" in path for path in changed)
    assert {f"{IMAGES}/key-photo-{size}.png" for size in SIZES} <= changed


def test_without_the_wish_the_volume_is_shown_again(pictured, portal, tmp_path):
    ingest_tiny(pictured, portal)
    del pictured.config["key_images"]
    ingest_tiny(pictured, portal)

    assert not is_red(opened(portal, "snapshot"))


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff\xe0 cut"])
def test_what_is_no_picture_is_told_and_the_volume_is_shown(pictured, portal, content):
    (pictured.lab / "pictures/R1.jpg").write_bytes(content)
    ran = ingest_tiny(pictured, portal)

    assert ran.code == 0
    assert ran.problem("key-image")["file"] == "lab/pictures/R1.jpg"
    assert not is_red(opened(portal, "snapshot"))


def test_files_named_by_size_are_taken_for_their_size(pictured, portal):
    for size, colour in (("original", "red"), ("thumbnail", "lime")):
        (pictured.lab / "pictures/R1").mkdir(exist_ok=True)
        Image.new("RGB", (80, 80), colour).save(pictured.lab / f"pictures/R1/{size}.png")
    source = {"list_glob": "pictures/{run_name}/*.png", "name_regex": r"(.*)\.png"}
    pictured.config["key_images"] = [{"sources": [{"source_glob": source}]}]
    ingest_tiny(pictured, portal)

    assert [is_red(opened(portal, size)) for size in SIZES] == [True, True, False, True]


def test_a_filter_by_tomogram_and_its_placeholders(pictured, portal):
    source = {"source_glob": {"list_glob": "pictures/R?.jpg", "match_regex": "R1"},
              "parent_filters": {"include": {"tomogram": [r"^R1\.mrc$"]}}}  # fmt: skip
    pictured.config["key_images"] = [{"sources": [source]}]
    ran = ingest_tiny(pictured, portal)

    assert ran.problems == []
    assert (is_red(opened(portal, "snapshot")), is_red(opened(portal, "snapshot", "R2"))) == (True, False)


def test_another_deposition_does_not_lose_the_picture(pictured, portal):
    ingest_tiny(pictured, portal)
    before = portal.public()[f"{IMAGES}/key-photo-snapshot.png"]
    config = {
        name: pictured.config[name]
        for name in ("version", "standardization_config", "depositions", "annotations")
    }
    config["standardization_config"]["deposition_id"] = 20009
    config["depositions"][0]["metadata"]["deposition_identifier"] = 20009
    config["depositions"][0]["sources"] = [{"literal": {"value": [20009]}}]
    spacings = {
        "list_glob": "{run_output_path}/Reconstructions/VoxelSpacing*",
        "name_regex": "VoxelSpacing(.*)",
    }
    alignments = {"list_glob": "{run_output_path}/Alignments/100/alignment_metadata.json"}
    config |= {
        "datasets": [{"sources": [{"literal": {"value": ["20002"]}}]}],
        "runs": [{"sources": [{"destination_glob": {"list_glob": "{dataset_output_path}/*"}}]}],
        "voxel_spacings": [{"sources": [{"destination_glob": spacings}]}],
        "alignments": [{"sources": [{"destination_glob": alignments}]}],
    }
    pictured.config = config
    (pictured.lab / "pictures/R1.jpg").unlink()
    ran = ingest_tiny(pictured, portal)

    assert ran.code == 0, ran.out
    assert len(portal.rows("Annotation")) == 8
    assert portal.public()[f"{IMAGES}/key-photo-snapshot.png"] == before

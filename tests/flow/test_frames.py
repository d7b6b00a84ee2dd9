"""Movies: copied byte for byte, listed with order and dose, told when they and the mdoc files do not fit together."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import re

import pytest

from fixtures_command import FlowPortal, ingest_tiny
from fixtures_demo import settings_in
from fixtures_s3 import s3_server  # noqa: F401 - a fixture
from fixtures_tiny import ANGLES, Tiny
from made_movies import eer, mrc, tiff, with_movies
from tomoportal.catalog import open_catalog
from tomoportal.cli.ingest import CatalogLoading, ingest_config
from tomoportal.cli.planning import planned
from tomoportal.ingest.run import run_plan
from tomoportal.settings import Settings
from tomoportal.storage import open_storage

HOME = "20002/R1/Frames"
COLUMNS = ("acquisition_order", "accumulated_dose", "exposure_dose", "is_gain_corrected", "path", "file_size")


def _sidecar(portal: FlowPortal) -> dict:
    return json.loads((portal.layout / HOME / "frames_metadata.json").read_text())


def _messages(ran, *codes: str) -> list[str]:
    return [problem["message"] for problem in ran.problems if problem["code"] in codes]


def test_movies_are_published_byte_for_byte_and_listed_in_the_order_of_acquisition(tiny, portal):
    movies = with_movies(tiny)
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, ran.problems) == (0, [])
    published = {path.rpartition("/")[2]: data for path, data in portal.public().items() if HOME in path}
    assert {name: published[name] for name in movies} == movies
    assert set(published) == {*movies, "R1.mdoc", "frames_metadata.json"}
    rows = sorted(portal.rows("Frame", *COLUMNS), key=lambda row: row["acquisition_order"])
    expected = [
        (order, 3.0 * order, 3.0, True, f"{HOME}/{name}", float(len(data)))
        for order, (name, data) in enumerate(sorted(movies.items()))
    ]
    assert [tuple(row[name] for name in COLUMNS) for row in rows] == expected
    (series,) = (portal.layout / "20002/R1/TiltSeries").glob("*/tiltseries_metadata.json")
    assert json.loads(series.read_text())["frames_count"] == len(ANGLES)


def test_order_and_dose_follow_the_clock_and_not_the_file(tiny, portal):
    with_movies(tiny)
    head, *sections = (tiny.lab / "R1.mdoc").read_text().split("[ZValue")
    doses = [1.0, 2.0, 4.0, 8.0, 16.0]
    sections = [
        text.replace("ExposureDose = 3.0", f"ExposureDose = {dose}")
        for text, dose in zip(sections, doses, strict=True)
    ]
    (tiny.lab / "R1.mdoc").write_text("[ZValue".join([head, *reversed(sections)]))
    tiny.config["tiltseries"][0]["metadata"]["total_flux"] = sum(doses)
    assert ingest_tiny(tiny, portal).problems == []
    frames = _sidecar(portal)["frames"]
    assert [frame["path"].rpartition("/")[2] for frame in frames] == [f"R1_{n:03d}.tif" for n in range(5)]
    assert [frame["accumulated_dose"] for frame in frames] == [0.0, 1.0, 3.0, 7.0, 15.0]


def test_compressed_movies_and_other_letter_case_are_found_by_the_mdoc(tiny, portal):
    with_movies(tiny)
    folder = tiny.lab / "frames"
    (folder / "R1_000.tif.gz").write_bytes(gzip.compress((folder / "R1_000.tif").read_bytes()))
    (folder / "R1_001.tif").rename(folder / "R1_001.TIF")
    (folder / "R1_002.tif.bz2").write_bytes(bz2.compress((folder / "R1_002.tif").read_bytes()))
    for name in ("R1_000.tif", "R1_002.tif"):
        (folder / name).unlink()
    assert ingest_tiny(tiny, portal).problems == []
    names = [frame["path"].rpartition("/")[2] for frame in _sidecar(portal)["frames"]]
    assert names == ["R1_000.tif.gz", "R1_001.TIF", "R1_002.tif.bz2", "R1_003.tif", "R1_004.tif"]


def test_sources_are_merged_each_with_its_own_correction(tiny, portal):
    movies = with_movies(tiny)
    second = {"metadata": {"dose_rate": 2.0, "is_gain_corrected": False},
              "sources": [{"source_glob": {"list_glob": "more/{run_name}_*"}}]}  # fmt: skip
    tiny.config["frames"].append(second)
    (tiny.lab / "more").mkdir()
    for name in ("R1_003.tif", "R1_004.tif"):
        (tiny.lab / "frames" / name).rename(tiny.lab / "more" / name)
    ran = ingest_tiny(tiny, portal)
    assert _messages(ran, "no-gain") == [
        "2 frame files are not gain-corrected, and the run has no gain reference"
    ]
    assert [frame["is_gain_corrected"] for frame in _sidecar(portal)["frames"]] == [True] * 3 + [False] * 2
    assert {path.rpartition("/")[2] for path in portal.public() if path.endswith(".tif")} == set(movies)


def test_mdoc_files_beside_the_movies_and_files_found_twice_are_taken_once(tiny, portal):
    movies = with_movies(tiny)
    tiny.config["frames"].append(
        {
            "metadata": {"dose_rate": 2.0, "is_gain_corrected": False},
            "sources": [{"source_glob": {"list_glob": "frames/*"}}],
        }
    )
    (tiny.lab / "R1.mdoc").rename(tiny.lab / "frames/R1.mdoc")
    glob = {"list_glob": "frames/{run_name}.mdoc"}
    tiny.config["collection_metadata"] = [{"sources": [{"source_glob": glob}, {"source_glob": dict(glob)}]}]
    assert ingest_tiny(tiny, portal).problems == []
    content = _sidecar(portal)
    assert [frame["is_gain_corrected"] for frame in content["frames"]] == [True] * len(movies)
    assert content["frames_acquisition_files"] == [f"{HOME}/R1.mdoc"]


def test_missing_and_unnamed_movies_are_told_with_counts(tiny, portal):
    with_movies(tiny)
    (tiny.lab / "frames/R1_002.tif").unlink()
    tiff(tiny.lab / "frames/R1_extra.tif")
    tiff(tiny.lab / "frames/R1_004.tif", images=7)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    assert _messages(ran, "frames-differ", "frame-images") == [
        "1 frame files have another number of images than the mdoc says: R1_004.tif has 7 images, NumSubFrames is 10",
        "the mdoc files have 5 sections, and there are 5 frame files: 1 sections have no frame file (R1_002.tif) and "
        "1 frame files are named by no section (R1_extra.tif)",
    ]  # fmt: skip
    rows = portal.rows("Frame", *COLUMNS)
    assert [row["path"] is None for row in rows if row["acquisition_order"] == 2] == [True]
    (extra,) = [row for row in rows if row["acquisition_order"] is None]
    assert (extra["path"], extra["exposure_dose"]) == (f"{HOME}/R1_extra.tif", None)


def test_movies_without_an_mdoc_are_listed_without_order(tiny, portal):
    movies = with_movies(tiny)
    (tiny.lab / "R1.mdoc").unlink()
    ran = ingest_tiny(tiny, portal)
    assert "there is no mdoc for 5 frame files" in _messages(ran, "frames-without-mdoc")[0]
    rows = portal.rows("Frame", *COLUMNS)
    assert {row["path"].rpartition("/")[2] for row in rows} == set(movies)
    assert {(row["acquisition_order"], row["accumulated_dose"]) for row in rows} == {(None, None)}
    ids = {row["path"]: row["id"] for row in portal.rows("Frame", "path", "id")}
    (portal.folder / "catalog.sqlite").unlink()
    portal.load()
    assert {row["path"]: row["id"] for row in portal.rows("Frame", "path", "id")} == ids


def _truncated(path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


BAD = {
    "truncated": (_truncated, "It is truncated"),
    "empty": (lambda path: path.write_bytes(b""), "the file is empty"),
    "a page of a web server": (lambda path: path.write_bytes(b"<html>404</html>" * 100), "neither TIFF, EER nor DM"),
    "short text": (lambda path: path.write_bytes(b"nothing"), "is no TIFF, EER, MRC or DM image"),
    "pages of two sizes": (lambda path: _two_sizes(path), "its pages differ in size: 20 × 10 and 40 × 30 pixels"),
}  # fmt: skip


def _two_sizes(path) -> None:
    import numpy as np
    import tifffile

    with tifffile.TiffWriter(path) as writer:
        for size in ((30, 40), (10, 20)):
            writer.write(np.zeros(size, np.uint8), photometric="minisblack", metadata=None)


def test_bytes_of_no_known_kind_are_published_and_told(tiny, portal):
    import numpy as np

    with_movies(tiny)
    movie = tiny.lab / "frames/R1_001.tif"
    movie.write_bytes(np.random.default_rng(5).bytes(65536))
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    assert "R1_001.tif is of no known kind" in ran.problem("frame-kind")["message"]
    assert (portal.layout / HOME / "R1_001.tif").read_bytes() == movie.read_bytes()


@pytest.mark.parametrize("fault", BAD)
def test_a_movie_that_is_none_is_told_and_left_out(tiny, portal, fault):
    spoil, words = BAD[fault]
    with_movies(tiny)
    spoil(tiny.lab / "frames/R1_001.tif")
    ran = ingest_tiny(tiny, portal)
    problem = ran.problem("frame-file")
    assert (ran.code, problem["severity"], problem["file"]) == (1, "error", "lab/frames/R1_001.tif")
    assert words in problem["message"] + problem["hint"]
    assert f"{HOME}/R1_001.tif" not in portal.public()
    assert [frame["path"] is None for frame in _sidecar(portal)["frames"]] == [
        False,
        True,
        False,
        False,
        False,
    ]
    again = portal.ingest(tiny.file, tiny.source)
    assert (again.code, again.problems) == (0, [])


def test_eer_and_mrc_movies_and_what_is_not_what_its_name_says(tiny, portal):
    with_movies(tiny)
    folder = tiny.lab / "frames"
    text = (tiny.lab / "R1.mdoc").read_text()
    (tiny.lab / "R1.mdoc").write_text(
        text.replace("R1_000.tif", "R1_000.eer").replace("R1_001.tif", "R1_001.mrc")
    )
    for name in ("R1_000.tif", "R1_001.tif"):
        (folder / name).unlink()
    wanted = {"R1_000.eer": eer(folder / "R1_000.eer"), "R1_001.mrc": mrc(folder / "R1_001.mrc", images=10)}
    wanted["R1_002.tif"] = mrc(folder / "R1_002.tif", images=10)
    ran = ingest_tiny(tiny, portal)
    assert _messages(ran, "frame-kind") == [
        "1 frame files are of another kind than their names say: R1_002.tif is MRC"
    ]
    assert [problem["code"] for problem in ran.problems] == ["frame-kind"]
    assert {name: portal.public()[f"{HOME}/{name}"] for name in wanted} == wanted


def test_one_name_from_two_folders_and_hidden_names_are_not_guessed_about(tiny, portal):
    with_movies(tiny)
    globs = ["frames/**/*", "frames/.h*"]
    tiny.config["frames"][0]["sources"] = [{"source_multi_glob": {"list_globs": globs}}]
    tiff(tiny.lab / "frames/again/R1_002.tif", 9)
    tiff(tiny.lab / "frames/.hidden.tif")
    (tiny.lab / "frames/frames_metadata.json").write_text("{}")
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = sorted(_messages(ran, "file-name"))
    assert len(told) == 3
    assert told[0].startswith("lab/frames/.hidden.tif cannot be published under this name")
    assert told[1] == (
        f"lab/frames/R1_002.tif and lab/frames/again/R1_002.tif would both become {HOME}/R1_002.tif; neither is taken"
    )
    assert told[2].startswith("lab/frames/frames_metadata.json cannot be published")
    assert f"{HOME}/R1_002.tif" not in portal.public()


def test_unchanged_movies_stay_where_they_are(tiny, portal):
    with_movies(tiny)
    ingest_tiny(tiny, portal)
    before = {path.name: path.stat().st_ino for path in (portal.layout / HOME).glob("*.tif")}
    frames = {row["acquisition_order"]: row["id"] for row in portal.rows("Frame", "acquisition_order", "id")}
    changed = tiff(tiny.lab / "frames/R1_001.tif", 77)
    added = tiff(tiny.lab / "frames/R1_005.tif", 78)
    text = (tiny.lab / "R1.mdoc").read_text()
    last = text[text.index("[ZValue = 4]") :]
    more = last.replace("[ZValue = 4]", "[ZValue = 5]").replace("R1_004", "R1_005").replace("38:14", "38:15")
    (tiny.lab / "R1.mdoc").write_text(text.replace("ExposureDose = 3.0", "ExposureDose = 2.5") + "\n" + more)
    (tiny.lab / "frames/R1_004.tif").unlink()
    ingest_tiny(tiny, portal)
    after = {path.name: path.stat().st_ino for path in (portal.layout / HOME).glob("*.tif")}
    assert {name: after[name] for name in ("R1_000.tif", "R1_002.tif", "R1_003.tif")} == {
        name: before[name] for name in ("R1_000.tif", "R1_002.tif", "R1_003.tif")
    }
    assert after["R1_004.tif"] == before["R1_004.tif"]
    assert portal.public()[f"{HOME}/R1_001.tif"] == changed
    assert portal.public()[f"{HOME}/R1_005.tif"] == added
    again = {row["acquisition_order"]: row["id"] for row in portal.rows("Frame", "acquisition_order", "id")}
    assert {order: again[order] for order in frames} == frames
    assert len(again) == 6
    assert not list(portal.layout.glob(".tomoportal/copied/**/*.json"))


def _rows(portal) -> list[tuple]:
    rows = portal.rows("Frame", "id", *COLUMNS)
    return sorted((tuple(row[name] for name in ("id", *COLUMNS)) for row in rows), key=repr)


@pytest.mark.parametrize("also_mdoc", [False, True])
def test_published_movies_stay_when_their_sources_are_gone(tiny, portal, also_mdoc):
    movies = with_movies(tiny)
    ingest_tiny(tiny, portal)
    before = _rows(portal)
    kept = "R1_004.tif" if also_mdoc else None
    for name in movies:
        if name != kept:
            (tiny.lab / "frames" / name).unlink()
    if also_mdoc:
        (tiny.lab / "R1.mdoc").unlink()
    ran = ingest_tiny(tiny, portal)
    problem = ran.problem("frames-not-found")
    count = len(movies) - bool(kept)
    assert problem["severity"] == "warning"
    assert problem["message"].startswith(f"{count} published movies (R1_000.tif, R1_001.tif, R1_002.tif and")
    assert ("1 published mdoc files (R1.mdoc)" in problem["message"]) is also_mdoc
    assert _rows(portal) == before
    assert {name: portal.public()[f"{HOME}/{name}"] for name in movies} == movies
    assert (f"{HOME}/R1.mdoc" in portal.public()) is True
    (series,) = (portal.layout / "20002/R1/TiltSeries").glob("*/tiltseries_metadata.json")
    assert json.loads(series.read_text())["frames_count"] == len(ANGLES)
    ingest_tiny(tiny, portal, "--force", "--only", "frames")
    gone = [name for name in movies if name != kept]
    assert not [name for name in gone if f"{HOME}/{name}" in portal.public()]
    assert (f"{HOME}/R1.mdoc" in portal.public()) is not also_mdoc


@pytest.mark.parametrize("text", ["{}", '{"frames": [{}]}'])
def test_published_movies_stay_beside_an_altered_sidecar(tiny, portal, text):
    movies = with_movies(tiny)
    ingest_tiny(tiny, portal)
    before = _sidecar(portal)["frames"]
    (portal.layout / HOME / "frames_metadata.json").write_text(text)
    (tiny.lab / "frames/R1_003.tif").unlink()
    ran = ingest_tiny(tiny, portal)
    assert "1 published movies (R1_003.tif)" in ran.problem("frames-not-found")["message"]
    assert _sidecar(portal)["frames"] == before
    assert portal.public()[f"{HOME}/R1_003.tif"] == movies["R1_003.tif"]


def test_renamed_movies_are_added_and_the_published_ones_keep_their_dose(tiny, portal):
    movies = with_movies(tiny)
    ingest_tiny(tiny, portal)
    before = {row[-2]: row for row in _rows(portal)}
    (tiny.lab / "frames/R1_002.tif").rename(tiny.lab / "frames/R1_x.tif")
    text = (tiny.lab / "R1.mdoc").read_text()
    (tiny.lab / "R1.mdoc").write_text(text.replace("R1_002.tif", "R1_x.tif"))
    assert (
        "1 published movies (R1_002.tif)" in ingest_tiny(tiny, portal).problem("frames-not-found")["message"]
    )
    after = {row[-2]: row for row in _rows(portal)}
    assert set(after) == {*before, f"{HOME}/R1_x.tif"}
    old, new = after[f"{HOME}/R1_002.tif"], after[f"{HOME}/R1_x.tif"]
    assert (old[1], old[2:]) == (None, before[f"{HOME}/R1_002.tif"][2:])
    assert new[1:5] == before[f"{HOME}/R1_002.tif"][1:5]
    assert portal.public()[f"{HOME}/R1_002.tif"] == movies["R1_002.tif"]


@pytest.mark.parametrize("options", [(), ("--force", "--only", "frames")])
def test_a_faulty_new_version_leaves_the_published_movie_in_place(tiny, portal, options):
    movies = with_movies(tiny)
    ingest_tiny(tiny, portal)
    before = _rows(portal)
    source = tiny.lab / "frames/R1_001.tif"
    source.write_bytes(b"")
    ran = ingest_tiny(tiny, portal, *options)
    problem = ran.problem("frame-file")
    assert (ran.code, problem["severity"]) == (1, "error")
    assert (
        problem["message"]
        == "the file is empty; this frame file is left out, and the one published before stays"
    )
    assert _rows(portal) == before
    assert portal.public()[f"{HOME}/R1_001.tif"] == movies["R1_001.tif"]
    changed = tiff(source, 77)
    assert ingest_tiny(tiny, portal).problems == []
    assert portal.public()[f"{HOME}/R1_001.tif"] == changed


def test_everything_is_copied_anew_when_that_is_asked_for(tiny, portal):
    with_movies(tiny)
    ingest_tiny(tiny, portal)
    places = [portal.layout / HOME / "R1_000.tif", portal.layout / "20002/R1/TiltSeries/100/R1.mrc"]
    before = [place.stat().st_ino for place in places]
    spoiled = places[0].read_bytes()[:-1] + b"?"
    places[0].write_bytes(spoiled)
    assert portal.ingest(tiny.file, tiny.source, "--force").problems == []
    assert [place.stat().st_ino == old for place, old in zip(places, before, strict=True)] == [False, False]
    assert places[0].read_bytes() == (tiny.lab / "frames/R1_000.tif").read_bytes()


def test_copying_goes_on_where_it_was_broken_off(tiny, portal):
    movies = with_movies(tiny)
    settings = settings_in(portal.folder)
    made = planned(tiny.write().file, str(tiny.source), settings)
    (tiny.lab / "frames/R1_003.tif").unlink()
    with open_catalog(settings.database, create=True) as catalog:
        told = CatalogLoading(made.target, catalog)
        report = run_plan(made.plan, source=made.source, target=made.target, published=told, workers=1)
    assert [task.kind for task in report.failed] == ["frames"]
    early = {path.name: path.stat().st_ino for path in (portal.layout / HOME).glob("*.tif")}
    assert set(early) == {"R1_000.tif", "R1_001.tif", "R1_002.tif"}
    assert not (portal.layout / HOME / "frames_metadata.json").exists()
    (tiny.lab / "frames/R1_003.tif").write_bytes(movies["R1_003.tif"])
    assert portal.ingest(tiny.file, tiny.source).problems == []
    after = {path.name: path.stat().st_ino for path in (portal.layout / HOME).glob("*.tif")}
    assert {name: after[name] for name in early} == early
    assert {name: portal.public()[f"{HOME}/{name}"] for name in movies} == movies
    assert not list(portal.layout.glob(".tomoportal/copied/**/*.json"))


def test_frames_of_another_deposition_stay(tiny, portal):
    with_movies(tiny)
    ingest_tiny(tiny, portal)
    before = portal.public()[f"{HOME}/frames_metadata.json"]
    other = Tiny(tiny.folder, json.loads(json.dumps(tiny.config)))
    text = re.sub("20001", "20003", json.dumps(other.config))
    other.config = json.loads(text)
    del other.config["datasets"][0]["metadata"]
    other.config["runs"] = [{"sources": [{"destination_glob": {"list_glob": "{dataset_output_path}/*"}}]}]
    tiff(tiny.lab / "frames/R1_000.tif", 5)
    ran = ingest_tiny(other, portal)
    assert (
        "was published by deposition 20001; it stays as it is"
        in ran.problem("published-by-another")["message"]
    )
    assert portal.public()[f"{HOME}/frames_metadata.json"] == before


@pytest.fixture
def bucket(s3_server, monkeypatch):  # noqa: F811
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server.bucket("frames")


def test_movies_go_from_and_to_s3(tiny, bucket, tmp_path, s3_server):  # noqa: F811
    movies = with_movies(tiny)
    upload = open_storage(f"{bucket}/sources")
    for path in sorted(tiny.source.rglob("*")):
        if path.is_file():
            upload.write(path.relative_to(tiny.source).as_posix(), path.read_bytes())
    remote = Settings(storage=f"{bucket}/portal", database=f"sqlite:///{tmp_path / 'remote.sqlite'}")
    report = ingest_config(tiny.write().file, f"{bucket}/sources", remote, quiet=True)
    assert not report.failed, report.sorted_problems()
    client = s3_server.client()
    for name, data in movies.items():
        answer = client.get_object(Bucket="frames", Key=f"portal/{HOME}/{name}")
        assert answer["Body"].read() == data
    again = ingest_config(tiny.file, f"{bucket}/sources", remote, quiet=True)
    assert (dict(again.done), again.failed) == ({}, [])


def test_nothing_but_pieces_is_held(tiny, portal, tmp_path):
    """A movie that is larger than what a copy may hold comes through whole."""
    from tomoportal.ingest.copies import PIECE

    with_movies(tiny)
    movie = tiny.lab / "frames/R1_000.tif"
    content = movie.read_bytes()
    with movie.open("wb") as file:
        file.write(content)
        file.seek(3 * PIECE + 5)
        file.write(b"tail")
    ingest_tiny(tiny, portal)
    published = portal.layout / HOME / "R1_000.tif"
    assert os.path.getsize(published) == 3 * PIECE + 9
    assert published.read_bytes() == movie.read_bytes()

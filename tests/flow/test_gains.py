"""Gain references: published under their names, found by the catalogue, compared with the frames."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from fixtures_command import ingest_tiny
from made_movies import SIZE, mrc, with_gain, with_movies

HOME = "20002/R1/Gains"


def _gains(portal) -> dict[str, int]:
    return {row["path"]: row["id"] for row in portal.rows("GainFile", "path", "id")}


def test_a_gain_reference_is_published_and_found_again(tiny, portal):
    with_movies(tiny)
    gain = with_gain(tiny)
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, ran.problems) == (0, [])
    assert portal.public()[f"{HOME}/CountRef_gain.mrc"] == gain
    ids = _gains(portal)
    assert set(ids) == {f"{HOME}/CountRef_gain.mrc"}
    (portal.folder / "catalog.sqlite").unlink()
    portal.load()
    assert _gains(portal) == ids
    assert "Nothing to do" in portal.plan(tiny.file, tiny.source).out


def test_gains_are_replaced_added_and_restored_with_their_ids(tiny, portal):
    with_movies(tiny)
    with_gain(tiny)
    ingest_tiny(tiny, portal)
    first = _gains(portal)
    mrc(tiny.lab / "gains/second_gain.mrc")
    (portal.layout / HOME / "CountRef_gain.mrc").unlink()
    assert ingest_tiny(tiny, portal).problems == []
    second = _gains(portal)
    assert set(second) == {f"{HOME}/CountRef_gain.mrc", f"{HOME}/second_gain.mrc"}
    assert first.items() <= second.items()
    (tiny.lab / "gains/CountRef.mrc").unlink()
    told = ingest_tiny(tiny, portal).problem("gains-not-found")
    assert (told["severity"], "CountRef_gain.mrc" in told["message"]) == ("warning", True)
    assert _gains(portal) == second
    assert f"{HOME}/CountRef_gain.mrc" in portal.public()
    assert ingest_tiny(tiny, portal, "--force", "--only", "gains").code == 0
    assert _gains(portal) == {f"{HOME}/second_gain.mrc": second[f"{HOME}/second_gain.mrc"]}
    assert f"{HOME}/CountRef_gain.mrc" not in portal.public()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (SIZE[::-1], "30 × 40 pixels, not the 40 × 30 (it is turned by 90°) of R1_000.tif"),
        ((60, 80), "80 × 60 pixels, not the 40 × 30 (one is binned by 2 against the other) of R1_000.tif"),
        ((31, 40), "40 × 31 pixels, not the 40 × 30 of R1_000.tif"),
    ],
)
def test_a_gain_of_another_size_is_told(tiny, portal, size, words):
    with_movies(tiny)
    with_gain(tiny, size=size)
    ran = ingest_tiny(tiny, portal)
    problem = ran.problem("gain-size")
    assert (ran.code, problem["file"]) == (0, "lab/gains/CountRef.mrc")
    assert problem["message"] == f"the gain reference has {words}"


def test_a_gain_file_of_the_microscope_s_own_kind_is_tiff_inside(tiny, portal):
    with_movies(tiny)
    with_gain(tiny)
    (tiny.lab / "gains/CountRef.mrc").unlink()
    path = tiny.lab / "gains/20250314_EER_GainReference.gain"
    tifffile.imwrite(path, np.ones(SIZE, np.float32), photometric="minisblack", metadata=None)
    assert ingest_tiny(tiny, portal).problems == []
    assert portal.public()[f"{HOME}/20250314_EER_GainReference_gain.gain"] == path.read_bytes()


def test_what_is_no_gain_is_left_out_and_told(tiny, portal):
    with_movies(tiny)
    with_gain(tiny)
    good = tiny.lab / "gains/CountRef.mrc"
    (tiny.lab / "gains/broken.mrc").write_bytes(good.read_bytes()[:-100])
    ran = ingest_tiny(tiny, portal)
    assert ran.problem("gain-file")["file"] == "lab/gains/broken.mrc"
    assert set(_gains(portal)) == {f"{HOME}/CountRef_gain.mrc"}
    good.unlink()
    ran = ingest_tiny(tiny, portal, "--force")
    assert "no gain reference of this run can be used" in ran.problem("left-out")["message"]
    assert _gains(portal) == {}
    assert not [path for path in portal.public() if path.startswith(HOME)]


def test_uncorrected_frames_ask_for_a_gain(tiny, portal):
    with_movies(tiny)
    tiny.config["frames"][0]["metadata"]["is_gain_corrected"] = False
    assert [problem["code"] for problem in ingest_tiny(tiny, portal).problems] == ["no-gain"]
    with_gain(tiny)
    assert ingest_tiny(tiny, portal).problems == []


def test_a_published_gain_stays_when_its_source_is_gone_or_faulty(tiny, portal):
    with_movies(tiny)
    gain = with_gain(tiny)
    ingest_tiny(tiny, portal)
    ids = _gains(portal)
    good = tiny.lab / "gains/CountRef.mrc"
    good.write_bytes(b"")
    for options in ((), ("--force", "--only", "gains")):
        ran = ingest_tiny(tiny, portal, *options)
        assert ran.code == 1
        assert "and the one published before stays" in ran.problem("gain-file")["message"]
        assert (_gains(portal), portal.public()[f"{HOME}/CountRef_gain.mrc"]) == (ids, gain)
    good.unlink()
    ran = ingest_tiny(tiny, portal)
    assert "orphan" in [problem["code"] for problem in ran.problems]
    assert (_gains(portal), portal.public()[f"{HOME}/CountRef_gain.mrc"]) == (ids, gain)


def test_two_sources_for_one_name_are_not_guessed_about(tiny, portal):
    with_movies(tiny)
    with_gain(tiny)
    mrc(tiny.lab / "gains/CountRef_gain.mrc")
    ran = ingest_tiny(tiny, portal)
    assert (
        f"would both become {HOME}/CountRef_gain.mrc; neither is taken" in ran.problem("file-name")["message"]
    )
    assert _gains(portal) == {}


def test_frames_and_gains_that_are_no_longer_asked_for_are_pruned(tiny, portal):
    with_movies(tiny)
    with_gain(tiny)
    ingest_tiny(tiny, portal)
    for section in ("gains", "frames", "collection_metadata", "tiltseries", "rawtilts", "alignments"):
        del tiny.config[section]
    ran = ingest_tiny(tiny, portal, "--prune")
    assert ran.code == 0, ran.problems
    assert not [path for path in portal.public() if "/Gains/" in path or "/Frames/" in path]
    assert (_gains(portal), portal.rows("Frame")) == ({}, [])

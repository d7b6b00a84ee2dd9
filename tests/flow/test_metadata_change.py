"""A deposition that was changed after it was published ends in the bytes that it would have had from the start."""

import pytest

from fixtures_command import FlowPortal


def _alignment(config):
    return config["alignments"][0]["metadata"]


def _another_alignment_type(config):
    _alignment(config)["alignment_type"] = "LOCAL"


def _an_offset_that_had_a_default(config):
    _alignment(config)["tilt_offset"] = 1.5


def _a_type_left_to_the_default(config):
    del _alignment(config)["alignment_type"]


def _predicted_instead_of_ground_truth(config):
    config["annotations"][0]["metadata"]["ground_truth_status"] = False


def _another_method(config):
    config["annotations"][0]["metadata"]["annotation_method"] = "by a network"


def _another_object_id(config):
    config["annotations"][0]["metadata"]["annotation_object"]["id"] = "GO:0005840"


def _another_tilt_axis(config):
    config["tiltseries"][0]["metadata"]["tilt_axis"] = 85.0


def _not_the_default_tomogram(config):
    config["tomograms"][0]["metadata"]["is_visualization_default"] = False


def _a_count_of_a_mask(config):
    config["annotations"][1]["metadata"]["object_count"] = 7


def _another_dose_rate(config):
    config["frames"][0]["metadata"]["dose_rate"] = 4.0


def _another_organism(config):
    config["datasets"][0]["metadata"]["organism"] = {"name": "Homo sapiens", "taxonomy_id": 9606}


CHANGES = (
    _another_alignment_type,
    _an_offset_that_had_a_default,
    _a_type_left_to_the_default,
    _predicted_instead_of_ground_truth,
    _another_method,
    _another_object_id,
    _another_tilt_axis,
    _not_the_default_tomogram,
    _a_count_of_a_mask,
    _another_dose_rate,
    _another_organism,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_change_ends_like_a_fresh_start(tiny, tmp_path, monkeypatch, change):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    changed, fresh = FlowPortal(tmp_path / "changed"), FlowPortal(tmp_path / "fresh")
    tiny.run("R1").write()
    assert changed.ingest(tiny.file, tiny.source).code == 0
    change(tiny.config)
    tiny.write()
    assert changed.ingest(tiny.file, tiny.source).code == 0
    assert fresh.ingest(tiny.file, tiny.source).code == 0
    expected, found = fresh.public(), changed.public()
    assert [path for path in expected if found.get(path) != expected[path]] == []
    assert set(found) == set(expected)

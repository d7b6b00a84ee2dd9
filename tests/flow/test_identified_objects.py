"""Objects that were seen in runs: from one table of the depositor to the catalogue."""

from __future__ import annotations

import json

import pytest

from fixtures_command import ingest_tiny

HOME = "20002/R1/IdentifiedObjects"
TABLE = """\
run_name,object_id,object_name,object_state
R1,GO:0005739,mitochondrion,dividing
R2,GO:0022626,ribosome,
R1,GO:0016020,membrane,
"""


@pytest.fixture
def seen(tiny):
    """The tiny deposition with two runs and a table of objects."""
    tiny.run("R2", seed=2)
    tiny.config["identified_objects"] = [
        {
            "metadata": {"filter_value": "{run_name}"},
            "sources": [{"source_glob": {"list_glob": "objects.csv"}}],
        }
    ]
    (tiny.lab / "objects.csv").write_text(TABLE)
    return tiny


def objects(portal) -> set[tuple[str, str, str | None]]:
    rows = portal.rows("IdentifiedObject", "object_id", "object_name", "object_state")
    return {(row["object_id"], row["object_name"], row["object_state"]) for row in rows}


def test_rows_of_each_run_are_published_and_loaded(seen, portal):
    ran = ingest_tiny(seen, portal)
    assert (ran.code, ran.problems) == (0, [])

    files = portal.public()
    rows = json.loads(files[f"{HOME}/identified_objects.json"])
    assert rows == [
        {"object_id": "GO:0005739", "object_name": "mitochondrion", "object_state": "dividing"},
        {"object_id": "GO:0016020", "object_name": "membrane"},
    ]
    sidecar = json.loads(files[f"{HOME}/identified_objects_metadata.json"])
    assert sidecar["objects"] == rows
    assert sidecar["object_count"] == 2
    assert sidecar["source_files"] == ["lab/objects.csv"]
    assert sidecar["filter_value"] == "R1"
    assert sidecar["deposition_id"] == 20001
    assert objects(portal) == {
        ("GO:0005739", "mitochondrion", "dividing"), ("GO:0022626", "ribosome", None), ("GO:0016020", "membrane", None),
    }  # fmt: skip


def test_only_the_run_whose_rows_changed_is_written_again(seen, portal):
    ingest_tiny(seen, portal)
    ids = {row["object_id"]: row["id"] for row in portal.rows("IdentifiedObject", "object_id", "id")}
    (seen.lab / "objects.csv").write_text(TABLE.replace("membrane", "envelope"))

    plan = portal.plan(seen.file, seen.source)

    assert [line.split()[1] for line in plan.out.splitlines() if "identified" in line.split()[0]] == [HOME]
    ingest_tiny(seen, portal)
    assert ("GO:0016020", "envelope", None) in objects(portal)
    assert ids == {row["object_id"]: row["id"] for row in portal.rows("IdentifiedObject", "object_id", "id")}


def test_a_run_without_rows_and_faulty_rows_are_told(seen, portal):
    (seen.lab / "objects.csv").write_text(TABLE.replace("R2", "R3").replace("GO:0016020", "membrane"))
    ran = ingest_tiny(seen, portal)

    assert "20002/R2" in ran.problem("no-objects")["message"]
    told = ran.problem("identified-objects")
    assert (told["file"], told["line"]) == ("lab/objects.csv", 4)
    assert ran.code == 1
    assert objects(portal) == {("GO:0005739", "mitochondrion", "dividing")}


@pytest.mark.parametrize("content", ["", "tomogram,object\nR1,membrane\n"])
def test_an_unusable_table_is_told_once_and_everything_else_is_ingested(seen, portal, content):
    (seen.lab / "objects.csv").write_text(content)
    ran = ingest_tiny(seen, portal)

    assert "no column run_name" in ran.problem("identified-objects")["message"]
    assert len(portal.rows("Tomogram")) == 2
    assert portal.rows("IdentifiedObject") == []


def test_the_objects_of_another_deposition_stay(seen, portal):
    ingest_tiny(seen, portal)
    before = portal.public()[f"{HOME}/identified_objects.json"]
    other = seen.config
    keep = {
        name: other[name]
        for name in ("version", "standardization_config", "depositions", "identified_objects")
    }
    keep["standardization_config"]["deposition_id"] = 20009
    keep["depositions"][0]["metadata"]["deposition_identifier"] = 20009
    keep["depositions"][0]["sources"] = [{"literal": {"value": [20009]}}]
    reference = {
        "list_glob": "{run_output_path}/Reconstructions/VoxelSpacing*",
        "name_regex": "VoxelSpacing(.*)",
    }
    keep |= {
        "datasets": [{"sources": [{"literal": {"value": ["20002"]}}]}],
        "runs": [{"sources": [{"destination_glob": {"list_glob": "{dataset_output_path}/*"}}]}],
        "voxel_spacings": [{"sources": [{"destination_glob": reference}]}],
    }
    seen.config = keep
    ran = ingest_tiny(seen, portal)

    assert ran.code == 1
    assert all("deposition 20001" in told["message"] for told in ran.problems if told["severity"] == "error")
    assert portal.public()[f"{HOME}/identified_objects.json"] == before

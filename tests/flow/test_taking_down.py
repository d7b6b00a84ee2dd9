"""What is no longer found is pruned, what is withdrawn leaves a tombstone; ids come back with what comes back."""

from __future__ import annotations

import copy
import json
import shutil

import pytest
from starlette.testclient import TestClient

from fixtures_command import FlowPortal, tomoportal
from fixtures_demo import settings_in
from fixtures_tiny import Tiny, annotations_by_others, write_mrc
from tomoportal.cli.ingest import ingest_config
from tomoportal.server import build_app

SPACING = "20002/R1/Reconstructions/VoxelSpacing10.000"
IDS = (
    "Run",
    "TiltSeries",
    "Alignment",
    "TomogramVoxelSpacing",
    "Tomogram",
    "Annotation",
    "AnnotationFile",
    "Frame",
    "RunAuthor",
)[:8]


def ingest(tiny: Tiny, portal: FlowPortal, *more: str):
    ran = portal.ingest(tiny.write().file, tiny.source, *more)
    assert ran.code == 0, (ran.out, ran.err)
    return ran


def ids(portal: FlowPortal) -> dict[str, list[int]]:
    return {entity: [row["id"] for row in portal.rows(entity)] for entity in IDS}


def withdraw(portal: FlowPortal, *what: str):
    ran = tomoportal("withdraw", *what, "--yes", *portal.options)
    assert ran.code == 0, (ran.out, ran.err)
    return ran


def client(portal: FlowPortal) -> TestClient:
    return TestClient(build_app(settings_in(portal.folder)), base_url="http://localhost")


def plan(tiny: Tiny, portal: FlowPortal, *more: str) -> str:
    ran = portal.plan(tiny.write().file, tiny.source, *more)
    assert ran.code == 0, ran.err
    return ran.out


def files(portal: FlowPortal, folder: str) -> list[str]:
    return [path for path in portal.public() if path.startswith(f"{folder}/")]


@pytest.fixture
def two(tiny, portal) -> Tiny:
    """Two runs, published."""
    tiny.run("R2", seed=2)
    ingest(tiny, portal)
    return tiny


def test_a_pruned_annotation_leaves_the_pictures_and_comes_back_with_its_ids(two, portal):
    before, everything = portal.public(), ids(portal)
    gone = two.config["annotations"].pop(0)
    assert "orphan       20002/R1/Reconstructions/VoxelSpacing10.000/Annotations/100" in plan(two, portal)
    assert ingest(two, portal).problem("orphan")["where"] == "20002"
    assert portal.public() == before
    ran = ingest(two, portal, "--prune", "--yes")
    assert ran.problems == []
    assert files(portal, f"{SPACING}/Annotations/100") == []
    assert [row["object_name"] for row in portal.rows("Annotation", "object_name")] == ["membrane"] * 2
    state = json.loads(portal.public()[f"{SPACING}/NeuroglancerPrecompute/100-neuroglancer-config.json"])
    assert not any("ball" in layer["name"] for layer in state["layers"])
    assert "orphan" not in plan(two, portal)
    two.config["annotations"].insert(0, gone)
    ingest(two, portal)
    assert ids(portal) == everything
    after = portal.public()
    assert {path for path in before if after.get(path) != before[path]} <= {
        path for path in before if path.endswith(".json")
    }


def test_a_run_that_is_no_longer_found_is_pruned_whole(two, portal):
    before = ids(portal)
    (two.lab / "tomograms/R2.mrc").rename(two.lab / "R2.away")
    assert "orphan       20002/R2  (" in plan(two, portal)
    ran = tomoportal("check", two.file, "--source", two.source, "--storage", portal.layout)
    assert "20002/R2" in ran.out
    assert "no longer found" in ran.out
    ingest(two, portal, "--prune", "--yes")
    assert files(portal, "20002/R2") == []
    assert not (portal.layout / "20002/R2").exists()
    assert [row["name"] for row in portal.rows("Run", "name")] == ["R1"]
    assert "orphan" not in plan(two, portal)
    (two.lab / "R2.away").rename(two.lab / "tomograms/R2.mrc")
    ingest(two, portal)
    assert ids(portal) == before


def test_a_dataset_that_the_file_has_left_is_pruned(two, portal):
    two.config["datasets"][0]["sources"][0]["literal"]["value"] = ["20003"]
    two.config["datasets"][0]["metadata"]["dataset_identifier"] = 20003
    out = plan(two, portal)
    assert "orphan       20002  (" in out
    assert "orphan       20002/R2/Alignments/100  (" in out
    assert ingest(two, portal).problem("orphan")["where"] == "20002"
    ingest(two, portal, "--prune", "--yes")
    assert files(portal, "20002") == []
    assert [row["id"] for row in portal.rows("Dataset", "id")] == [20003]
    assert len(portal.rows("Run")) == 2


def test_what_is_published_anew_while_somebody_is_asked_stays(two, portal):
    original = two.write().file.read_text()
    two.config["annotations"].pop(0)

    def meanwhile(_: object) -> None:
        other = two.folder / "other" / "tiny.yaml"
        other.parent.mkdir()
        other.write_text(original)
        (two.lab / "R1.csv").write_text("1,2,3\n")
        assert portal.ingest(other, two.source).code == 0

    report = ingest_config(
        two.write().file, str(two.source), settings_in(portal.folder), prune=meanwhile, quiet=True
    )
    assert report.removed == 1
    assert files(portal, f"{SPACING}/Annotations/100") != []
    assert files(portal, f"{SPACING.replace('R1', 'R2')}/Annotations/100") == []
    assert len(portal.rows("Annotation")) == 3


def test_another_file_of_the_deposition_keeps_what_it_has_brought(two, portal):
    tomograms, annotations = copy.deepcopy(two.config), copy.deepcopy(two.config)
    tomograms["annotations"] = []
    del tomograms["annotations"]
    first = Tiny(two.folder, tomograms)
    other = two.folder / "tomograms.yaml"
    first.write().file.rename(other)
    ran = portal.ingest(other, two.source)
    assert ran.code == 0
    (told,) = [problem for problem in ran.problems if problem["code"] == "of-another-file"]
    assert "tiny.yaml has led to these runs as well" in told["message"]
    assert portal.ingest(other, two.source, "--prune", "--yes").code == 0
    assert len(portal.rows("Annotation")) == 4
    two.config = annotations
    assert "orphan" not in plan(two, portal)


@pytest.mark.parametrize("fault", ["error", "empty", "table"])
def test_nothing_is_pruned_while_the_source_is_half_seen(two, portal, fault):
    two.config["annotations"].pop(0)
    if fault == "error":
        two.run("R3", seed=3)
        two.config["voxel_spacings"][0]["sources"] = [
            {"tomogram_header": {"list_glob": "tomograms/{run_name}.mrc"}}
        ]
        (two.lab / "tomograms/R3.mrc").write_bytes(b"nothing")
    elif fault == "empty":
        (two.lab / "elsewhere").mkdir()
        for mask in two.lab.glob("*_mask.mrc"):
            mask.rename(two.lab / "elsewhere" / mask.name)
    else:
        two.config["standardization_config"]["run_data_map_file"] = "runs.csv"
    before = portal.public()
    ran = portal.ingest(two.write().file, two.source, "--prune", "--yes")
    assert ran.code == 2
    assert "Nothing was taken down" in ran.err
    assert portal.public() == before


def _more_annotations(tiny: Tiny) -> Tiny:
    """Another deposition that adds annotations to the runs of the first."""
    other = annotations_by_others(tiny, "others")
    for run in ("R1", "R2"):
        (other.lab / f"{run}.csv").write_text("5,6,7\n")
    return other


def test_what_others_have_added_stays_and_holds_what_it_stands_on(two, portal):
    others = _more_annotations(two)
    ingest(others, portal)
    theirs = [
        row for row in portal.rows("Annotation", "id", "deposition_id") if row["deposition_id"] == 20101
    ]
    assert len(theirs) == 2
    (two.lab / "tomograms/R2.mrc").unlink()
    ingest(two, portal, "--prune", "--yes")
    left = sorted({path.split("/")[2] for path in files(portal, "20002/R2")})
    assert left == ["Alignments", "Reconstructions", "run_metadata.json"]
    assert [
        row for row in portal.rows("Annotation", "id", "deposition_id") if row["deposition_id"] == 20101
    ] == theirs
    assert "orphan" not in plan(others, portal)
    del others.config["annotations"][0]["sources"][0]["Point"]["is_visualization_default"]
    assert "no longer found" not in ingest(others, portal).out


def test_a_withdrawn_run_is_gone_at_once_and_says_so(two, portal):
    number = portal.rows("Run", "id")[0]["id"]
    before = ids(portal)
    withdraw(portal, "20002/R1", "--reason", "The grid was <mixed> up")
    assert [row["name"] for row in portal.rows("Run", "name")] == ["R2"]
    assert len(portal.rows("Tomogram")) == 1
    assert files(portal, "20002/R1") == []
    browser = client(portal)
    for path in (f"/runs/{number}", f"/view/runs/{number}"):
        page = browser.get(path)
        assert page.status_code == 410
        assert "This run was withdrawn" in page.text
        assert "The grid was &lt;mixed&gt; up" in page.text
    twin = browser.get(f"/runs/{number}.json")
    assert (twin.status_code, twin.json()["error"]["code"]) == (410, "withdrawn")
    assert "The grid was <mixed> up" in twin.json()["error"]["message"]
    assert browser.get("/runs/999999").status_code == 404
    file = browser.get(f"/files/{SPACING}/Tomograms/100/R1.mrc")
    assert file.status_code == 410
    assert "The grid was <mixed> up" in file.json()["error"]["message"]
    assert browser.get(f"/s3/tomoportal/{SPACING}/Tomograms/100/R1.mrc").status_code == 404
    answer = browser.post("/graphql", json={"query": "{ runs { id } }"}).json()
    assert [row["id"] for row in answer["data"]["runs"]] == [number + 1]
    again = withdraw(portal, f"run:{number}")
    assert "20002/R1" in again.out or f"run:{number} was withdrawn" in again.out
    ran = ingest(two, portal)
    assert "20002/R1 was withdrawn on" in ran.problem("withdrawn")["message"]
    assert "--restore" in ran.problem("withdrawn")["hint"]
    assert len(portal.rows("Run")) == 1
    for path in portal.folder.glob("catalog.sqlite*"):
        path.unlink()
    assert portal.load().code == 0
    assert client(portal).get(f"/runs/{number}").status_code == 410
    assert ingest(two, portal, "--restore").problems == []
    assert ids(portal) == before
    assert client(portal).get(f"/runs/{number}").status_code == 200


def test_what_was_withdrawn_of_a_run_is_told_on_its_page_and_in_the_viewer(two, portal):
    (run,) = [row["id"] for row in portal.rows("Run", "id", "name") if row["name"] == "R1"]
    before = {row["id"] for row in portal.rows("Tomogram")}
    assert 'id="withdrawn"' not in client(portal).get(f"/runs/{run}").text
    withdraw(portal, f"{SPACING}/Tomograms/100", "--reason", "Half a <map>")
    (tomogram,) = before - {row["id"] for row in portal.rows("Tomogram")}
    withdraw(portal, "20002/R1/TiltSeries/100")
    browser = client(portal)
    page = browser.get(f"/runs/{run}")
    assert page.status_code == 200
    assert "No tomograms yet" not in page.text
    assert "It was not deposited" not in page.text
    table = page.text.partition('id="withdrawn"')[2].partition("</section>")[0]
    assert f"TM-{tomogram}" in table
    assert "Half a &lt;map&gt;" in table
    assert "Tilt series" in table
    assert "Not stated" in table
    for asked in (f"?tomogram={tomogram}", f"?tomogram=tm-{tomogram}", ""):
        gone = browser.get(f"/view/runs/{run}{asked}")
        assert gone.status_code == 410
        assert "This tomogram was withdrawn" in gone.text
        assert "Half a &lt;map&gt;" in gone.text
        assert f'href="/runs/{run}"' in gone.text
    assert browser.get(f"/view/runs/{run}?tomogram=999999").status_code == 404
    other = next(row["id"] for row in portal.rows("Run", "id", "name") if row["name"] == "R2")
    assert browser.get(f"/view/runs/{other}?tomogram={tomogram}").status_code == 404
    assert 'id="withdrawn"' not in browser.get(f"/runs/{other}").text


def test_a_view_that_cannot_be_made_anew_after_a_withdrawal_is_told(two, portal):
    for slab in (portal.layout / f".tomoportal/slabs/{SPACING}/Tomograms").glob("*.npz"):
        slab.write_bytes(b"no slab")
    ran = tomoportal("withdraw", f"{SPACING}/Annotations/100", "--yes", *portal.options)
    assert ran.code == 1
    assert "1 withdrawn." in ran.out
    assert f"{SPACING}" in ran.err


def test_withdrawing_an_alignment_takes_what_was_made_with_it(two, portal):
    before = ids(portal)
    withdraw(portal, "20002/R1/Alignments/100")
    assert [len(portal.rows(entity)) for entity in ("Alignment", "Tomogram", "Annotation", "TiltSeries")] == [
        1,
        1,
        2,
        2,
    ]
    ran = ingest(two, portal)
    assert {problem["where"] for problem in ran.problems} >= {
        "20002/R1/Alignments/100",
        f"{SPACING}/Tomograms/100",
    }
    assert len(portal.rows("Tomogram")) == 1
    ingest(two, portal, "--restore")
    assert ids(portal) == before


def test_the_picture_of_a_withdrawn_tomogram_does_not_stay(two, portal):
    snapshots = [portal.public()[f"20002/{run}/Reconstructions/VoxelSpacing10.000/Images/100/key-photo-snapshot.png"]
                 for run in ("R1", "R2")]  # fmt: skip
    assert portal.public()["20002/Images/snapshot.png"] == snapshots[0]
    withdraw(portal, f"{SPACING}/Tomograms/100")
    assert portal.public()["20002/Images/snapshot.png"] == snapshots[1]
    assert portal.public()["DepositionMetadata/20001/Images/snapshot.png"] == snapshots[1]
    assert len(portal.rows("Annotation")) == 4
    assert [problem["code"] for problem in ingest(two, portal).problems] == ["withdrawn"]
    assert portal.public()["20002/Images/snapshot.png"] == snapshots[1]


def test_a_withdrawn_deposition_takes_its_dataset_and_its_additions(two, portal):
    others = _more_annotations(two)
    ingest(others, portal)
    withdraw(portal, "deposition:20101", "--reason", "wrong")
    assert {row["deposition_id"] for row in portal.rows("Annotation", "deposition_id")} == {20001}
    assert [row["id"] for row in portal.rows("Deposition", "id")] == [20001]
    assert client(portal).get("/depositions/20101").status_code == 410
    assert ingest(others, portal).problem("withdrawn")["where"] == "DepositionMetadata/20101"
    withdraw(portal, "DepositionMetadata/20001")
    assert [portal.rows(entity) for entity in ("Dataset", "Deposition", "Run")] == [[], [], []]
    assert portal.public() == {}
    browser = client(portal)
    assert [browser.get(path).status_code for path in ("/datasets/20002", "/depositions/20001")] == [410, 410]
    assert "A tiny dataset" in browser.get("/datasets/20002").text


def test_datasets_and_runs_stay_with_the_deposition_that_published_them(tiny, portal):
    ingest(tiny, portal)
    before = portal.public()
    others = Tiny(tiny.folder, json.loads(json.dumps(tiny.config).replace("20001", "20101")))
    others.config["datasets"][0]["metadata"]["dataset_title"] = "Another title"
    for section in ("frames", "collection_metadata"):
        del others.config[section]
    ran = portal.ingest(others.write().file, others.source)
    assert ran.code == 1
    found = ran.problem("published-by-another")
    assert "20002 was published by deposition 20001" in found["message"]
    assert (found["where"], bool(found["line"])) == ("datasets[0]", True)
    assert portal.rows("Dataset", "title", "deposition_id") == [
        {"title": "A tiny dataset", "deposition_id": 20001}
    ]
    del others.config["datasets"][0]["metadata"]
    ingest(others, portal, "--force")
    withdraw(portal, "deposition:20101")
    assert portal.rows("Tomogram", "deposition_id") == [{"deposition_id": 20001}]
    assert set(portal.public()) == set(before)


def test_what_was_never_public_is_not_told_of(tiny, portal):
    tiny.config["datasets"][0]["metadata"]["dates"] = {
        "deposition_date": "2025-01-01", "release_date": "2099-01-02", "last_modified_date": "2025-01-03",
    }  # fmt: skip
    ingest(tiny, portal)
    (run,) = portal.rows("Run", "id")
    withdraw(portal, "20002")
    browser = client(portal)
    assert [browser.get(path).status_code for path in ("/datasets/20002", f"/runs/{run['id']}")] == [404, 404]
    assert browser.get(f"/files/{SPACING}/Tomograms/100/R1.mrc").status_code == 404


@pytest.mark.parametrize("what", ["20002/R9", "run:4711", "20009", "nonsense:1", "../etc"])
def test_what_was_never_published_cannot_be_withdrawn(two, portal, what):
    ran = tomoportal("withdraw", what, "--yes", *portal.options)
    assert ran.code == 2
    assert what in ran.err
    part = tomoportal("withdraw", f"{SPACING}/Tomograms/100/R1.mrc", "--yes", *portal.options)
    assert "withdraw that" in part.err
    assert len(portal.rows("Run")) == 2


def test_a_removed_source_of_a_run_is_not_confused_with_its_neighbour(two, portal):
    write_mrc(two.lab / "R22.st", __import__("numpy").ones((5, 8, 8), "int16"), 2.5)
    shutil.copy(two.lab / "tomograms/R2.mrc", two.lab / "tomograms/R22.mrc")
    for ending in ("mdoc", "rawtlt", "csv", "xf", "tlt"):
        shutil.copy(two.lab / f"R2.{ending}", two.lab / f"R22.{ending}")
    shutil.copy(two.lab / "R2_mask.mrc", two.lab / "R22_mask.mrc")
    ingest(two, portal)
    withdraw(portal, "20002/R2")
    assert [row["name"] for row in portal.rows("Run", "name")] == ["R1", "R22"]
    assert files(portal, "20002/R22")

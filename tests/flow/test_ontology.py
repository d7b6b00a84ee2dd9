"""Loading ontologies, and what deposition files are told about identifiers and names, through the command line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fixtures_command import FlowPortal, Ran, ingest_tiny, tomoportal
from made_ontologies import write_large, write_small


@pytest.fixture
def portal(tmp_path: Path) -> FlowPortal:
    """A portal that has loaded two ontologies."""
    portal = FlowPortal(tmp_path / "portal")
    go = write_small(tmp_path)
    ran = tomoportal("ontology", "load", go, tmp_path / "taxa.obo", *portal.options[:2])
    assert ran.code == 0, ran.err
    assert "go (releases/2025-10-10): 7 terms GO:…, 2 of them obsolete, 3 synonyms" in ran.out
    return portal


def check(tiny, portal: FlowPortal, **described: object) -> Ran:
    """Check the tiny deposition with another object in its first annotation."""
    tiny.config["annotations"][0]["metadata"]["annotation_object"] = described
    return tomoportal("check", tiny.write().file, "--json", *portal.options[:2])


def told(ran: Ran) -> list[tuple[str, str, str, str]]:
    return [
        (problem["code"], problem["severity"], problem["message"], problem["hint"])
        for problem in ran.problems
        if problem["where"].startswith("annotations[0]")
    ]


def test_right_ones_are_silent(tiny, portal) -> None:
    for name in ("ribosome", "Ribosome", "free ribosome"):
        ran = check(tiny, portal, id="GO:0005840", name=name)
        assert (ran.code, told(ran)) == (0, [])


def test_an_unknown_identifier_is_a_warning_with_the_one_of_the_name(tiny, portal) -> None:
    ran = check(tiny, portal, id="GO:0022626", name="ribosome")
    assert ran.code == 0
    message = "there is no GO:0022626 in the ontology go (releases/2025-10-10)"
    assert told(ran) == [("ontology-id", "warning", message, "'ribosome' is GO:0005840.")]
    (problem,) = [problem for problem in ran.problems if problem["where"].endswith("annotation_object.id")]
    lines = tiny.file.read_text().splitlines()
    assert "GO:0022626" in lines[problem["line"] - 1]


def test_an_obsolete_identifier_is_a_warning_with_its_replacement(tiny, portal) -> None:
    (problem,) = told(check(tiny, portal, id="GO:0000001", name="obsolete old membrane"))
    assert problem[0] == "ontology-obsolete"
    assert problem[3] == "Use GO:0016020 ('membrane') or GO:0005840 ('ribosome')."
    (problem,) = told(check(tiny, portal, id="GO:0033279", name="ribosome"))
    assert (problem[2], problem[3]) == ("GO:0033279 ('ribosome') is obsolete", "Use GO:0005840 ('ribosome').")


def test_a_name_of_something_else_is_a_warning_with_the_right_one(tiny, portal) -> None:
    (problem,) = told(check(tiny, portal, id="GO:0005840", name="membrane"))
    assert problem == (
        "ontology-name",
        "warning",
        "'membrane' is neither the label of GO:0005840 nor one of its synonyms",
        "GO:0005840 is 'ribosome'. 'membrane' is GO:0016020.",
    )


@pytest.mark.parametrize("described", [{"id": "UniProtKB:P00722", "name": "x"}, {"id": "UBERON:0000955", "name": "x"},
                                       {"id": "CHEBI:99", "name": "x"}, {"id": "PDB-1ABC", "name": "x"}])  # fmt: skip
def test_of_ontologies_that_are_not_loaded_nothing_is_said(tiny, portal, described) -> None:
    assert told(check(tiny, portal, **described)) == []


def test_an_identifier_is_taken_from_the_label_and_told(tiny, portal) -> None:
    del tiny.config["datasets"][0]["metadata"]["organism"]["taxonomy_id"]
    tiny.config["annotations"][0]["metadata"]["annotation_object"] = {"name": "Ribosome", "state": "busy"}
    ran = portal.ingest(tiny.write().file, tiny.source)
    assert ran.code == 0, ran.out
    notices = {problem["where"]: problem for problem in ran.problems if problem["severity"] == "notice"}
    assert notices["annotations[0].metadata.annotation_object.id"]["message"] == (
        "id is not given and taken as 'GO:0005840', the term called 'ribosome'"
    )
    assert notices["datasets[0].metadata.organism.taxonomy_id"]["code"] == "ontology-completed"
    (sidecar,) = portal.layout.glob("20002/R1/**/Annotations/*/ball-1.0.json".replace("ball", "ribosome"))
    described = json.loads(sidecar.read_text())["annotation_object"]
    assert described == {"id": "GO:0005840", "name": "Ribosome", "state": "busy"}
    dataset = json.loads((portal.layout / "20002/dataset_metadata.json").read_text())
    assert dataset["organism"] == {"name": "Saccharomyces cerevisiae", "taxonomy_id": 4932}


def test_a_name_is_taken_from_the_identifier(tiny, portal) -> None:
    (problem,) = told(check(tiny, portal, id="GO:0016020"))
    assert problem[:3] == (
        "ontology-completed", "notice", "name is not given and taken as 'membrane', the label of GO:0016020"
    )  # fmt: skip


def test_two_terms_of_one_label_complete_nothing(tiny, portal) -> None:
    ran = check(tiny, portal, name="twin")
    assert ran.code == 1
    assert {problem[0] for problem in told(ran)} == {"ontology-name", "missing"}
    assert "'twin' is the label of 2 terms (GO:0000002, GO:0000003)" in ran.out


def test_a_term_of_another_kind_completes_nothing(tiny, portal) -> None:
    ran = check(tiny, portal, name="Saccharomyces cerevisiae")
    assert [problem[0] for problem in told(ran)] == ["missing"]


def test_without_an_ontology_nothing_changes(tiny, tmp_path) -> None:
    portal = FlowPortal(tmp_path / "empty")
    assert told(check(tiny, portal, id="GO:0000001", name="ribosome")) == []
    assert [problem[0] for problem in told(check(tiny, portal, name="ribosome"))] == ["missing"]
    assert tomoportal("ontology", "list", *portal.options[:2]).out == "No ontology is loaded.\n"


def test_loading_again_replaces_and_a_bad_file_changes_nothing(portal, tmp_path) -> None:
    big = write_large(tmp_path / "new.obo")
    assert tomoportal("ontology", "load", big, *portal.options[:2]).code == 0
    (tmp_path / "bad.obo").write_text("no ontology")
    ran = tomoportal("ontology", "load", tmp_path / "taxa.obo", tmp_path / "bad.obo", *portal.options[:2])
    assert ran.code == 2
    assert "bad.obo, line 1" in ran.err
    listed = tomoportal("ontology", "list", "--json", *portal.options[:2])
    loaded = {row["name"]: row for row in map(json.loads, listed.out.splitlines())}
    assert loaded["go"] == {"name": "go", "version": "releases/made", "prefix": "GO", "terms": 45_000,
                            "obsolete": 0, "synonyms": 135_000}  # fmt: skip
    assert tomoportal("ontology", "load", tmp_path / "absent.obo", *portal.options[:2]).code == 2


def test_names_of_ontologies_lead_nowhere_else(portal, tmp_path) -> None:
    (tmp_path / "x.obo").write_text("ontology: ../../../evil\n[Term]\nid: A:1\nname: a\n")
    assert tomoportal("ontology", "load", tmp_path / "x.obo", *portal.options[:2]).code == 0
    assert (portal.layout / ".tomoportal/ontologies/evil.json.gz").exists()


@pytest.mark.parametrize(
    "content", [b"", b"junk", gzip.compress(b"[]", mtime=0), gzip.compress(b'{"terms": [[1]]}', mtime=0)]
)
def test_a_broken_store_is_told_and_checking_goes_on(tiny, portal, content: bytes) -> None:
    (portal.layout / ".tomoportal/ontologies/go.json.gz").write_bytes(content)
    ran = check(tiny, portal, id="GO:0000001", name="ribosome")
    assert ran.code == 0
    assert "load it again with `tomoportal ontology load`" in ran.problem("ontologies-unread")["message"]
    assert tomoportal("ontology", "list", *portal.options[:2]).code == 3


def test_tables_of_identified_objects_are_compared_too(tiny, portal) -> None:
    tiny.config["identified_objects"] = [{"sources": [{"source_glob": {"list_glob": "objects.csv"}}]}]
    rows = ["R1,GO:0005840,ribosome", "R1,GO:0016020,ribosome", "R1,GO:0022626,ribosome", "R1,GO:0000001,old"]
    (tiny.lab / "objects.csv").write_text("\n".join(["run_name,object_id,object_name", *rows]))
    ran = ingest_tiny(tiny, portal)
    found = [(p["code"], p["line"], p["hint"]) for p in ran.problems if p["file"].endswith("objects.csv")]
    assert found == [
        ("ontology-name", 3, "GO:0016020 is 'membrane'."),
        ("ontology-id", 4, "'ribosome' is GO:0005840."),
        ("ontology-obsolete", 5, "Use GO:0016020 or GO:0005840."),
    ]

"""Every field of deposition, dataset and run metadata: accepted, stored in the sidecar, loaded into the catalogue."""

from __future__ import annotations

import json

from fixtures_command import ingest_tiny

PEOPLE = [
    {"name": "Ada Example", "ORCID": "0000-0002-1825-0097", "primary_author_status": True, "email": "ada@example.org",
     "affiliation_name": "Institute, University", "affiliation_address": "1 Road", "affiliation_identifier": "https://ror.org/02nr0ka47",
     "kaggle_id": "ada"},
    {"name": "Ben Example", "corresponding_author_status": True},
    {"name": "Cem Example"},
]  # fmt: skip
DATES = {"deposition_date": "2025-01-01", "release_date": "2025-02-01", "last_modified_date": "2025-03-01"}
REFERENCES = {
    "publications": "10.1101/2022.04.12.488077, doi:10.1038/s41592-022-01746-2",
    "related_database_entries": "EMPIAR-11756, EMD-1234, PDB-1ABC",
    "related_database_links": "https://example.org", "dataset_citations": "Example et al. 2025",
}  # fmt: skip
DATASET = {
    "dataset_title": "Yeast", "dataset_description": "Lamellae.", "sample_type": "tissue",
    "sample_preparation": "plunge-frozen", "grid_preparation": "glow-discharged", "other_setup": "none",
    "organism": {"name": "Mus musculus", "taxonomy_id": 10090}, "tissue": {"name": "brain", "id": "UBERON:0000955"},
    "cell_type": {"name": "neuron", "id": "CL:0000540"}, "cell_strain": {"name": "C57BL/6J", "id": "NCBITaxon:10090"},
    "cell_component": {"name": "synapse", "id": "GO:0045202"}, "assay": {"name": "microscopy assay", "id": "EFO:0002909"},
    "development_stage": {"name": "adult", "id": "MmusDv:0000110"}, "disease": {"name": "normal", "id": "PATO:0000461"},
}  # fmt: skip
ROW = {
    "title": "Yeast", "description": "Lamellae.", "sample_type": "tissue", "sample_preparation": "plunge-frozen",
    "grid_preparation": "glow-discharged", "other_setup": "none", "organism_name": "Mus musculus", "organism_taxid": 10090,
    "tissue_name": "brain", "tissue_id": "UBERON:0000955", "cell_name": "neuron", "cell_type_id": "CL:0000540",
    "cell_strain_name": "C57BL/6J", "cell_strain_id": "NCBITaxon:10090", "cell_component_name": "synapse",
    "cell_component_id": "GO:0045202", "assay_label": "microscopy assay", "assay_ontology_id": "EFO:0002909",
    "development_stage_name": "adult", "development_stage_ontology_id": "MmusDv:0000110", "disease_name": "normal",
    "disease_ontology_id": "PATO:0000461", "dataset_publications": REFERENCES["publications"],
    "related_database_entries": REFERENCES["related_database_entries"], **DATES, "deposition_id": 20001,
}  # fmt: skip
FUNDING = [
    {"funding_agency_name": "Agency", "grant_id": "G-1"},
    {"funding_agency_name": "Agency", "grant_id": "G-2"},
    {"grant_id": "G-3"},
]
PERSON = {
    "ORCID": "orcid", "name": "name", "email": "email", "affiliation_name": "affiliation_name", "kaggle_id": "kaggle_id",
    "affiliation_address": "affiliation_address", "affiliation_identifier": "affiliation_identifier",
}  # fmt: skip


def full(tiny):
    common = {"authors": PEOPLE, "dates": DATES, "cross_references": REFERENCES}
    tiny.config["depositions"][0]["metadata"] |= {
        "tag": "campaign",
        "deposition_types": ["dataset", "tomogram", "annotation"],
        **common,
    }
    tiny.config["datasets"][0]["metadata"] = {
        "dataset_identifier": 20002,
        **DATASET,
        "funding": FUNDING,
        **common,
    }
    return tiny


def people(portal, entity: str) -> list[dict]:
    fields = [*PERSON.values(), "primary_author_status", "corresponding_author_status", "author_list_order"]
    return sorted(portal.rows(entity, *fields), key=lambda row: row["author_list_order"])


def test_all_of_it_arrives(tiny, portal):
    ran = ingest_tiny(full(tiny), portal)
    assert (ran.code, ran.problems) == (0, [])

    (dataset,) = portal.rows("Dataset", *ROW)
    told = {name: str(dataset[name]).removesuffix("T00:00:00+00:00") for name in ROW}
    assert told == {name: str(value) for name, value in ROW.items()}
    (deposition,) = portal.rows(
        "Deposition",
        "title",
        "description",
        "tag",
        "deposition_publications",
        "related_database_entries",
        *DATES,
    )
    assert deposition["tag"] == "campaign"
    assert deposition["deposition_publications"] == REFERENCES["publications"]
    assert {name: str(deposition[name])[:10] for name in DATES} == DATES
    assert {row["type"] for row in portal.rows("DepositionType", "type")} == {
        "dataset",
        "tomogram",
        "annotation",
    }
    funding = portal.rows("DatasetFunding", "funding_agency_name", "grant_id")
    assert {(row["funding_agency_name"], row["grant_id"]) for row in funding} == {
        ("Agency", "G-1"), ("Agency", "G-2"), (None, "G-3"),
    }  # fmt: skip
    for entity in ("DatasetAuthor", "DepositionAuthor"):
        rows = people(portal, entity)
        assert [row["name"] for row in rows] == [person["name"] for person in PEOPLE]
        assert {key: rows[0][field] for key, field in PERSON.items()} == {
            key: PEOPLE[0][key] for key in PERSON
        }
        assert [bool(row["primary_author_status"]) for row in rows] == [True, False, False]
        assert [bool(row["corresponding_author_status"]) for row in rows] == [False, True, False]
    assert [row["name"] for row in portal.rows("Run", "name", "id")] == ["R1"]


def test_sidecars_hold_what_was_written(tiny, portal):
    ingest_tiny(full(tiny), portal)
    files = portal.public()
    for path, section in (("20002/dataset_metadata.json", "datasets"),
                          ("DepositionMetadata/20001/deposition_metadata.json", "depositions")):  # fmt: skip
        sidecar = json.loads(files[path])
        written = tiny.config[section][0]["metadata"]
        assert {key: sidecar[key] for key in written} == written
        assert sidecar["deposition_id"] == 20001
    run = json.loads(files["20002/R1/run_metadata.json"])
    assert (run["run_name"], run["deposition_id"]) == ("R1", 20001)


def test_what_is_not_reported_is_said_so_in_the_sidecar(tiny, portal):
    ingest_tiny(tiny, portal)
    sidecar = json.loads(portal.public()["20002/dataset_metadata.json"])

    for block in ("cell_component", "cell_strain", "cell_type", "tissue"):
        assert sidecar[block] == {"name": "not_reported", "id": "not_reported"}
    assert sidecar["development_stage"] == {"name": "unknown", "id": "unknown"}
    (row,) = portal.rows("Dataset", "tissue_name", "cell_name")
    assert {row["tissue_name"], row["cell_name"]} <= {"not_reported", None}

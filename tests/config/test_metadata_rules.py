"""The rules between values, and the identifiers of every vocabulary, one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from fixtures_tiny import CONFIG
from tomoportal.config import load_text
from tomoportal.problems import Problem, Severity

IDS = {
    "tissue": ["BTO:0000142", "CL:0000255", "WBbt:0005829", "ZFA:0000001", "FBbt:00000001", "UBERON:0000955"],
    "cell_type": ["CL:0000255", "WBbt:0005829", "ZFA:0000001", "FBbt:00000001", "UBERON:0000955"],
    "cell_strain": ["WBStrain00000001", "NCBITaxon:9606", "CVCL_0045", "CC-3994"],
    "cell_component": ["GO:0005739"],
    "assay": ["EFO:0002909"],
    "development_stage": ["WBls:0000003", "UBERON:0000955", "HsapDv:0000262", "MmusDv:0000110", "ZFS:0000001", "FBdv:00005304"],
    "disease": ["MONDO:0005131", "PATO:0000461"],
}  # fmt: skip
OBJECTS = [
    "GO:0005739",
    "UniProtKB:P00722",
    "UniProtKB:A0A024R161",
    "UBERON:0000955",
    "CHEBI:15986",
    "CDPO:0000001",
    "CL:0000255",
    "PDB-1ABC",
]
NEEDS = {
    "organism": "tissue", "organoid": "tissue", "tissue": "tissue", "cell_line": "cell_strain", "primary_cell_culture": "cell_type",
    "organelle": "cell_component", "virus": "cell_component", "in_silico": None, "in_vitro": None, "other": None,
}  # fmt: skip


def problems(section: str, **changes: Any) -> list[Problem]:
    data = copy.deepcopy(CONFIG)
    data[section][0]["metadata"].update(changes)
    told = load_text(yaml.safe_dump(data, sort_keys=False)).problems
    return [problem for problem in told if problem.severity is not Severity.UNSUPPORTED]


def codes(section: str, **changes: Any) -> list[tuple[str, str]]:
    return [
        (problem.code, problem.where.partition("metadata.")[2]) for problem in problems(section, **changes)
    ]


@pytest.mark.parametrize(
    ("group", "identifier"), [(group, one) for group, all_ in IDS.items() for one in all_]
)
def test_identifiers_of_every_vocabulary(group: str, identifier: str) -> None:
    assert codes("datasets", **{group: {"name": "x", "id": identifier}}) == []
    for wrong in (
        identifier[:-1] + "x!",
        f"x {identifier[1:]}",
        identifier.replace(":", "_").replace("CVCL_", "CVCL:"),
    ):
        if wrong != identifier and not (group == "cell_strain" and wrong.startswith("x ")):
            assert ("pattern", f"{group}.id") in codes("datasets", **{group: {"name": "x", "id": wrong}}), (
                wrong
            )


@pytest.mark.parametrize("identifier", OBJECTS)
def test_identifiers_of_annotated_objects(identifier: str) -> None:
    assert codes("annotations", annotation_object={"name": "x", "id": identifier}) == []
    wrong = identifier.replace("-", ":") if identifier.startswith("PDB") else identifier + "!"
    assert codes("annotations", annotation_object={"name": "x", "id": wrong}) == [
        ("pattern", "annotation_object.id")
    ]


@pytest.mark.parametrize(("kind", "group"), NEEDS.items())
def test_what_each_kind_of_sample_needs(kind: str, group: str | None) -> None:
    assert codes("datasets", sample_type=kind) == ([("sample", group)] if group else [])
    if group:
        assert codes("datasets", sample_type=kind, **{group: {"name": "x"}}) == [("sample", f"{group}.id")]
        assert codes("datasets", sample_type=kind, **{group: {"name": "x", "id": IDS[group][0]}}) == []


@pytest.mark.parametrize(
    ("section", "changes", "expected"),
    [
        ("datasets", {"development_stage": {"name": "unknown", "id": "ZFS:0000001"}}, [("stage", "development_stage")]),
        ("datasets", {"development_stage": {"name": "adult", "id": "unknown"}}, [("stage", "development_stage")]),
        ("datasets", {"organism": {"name": "x", "taxonomy_id": 0}}, [("bounds", "organism.taxonomy_id")]),
        ("datasets", {"organism": {"taxonomy_id": 4932}}, [("missing", "organism.name")]),
        ("datasets", {"funding": [{"funding_agency_name": "A", "grant_id": "1"}] * 2}, [("repeated", "funding[1]")]),
        ("datasets", {"sample_type": "cell"}, [("word", "sample_type")]),
        ("depositions", {"deposition_types": ["dataset", "dataset"]}, [("repeated", "deposition_types[1]")]),
        ("depositions", {"deposition_types": []}, [("missing", "deposition_types")]),
        ("depositions", {"deposition_title": None}, [("missing", "deposition_title")]),
        ("annotations", {"confidence": {"precision": 101, "ground_truth_used": "x"}}, [("bounds", "confidence.precision")]),
        ("annotations", {"confidence": {"recall": 50}}, [("confidence", "confidence.recall")]),
        ("annotations", {"confidence": {"recall": 50, "ground_truth_used": "by eye"}}, []),
        ("annotations", {"method_links": [{"link": "https://x", "link_type": "blog"}]}, [("word", "method_links[0].link_type")]),
        ("annotations", {"annotation_publications": "10.1101/x, EMD-1234,EMPIAR-10304, PDB-1ABC"}, []),
        ("annotations", {"annotation_publications": "10.1101/x; EMD-1234"}, [("pattern", "annotation_publications")]),
        ("annotations", {"annotation_object": {"id": "GO:0005840"}}, [("missing", "annotation_object.name")]),
        ("annotations", {"ground_truth_status": True, "method_type": "automated"}, [("ground-truth", "ground_truth_status")]),
        ("annotations", {"method_links": [{"link_type": "other"}]}, [("missing", "method_links[0].link")]),
        ("annotations", {"object_count": -1}, [("bounds", "object_count")]),
        ("tomograms", {"tomogram_version": -1}, [("bounds", "tomogram_version")]),
    ],
)  # fmt: skip
def test_rules(section: str, changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert codes(section, **changes) == expected


@pytest.mark.parametrize("section", ["depositions", "datasets", "tomograms", "annotations"])
def test_dates_and_authors_of_every_entity(section: str) -> None:
    dates = {
        "deposition_date": "2025-03-01",
        "release_date": "2025-02-01",
        "last_modified_date": "2025-03-01",
    }
    assert codes(section, dates=dates) == [("dates", "dates.release_date")]
    for day in ("2025-02-30", "01.02.2025", "2025-2-1", "soon", 2025):
        assert codes(section, dates={**dates, "release_date": day}) == [("date", "dates.release_date")]
    person = {"name": "A", "primary_author_status": True}
    assert codes(section, authors=[person]) == [("authors", "authors")]
    full = {**person, "corresponding_author_status": True}
    assert codes(section, authors=[{**full, "ORCID": "0000-0002-1825-0098"}]) == [
        ("orcid", "authors[0].ORCID")
    ]
    assert codes(section, authors=[{**full, "ORCID": "0000-0002-1825"}]) == [("pattern", "authors[0].ORCID")]


@pytest.mark.parametrize("section", ["depositions", "datasets"])
@pytest.mark.parametrize(
    ("key", "good", "wrong"),
    [
        ("publications", "10.1101/2022.04.12.488077, doi:10.1038/x", "10.1101/a, https://doi.org/10.1038/x"),
        ("related_database_entries", "EMPIAR-11756,EMD-1234 , PDB-1ABC", "EMPIAR-117"),
    ],
)
def test_cross_references(section: str, key: str, good: str, wrong: str) -> None:
    assert codes(section, cross_references={key: good}) == []
    assert codes(section, cross_references={key: wrong}) == [("pattern", f"cross_references.{key}")]

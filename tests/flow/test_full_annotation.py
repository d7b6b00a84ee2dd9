"""Every field of an annotation's metadata, from the deposition file to sidecar, catalogue, GraphQL and the page of the run."""

from __future__ import annotations

import html
import json
import re

import httpx
import pytest

from fixtures_command import ingest_tiny
from fixtures_demo import settings_in
from fixtures_server import serving

PEOPLE = [
    {"name": "Ada Example", "ORCID": "0000-0002-1825-0097", "primary_author_status": True, "email": "ada@example.org",
     "affiliation_name": "Institute", "affiliation_address": "1 Road", "affiliation_identifier": "https://ror.org/02nr0ka47",
     "kaggle_id": "ada"},
    {"name": "Ben Example", "corresponding_author_status": True},
]  # fmt: skip
LINKS = [
    {"link_type": "source_code", "link": "https://example.org/code", "custom_name": "Finder"},
    {"link_type": "models_weights", "link": "https://example.org/weights"},
]
METADATA = {
    "annotation_ingest_id": "ball-1",
    "annotation_method": "template matching and patience",
    "annotation_object": {
        "id": "UniProtKB:P00722", "name": "galactosidase", "description": "tetramer with substrate", "state": "open",
    },
    "annotation_publications": "10.1101/2022.04.12.488077, EMD-1234,EMPIAR-10304,PDB-1ABC",
    "annotation_software": "pytom-match-pick 0.7",
    "confidence": {"precision": 93.5, "recall": 71.25, "ground_truth_used": "two experts"},
    "ground_truth_status": False,
    "is_curator_recommended": True,
    "method_type": "hybrid",
    "method_links": LINKS,
    "object_count": 99,
    "version": 2.5,
    "dates": {"deposition_date": "2025-01-11", "release_date": "2025-02-12", "last_modified_date": "2025-03-13"},
    "authors": PEOPLE,
}  # fmt: skip
ANSWER = {
    "annotationIngestId": "ball-1",
    "annotationMethod": "template matching and patience",
    "annotationPublication": METADATA["annotation_publications"],
    "annotationSoftware": "pytom-match-pick 0.7",
    "confidencePrecision": 93.5,
    "confidenceRecall": 71.25,
    "groundTruthUsed": "two experts",
    "groundTruthStatus": False,
    "isCuratorRecommended": True,
    "methodType": "hybrid",
    "objectId": "UniProtKB:P00722",
    "objectName": "galactosidase",
    "objectDescription": "tetramer with substrate",
    "objectState": "open",
    "objectCount": 2,
    "depositionDate": "2025-01-11T00:00:00+00:00",
    "releaseDate": "2025-02-12T00:00:00+00:00",
    "lastModifiedDate": "2025-03-13T00:00:00+00:00",
}
QUERY = f"""{{ annotations(where: {{annotationIngestId: {{_eq: "ball-1"}}}}) {{ {" ".join(ANSWER)}
  methodLinks {{ edges {{ node {{ linkType name link }} }} }}
  authors(orderBy: {{authorListOrder: asc}}) {{ edges {{ node {{ name orcid email affiliationName affiliationAddress
    affiliationIdentifier kaggleId primaryAuthorStatus correspondingAuthorStatus }} }} }} }} }}"""
SHOWN = (
    "template matching and patience", "pytom-match-pick 0.7", "93.5", "71.25", "two experts", "galactosidase",
    "tetramer with substrate", "open", "Hybrid", "UniProtKB:P00722", "2025-01-11", "2025-02-12", "2025-03-13", "Finder",
    "Models weights", "Ada Example", "Ben Example",
)  # fmt: skip
LINKED = (
    "https://example.org/code", "https://example.org/weights", "https://orcid.org/0000-0002-1825-0097",
    "https://doi.org/10.1101/2022.04.12.488077", "https://www.ebi.ac.uk/emdb/EMD-1234", "https://www.ebi.ac.uk/empiar/EMPIAR-10304/",
)  # fmt: skip


@pytest.fixture
def published(tiny, portal):
    tiny.config["annotations"][0]["metadata"] = METADATA
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, ran.problems) == (0, [])
    return portal


def test_sidecar_holds_what_was_written(published) -> None:
    (path,) = published.layout.glob("20002/R1/**/Annotations/*/tetramer_with_substrate-2.5.json")
    sidecar = json.loads(path.read_text())
    assert {key: sidecar[key] for key in METADATA if key != "object_count"} == {
        key: value for key, value in METADATA.items() if key != "object_count"
    }
    assert sidecar["object_count"] == 2, "what is counted wins over what is written"
    assert (sidecar["deposition_id"], sidecar["alignment_metadata_path"]) == (
        20001, "20002/R1/Alignments/100/alignment_metadata.json",
    )  # fmt: skip


def test_graphql_and_page_tell_all_of_it(published) -> None:
    with serving(settings_in(published.folder)) as url:
        answer = httpx.post(f"{url}/graphql", json={"query": QUERY}).json()
        page = html.unescape(httpx.get(f"{url}/runs/1").text)
    (annotation,) = answer["data"]["annotations"]
    assert {name: annotation[name] for name in ANSWER} == ANSWER
    links = [edge["node"] for edge in annotation["methodLinks"]["edges"]]
    assert sorted((link["linkType"], link["link"], link["name"]) for link in links) == [
        ("models_weights", "https://example.org/weights", None),
        ("source_code", "https://example.org/code", "Finder"),
    ]
    first, second = (edge["node"] for edge in annotation["authors"]["edges"])
    assert first == {
        "name": "Ada Example", "orcid": "0000-0002-1825-0097", "email": "ada@example.org", "affiliationName": "Institute",
        "affiliationAddress": "1 Road", "affiliationIdentifier": "https://ror.org/02nr0ka47", "kaggleId": "ada",
        "primaryAuthorStatus": True, "correspondingAuthorStatus": False,
    }  # fmt: skip
    assert (second["name"], second["orcid"], second["correspondingAuthorStatus"]) == (
        "Ben Example",
        None,
        True,
    )
    card = page[page.index('id="annotations"') : page.index('id="tiltseries"')]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", card))
    assert [word for word in SHOWN if word.lower() not in text.lower()] == []
    assert [address for address in LINKED if f'href="{address}"' not in card] == []

"""Which annotation fits which tomogram: by the alignment that they share, in GraphQL, in the client and on the page of the run."""

from __future__ import annotations

import copy
import re

import httpx
import pytest

from fixtures_command import ingest_tiny
from fixtures_demo import settings_in
from fixtures_server import serving
from tomoportal import Annotation, Client, Tomogram

QUERY = """{ annotations { id objectName alignmentId alignment { tomograms { edges { node { id } } } } }
  tomograms { id processing alignmentId alignment { annotations { edges { node { objectName } } } } } }"""


@pytest.fixture
def url(tiny, portal):
    """A portal in which the points are of the first alignment and its tomogram, the mask of the second."""
    for name in ("first", "second"):
        entry = copy.deepcopy(tiny.config["alignments"][0])
        entry["metadata"]["ingest_id"] = name
        tiny.config["alignments"].append(entry)
    del tiny.config["alignments"][0]
    second = copy.deepcopy(tiny.config["tomograms"][0])
    second["metadata"] |= {"processing": "denoised", "is_visualization_default": False}
    tiny.config["tomograms"].append(second)
    for section in ("tomograms", "annotations"):
        for entry, name in zip(tiny.config[section], ("first", "second"), strict=True):
            entry["metadata"]["alignment_ingest_id"] = name
    assert ingest_tiny(tiny, portal).code == 0
    with serving(settings_in(portal.folder)) as address:
        yield address


def test_the_answer_is_given_everywhere(url) -> None:
    data = httpx.post(f"{url}/graphql", json={"query": QUERY}).json()["data"]
    tomograms = {row["processing"]: row for row in data["tomograms"]}
    annotations = {row["objectName"]: row for row in data["annotations"]}
    pairs = {"ball": "raw", "membrane": "denoised"}
    for name, processing in pairs.items():
        assert annotations[name]["alignmentId"] == tomograms[processing]["alignmentId"] is not None
        found = annotations[name]["alignment"]["tomograms"]["edges"]
        assert [edge["node"]["id"] for edge in found] == [tomograms[processing]["id"]]
        found = tomograms[processing]["alignment"]["annotations"]["edges"]
        assert [edge["node"]["objectName"] for edge in found] == [name]
    with Client(url) as client:
        for one in Annotation.find(client):
            assert [tomogram.processing for tomogram in one.tomograms] == [pairs[one.object_name]]
        for volume in Tomogram.find(client):
            assert [pairs[one.object_name] for one in volume.annotations] == [volume.processing]
    page = re.sub(r"\s+", " ", httpx.get(f"{url}/runs/1", follow_redirects=True).text)
    shown, other = tomograms["raw"]["id"], tomograms["denoised"]["id"]
    assert page.count("It was made with another alignment") == 1
    assert f"for TM-{other}, not TM-{shown}</span>" in page
    assert f'Fits <a href="#TM-{other}">TM-{other}</a>, which shares its alignment.' in page

"""What crawlers, feed readers and machine learning tools get, read with parsers of their kind."""

from __future__ import annotations

import json
import xml.etree.ElementTree as xml
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from fixtures_demo import DemoPortal
from fixtures_web import DAY
from tomoportal.web.getting import crawling

SITE = "https://portal.example"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ATOM = "{http://www.w3.org/2005/Atom}"
HIDDEN = "10028"


def _locations(text):
    return [item.text for item in xml.fromstring(text).iter(f"{SITEMAP}loc")]


def test_robots_lead_to_the_sitemap(browser):
    text = browser.client.get("/robots.txt").text
    assert f"Sitemap: {SITE}/sitemap.xml" in text.splitlines()


def test_the_sitemap_has_every_public_page_once(browser):
    answer = browser.client.get("/sitemap.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    found = _locations(answer.text)
    assert len(found) == len(set(found))
    assert all(address.startswith(f"{SITE}/") for address in found)
    assert f"{SITE}/datasets/10001" in found
    assert f"{SITE}/runs/990" in found
    assert not [address for address in found if HIDDEN in address]


def test_large_sitemaps_are_split_and_lose_nothing(browser, monkeypatch):
    whole = _locations(browser.client.get("/sitemap.xml").text)
    monkeypatch.setattr(crawling, "MOST", 50)
    parts = _locations(browser.client.get("/sitemap.xml").text)
    assert len(parts) == -(-len(whole) // 50)
    found = [_locations(browser.client.get(urlsplit(part).path).text) for part in parts]
    assert [address for part in found for address in part] == whole
    assert max(map(len, found)) == 50
    assert browser.client.get(f"/sitemap-{len(parts) + 1}.xml").status_code == 404


def _entries(browser, query=""):
    answer = browser.client.get(f"/feed.atom{query}")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    root = xml.fromstring(answer.text)
    for tag in ("id", "title", "updated"):
        assert root.find(f"{ATOM}{tag}").text
    return root.findall(f"{ATOM}entry")


def test_the_feed_has_the_newest_first_and_nothing_hidden(browser):
    entries = _entries(browser)
    ids = [entry.find(f"{ATOM}id").text for entry in entries]
    assert len(ids) == len(set(ids)) == 28
    assert f"{SITE}/depositions/10300" in ids
    assert not [id for id in ids if HIDDEN in id]
    days = [entry.find(f"{ATOM}published").text for entry in entries]
    assert days == sorted(days, reverse=True)
    for entry in entries:
        assert entry.find(f"{ATOM}author/{ATOM}name").text
        assert entry.find(f"{ATOM}link").get("href") == entry.find(f"{ATOM}id").text


@pytest.mark.parametrize("query", ["?organism=Homo+sapiens", "?object=GO:0016020", "?object=membrane"])
def test_feeds_can_be_narrowed(browser, query):
    narrowed = {entry.find(f"{ATOM}id").text for entry in _entries(browser, query)}
    assert 0 < len(narrowed) < 28


def test_a_feed_of_nothing_is_a_feed(browser):
    assert _entries(browser, "?organism=Nobody") == []


REQUIRED = {
    "@context",
    "@type",
    "conformsTo",
    "description",
    "license",
    "name",
    "url",
    "creator",
    "datePublished",
}
"""What the specification of Croissant 1.0 asks of every dataset."""


@pytest.fixture(scope="module")
def described(demo_portal: DemoPortal):
    from tomoportal.server import build_app

    with TestClient(build_app(demo_portal.settings), base_url="http://127.0.0.1:8000") as client:
        answer = client.get("/datasets/10901/croissant.json")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/ld+json")
        yield json.loads(answer.text)


def test_croissant_has_what_the_format_requires(described):
    assert set(described) >= REQUIRED
    assert described["@type"] == "sc:Dataset"
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert described["license"].startswith("https://creativecommons.org/")
    ids = [item["@id"] for item in described["distribution"] + described["recordSet"]]
    assert len(ids) == len(set(ids))
    for item in described["distribution"]:
        assert item["@type"] in ("cr:FileObject", "cr:FileSet")
        assert item["name"]
        assert "/" in item["encodingFormat"]
        if item["@type"] == "cr:FileSet":
            assert item["containedIn"]["@id"] in ids
            assert item["includes"]


def test_checksums_and_sizes_are_those_of_the_files(described, demo_portal):
    objects = [item for item in described["distribution"] if "sha256" in item]
    assert len(objects) > 10
    for item in objects:
        path = urlsplit(item["contentUrl"]).path.removeprefix("/files/")
        content = (demo_portal.layout / path).read_bytes()
        assert sha256(content).hexdigest() == item["sha256"], path
        if "contentSize" in item:
            assert item["contentSize"] == f"{len(content)} B"


def test_file_sets_name_what_is_there(described, demo_portal):
    sets = {item["@id"]: item for item in described["distribution"] if item["@type"] == "cr:FileSet"}
    assert "tomograms-zarr" in sets
    home = demo_portal.layout / described["identifier"].removeprefix("DS-")
    for item in sets.values():
        for pattern in item["includes"]:
            assert any(home.glob(pattern.replace("[", "[[]"))), pattern


def test_records_have_the_fields_that_are_declared(described):
    [records] = described["recordSet"]
    fields = {field["@id"] for field in records["field"]}
    assert records["key"]["@id"] in fields
    assert records["data"]
    for row in records["data"]:
        assert set(row) == fields
        assert isinstance(row["tomograms/voxel_spacing"], int | float)
        assert row["tomograms/https_mrc_file"].startswith("http")


def test_a_layout_without_records_has_file_sets(browser):
    described = browser.client.get("/datasets/10001/croissant.json").json()
    assert not [item for item in described["distribution"] if "sha256" in item]
    assert {item["@id"] for item in described["distribution"]} >= {"tomograms-mrc", "tomograms-zarr"}
    assert DAY.isoformat() not in described["datePublished"]


@pytest.mark.parametrize("address", ["/datasets/10028/croissant.json", "/datasets/1/croissant.json"])
def test_hidden_datasets_are_not_described(browser, address):
    assert browser.client.get(address).status_code == 404


def _head(page):
    return {
        tag_attributes.get("property") or tag_attributes.get("name"): tag_attributes.get("content")
        for tag, tag_attributes in page.tags
        if tag == "meta"
    }


@pytest.mark.parametrize(
    "address", ["/", "/datasets/10001", "/runs/990", "/depositions/10300", "/datasets/10001/cite"]
)
def test_pages_can_be_shared_and_found(browser, address):
    page = browser.page(address)
    head = _head(page)
    assert all(head[name] for name in ("og:title", "twitter:title", "description"))
    assert head["og:url"] == f"{SITE}{address}"
    links = [attributes for tag, attributes in page.tags if tag == "link"]
    assert f"{SITE}{address}" in [item["href"] for item in links if item["rel"] == "canonical"]
    assert "/feed.atom" in [item["href"] for item in links if item.get("type") == "application/atom+xml"]


def test_every_dataset_tells_search_engines_its_license_and_authors(browser):
    page = browser.page("/datasets/10001")
    [told] = [json.loads(text) for text in page.blocks["script"] if "schema.org" in text]
    assert told["@type"] == "Dataset"
    assert told["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert told["url"] == f"{SITE}/datasets/10001"
    assert told["creator"][0]["name"] == "Ada Ångström"
    assert told["distribution"][0]["contentUrl"].startswith(SITE)
    assert [
        json.loads(text)["@type"] for text in browser.page("/").blocks["script"] if "schema.org" in text
    ] == ["DataCatalog"]

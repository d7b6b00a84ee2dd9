from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from fixtures_catalog import fill, row
from fixtures_web import CROWDED, DAY, EMPTY_RUN, HOSTILE, SECRET, web_app
from tomoportal.catalog import Catalog, open_catalog
from tomoportal.model.query import Compare, Select, Value

PATHS = (
    "/",
    "/browse-data/datasets",
    "/browse-data/datasets?organism=Homo+sapiens&object=membrane&files=raw-frames&page=2&sort=title",
    "/browse-data/datasets?search=zzzz",
    "/browse-data/depositions",
    f"/datasets/{CROWDED}",
    f"/datasets/{CROWDED}?page=3",
    f"/datasets/{CROWDED + 1}",
    "/depositions/10300",
    f"/runs/{EMPTY_RUN}",
    "/objects",
    "/objects/GO:0022626",
    "/organisms",
    "/organisms/3055?page=1",
    "/authors",
    "/authors/0000-0002-1825-0097",
)


def run_id(portal: Catalog, dataset: int, name: str) -> int:
    where = Compare("dataset_id", "eq", dataset) & Compare("name", "eq", name)
    return portal.view(today=DAY).rows(Select("Run", (Value("id", "id"),), where))[0]["id"]


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_well_formed_titled_and_free_of_inline_code(browser, path):
    page = browser.page(path)
    assert len(page.blocks["title"]) == 1
    assert page.blocks["title"][0].endswith("Test portal") or path == "/"
    assert len(page.blocks["h1"]) == 1
    assert page.values("html", "lang") == ["en"]
    ids = [found["id"] for _, found in page.tags if "id" in found]
    assert len(ids) == len(set(ids))
    for tag, found in page.tags:
        assert "style" not in found, (tag, found)
        assert not [name for name in found if name.startswith("on")], (tag, found)
        if tag == "script" and "src" not in found:
            assert found["type"] == "application/ld+json"
        if tag == "img":
            assert "alt" in found
    labelled = set(page.values("label", "for"))
    unnamed = [
        found
        for tag, found in page.tags
        if tag in ("input", "select")
        and found.get("type") not in ("checkbox",)
        and found.get("id") not in labelled
    ]
    assert [found.get("name") for found in unnamed] in ([], ["sort"])


def test_titles_differ(browser):
    titles = [browser.page(path).blocks["title"][0] for path in PATHS if "?" not in path]
    assert len(titles) == len(set(titles))


def test_every_internal_link_leads_somewhere(browser, portal):
    asked = [
        *PATHS,
        f"/runs/{run_id(portal, CROWDED, 'TS_002')}",
        f"/view/runs/{run_id(portal, CROWDED, 'TS_002')}",
    ]
    seen = set(asked)
    for path in asked:
        page = browser.page(path)
        for link in [*page.values("a", "href"), *page.values("link", "href"), *page.values("script", "src")]:
            split = urlsplit(link)
            if split.netloc not in ("", "portal.example") or split.path.startswith(
                ("/files/", "/viewer/", "/graphql")
            ):
                continue
            if link.startswith("#"):
                assert any(found.get("id") == link[1:] for _, found in page.tags), (path, link)
                continue
            target = split.path + (f"?{split.query}" if split.query else "")
            if target not in seen:
                seen.add(target)
                assert browser.client.get(target).status_code == 200, (path, link)
    assert len(seen) > 60


def test_security_headers_and_tags(browser):
    answer = browser.client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = browser.client.get("/", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_static_files_keep_for_ever_when_marked(browser):
    address = next(link for link in browser.page("/").values("link", "href") if "portal.css" in link)
    answer = browser.client.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")


def test_home_counts_what_is_public(browser):
    page = browser.page("/")
    assert (
        "27 datasets" in " ".join(reversed(re.findall(r"\d+|datasets", page.text)))[-4000:]
        or "27" in page.text
    )
    counters = dict(zip(page.blocks["dt"], page.blocks["dd"], strict=True))
    assert counters["datasets"] == "27"
    assert counters["species"] == "5"


def test_unreleased_things_do_not_exist(browser):
    assert f"/datasets/{SECRET}" not in browser.client.get("/browse-data/datasets?page=2").text
    browser.page(f"/datasets/{SECRET}", 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/datasets/abc", 400), ("/datasets/1", 404), ("/runs/99999999999999999999", 400), ("/runs/0x1", 400), ("/depositions/5", 404),
        (f"/view/runs/{EMPTY_RUN}", 404), ("/nothing/here", 404), ("/view/runs/²", 400),
    ],
)  # fmt: skip
def test_errors_are_designed_pages(browser, path, status):
    page = browser.page(path, status)
    assert str(status) in page.text
    assert "/browse-data/datasets" in page.values("a", "href")


def test_a_broken_catalogue_is_503_and_a_defect_is_500(tmp_path):
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from tomoportal.errors import CatalogError
    from tomoportal.settings import Settings
    from tomoportal.web.site import error_handlers, routes

    def broken(request):
        if "defect" in request.query_params:
            raise ZeroDivisionError
        raise CatalogError("it is gone")

    app = Starlette(routes=routes(broken, Settings()), exception_handlers=error_handlers(Settings()))
    client = TestClient(app, raise_server_exceptions=False)
    answer = client.get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "it is gone" not in answer.text
    assert client.get("/?defect=1").status_code == 500


def test_names_are_escaped_everywhere(browser, portal):
    dataset = CROWDED + 1
    run = run_id(portal, dataset, HOSTILE)
    for path in (f"/datasets/{dataset}", f"/runs/{run}", f"/view/runs/{run}", "/"):
        assert HOSTILE not in browser.client.get(path).text
    assert HOSTILE in browser.page(f"/runs/{run}").blocks["h1"][0]
    search = browser.client.get("/browse-data/datasets", params={"search": '"><script>alert(1)</script>'})
    assert "<script>alert(1)" not in search.text


def test_dataset_page_tells_about_the_dataset(browser):
    page = browser.page(f"/datasets/{CROWDED}")
    for words in (
        "Ada Ångström",
        "Chlamydomonas reinhardtii",
        "NCBI:3055",
        "Moon Fund, M-0",
        "Crowded cells, a survey",
        "45 of 45",
    ):
        assert words in page.text
    links = page.values("a", "href")
    assert "https://www.ebi.ac.uk/empiar/EMPIAR-11830/" in links
    assert "https://orcid.org/0000-0002-1825-0097" in links
    assert f"aws s3 sync s3://tomoportal/{CROWDED}/ {CROWDED}/ --no-sign-request" in page.text
    assert "--endpoint-url https://portal.example/s3" in page.text
    assert "Not stated: " in page.text


def test_dataset_metadata_for_machines(browser):
    page = browser.page(f"/datasets/{CROWDED + 1}")
    data = json.loads(page.blocks["script"][[s.startswith("{") for s in page.blocks["script"]].index(True)])
    assert data["@type"] == "Dataset"
    assert data["url"] == f"https://portal.example/datasets/{CROWDED + 1}"
    assert data["creator"][0]["name"] == "Ada Ångström"
    assert data["citation"] == ["https://doi.org/10.7554/eLife.53065"]
    meta = {found.get("property"): found.get("content") for tag, found in page.tags if tag == "meta"}
    assert meta["og:image"] == f"https://portal.example/files/{CROWDED + 1}/Images/snapshot.png"
    canonical = [
        found["href"] for tag, found in page.tags if tag == "link" and found.get("rel") == "canonical"
    ]
    assert canonical == [f"https://portal.example/datasets/{CROWDED + 1}"]


def test_runs_of_a_dataset_page_and_filter(browser):
    first = browser.page(f"/datasets/{CROWDED}")
    last = browser.page(f"/datasets/{CROWDED}?page=3")
    beyond = browser.page(f"/datasets/{CROWDED}?page=99")
    rows = [
        len([1 for tag, found in page.tags if tag == "th" and found.get("scope") == "row"])
        for page in (first, last)
    ]
    assert "TS_001" in first.text
    assert "TS_045" in last.text
    assert "TS_045" in beyond.text
    assert rows[0] > rows[1]
    found = browser.page(f"/datasets/{CROWDED}?run-name=s_04&quality_score=5")
    assert "2 of 45" in found.text
    assert "TS_040" in found.text
    assert "1 of 45" in browser.page(f"/datasets/{CROWDED}?object=cytosolic+ribosome").text
    assert "0 of 45" in browser.page(f"/datasets/{CROWDED}?run-name=%25").text


def test_run_page_tells_about_the_run(browser, portal):
    page = browser.page(f"/runs/{run_id(portal, CROWDED + 1, 'TS_002')}")
    for words in (
        "120° (−60° to 60°)", "300 kV", "7.84 Å", "1,000 × 1,000 × 250 px", "1 ground truth annotation", "1 other annotation",
        "membrane", "93.5%", "71.25%", "segmentation mask", "AreTomo3", "patch tracking", "2 – poor", "Zoë Öz",
    ):  # fmt: skip
        assert words in page.text.replace("\u202f", " "), words
    downloads = [found["href"] for tag, found in page.tags if tag == "a" and "download" in found]
    assert any(address.endswith("/Tomograms/100/TS.mrc") for address in downloads)
    assert not any(".zarr" in address for address in downloads)
    assert page.text.count("View tomogram") >= 2
    commands = re.findall(r"curl -fL -o (\S+) https://portal.example/files/", page.text)
    commands += re.findall(r"aws s3 sync \S+ (\S+\.zarr/) ", page.text)
    assert len(commands) >= 6
    assert len(set(commands)) == len(commands)
    assert [bool(re.fullmatch(r"TS_002_TM-\d+\.mrc", name)) for name in commands].count(True) == 2
    assert re.search(r"curl -fL -o TS_002_TS-\d+\.mrc ", page.text)
    assert "4,096 × 4,096 px, 41 images" in page.text.replace("\u202f", " ")
    contents = dict(zip(page.blocks["dt"], page.blocks["dd"], strict=True))
    assert (contents["alignment"], contents["movie frame"], contents["tomograms"]) == ("1", "1", "2")
    assert "with annotations" not in page.text


def test_exposures_without_movies_are_no_movie_frames(browser, portal):
    page = browser.page(f"/runs/{run_id(portal, CROWDED, 'TS_001')}")
    contents = dict(zip(page.blocks["dt"], page.blocks["dd"], strict=True))
    assert (contents["movie frames"], contents["exposure"]) == ("Not submitted", "1")
    text = browser.page("/browse-data/datasets?files=raw-frames").text
    assert "18 of 27 datasets" in " ".join(text.split())


def test_what_stands_in_for_missing_metadata_and_alignments(tmp_path):
    from starlette.testclient import TestClient

    from fixtures_catalog import fill, row, small_portal
    from fixtures_web import web_app

    with small_portal(tmp_path) as catalog:
        run = row("Run", id=71, name="bare", dataset_id=70, folder_path="70/bare/", folder="70/bare")
        fill(
            catalog,
            {
                "Dataset": [
                    row(
                        "Dataset",
                        id=70,
                        title="Nothing said",
                        organism_name="not_reported",
                        deposition_id=20001,
                    )
                ],
                "Run": [run],
                "Alignment": [row("Alignment", id=72, run_id=71, alignment_method=None, folder="70/bare/A")],
            },
        )
        client = TestClient(web_app(catalog, tmp_path))
        found = client.get("/browse-data/datasets", params={"search": "RN-71"}).text
        assert "Nothing said" in found
        assert "not_reported" not in client.get("/browse-data/datasets").text
        assert "Nothing said" not in client.get("/browse-data/datasets?files=tilt-series-alignment").text
        assert (
            '<dt>alignments</dt><dd><span class="absent">Not submitted</span></dd>'
            in client.get("/runs/71").text
        )


def test_a_shown_identifier_or_species_number_is_found(browser):
    for text, tally in (
        ("ds-10003", "1 of 27"),
        ("NCBI:9606", "5 of 27"),
        ("562", "5 of 27"),
        ("RN-990", "1 of 27"),
    ):
        page = browser.page(f"/browse-data/datasets?search={text}")
        assert f"{tally} datasets" in " ".join(page.text.split()), text


def test_an_empty_run_says_so(browser):
    page = browser.page(f"/runs/{EMPTY_RUN}")
    assert "No tomograms yet" in page.text
    assert "View tomogram" not in page.text


def test_viewer_page_carries_the_state(browser, portal):
    from urllib.parse import unquote

    run = run_id(portal, CROWDED, "TS_001")
    page = browser.page(f"/view/runs/{run}")
    (address,) = page.values("iframe", "src")
    assert address.startswith("/viewer/v/p/#!%7B")
    state = json.loads(unquote(address.split("#!", 1)[1]))
    assert state["layers"][0]["source"].startswith("zarr:///files/")
    browser.page(f"/view/runs/{run}?tomogram=1", 404)
    link = browser.page(f"/runs/{run}").values("a", "href")
    chosen = next(address for address in link if address.startswith("/view/"))
    assert browser.page(chosen).values("iframe", "src") == [address]


def test_deposition_page_lists_its_datasets(browser):
    page = browser.page("/depositions/10300")
    assert "A minimal cell, whole" in page.text
    assert "https://doi.org/10.1038/s41586-020-2665-2" in page.values("a", "href")
    assert browser.page("/depositions/10300?page=junk").text == page.text


def test_an_empty_portal_is_no_error(tmp_path):
    from starlette.testclient import TestClient

    from fixtures_web import web_app
    from tomoportal.catalog import open_catalog

    with open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True) as catalog:
        client = TestClient(web_app(catalog, tmp_path))
        assert "tomoportal demo" in client.get("/").text
        assert "There are no datasets yet" in client.get("/browse-data/datasets").text
        assert client.get("/browse-data/depositions").status_code == 200


@pytest.mark.parametrize("spacing", [1e300, 0.0])
def test_voxels_of_no_use_are_no_trouble(tmp_path, spacing):
    rows = {
        "Deposition": [row("Deposition", id=1)],
        "Dataset": [row("Dataset", id=2, deposition_id=1)],
        "Run": [row("Run", id=3, dataset_id=2, name="TS_1")],
        "TomogramVoxelSpacing": [row("TomogramVoxelSpacing", id=4, run_id=3, voxel_spacing=spacing)],
        "Tomogram": [
            row(
                "Tomogram", id=5, run_id=3, tomogram_voxel_spacing_id=4, deposition_id=1, voxel_spacing=spacing,
                size_x=2**31 - 1, size_y=1, size_z=1, omezarr_path="2/TS_1/v.zarr",
            )
        ],
    }  # fmt: skip
    with open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True) as catalog:
        fill(catalog, rows)
        client = TestClient(web_app(catalog, tmp_path))
        assert client.get("/runs/3").status_code == 200
        assert client.get("/tomograms/5").status_code == 200
        looked = client.get("/view/runs/3")
        assert looked.status_code == (200 if spacing else 404)
        assert spacing or "no tomogram that can be looked at" in looked.text


@pytest.mark.parametrize("list_", ["datasets", "runs", "depositions"])
def test_short_addresses_lead_to_the_lists(browser, list_):
    answer = browser.client.get(f"/{list_}?q=cell&sort=oldest", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/browse-data/{list_}?q=cell&sort=oldest"
    assert browser.page(f"/{list_}").text == browser.page(f"/browse-data/{list_}").text

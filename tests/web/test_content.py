"""Pages of text: Markdown, the site's own pages, tables from the model, the guides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from fixtures_web import web_app
from tomoportal.errors import UsageError
from tomoportal.model.registry import ENTITIES
from tomoportal.settings import Settings
from tomoportal.site import Site
from tomoportal.web.content import guides, shelf
from tomoportal.web.content.markdown import document, inline

DEFAULTS = ("about", "faq", "data-organisation", "contribute", "submission-policy", "license")


def site_in(folder: Path, **pages: str) -> Settings:
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text)
    return Settings(title="Test portal", content=str(folder), site=Site(folder=str(folder)))


@pytest.fixture
def client(portal, tmp_path):
    """`client(settings)` → a client of the pages with these settings."""
    return lambda settings: TestClient(web_app(portal, tmp_path, settings), raise_server_exceptions=False)


def test_markup_of_an_author_is_text():
    hostile = (
        "<script>alert(1)</script> <b onclick='x'>bold</b> [x](javascript:alert(1)) [y](data:text/html,x) ![z](vbscript:x)"
        "\n\n<style>x</style>"
    )
    html = str(document(f"# T\n\n{hostile}").html) + inline(hostile)
    assert "<script" not in html
    assert "<style" not in html
    assert "<b " not in html
    assert not re.search(r"<[^>]+(javascript|data|vbscript):", html)


def test_headings_have_anchors_as_github_makes_them():
    found = document(
        "# The title\n\nFirst *words* here.\n\n## What it is for?\n\n### `code` & more\n\n## What it is for?\n\n#### Deep"
    )
    assert (found.title, found.lead) == ("The title", "First words here.")
    assert [(heading.level, heading.anchor) for heading in found.headings] == [
        (2, "what-it-is-for"), (3, "code--more"), (2, "what-it-is-for-1"),
    ]  # fmt: skip
    assert '<h2 id="what-it-is-for-1">' in found.html
    assert "<h1" not in found.html


def test_what_stands_under_a_later_heading_is_no_lead():
    assert document("# T\n\n* ## Later\n\nText.").lead == ""
    assert document("# T\n\n| a |\n|---|\n| 1 |\n\n## Later\n\nText.").lead == ""


def test_tables_have_names_and_no_inline_style():
    html = document("# T\n\n## Sizes\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n| c |\n|---|\n| 3 |\n").html
    assert "style=" not in html
    assert '<td class="num">2</td>' in html
    assert re.findall('aria-label="([^"]+)"', html) == ["Table: Sizes", "Table: Sizes, 2"]


def test_every_page_of_the_package_is_well_formed_and_linked(browser):
    about = browser.page("/about")
    for slug in DEFAULTS:
        address = "/about" if slug == "about" else f"/about/{slug}"
        page = browser.page(address)
        assert address in about.values("a", "href"), slug
        assert len(page.blocks["h1"]) == 1
        assert page.values("time", "datetime")
        assert "{{" not in page.text
        assert [found for tag, found in page.tags if tag == "a" and found.get("aria-current") == "page"]


def test_every_link_of_the_texts_leads_somewhere(browser):
    addresses = [page.href for page in shelf.pages(Settings())] + [guide.href for guide in guides.guides()]
    ids: dict[str, set[str]] = {}
    for address in addresses:
        page = browser.page(address)
        ids[address] = {found["id"] for _, found in page.tags if "id" in found}
    for address in addresses:
        page = browser.page(address)
        for link in page.values("a", "href"):
            path, _, anchor = link.partition("#")
            if path in ids or not path:
                assert not anchor or anchor in ids[path or address], (address, link)
            elif path.startswith("/") and not path.startswith(("/graphql", "/files", "/s3", "/api")):
                assert browser.client.get(path).status_code == 200, (address, link)
        for picture in page.values("img", "src"):
            assert browser.client.get(picture).headers["content-type"].startswith("image/")


def test_fields_are_those_of_the_model(browser):
    text = browser.page("/about/data-organisation").text
    for entity in ENTITIES:
        assert f" {entity.__name__} " in text
        for field in entity.public_fields():
            assert f" {field.name} " in text, (entity.__name__, field.name)
    assert "Voxel spacing voxel_spacing" in text


def test_requirements_are_those_of_the_model(browser):
    text = browser.page("/about/contribute").text
    assert "organism.name required name of the organism" in text
    assert "voxel_spacing required edge of a voxel Å" in text
    assert re.search(r"authors required list: .*at least 1", text)
    assert "cross_references.publications optional" in text


def test_pages_of_the_site_replace_and_join_ours(client, tmp_path):
    settings = site_in(
        tmp_path,
        faq="# Our questions\n\nSee [imaging](imaging.md#grids) and {{ license }} or ask {{ contact }}.\n",
        imaging="---\ntitle: Imaging\norder: 3\nupdated: 2026-02-03\n---\n# How we image\n\n"
        "## Grids\n\n![Grid](grid.png) ![Torn](torn.png)\n",
        hidden="---\nnav: no\n---\n# Not in the navigation\n",
    )
    Image.new("L", (20, 10)).save(tmp_path / "grid.png")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    (tmp_path / "secret.txt").write_text("x")
    visitor = client(settings)
    faq, imaging = visitor.get("/about/faq").text, visitor.get("/about/imaging").text
    assert "Our questions" in faq
    assert 'href="/about/imaging#grids"' in faq
    assert "creativecommons.org/publicdomain/zero" in faq
    assert '<time datetime="2026-02-03">' in imaging
    assert 'src="/site/files/grid.png" alt="Grid" width="20" height="10"' in imaging
    assert 'src="/site/files/torn.png" alt="Torn" loading' in imaging
    assert visitor.get("/site/files/grid.png").headers["content-type"] == "image/png"
    assert visitor.get("/site/files/secret.txt").status_code == 404
    assert visitor.get("/site/files/..%2Fsecret.png").status_code == 404
    front = visitor.get("/").text
    assert ">Imaging</a>" in front
    assert "Not in the navigation" not in front
    assert visitor.get("/about/hidden").status_code == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no heading", "a page needs a heading"),
        ("---\norder: 1\n# T", "the front matter has no end"),
        ("---\norders: 1\n---\n# T", "'orders: 1' is none"),
        ("---\norder: first\n---\n# T", "`order` is a whole number"),
        ("---\nupdated: May\n---\n# T", "`updated` is a day such as 2026-03-01, not 'May'"),
        ("# T\n\n{{ titel }}", "there is no placeholder 'titel'; expected one of title, license"),
    ],
)
def test_a_page_that_makes_no_sense_is_refused(tmp_path, text, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        shelf.check(site_in(tmp_path, mine=text))


def test_guides_are_in_the_documentation(browser):
    page = browser.page("/docs")
    hrefs = page.values("a", "href")
    for file in (Path(__file__).parents[2] / "docs").glob("*.md"):
        assert f"/docs/{file.stem}" in hrefs
    first, second = guides.guides()[:2]
    assert second.href in browser.page(first.href).values("a", "href")
    assert "there is no guide" in browser.page("/docs/nothing", 404).text.lower()


def test_links_out_of_the_guides_are_text(browser):
    html = browser.client.get("/docs/deposition").text
    assert "../" not in html
    assert "examples/complete.yaml" in html


def test_the_site_is_on_every_page(client, tmp_path):
    from tomoportal.site.read import read_site

    (tmp_path / "moon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "site.toml").write_text(
        'tagline = "Dust, frozen"\nlogo = "moon.svg"\n[colours]\naccent = "#7a1fa2"\n[contact]\nname = "Curators"\nemail = "a@b.example"\n'
        '[[banners]]\ntext = "Closed on **Friday** <b>"\npaths = ["/about*"]\n[[links]]\ntext = "Imprint"\nhref = "https://imprint.example"\n'
    )
    visitor = client(Settings(title="Moon", license="CC-BY-4.0", site=read_site(str(tmp_path))))
    for path in ("/", "/about", "/docs", "/datasets/10001", "/nothing-here"):
        text = visitor.get(path).text
        for part in (
            "Dust, frozen",
            'src="/site/files/moon.svg"',
            "mailto:a@b.example",
            "licenses/by/4.0",
            "https://imprint.example",
        ):
            assert part in text, (path, part)
        assert ("Closed on <strong>Friday</strong> &lt;b&gt;" in text) == (path == "/about"), path
    (style,) = re.findall(r'href="(/site/style.css\?v=\w+)"', visitor.get("/").text)
    sheet = visitor.get(style)
    assert sheet.headers["content-type"].startswith("text/css")
    assert "--accent: #7a1fa2" in sheet.text
    logo = visitor.get("/site/files/moon.svg")
    assert "sandbox" in logo.headers["content-security-policy"]


def test_a_closed_banner_stays_away(client, tmp_path):
    from tomoportal.site import Banner

    banner, lasting = Banner("Try the new viewer"), Banner("Read only", days=0)
    visitor = client(Settings(site=Site(banners=(banner, lasting))))
    assert "Try the new viewer" in visitor.get("/").text
    assert visitor.get("/").headers["vary"].lower().count("cookie") == 1
    text = visitor.get("/", headers={"cookie": f"closed-{banner.key}=1; closed-{lasting.key}=1"}).text
    assert "Try the new viewer" not in text
    assert "Read only" in text

"""Entities as notebooks show them, and the pages that they lead to."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import unquote

import httpx
import pytest

from fixtures_server import serving
from tomoportal import Annotation, Client, Dataset, Deposition, Run, Tomogram
from tomoportal.client.pages import page_of
from tomoportal.client.results import Results
from tomoportal.errors import UsageError

NOWHERE = Client("http://127.0.0.1:1")
EVIL = "<script>alert('x')</script>\"&"


class _Seen(HTMLParser):
    """The tags, their addresses, and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: dict[str, list[str]] = {"href": [], "src": []}
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in self.addresses:
                self.addresses[name].append(value)

    def handle_data(self, data):
        self.text += data + " "


@pytest.fixture(scope="module")
def client(demo_portal):
    with serving(demo_portal.settings) as url, Client(url) as client:
        yield client


@pytest.mark.parametrize("kind", [Dataset, Deposition, Run, Tomogram, Annotation])
def test_cards_have_a_page_and_the_main_fields(client, kind):
    one = kind.find(client, limit=1)[0]
    seen = _Seen(one._repr_html_())
    for address in (*seen.addresses["href"], *seen.addresses["src"]):
        assert httpx.get(address).status_code == 200, address
    assert seen.addresses["href"] == ([page_of(one)] if page_of(one) else [])
    assert len(seen.addresses["href"]) == 1
    shown = one.__dict__.get("title") or one.__dict__.get("object_name") or one.__dict__.get("name")
    assert shown in seen.text


def test_pictures_are_shown(client):
    card, gallery = (
        _Seen(html) for html in (Tomogram.find(client)[0]._repr_html_(), Tomogram.find(client)._repr_html_())
    )
    assert card.addresses["src"][0].endswith("thumbnail.png")
    assert len(gallery.addresses["src"]) == Tomogram.count(client)
    assert "21.424 Å" in card.text


def test_the_viewer_of_a_tomogram(client):
    address = Tomogram.find(client)[0].show()
    assert httpx.get(address).status_code == 200
    assert address.endswith("/view/runs/1?tomogram=1")


def test_a_portal_that_keeps_files_elsewhere():
    state = json.dumps({"layers": []})
    there = {"httpsMrcFile": "https://files.example.org/10000/a.mrc", "name": "a", "runId": 3}
    tomogram = Tomogram(NOWHERE, id=1, neuroglancerConfig=state, **there)
    viewer, _, shown = tomogram.show().partition("#!")
    assert (viewer, json.loads(unquote(shown))) == ("https://neuroglancer-demo.appspot.com/", {"layers": []})
    assert page_of(tomogram) is None
    assert "<a" not in tomogram._repr_html_()
    with pytest.raises(UsageError, match="has no state of a viewer"):
        Tomogram(NOWHERE, id=1, **there).show()


def test_what_a_portal_says_is_escaped():
    values = {
        "title": EVIL,
        "keyPhotoThumbnailUrl": f"http://a/files/{EVIL}",
        "httpsPrefix": f"http://a{EVIL}/files/1/",
    }
    dataset = Dataset(NOWHERE, id=1, **values)
    for html in (dataset._repr_html_(), Results([dataset], Dataset)._repr_html_()):
        seen = _Seen(html)
        assert "script" not in seen.tags
        assert EVIL in seen.text
        assert seen.addresses["src"] == [f"http://a/files/{EVIL}"]


def test_pictures_and_links_are_of_the_web_only():
    dataset = Dataset(
        NOWHERE, id=1, title="a", keyPhotoUrl="javascript:alert(1)", httpsPrefix="javascript:x/files/1/"
    )
    assert "javascript" not in dataset._repr_html_()


def test_many_and_none():
    many = Results([Run(NOWHERE, id=number, name=f"TS_{number}") for number in range(50)], Run)
    seen = _Seen(many._repr_html_())
    assert seen.tags.count("tr") == 21
    assert "and 30 more" in seen.text
    assert "no runs found" in Results([], Run)._repr_html_()

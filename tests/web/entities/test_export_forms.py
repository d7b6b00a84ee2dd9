"""The form for points in other formats: it stands where there are points, and what it sends is answered."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from fixtures_demo import DemoPortal
from fixtures_server import serving
from tomoportal.catalog import open_catalog
from tomoportal.model.query import Compare, Many, Select, Value


class Forms(HTMLParser):
    """The forms of exports on a page: address, and the options of every list by its name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._list = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": [found.get("action", "")]})
        elif tag == "select" and self.forms:
            self._list = found.get("name", "")
            self.forms[-1][self._list] = []
        elif tag == "option" and self._list:
            self.forms[-1][self._list].append(found["value"])
        elif tag == "button" and self.forms and found.get("name"):
            self.forms[-1][found["name"]] = [found["value"]]

    def handle_endtag(self, tag: str) -> None:
        self._list = "" if tag == "select" else self._list


@pytest.fixture(scope="module")
def client(demo_portal: DemoPortal) -> Iterator[httpx.Client]:
    with serving(demo_portal.settings) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_every_choice_is_answered(client: httpx.Client, demo_portal: DemoPortal) -> None:
    shapes = Many("shapes", "annotation_shapes", (Value("type", "shape_type"),))
    fields = (Value("id", "id"), Many("annotations", "annotations", (Value("id", "id"), shapes)))
    with open_catalog(demo_portal.settings.database) as catalog:
        (run,) = catalog.view().rows(Select("Run", fields, Compare("name", "eq", "TS_001")))
    page = client.get(f"/runs/{run['id']}").text
    forms = [form for form in Forms(page).forms if form["action"][0].startswith("/api/")]
    points = [
        one["id"]
        for one in run["annotations"]
        for shape in one["shapes"]
        if shape["type"] in ("Point", "OrientedPoint", "InstanceSegmentation")
    ]
    assert sorted(form["action"][0] for form in forms) == sorted(
        f"/api/annotations/{id}/export" for id in points
    )
    for format in forms[0]["format"]:
        for tomogram in forms[0]["tomogram"]:
            asked = {"format": format, "tomogram": tomogram, "shape": forms[0]["shape"][0]}
            assert client.get(forms[0]["action"][0], params=asked).status_code == 200
    assert len(forms[0]["tomogram"]) > 1
    assert len(forms[0]["format"]) == 7

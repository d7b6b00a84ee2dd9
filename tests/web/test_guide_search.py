"""Words in the guides."""

from __future__ import annotations

import pytest

from tomoportal.web.content.finding import find
from tomoportal.web.content.guides import Guide, folder
from tomoportal.web.content.markdown import document

TEXT = """# Layout

What lies where, on every storage.

## Tilt series

A **stack** of images, `TS_1.rawtlt` beside it.

| file | what |
|---|---|
| x.mrc | stack |

```sh
tomoportal load --measure
```

## Start

Begin.

## Particles

In a STAR file.

## Storage of stacks

Other words.
"""
GUIDES = [(Guide("layout", folder() / "layout.md"), document(TEXT))]


def headings(words: str) -> list[str]:
    return ["".join(text for text, _ in found.heading) for found in find(words, GUIDES)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("stack", ["Storage of stacks", "Tilt series"]), ("STACK images", ["Tilt series"]), ("rawtlt", ["Tilt series"]),
        ("TS_1.raw", ["Tilt series"]),
        ("--measure", ["Tilt series"]), ("x.mrc", ["Tilt series"]), ("where storage", ["Layout"]), ("stack nowhere", []), ("", []),
        ("stor", ["Storage of stacks", "Layout"]), ("star", ["Particles", "Start"]),
        ("* ( [", []), ("tack", []),
    ],
)  # fmt: skip
def test_every_word_begins_one_between_two_headings(words, expected):
    assert headings(words) == expected


def test_the_excerpt_marks_what_was_found():
    long = document("# T\n\n## H\n\n" + "before " * 60 + "the needle here " + "after " * 60)
    (found,) = find("needle", [(GUIDES[0][0], long)])
    assert found.href == "/docs/layout#h"
    assert [text for text, is_match in found.excerpt if is_match] == ["needle"]
    whole = "".join(text for text, _ in found.excerpt)
    assert whole.startswith("…before")
    assert whole.endswith("after…")
    assert len(whole) < 260


def test_places_in_the_real_guides_are_found_and_exist(browser):
    page = browser.page("/docs?q=tilt+series")
    links = [link for link in page.values("a", "href") if link.startswith("/docs/")]
    assert links
    for link in links[:5]:
        address, _, anchor = link.partition("#")
        target = browser.page(address)
        assert not anchor or anchor in [told.get("id") for _, told in target.tags]
        assert "Search the guides" in target.text
    assert "No guide has all of these words" in browser.page("/docs?q=zzzz").text
    assert "<script>x" not in browser.client.get("/docs?q=<script>x").text

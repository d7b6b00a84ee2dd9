"""Authors with their marks, and long lists that are folded without a script."""

from __future__ import annotations

from tomoportal.web.entities.cards import Named
from tomoportal.web.entities.people import Person, by_role, people
from tomoportal.web.identifiers import Link
from tomoportal.web.render import environment


def drawn(macro: str, *arguments: object) -> str:
    """What a macro of `parts.html` makes of its arguments."""
    module = environment().get_template("parts.html").make_module({})
    return " ".join(str(getattr(module, macro)(*arguments)).split())


def author(name: str, **others: object) -> dict[str, object]:
    fields = ("orcid", "kaggle_id", "email", "affiliation_name", "primary_author_status")
    return dict.fromkeys((*fields, "corresponding_author_status")) | {"name": name} | others


def test_primary_authors_come_first_and_corresponding_ones_last():
    persons = [
        Person("A", is_corresponding=True),
        Person("B"),
        Person("C", is_primary=True),
        Person("D"),
        Person("E", is_primary=True, is_corresponding=True),
    ]
    assert [person.name for person in by_role(persons)] == ["C", "E", "B", "D", "A"]


def test_only_corresponding_authors_can_be_written_to():
    row = {
        "authors": [
            author("Ada", email="ada@example.org", kaggle_id="ada lovelace"),
            author("Béla", email="bela@example.org", corresponding_author_status=True),
            author("Chandra", corresponding_author_status=True),
        ]
    }
    html = drawn("authors", people(row))
    assert "ada@example.org" not in html
    assert 'href="mailto:bela@example.org" aria-label="Write to Béla, corresponding author"' in html
    assert html.count("corresponding author") == 2
    assert 'href="https://www.kaggle.com/ada%20lovelace"' in html
    legend = drawn("author_legend", people(row))
    assert "Kaggle profile" in legend
    assert "ORCID" not in legend


def test_no_list_hides_a_single_entry():
    assert "<details" not in drawn("authors", [Person(f"P{n}") for n in range(13)])
    html = drawn("authors", [Person(f"P{n}") for n in range(14)])
    assert "Show all 14 authors" in html
    assert all(f">P{n}<" in html for n in range(14))


def test_nobody_with_a_mark_is_hidden():
    persons = [
        Person("Last", is_corresponding=True),
        *(Person(f"P{n}") for n in range(30)),
        Person("First", is_primary=True),
    ]
    html = drawn("authors", persons)
    at_once = html[: html.index("Show all 32 authors")]
    assert at_once.index("First") < at_once.index("P0") < at_once.index("P9<") < at_once.index("Last")
    assert "P10<" not in at_once


def test_the_rest_of_links_and_objects_can_be_opened():
    links = drawn("linked", [Link(f"EMD-{n}") for n in range(6)])
    assert links.index("EMD-2") < links.index("Show all 6</summary>") < links.index("EMD-3")
    assert "<details" not in drawn("linked", [Link("EMD-1")] * 4)
    objects = drawn("objects", [Named(f"object {n}", n == 7, f"/objects/{n}") for n in range(9)])
    assert "+4 more" in objects
    assert 'href="/objects/8"' in objects

"""Ontologies in OBO files and OBO graphs."""

from __future__ import annotations

import json
import os
import tracemalloc
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_ontologies import SMALL, TAXA, write_large
from tomoportal.errors import FormatError
from tomoportal.formats import obo
from tomoportal.formats.obo import read_obo
from tomoportal.formats.obo_graph import read_obo_graph
from tomoportal.model.ontology import Ontologies, Term

TERMS = 45_000 if os.environ.get("TOMOPORTAL_TEST_ALL") else 20_000
"""The Gene Ontology has 45,000."""


def read(text: str | bytes):
    return read_obo(BytesIO(text.encode() if isinstance(text, str) else text), "x/go.obo")


def test_terms_with_synonyms_and_what_replaces_them() -> None:
    found = read(SMALL)

    assert (found.name, found.version, found.prefix) == ("go", "releases/2025-10-10", "GO")
    assert found.terms["GO:0005840"] == Term(
        "GO:0005840", "ribosome", ("free ribosome", 'ribosomal "RNA" particle')
    )
    assert found.terms["GO:0016020"] == Term("GO:0016020", "membrane", ("biological membrane",))
    assert found.terms["GO:0000001"].replaced_by == ("GO:0016020", "GO:0005840")
    assert found.terms["GO:0033279"] == Term("GO:0033279", "ribosome", (), True, ("GO:0005840",))
    assert "part_of" not in found.terms


def test_windows_line_ends_marks_and_comments_do_not_matter() -> None:
    assert read(b"\xef\xbb\xbf! comment\r\n" + SMALL.replace("\n", "\r\n").encode()) == read(SMALL)


def test_a_file_without_its_own_name_is_called_by_that_of_the_file() -> None:
    found = read("[Term]\nid: XY:1\nname: one\n[Term]\nid: XY:2\nname: two\n[Term]\nid: Z:1\nname: z")
    assert (found.name, found.version, found.prefix) == ("go", "", "XY")


def test_stanzas_about_one_term_add_up() -> None:
    twice = '[Term]\nid: A:1\nname: a\nsynonym: "b" EXACT []\n\n[Term]\nid: A:1\nsynonym: "c" EXACT []\n'
    assert read(twice).terms == {"A:1": Term("A:1", "a", ("b", "c"))}


def test_an_identifier_that_is_an_alternative_elsewhere_keeps_its_own_stanza() -> None:
    for text in (
        "[Term]\nid: A:1\nname: a\nalt_id: A:2\n[Term]\nid: A:2\nname: b\n",
        "[Term]\nid: A:2\nname: b\n[Term]\nid: A:1\nname: a\nalt_id: A:2\n",
    ):
        assert read(text).terms["A:2"] == Term("A:2", "b")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is no stanza [Term]"),
        ("format-version: 1.2\n", "there is no stanza [Term]"),
        ("<rdf>\n<a/>", "line 1: '<rdf>' is no `tag: value`"),
        ("[Term]\nid: A:1\nname: a\n\n[Term]\nname: b\n", "line 5: this term has 0 lines `id:`"),
        ("[Term]\nid: A:1\nid: A:2\n", "line 1: this term has 2 lines `id:`"),
        ("[Term]\nid: A:1\nsynonym: b\n", "a synonym of this term is 'b'; expected a text in quotes"),
        ("[Term]\nid: A:1\nname: a\n[Term]\nid: A:1\nname: b\n", "line 4: A:1 is called 'b' here and 'a' before"),
        (b"[Term]\nid: A:1\nname: \xff\n", "line 3: this line is not UTF-8"),
        (b"\x7fELF\x00\x01", "line 1"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str | bytes, sentence: str) -> None:
    with pytest.raises(FormatError) as error:
        read(text)
    assert sentence in str(error.value)


def test_limits(monkeypatch) -> None:
    with pytest.raises(FormatError, match=r"line 1: this line has more than 1,048,576 bytes"):
        read(b"x" * (3 << 20))
    monkeypatch.setattr(obo, "MAX_TERMS", 1)
    with pytest.raises(FormatError, match="more than 1 terms"):
        read(SMALL)
    monkeypatch.setattr(obo, "MAX_TEXT", 30)
    with pytest.raises(FormatError, match="more than 30 signs"):
        read(TAXA)


def test_a_large_file_is_not_held_whole(tmp_path) -> None:
    file, last = write_large(tmp_path / "go.obo", TERMS), TERMS - 1
    assert file.stat().st_size > 10e6
    tracemalloc.start()
    with file.open("rb") as opened:
        found = read_obo(opened, "go.obo")
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.terms) == TERMS
    synonyms = (f"organelle {last}", f"thing {last}", f"body {last}")
    assert found.terms[f"GO:{last:07}"].synonyms == synonyms
    assert peak < kept + (8 << 20), "the file is held whole"


@given(st.text(st.sampled_from('[Term]\nid:name syo"\\!{}=A1ü'), max_size=300))
@settings(max_examples=200, deadline=None)
def test_anything_gives_terms_or_an_error_with_a_sentence(text: str) -> None:
    try:
        found: object = read(text).terms
    except FormatError as error:
        found = str(error).startswith("x/go.obo")
    assert found


GRAPH = {
    "graphs": [
        {
            "id": "http://purl.obolibrary.org/obo/go.json",
            "meta": {"version": "http://purl.obolibrary.org/obo/go/releases/2025-10-10/go.json"},
            "nodes": [
                {"id": "http://purl.obolibrary.org/obo/GO_0005840", "lbl": "ribosome", "type": "CLASS",
                 "meta": {"synonyms": [{"pred": "hasNarrowSynonym", "val": "free ribosome"}]}},
                {"id": "http://purl.obolibrary.org/obo/GO_0000001", "lbl": "obsolete", "type": "CLASS",
                 "meta": {"deprecated": True, "basicPropertyValues": [
                     {"pred": "http://purl.obolibrary.org/obo/IAO_0100001", "val": "http://purl.obolibrary.org/obo/GO_0005840"}]}},
                {"id": "http://purl.obolibrary.org/obo/BFO_0000050", "lbl": "part of", "type": "PROPERTY"},
                {"id": "http://example.org/other"},
            ],
        }
    ]
}  # fmt: skip


def test_graphs() -> None:
    found = read_obo_graph(BytesIO(json.dumps(GRAPH).encode()), "go.json")
    assert (found.name, found.prefix) == ("go", "GO")
    assert found.terms == {
        "GO:0005840": Term("GO:0005840", "ribosome", ("free ribosome",)),
        "GO:0000001": Term("GO:0000001", "obsolete", (), True, ("GO:0005840",)),
    }


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"graphs": [{"nodes": 7}]}', '{"graphs": [{"nodes": [{"id": 7}]}]}',
     '{"graphs": [{"nodes": []}]}', "[" * 100_000],
)  # fmt: skip
def test_graphs_that_are_none(text: str) -> None:
    with pytest.raises(FormatError, match="graph"):
        read_obo_graph(BytesIO(text.encode()), "go.json")


def test_looking_up() -> None:
    site = Ontologies((read(SMALL), read(TAXA)))
    assert [term.id for term in site.labelled("  twin ")] == ["GO:0000002", "GO:0000003"]
    assert site.labelled("obsolete old membrane") == []
    assert site.term("NCBITaxon:4932").is_called("Baker's Yeast")
    assert site.covering("GO:9999999").name == "go"
    assert site.covering("CHEBI:1") is None, "a borrowed term says nothing about its ontology"

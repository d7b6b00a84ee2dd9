from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from tomoportal.web.getting.citing import Creator, Work, bibtex, cff, ris, text
from tomoportal.web.getting.licenses import License
from tomoportal.web.getting.names import Name

WORK = Work(
    key="DS-10001",
    title="50 % {of} the α-granules & H_2O: “100 $”\nwith \\LaTeX~#1",
    abstract='A "quoted" text: with\n\ttwo lines # and no comment',
    creators=(
        Creator(Name.of("Ada Ångström"), "https://orcid.org/0000-0002-1825-0097", "Uppsala: University"),
        Creator(Name.of("Ludwig van Beethoven")),
        Creator(Name.of("Martin Luther King Jr.")),
        Creator(Name.of("The Cells and Membranes Consortium")),
    ),
    released="2025-01-10",
    publisher="Tomo & Portal",
    url="https://portal.example/datasets/10001",
    license=License.of("CC-BY-4.0"),
    publications=("10.1038/s41586-020-2665-2",),
    keywords=("yes", "Homo sapiens"),
)


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Ada Ångström", ("Ångström", "Ada", "", "")),
        ("Ludwig van Beethoven", ("Beethoven", "Ludwig", "van", "")),
        ("María José de la Cruz Pérez", ("Cruz Pérez", "María José", "de la", "")),
        ("Öz, Zoë", ("Öz", "Zoë", "", "")),
        ("van der Waals, Johannes D.", ("Waals", "Johannes D.", "van der", "")),
        ("Martin Luther King Jr.", ("King", "Martin Luther", "", "Jr.")),
        ("Martin Luther King, Jr.", ("King", "Martin Luther", "", "Jr.")),
        ("Jean d'Artagnan", ("d'Artagnan", "Jean", "", "")),
        ("J.-P. Dupont-Moretti", ("Dupont-Moretti", "J.-P.", "", "")),
        ("王小明", ("", "", "", "")),
        ("ada maria lovelace", ("lovelace", "ada maria", "", "")),
        ("Structural Genomics Consortium", ("", "", "", "")),
        ("", ("", "", "", "")),
    ],
)
def test_names_have_the_parts_that_people_mean(full, expected):
    name = Name.of(full)
    assert (name.family, name.given, name.particle, name.suffix) == expected
    assert name.whole == full


def _bibtex_fields(entry: str) -> dict[str, str]:
    """Fields of an entry by counting braces, as BibTeX does; an escaped brace counts, too."""
    depth, fields, name, start = 0, {}, "", 0
    for at, letter in enumerate(entry):
        if letter == "{":
            depth += 1
            if depth == 2:
                name = re.search(r"(\w+) = $", entry[:at])[1]
                start = at + 1
        elif letter == "}":
            depth -= 1
            assert depth >= 0
            if depth == 1:
                fields[name] = entry[start:at]
    assert depth == 0
    return fields


def _plain(latex: str) -> str:
    named = {"backslash": "\x01", "asciitilde": "~", "asciicircum": "^", "braceleft": "{", "braceright": "}"}
    latex = re.sub(r"\\text(\w+)\{\}", lambda found: named[found[1]], latex)
    return re.sub(r"\\([#$%&_])", r"\1", latex).replace("\x01", "\\")


def test_bibtex_is_balanced_and_means_the_same():
    fields = _bibtex_fields(bibtex(WORK))
    assert bibtex(WORK).startswith("@misc{Tomo-Portal-DS-10001,\n")
    assert _plain(fields["title"][1:-1]) == " ".join(WORK.title.split())
    people = fields["author"].split(" and ")
    assert people[:3] == ["Ångström, Ada", "van Beethoven, Ludwig", "King, Jr., Martin Luther"]
    assert fields["author"].endswith("and {The Cells and Membranes Consortium}")
    assert fields["url"] == WORK.url
    assert (fields["year"], fields["publisher"]) == ("2025", r"Tomo \& Portal")
    assert "month = jan," in bibtex(WORK)
    assert not re.search(r"(?<!\\)[#$%&]", "".join(value for key, value in fields.items() if key != "url"))


def test_an_unpaired_brace_in_a_title_does_not_end_the_entry():
    fields = _bibtex_fields(bibtex(replace(WORK, title="a } b } c { d")))
    assert _plain(fields["title"][1:-1]) == "a } b } c { d"
    assert fields["year"] == "2025"


def test_ris_has_a_tag_a_line_and_ends():
    lines = ris(WORK).split("\r\n")
    assert lines.pop() == ""
    tags = [(line[:2], line[6:]) for line in lines]
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - .*", line) for line in lines)
    assert tags[0] == ("TY", "DATA")
    assert tags[-1] == ("ER", "")
    assert [value for tag, value in tags if tag == "AU"] == [
        "Ångström, Ada", "van Beethoven, Ludwig", "King, Jr., Martin Luther", "The Cells and Membranes Consortium",
    ]  # fmt: skip
    assert ("UR", WORK.url) in tags
    assert ("DA", "2025/01/10") in tags
    assert "DO" not in dict(tags), "the DOI of an article is not that of the data"


def test_cff_is_yaml_with_everything_that_the_format_requires():
    found = YAML(typ="safe").load(cff(WORK))
    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert found["cff-version"] == "1.2.0"
    assert found["type"] == "dataset"
    assert found["title"] == " ".join(WORK.title.split())
    assert found["abstract"] == 'A "quoted" text: with two lines # and no comment'
    assert found["authors"][0] == {
        "given-names": "Ada",
        "family-names": "Ångström",
        "affiliation": "Uppsala: University",
        "orcid": "https://orcid.org/0000-0002-1825-0097",
    }
    assert found["authors"][1] == {
        "given-names": "Ludwig",
        "name-particle": "van",
        "family-names": "Beethoven",
    }
    assert found["authors"][3] == {"name": "The Cells and Membranes Consortium"}
    assert str(found["date-released"]) == "2025-01-10"
    assert found["license"] == "CC-BY-4.0"
    assert {
        "type": "doi",
        "value": "10.1038/s41586-020-2665-2",
        "description": "A publication about these data",
    } in found["identifiers"]
    assert found["keywords"] == ["yes", "Homo sapiens"]


def test_the_text_names_creators_year_title_publisher_and_address():
    assert text(WORK) == (
        "Ångström, Ada; van Beethoven, Ludwig; King, Jr., Martin Luther; The Cells and Membranes Consortium (2025). "
        "50 % {of} the α-granules & H_2O: “100 $” with \\LaTeX~#1. Tomo & Portal. Dataset DS-10001. CC-BY-4.0. "
        "https://portal.example/datasets/10001\n"
    )


@pytest.mark.parametrize(
    ("setting", "href", "spdx"),
    [
        ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("CC-BY-NC-SA-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/", "CC-BY-NC-SA-4.0"),
        ("ODbL-1.0", "https://spdx.org/licenses/ODbL-1.0.html", "ODbL-1.0"),
        ("https://lab.example/terms", "https://lab.example/terms", ""),
        ("ask us first", "", ""),
    ],
)
def test_licenses_have_addresses(setting, href, spdx):
    found = License.of(setting)
    assert (found.href, found.spdx) == (href, spdx)


def test_pages_and_files_of_citations(browser):
    for home, key in (("/datasets/10001", "DS-10001"), ("/depositions/10300", "CZCDP-10300")):
        page = browser.page(f"{home}/cite")
        assert key in page.text
        assert "CC0-1.0" in page.text
        saved = [href for href in page.values("a", "href") if href.startswith(f"{home}/") and href != home]
        assert len(saved) == 4
        for href in saved:
            answer = browser.client.get(href)
            assert answer.status_code == 200
            assert answer.text in "".join(page.blocks["code"]).replace(
                "\n", "\r\n"
            ) or answer.text in "".join(page.blocks["code"])
            assert f"https://portal.example{home}" in answer.text
        assert f"{home}/cite" in browser.page(home).values("a", "href")
    assert json.dumps(browser.page("/datasets/10002/cite").text).count("10.7554/eLife.53065") >= 2


def test_what_is_hidden_is_not_cited(browser):
    for address in ("/datasets/10028/cite", "/datasets/10028/cite.bib", "/datasets/1/CITATION.cff"):
        assert browser.client.get(address).status_code == 404

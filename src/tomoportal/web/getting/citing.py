"""A dataset or deposition as a reference: text, BibTeX, RIS, CITATION.cff. Pure text; nothing is asked.

BibTeX is UTF-8 with the special characters of LaTeX escaped, braces by name since BibTeX counts escaped ones, too; RIS has a tag a
line with CR LF; CITATION.cff is version 1.2.0 of the Citation File Format, written as YAML whose texts are JSON strings. The
DOI of a publication about the data is not that of the data: it is told beside them, never as their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tomoportal.web.getting.licenses import License
from tomoportal.web.getting.names import Name

_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    **{letter: f"\\{letter}" for letter in "#$%&_"},
})  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Creator:
    """An author; `orcid` is the address of the record."""

    name: Name
    orcid: str = ""
    affiliation: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What is cited. `key` is its identifier (`DS-10001`), `released` a day as `2025-01-10`, `url` its page, `publications` the DOIs of
    articles about it, without `https://doi.org/`."""

    key: str
    title: str
    abstract: str
    creators: tuple[Creator, ...]
    released: str
    publisher: str
    url: str
    license: License
    publications: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    @property
    def year(self) -> str:
        """Of the release."""
        return self.released[:4]


@dataclass(frozen=True, slots=True)
class Notation:
    """A way to write a reference."""

    label: str
    file_name: str
    media_type: str
    write: Callable[[Work], str]


def text(work: Work) -> str:
    """`Ångström, Ada; Bartók, Béla (2025). Title. Publisher. Dataset DS-10001. https://…`"""
    creators = "; ".join(creator.name.family_first for creator in work.creators)
    title = _flat(work.title).rstrip(".")
    start = f"{creators} ({work.year}). " if creators else f"({work.year}). "
    license = f" {work.license.name}." if work.license.name else ""
    return f"{start}{title}. {work.publisher}. {_kind(work)} {work.key}.{license} {work.url}\n"


def bibtex(work: Work) -> str:
    """An entry `@misc`, which every style knows."""
    fields = {
        "author": " and ".join(_bibtex_name(creator.name) for creator in work.creators),
        "title": f"{{{_latex(work.title)}}}",
        "year": work.year,
        "month": _month(work.released),
        "publisher": _latex(work.publisher),
        "howpublished": f"{_kind(work)} {_latex(work.key)}",
        "url": _bibtex_address(work.url),
        "copyright": _latex(work.license.name),
        "note": _latex(_about(work)),
    }
    lines = [
        f"  {name} = {value}" if name == "month" else f"  {name} = {{{value}}}"
        for name, value in fields.items()
        if value
    ]
    body = ",\n".join(lines)
    return f"@misc{{{_bibtex_key(work)},\n{body}\n}}\n"


def ris(work: Work) -> str:
    """An entry of type DATA."""
    tags = [
        ("TY", "DATA"), ("ID", work.key), *(("AU", creator.name.family_first) for creator in work.creators), ("TI", work.title),
        ("PY", work.year), ("DA", work.released.replace("-", "/")), ("PB", work.publisher), ("AN", work.key), ("AB", work.abstract),
        *(("KW", word) for word in work.keywords), *(("N1", note) for note in (_about(work),) if note), ("C1", work.license.name),
        ("UR", work.url), ("ER", ""),
    ]  # fmt: skip
    return "".join(f"{tag}  - {_flat(value)}\r\n" for tag, value in tags if value or tag == "ER")


def cff(work: Work) -> str:
    """A file CITATION.cff."""
    return "".join(f"{line}\n" for line in _cff(work))


NOTATIONS = {
    "txt": Notation("Text", "citation.txt", "text/plain", text),
    "bib": Notation("BibTeX", "citation.bib", "application/x-bibtex", bibtex),
    "ris": Notation("RIS", "citation.ris", "application/x-research-info-systems", ris),
    "cff": Notation("CITATION.cff", "CITATION.cff", "application/yaml", cff),
}
"""By the ending of their address."""


def _cff(work: Work) -> Iterator[str]:
    yield "cff-version: 1.2.0"
    yield f"message: {_yaml('If you use these data, please cite them as below.')}"
    yield "type: dataset"
    yield f"title: {_yaml(work.title)}"
    if work.abstract:
        yield f"abstract: {_yaml(work.abstract)}"
    yield "authors:"
    for creator in work.creators or (Creator(Name(work.publisher)),):
        yield from _item(_cff_creator(creator))
    yield f"date-released: {work.released}"
    yield f"url: {_yaml(work.url)}"
    if work.license.spdx:
        yield f"license: {_yaml(work.license.spdx)}"
    elif work.license.href:
        yield f"license-url: {_yaml(work.license.href)}"
    yield "identifiers:"
    yield from _item({"type": "url", "value": work.url, "description": f"{work.key} at {work.publisher}"})
    for doi in work.publications:
        yield from _item({"type": "doi", "value": doi, "description": "A publication about these data"})
    if work.keywords:
        yield "keywords:"
        yield from (f"  - {_yaml(word)}" for word in work.keywords)


def _cff_creator(creator: Creator) -> dict[str, str]:
    name = creator.name
    parts = {
        "given-names": name.given,
        "name-particle": name.particle,
        "family-names": name.family,
        "name-suffix": name.suffix,
        "affiliation": creator.affiliation,
    }
    shown = {key: value for key, value in parts.items() if value} if name.family else {"name": name.whole}
    return shown | ({"orcid": creator.orcid} if creator.orcid else {})


def _item(values: dict[str, str]) -> Iterator[str]:
    for number, (name, value) in enumerate(values.items()):
        yield f"  {' ' if number else '-'} {name}: {_yaml(value)}"


def _yaml(value: str) -> str:
    return json.dumps(_flat(value), ensure_ascii=False)


def _about(work: Work) -> str:
    addresses = [f"https://doi.org/{doi}" for doi in work.publications]
    return f"Described in {', '.join(addresses)}" if addresses else ""


def _kind(work: Work) -> str:
    return "Dataset" if work.key.startswith("DS-") else "Deposition"


def _bibtex_key(work: Work) -> str:
    return re.sub(r"[^A-Za-z0-9:-]+", "-", f"{work.publisher}-{work.key}").strip("-")


def _bibtex_name(name: Name) -> str:
    """A name that is no person's is one word to BibTeX, and so is a part with “and” in it."""
    return _latex(name.family_first) if name.family else f"{{{_latex(name.whole)}}}"


def _bibtex_address(address: str) -> str:
    """Addresses stand as they are, but for what would end the field."""
    return address.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C")


def _month(day: str) -> str:
    months = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    number = day[5:7]
    return months[int(number) - 1] if number.isdigit() and 1 <= int(number) <= len(months) else ""


def _latex(value: str) -> str:
    return _flat(value).translate(_LATEX)


def _flat(value: str) -> str:
    """On one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", value).split())

"""OBO files: the terms of an ontology as stanzas of `tag: value` lines.

Format: https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html, and version 1.2 before it. Read line by line; of a term its
identifier, label, synonyms, and what replaces it are kept. Terms merged into another one (`alt_id`) count as obsolete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from tomoportal.errors import FormatError
from tomoportal.formats.text import line_error, shortened
from tomoportal.model.ontology import Ontology, Term

MAX_LINE = 1 << 20
MAX_TERMS = 1_000_000
MAX_TEXT = 400_000_000
"""Bytes of a line, terms, and bytes of all lines that are kept: more than any ontology of this field has, except all of NCBITaxon."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_SIGNS = {"n": "\n", "t": "\t", "W": " "}
_COMMENT = re.compile(r"(?<!\\)\s!.*$")
_SYNONYMS = ("synonym", "exact_synonym", "narrow_synonym", "broad_synonym", "related_synonym")
_KEPT = frozenset(("id", "name", "is_obsolete", "replaced_by", "consider", "alt_id", *_SYNONYMS))
_HINT = "Expected an ontology in the OBO format, such as go.obo."


@dataclass(slots=True)
class _Stanza:
    """A stanza [Term]: the line where it begins, and the values of its tags."""

    line: int
    values: dict[str, list[str]] = field(default_factory=dict)


def read_obo(file: BinaryIO, name: str) -> Ontology:
    """The ontology in an open file, which is read once and never held whole.

    Raises `FormatError` with the line for what is no OBO file, for a term without identifier, and above the limits of this module.
    """
    header: dict[str, str] = {}
    terms: dict[str, Term] = {}
    for stanza in _stanzas(file, name, header):
        for term in _terms(stanza, name):
            known = terms.get(term.id)
            terms[term.id] = _merged(known, term, stanza, name) if known else term
        if len(terms) > MAX_TERMS:
            raise line_error(name, stanza.line, f"there are more than {MAX_TERMS:,} terms. Use a slim of it.")
    if not terms:
        raise FormatError(name, "there is no stanza [Term] in this file.", _HINT)
    version = header.get("data-version") or header.get("date") or ""
    return Ontology(header.get("ontology") or name.rpartition("/")[2].partition(".")[0], version, terms)


def _stanzas(file: BinaryIO, name: str, header: dict[str, str]) -> Iterator[_Stanza]:
    """Every stanza [Term]; what stands before the first stanza of any kind goes into `header`."""
    stanza: _Stanza | None = None
    is_header, kept = True, 0
    for number, text in _lines(file, name):
        if text.startswith("["):
            if stanza:
                yield stanza
            is_header, stanza = False, _Stanza(number) if text.startswith("[Term]") else None
            continue
        tag, colon, value = text.partition(":")
        if not colon:
            raise line_error(name, number, f"{shortened(text)} is no `tag: value`.", _HINT)
        if is_header:
            header.setdefault(tag, value.strip()[:MAX_LINE])
        elif stanza and tag in _KEPT:
            stanza.values.setdefault(tag, []).append(value.strip())
        else:
            continue
        kept += len(value)
        if kept > MAX_TEXT:
            raise line_error(
                name, number, f"there are more than {MAX_TEXT:,} signs of names. Use a slim of it."
            )
    if stanza:
        yield stanza


def _lines(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            raise line_error(name, number, f"this line has more than {MAX_LINE:,} bytes.", _HINT)
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise line_error(name, number, "this line is not UTF-8.", _HINT) from None
        if text and not text.startswith("!"):
            yield number, text


def _terms(stanza: _Stanza, name: str) -> Iterator[Term]:
    """The term of a stanza, and those that were merged into it."""
    values = stanza.values
    ids = [_plain(value) for value in values.get("id", ())]
    if len(ids) != 1 or not ids[0]:
        raise line_error(name, stanza.line, f"this term has {len(ids)} lines `id:`; expected one.", _HINT)
    label = _plain(values["name"][0]) if "name" in values else ""
    synonyms = (_quoted(value, stanza, name) for tag in _SYNONYMS for value in values.get(tag, ()))
    instead = (_plain(value) for tag in ("replaced_by", "consider") for value in values.get(tag, ()))
    obsolete = any(_plain(value).lower() == "true" for value in values.get("is_obsolete", ()))
    yield Term(ids[0], label, tuple(dict.fromkeys(synonyms)), obsolete, tuple(dict.fromkeys(instead)))
    for other in values.get("alt_id", ()):
        yield Term(_plain(other), label, (), True, (ids[0],))


def _merged(known: Term, term: Term, stanza: _Stanza, name: str) -> Term:
    """Two stanzas about one term add up; an identifier that another term has taken over counts as that only while it has no stanza."""
    if known.label and term.label and known.label != term.label and not (known.obsolete or term.obsolete):
        raise line_error(name, stanza.line, f"{term.id} is called {shortened(term.label)} here and "
                         f"{shortened(known.label)} before; expected one name.")  # fmt: skip
    first, second = (term, known) if known.obsolete and not term.obsolete else (known, term)
    return Term(
        first.id,
        first.label or second.label,
        tuple(dict.fromkeys((*first.synonyms, *second.synonyms))),
        first.obsolete,
        tuple(dict.fromkeys((*first.replaced_by, *second.replaced_by))) if first.obsolete else (),
    )


def _plain(value: str) -> str:
    """A value without comment, qualifiers and escapes."""
    if "!" in value:
        value = _COMMENT.sub("", value)
    value = value.strip()
    if value.endswith("}"):
        before, brace, qualifiers = value.rpartition(" {")
        value = before if brace and "=" in qualifiers else value
    return _unescaped(value.strip())


def _quoted(value: str, stanza: _Stanza, name: str) -> str:
    match = _QUOTED.match(value)
    if match is None:
        raise line_error(
            name, stanza.line, f"a synonym of this term is {shortened(value)}; expected a text in quotes."
        )
    return _unescaped(match[1])


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _SIGNS.get(match[1], match[1]), text) if "\\" in text else text

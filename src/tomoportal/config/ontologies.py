"""Identifiers and names of a deposition file against the ontologies that the site has loaded.

Works on the nodes of the document before they are read: an identifier or a name that an ontology gives is put in, so that everything
later sees it as if it stood in the file. Which keys belong together follows from the entity classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tomoportal.config.document import TAG, Document, line
from tomoportal.config.scalars import compiled, is_null
from tomoportal.model import registry
from tomoportal.model.fields import Field, Kind
from tomoportal.model.ontology import Ontologies, Term
from tomoportal.problems import Problem, Severity

_TAXA = "NCBITaxon"
_NUMBERS = ("id", "taxonomy_id")
_SPOKEN = 4


@dataclass(frozen=True, slots=True)
class _Pair:
    """An object of `metadata` (`group`) with a `name` and an identifier, which stands under `key`."""

    group: str
    key: str
    field: Field

    def full(self, text: str) -> str:
        """The identifier as ontologies write it: taxa are numbers in deposition files."""
        return f"{_TAXA}:{text}" if self.field.kind is Kind.INT else text

    def own(self, term: Term) -> str | None:
        """The term's identifier as deposition files write it; None when it does not belong here."""
        if self.field.kind is Kind.INT:
            prefix, _, number = term.id.partition(":")
            return number if prefix == _TAXA and number.isdecimal() else None
        pattern = self.field.rule.pattern
        return term.id if pattern and compiled(pattern).search(term.id) else None


@dataclass(frozen=True, slots=True)
class _Place:
    """A pair in the file: the object's node, and its values as far as they are plain texts."""

    pair: _Pair
    node: MappingNode
    where: str
    number: ScalarNode | None
    name: ScalarNode | None


def compared(document: Document, ontologies: Ontologies) -> list[Problem]:
    """What identifiers and names have against each other. Completes the document where one of the two is missing."""
    problems: list[Problem] = []
    seen: set[int] = set()
    for place in _places(document.root):
        if id(place.node) not in seen:
            seen.add(id(place.node))
            problems += _compared(document.file, place, ontologies)
    return problems


@cache
def _pairs(section: str) -> tuple[_Pair, ...]:
    entity = registry.of_section(section)
    fields = {field.config: field for field in entity.config_fields()} if entity else {}
    return tuple(
        _Pair(group, key, field)
        for place, field in fields.items()
        for group, _, key in [(place or "").rpartition(".")]
        if key in _NUMBERS and f"{group}.name" in fields
    )


def _places(root: Node) -> Iterator[_Place]:
    for section_node, entries in _items(root):
        for index, entry in enumerate(entries.value if isinstance(entries, SequenceNode) else ()):
            for key, metadata in _items(entry):
                if key.value == "metadata":
                    yield from _of_metadata(
                        metadata, section_node.value, f"{section_node.value}[{index}].metadata"
                    )


def _of_metadata(metadata: Node, section: str, where: str) -> Iterator[_Place]:
    groups = {key.value: value for key, value in _items(metadata)}
    for pair in _pairs(section):
        node = groups.get(pair.group)
        if isinstance(node, MappingNode):
            given = {key.value: value for key, value in _items(node) if not _is_nothing(value)}
            values = [given.get(key) for key in (pair.key, "name")]
            if all(
                value is None or (isinstance(value, ScalarNode) and "{" not in value.value)
                for value in values
            ):
                number, name = (value if isinstance(value, ScalarNode) else None for value in values)
                yield _Place(pair, node, f"{where}.{pair.group}", number, name)


def _items(node: Node) -> Iterator[tuple[ScalarNode, Node]]:
    """Keys and values of an object, those of merged (`<<`) ones first."""
    pairs = node.value if isinstance(node, MappingNode) else []
    for key, value in pairs:
        if key.tag == f"{TAG}merge":
            for merged in value.value if isinstance(value, SequenceNode) else [value]:
                yield from _items(merged)
    yield from (
        (key, value) for key, value in pairs if isinstance(key, ScalarNode) and key.tag != f"{TAG}merge"
    )


def _is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and is_null(node)


def _compared(file: str, place: _Place, ontologies: Ontologies) -> Iterator[Problem]:
    if place.number is not None:
        yield from _of_number(file, place, place.number, ontologies)
    elif place.name is not None:
        yield from _without_number(file, place, place.name, ontologies)


def _of_number(file: str, place: _Place, number: ScalarNode, ontologies: Ontologies) -> Iterator[Problem]:
    full, where = place.pair.full(number.value.strip()), f"{place.where}.{place.pair.key}"
    term, home = ontologies.term(full), ontologies.covering(full)
    fitting = _fitting(place, ontologies)
    if term is None:
        if home is not None:
            message = f"there is no {full} in the ontology {home.name} ({home.version})"
            yield _warning("ontology-id", message, file, number, where, _is_the_name(place, fitting))
    elif term.obsolete:
        message = f"{full}{_called(term)} is obsolete"
        yield _warning("ontology-obsolete", message, file, number, where, _instead(term, fitting, ontologies))
    elif place.name is None:
        yield _complete(file, place, "name", term.label, number, f"the label of {full}")
    elif term.label and not term.is_called(place.name.value):
        message = f"'{place.name.value}' is neither the label of {full} nor one of its synonyms"
        hint = " ".join(filter(None, (f"{full} is '{term.label}'.", _is_the_name(place, fitting))))
        yield _warning("ontology-name", message, file, place.name, f"{place.where}.name", hint)


def _without_number(file: str, place: _Place, name: ScalarNode, ontologies: Ontologies) -> Iterator[Problem]:
    fitting = _fitting(place, ontologies)
    if len(fitting) == 1:
        (term,) = fitting
        own = place.pair.own(term) or ""
        yield _complete(file, place, place.pair.key, own, name, f"the term called '{term.label}'")
    elif fitting:
        told = ", ".join(term.id for term in fitting[:_SPOKEN])
        message = f"'{name.value}' is the label of {len(fitting)} terms ({told})"
        yield _warning("ontology-name", message, file, name, f"{place.where}.name", f"Give {place.pair.key}.")


def _fitting(place: _Place, ontologies: Ontologies) -> list[Term]:
    """The terms that the name stands for, of those that may stand here."""
    found = ontologies.labelled(place.name.value) if place.name else []
    return [term for term in found if place.pair.own(term)]


def _complete(file: str, place: _Place, key: str, value: str, beside: ScalarNode, what: str) -> Problem:
    """Put `key` into the object, beside what is there."""
    tag = f"{TAG}int" if key == "taxonomy_id" else f"{TAG}str"
    marks = (beside.start_mark, beside.end_mark)
    place.node.value[:] = [pair for pair in place.node.value if getattr(pair[0], "value", None) != key]
    place.node.value.append((ScalarNode(f"{TAG}str", key, *marks), ScalarNode(tag, value, *marks)))
    message = f"{key} is not given and taken as '{value}', {what}"
    return Problem("ontology-completed", message, Severity.NOTICE, file, line(beside), f"{place.where}.{key}")


def _warning(code: str, message: str, file: str, node: Node, where: str, hint: str) -> Problem:
    return Problem(code, message, Severity.WARNING, file, line(node), where, hint)


def _called(term: Term) -> str:
    return f" ('{term.label}')" if term.label else ""


def _is_the_name(place: _Place, fitting: list[Term]) -> str:
    name = place.name.value if place.name else ""
    return f"'{name}' is {' or '.join(term.id for term in fitting[:_SPOKEN])}." if fitting else ""


def _instead(term: Term, fitting: list[Term], ontologies: Ontologies) -> str:
    ids = term.replaced_by or tuple(other.id for other in fitting)
    known = (f"{id}{_called(found)}" if (found := ontologies.term(id)) else id for id in ids[:_SPOKEN])
    return f"Use {' or '.join(known)}." if ids else "Choose another term."

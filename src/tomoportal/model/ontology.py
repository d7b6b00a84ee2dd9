"""Terms of ontologies that a site has loaded: identifiers, labels, synonyms, and what replaces what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Term(NamedTuple):
    """One term. `replaced_by`: the terms to use instead of an obsolete one, best first; `synonyms` of every scope."""

    id: str
    label: str
    synonyms: tuple[str, ...] = ()
    obsolete: bool = False
    replaced_by: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether `name` is its label or a synonym, whatever the case."""
        return folded(name) in map(folded, (self.label, *self.synonyms))


@dataclass(frozen=True)
class Ontology:
    """One file of terms. `name` as the file itself gives it (`go`), `version` too; terms by identifier."""

    name: str
    version: str
    terms: dict[str, Term] = field(repr=False)

    @cached_property
    def prefix(self) -> str:
        """The prefix of the identifiers that it is there for: others are borrowed, and not all of their ontology."""
        counts = Counter(prefix_of(term) for term in self.terms)
        own = next((prefix for prefix in counts if prefix.lower() == self.name.lower()), None)
        return own or (counts.most_common(1)[0][0] if counts else "")


@dataclass(frozen=True)
class Ontologies:
    """All that a site has loaded."""

    loaded: tuple[Ontology, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.loaded)

    def covering(self, id: str) -> Ontology | None:
        """The ontology in which `id` must stand if it exists at all."""
        return self._by_prefix.get(prefix_of(id)) if ":" in id else None

    def term(self, id: str) -> Term | None:
        """The term with this identifier, from the ontology that it belongs to if that is loaded."""
        own = self.covering(id)
        homes: Iterable[Ontology] = (own, *self.loaded) if own else self.loaded
        return next((home.terms[id] for home in homes if id in home.terms), None)

    def labelled(self, name: str) -> list[Term]:
        """The terms in use whose label is `name`, whatever the case, by identifier."""
        found = {id: self.term(id) for id in self._by_label.get(folded(name), ())}
        return [term for _, term in sorted(found.items()) if term]

    @cached_property
    def _by_prefix(self) -> dict[str, Ontology]:
        return {ontology.prefix: ontology for ontology in self.loaded}

    @cached_property
    def _by_label(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for term in self._terms():
            if not term.obsolete:
                found.setdefault(folded(term.label), []).append(term.id)
        return found

    def _terms(self) -> Iterator[Term]:
        for ontology in self.loaded:
            yield from ontology.terms.values()


def prefix_of(id: str) -> str:
    """`GO` of `GO:0005840`."""
    return id.partition(":")[0]


def folded(name: str) -> str:
    """A name for comparing: case and surplus blanks do not count."""
    return " ".join(name.casefold().split())

"""Authors as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tomoportal.model.query import Many, Order, Value
from tomoportal.web import identifiers, urls

_FIELDS = (
    "name", "orcid", "kaggle_id", "email", "affiliation_name", "primary_author_status", "corresponding_author_status",
)  # fmt: skip

AUTHORS = Many(
    "authors",
    "authors",
    tuple(Value(name, name) for name in _FIELDS),
    order_by=(Order(("author_list_order",)),),
)
"""Selects the authors of a dataset, deposition, tomogram or annotation in their order."""


@dataclass(frozen=True, slots=True)
class Person:
    """An author; `page` leads to what the portal has of them, `href` to the ORCID record, `kaggle` to the profile there. Only
    corresponding authors have an `email`."""

    name: str
    page: str = ""
    href: str = ""
    kaggle: str = ""
    email: str = ""
    affiliation: str = ""
    is_primary: bool = False
    is_corresponding: bool = False


def people(row: dict[str, Any]) -> tuple[Person, ...]:
    """The authors of a row that was asked for with `AUTHORS`."""
    return tuple(
        Person(
            name=author["name"],
            page=urls.author(author["orcid"] or author["name"]),
            href=identifiers.orcid(author["orcid"]).href if author["orcid"] else "",
            kaggle=identifiers.kaggle(author["kaggle_id"]).href if author["kaggle_id"] else "",
            email=(author["email"] or "") if author["corresponding_author_status"] else "",
            affiliation=author["affiliation_name"] or "",
            is_primary=bool(author["primary_author_status"]),
            is_corresponding=bool(author["corresponding_author_status"]),
        )
        for author in row["authors"]
    )


def by_role(persons: Sequence[Person]) -> list[Person]:
    """Primary authors first, those who are only corresponding last, each in their order."""
    return sorted(persons, key=lambda person: 0 if person.is_primary else 2 if person.is_corresponding else 1)


def parted(persons: Sequence[Person], most: int) -> tuple[list[Person], list[Person]]:
    """`by_role` in those who are shown at once, about so many, and the rest. Nobody with a mark is among the rest, which is never a
    single one."""
    ordered = by_role(persons)
    plain = [person for person in ordered if not (person.is_primary or person.is_corresponding)]
    rest = plain[max(0, most - (len(ordered) - len(plain))) :] if len(ordered) > most + 1 else []
    if len(rest) < 2:
        return ordered, []
    return [person for person in ordered if person not in rest], rest

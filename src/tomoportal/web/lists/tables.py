"""Plain lists of things that have a page each: what is annotated, organisms, authors. One template shows them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tomoportal.web import urls
from tomoportal.web.context import Head, Paging, Visit

PAGE = 50
"""Rows on a page of such a list."""


@dataclass(frozen=True, slots=True)
class Row:
    """A thing: `note` stands under its name; `cells` under the columns."""

    name: str
    href: str
    note: str
    cells: tuple[str, ...]
    is_ground_truth: bool = False


@dataclass(frozen=True, slots=True)
class TablePage:
    """A page of such a list. `text`: what the names are narrowed by; `total`: rows without that."""

    head: Head
    title: str
    lead: str
    word: str
    address: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    paging: Paging
    total: int


def asked_page(visit: Visit, parameter: str = "page") -> int:
    """The number of the page that the address asks for; 1 for what is no such number."""
    asked = visit.request.query_params.get(parameter, "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def table_page(
    visit: Visit,
    address: str,
    title: str,
    lead: str,
    word: str,
    columns: tuple[str, ...],
    rows: Sequence[Row],
) -> TablePage:
    """The page of the list that the address asks for, narrowed to names and notes that hold `q`."""
    text = visit.request.query_params.get("q", "").strip()
    wanted = text.casefold()
    found = [row for row in rows if wanted in row.name.casefold() or wanted in row.note.casefold()]
    paging = Paging.of(len(found), asked_page(visit), PAGE, _steps(address, text))
    head = Head(f"{title} · {visit.settings.title}", lead, canonical=address, section="datasets")
    shown = tuple(found[paging.first - 1 : paging.last]) if found else ()
    return TablePage(head, title, lead, word, address, text, columns, shown, paging, len(rows))


def _steps(address: str, text: str) -> Callable[[int], str]:
    narrowed = [("q", text)] if text else []
    return lambda page: urls.with_query(address, [*narrowed, ("page", str(page))])

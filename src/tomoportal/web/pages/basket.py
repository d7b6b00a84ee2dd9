"""The basket: what is in it, and every way to take it home. The address holds its contents; without any it is what the visitor's browser
remembers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from tomoportal.errors import UsageError
from tomoportal.exports.copick.portal import chosen_runs
from tomoportal.exports.particles import MOST_LISTS, PointList, count_annotations, point_lists
from tomoportal.exports.selection import Selection, kind_of
from tomoportal.formats.particles.writers.collected import COLLECTED
from tomoportal.web import formats, urls
from tomoportal.web.basket.commands import MOST_WRITTEN, copick_code, fetched, file_commands, manifest_address
from tomoportal.web.basket.entries import Entry, entries
from tomoportal.web.basket.files import Sort, sorts, usual
from tomoportal.web.basket.remembered import held, is_damaged
from tomoportal.web.context import Head, PageError, Paging, Visit
from tomoportal.web.entities.downloads import Command
from tomoportal.web.getting.choosing import Amount
from tomoportal.web.lists.tables import asked_page

PAGE = 50
"""Rows of the table on a page."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A sort of files that can be chosen."""

    word: str
    label: str
    amount: Amount
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FileChoice:
    """Sorts by kind of data; what the chosen ones come to, and how to get them. `lists`: the same as lists for programs."""

    kinds: tuple[tuple[str, tuple[Offer, ...]], ...]
    amount: Amount
    commands: tuple[Command, ...]
    lists: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Object:
    """What points are of: how many lists, how many points in them (None: nobody has counted), in how many tomograms."""

    name: str
    lists: int
    points: int | None
    tomograms: int


@dataclass(frozen=True, slots=True)
class PointChoice:
    """The points that can be had in one file; without `command` there are too many of them."""

    objects: tuple[Object, ...]
    formats: tuple[tuple[str, str], ...]
    lists: int
    has_truth: bool
    command: Command | None


@dataclass(frozen=True, slots=True)
class BasketPage:
    """Everything on the page. `parameters` say what it holds; `is_mine`: it is what the visitor's browser remembers, which holds `mine`
    things; `lost`: what the address names and is not there."""

    head: Head
    parameters: tuple[tuple[str, str], ...]
    count: int
    counts: tuple[tuple[int, str], ...]
    entries: tuple[Entry, ...]
    paging: Paging
    lost: str
    is_mine: bool
    mine: int
    is_damaged: bool
    share: str
    tables: tuple[tuple[str, str], ...]
    files: FileChoice | None
    points: PointChoice | None
    copick: tuple[str, tuple[Command, ...]] | None


def basket_page(visit: Visit) -> BasketPage:
    """The page of what the query string names, or of the visitor's own basket."""
    asked, mine = _asked(visit), held(visit)
    selection = (asked if asked.ids else mine).seen(visit.view)
    lost = (asked if asked.ids else mine) - selection
    parameters = selection.parameters()
    page = asked_page(visit)
    paging = Paging.of(len(selection), page, PAGE, lambda n: urls.basket((*parameters, ("page", str(n)))))
    return BasketPage(
        head=_head(visit),
        parameters=parameters,
        count=len(selection),
        counts=tuple(_counted(word, len(ids)) for word, ids in selection.ids.items()),
        entries=entries(visit.view, selection, (paging.page - 1) * PAGE, PAGE),
        paging=paging,
        lost=lost.told() if lost.ids else "",
        is_mine=not asked.ids or asked == mine,
        mine=len(mine),
        is_damaged=is_damaged(visit) and not asked.ids,
        share=visit.absolute(urls.basket(parameters)),
        tables=tuple(
            (kind_of(word).names.many, urls.table(f"{urls.BASKET}/{word}", parameters))
            for word in selection.ids
        ),
        files=_files(visit, selection) if selection.ids else None,
        points=_points(visit, selection) if selection.ids else None,
        copick=_copick(visit, selection) if selection.ids else None,
    )


def _asked(visit: Visit) -> Selection:
    try:
        return Selection.read(visit.request.query_params.multi_items())
    except UsageError as error:
        raise PageError(400, str(error)) from None


def _head(visit: Visit) -> Head:
    return Head(
        title=f"Basket · {visit.settings.title}",
        description="What you have picked, to be downloaded together.",
        canonical=urls.BASKET,
        section="basket",
    )


def _counted(word: str, count: int) -> tuple[int, str]:
    names = kind_of(word).names
    return count, formats.noun(count, names.one.lower(), names.many.lower())


def _files(visit: Visit, selection: Selection) -> FileChoice | None:
    found = sorts(visit.view, selection)
    wanted = visit.request.query_params.getlist("get")
    chosen = tuple(sort for sort in found if sort.word in wanted) or usual(found)
    if not found:
        return None
    kinds = groupby(found, lambda sort: sort.kind.label)
    return FileChoice(
        tuple((label, tuple(_offer(sort, chosen) for sort in group)) for label, group in kinds),
        sum((sort.amount for sort in chosen), Amount()),
        file_commands(visit, selection, chosen),
        tuple(
            (name, manifest_address(selection, chosen, notation))
            for name, notation in (("Manifest", ""), ("aria2", "aria2"), ("sha256sum", "sha256sum"))
        ),
    )


def _offer(sort: Sort, chosen: tuple[Sort, ...]) -> Offer:
    return Offer(sort.word, sort.label, sort.amount, sort in chosen)


def _points(visit: Visit, selection: Selection) -> PointChoice | None:
    count = count_annotations(visit.view, selection)
    if count > MOST_LISTS:
        return PointChoice((), (), count, False, None)
    lists = point_lists(visit.view, selection)
    if not lists:
        return None
    address = urls.selection("particles", (*selection.parameters(), ("as", next(iter(COLLECTED)))))
    return PointChoice(
        tuple(
            _object(name, [item for item in lists if item.object == name])
            for name in sorted({item.object for item in lists})
        ),
        tuple((word, format.title) for word, format in COLLECTED.items()),
        len(lists),
        any(item.is_truth for item in lists) and not all(item.is_truth for item in lists),
        fetched(visit, address, "particles.star"),
    )


def _object(name: str, lists: list[PointList]) -> Object:
    counts = [item.count for item in lists if item.count is not None]
    tomograms = Counter(item.destination.name for item in lists)
    return Object(name, len(lists), sum(counts) if len(counts) == len(lists) else None, len(tomograms))


def _copick(visit: Visit, selection: Selection) -> tuple[str, tuple[Command, ...]] | None:
    """Where the configuration is, and how to get and open it."""
    runs = chosen_runs(visit.view, selection)
    annotated = visit.view.count("Annotation", selection.where(**_OF_ANNOTATION))
    if not runs or not annotated:
        return None
    address = urls.selection("copick", selection.parameters())
    opening = (copick_code(visit, tuple(id for id, _ in runs)),) if len(runs) <= MOST_WRITTEN else ()
    return address, (fetched(visit, address, "copick.json"), *opening)


_OF_ANNOTATION = {
    "datasets": ("run", "dataset_id"),
    "runs": ("run_id",),
    "tomograms": ("run", "tomograms", "id"),
    "annotations": ("id",),
    "tiltseries": ("run", "tiltseries", "id"),
}
"""From an annotation to what is chosen of its run."""

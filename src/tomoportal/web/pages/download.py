"""Choosing what to download of a dataset, run, tomogram, annotation or deposition, with size, number and every way to get it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tomoportal.model.entity import Entity
from tomoportal.model.registry import entity
from tomoportal.web import urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.downloads import Command
from tomoportal.web.getting import choosing
from tomoportal.web.getting.choosing import Amount, Item, Subject
from tomoportal.web.getting.commands import commands, link, saved_as
from tomoportal.web.getting.wanted import EVERYTHING, SUBJECTS, Wanted

MOST_LINKS = 100
"""Files that the page links one by one."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of data, or a format of it, that can be chosen."""

    value: str
    label: str
    amount: Amount | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Direct:
    """A file to save from the browser, or a folder to look into."""

    name: str
    href: str
    size: float | None
    is_folder: bool


@dataclass(frozen=True, slots=True)
class DownloadPage:
    """Everything on the page. `amount` is what the choice comes to; `links` are its files when they are few enough to name."""

    head: Head
    crumbs: tuple[Crumb, ...]
    subject: Subject
    title: str
    contents: tuple[Offer, ...]
    formats: tuple[Offer, ...]
    amount: Amount
    is_twice: bool
    links: tuple[Direct, ...]
    commands: tuple[Command, ...]


def download_page(visit: Visit) -> DownloadPage:
    """The page of what the query string names."""
    wanted = Wanted.of(visit)
    subject, choice = wanted.subject, wanted.choice
    offers = wanted.found[choice.kind.word] if choice.kind else {}
    is_twice = set(choosing.DUPLICATES) <= set(choice.formats)
    listed = (
        choosing.items(visit.view, subject, choice.kind, choice.formats, MOST_LINKS + 1)
        if choice.kind
        else ()
    )
    title, crumbs = _named(subject, wanted.row)
    return DownloadPage(
        head=Head(
            title=f"Download {title} · {visit.settings.title}",
            description=f"Choose what to download of {title}: content, format, and how.",
            canonical=urls.download(subject.word, subject.id),
            section="depositions" if subject.word == "deposition" else "datasets",
        ),
        crumbs=(*crumbs, Crumb("Download")),
        subject=subject,
        title=title,
        contents=tuple(_contents(wanted)),
        formats=tuple(
            Offer(format, choosing.LABELS[format], of, format in choice.formats)
            for format, of in offers.items()
            if format
        ),
        amount=wanted.amount,
        is_twice=is_twice,
        links=tuple(_direct(item) for item in listed) if len(listed) <= MOST_LINKS else (),
        commands=commands(visit, choice),
    )


def _contents(wanted: Wanted) -> Iterator[Offer]:
    subject, chosen = wanted.subject, wanted.choice.kind
    if SUBJECTS[subject.word].prefix:
        yield Offer(EVERYTHING, f"Everything of this {subject.word}", wanted.everything, chosen is None)
    for kind in subject.kinds():
        if offered := wanted.found[kind.word]:
            usual = (offered[format] for format in choosing.usual(offered))
            yield Offer(kind.word, kind.label, sum(usual, Amount()), chosen == kind)


def _named(subject: Subject, row: dict[str, Any]) -> tuple[str, tuple[Crumb, ...]]:
    kind: type[Entity] = entity(SUBJECTS[subject.word].entity)
    name = row[SUBJECTS[subject.word].title] or ""
    title = f"{name} ({kind.names.number(subject.id)})".strip()
    if subject.word == "deposition":
        return title, (Crumb("Depositions", urls.depositions()), Crumb(name, urls.deposition(subject.id)))
    if subject.word == "dataset":
        return title, (Crumb("Datasets", urls.datasets()), Crumb(name, urls.dataset(subject.id)))
    run = row if subject.word == "run" else row["run"]
    dataset = run["dataset"]
    crumbs = (Crumb(dataset["title"], urls.dataset(dataset["id"])), Crumb(run["name"], urls.run(run["id"])))
    return f"{title} of {dataset['title']}" if subject.word == "run" else f"{title} of {run['name']}", crumbs


def _direct(item: Item) -> Direct:
    return Direct(saved_as(item), link(item).https, item.size, item.is_folder)

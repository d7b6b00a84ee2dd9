"""Choosing what to download of a dataset, run, tomogram, annotation or deposition, with size, number and every way to get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.query import One, Value
from tomoportal.model.registry import entity
from tomoportal.web import urls
from tomoportal.web.context import Crumb, Head, PageError, Visit
from tomoportal.web.entities.downloads import Command
from tomoportal.web.entities.withdrawn import Gone
from tomoportal.web.getting import choosing
from tomoportal.web.getting.choosing import Amount, Item, Subject
from tomoportal.web.getting.commands import MOST_NAMED, Choice, commands, curl_config, link, saved_as
from tomoportal.web.kept import kept

MOST_LINKS = 100
"""Files that the page links one by one."""
MOST_LISTED = 200_000
"""Files of each format in a list for curl."""
EVERYTHING = "everything"


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


@dataclass(frozen=True, slots=True)
class _Kind:
    entity: str
    title: str
    prefix: str = ""


_SUBJECTS = {
    "dataset": _Kind("Dataset", "title", "s3_prefix"),
    "run": _Kind("Run", "name", "s3_prefix"),
    "tomogram": _Kind("Tomogram", "name"),
    "annotation": _Kind("Annotation", "object_name"),
    "deposition": _Kind("Deposition", "title"),
}


def download_page(visit: Visit) -> DownloadPage:
    """The page of what the query string names."""
    subject = _subject(visit)
    row = _row(visit, subject)
    found = _amounts(visit.view, subject)
    choice, amount = _chosen(visit, subject, row, found)
    offers = found[choice.kind.word] if choice.kind else {}
    is_twice = set(choosing.DUPLICATES) <= set(choice.formats)
    listed = (
        choosing.items(visit.view, subject, choice.kind, choice.formats, MOST_LINKS + 1)
        if choice.kind
        else ()
    )
    title, crumbs = _named(subject, row)
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
        contents=tuple(_contents(subject, row, found, choice)),
        formats=tuple(
            Offer(format, choosing.LABELS[format], of, format in choice.formats)
            for format, of in offers.items()
            if format
        ),
        amount=amount,
        is_twice=is_twice,
        links=tuple(_direct(item) for item in listed) if len(listed) <= MOST_LINKS else (),
        commands=commands(visit, choice),
    )


def download_list(visit: Visit) -> str:
    """The choice of the query string as configuration for curl."""
    subject = _subject(visit)
    row = _row(visit, subject)
    found = _amounts(visit.view, subject)
    choice, _ = _chosen(visit, subject, row, found)
    if choice.kind is None or choice.has_folders:
        raise PageError(400, "curl cannot fetch folders; choose formats that are files.")
    listed = choosing.items(visit.view, subject, choice.kind, choice.formats, MOST_LISTED)
    return "".join(curl_config(visit, listed))


@kept
def _amounts(view: View, subject: Subject) -> dict[str, dict[str, Amount]]:
    """What there is of a subject by kind and format."""
    return {kind.word: choosing.amounts(view, subject, kind) for kind in subject.kinds()}


def _subject(visit: Visit) -> Subject:
    named = [
        (word, visit.request.query_params[word]) for word in _SUBJECTS if word in visit.request.query_params
    ]
    if len(named) != 1:
        raise PageError(400, f"Name one of {', '.join(_SUBJECTS)}, such as /download?dataset=10001.")
    word, text = named[0]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise PageError(400, f"“{text[:40]}” is not the number of a {word}.")
    return Subject(word, int(text))


def _row(visit: Visit, subject: Subject) -> dict[str, Any]:
    kind = _SUBJECTS[subject.word]
    of_dataset = One("dataset", "dataset", (Value("id", "id"), Value("title", "title")))
    run = One("run", "run", (Value("id", "id"), Value("name", "name"), of_dataset))
    asked: dict[str, query.Selection] = {"tomogram": run, "annotation": run, "run": of_dataset}
    fields: list[query.Selection | str] = ["id", kind.title]
    if subject.word == "dataset":
        fields.append("file_size")
    if kind.prefix:
        fields.append(kind.prefix)
    if subject.word in asked:
        fields.append(asked[subject.word])
    row = visit.view.one(kind.entity, subject.id, fields)
    if row is None:
        if stone := visit.view.tombstone(subject.word, subject.id):
            raise Gone(stone)
        raise PageError(404, f"There is no {subject.word} {subject.id} here.")
    return row


def _chosen(
    visit: Visit, subject: Subject, row: dict[str, Any], found: dict[str, dict[str, Amount]]
) -> tuple[Choice, Amount]:
    """What the query string asks for, as far as it is there; else what most people want."""
    asked = visit.request.query_params
    words = [word for word in found if found[word]]
    whole = EVERYTHING if _SUBJECTS[subject.word].prefix else ""
    word = asked.get("content", "")
    if word not in (*words, whole) or not word:
        word = whole or (words[0] if words else subject.kinds()[0].word)
    if word == whole:
        return Choice(subject, None, (), (), row[_SUBJECTS[subject.word].prefix]), _everything(row, found)
    kind = next(kind for kind in subject.kinds() if kind.word == word)
    wanted = tuple(format for format in found[word] if format in asked.getlist("format"))
    chosen = wanted or choosing.usual(found[word])
    amount = sum((found[word][format] for format in chosen), Amount())
    few = choosing.items(visit.view, subject, kind, chosen, MOST_NAMED) if amount.count <= MOST_NAMED else ()
    return Choice(subject, kind, chosen, few), amount


def _everything(row: dict[str, Any], found: dict[str, dict[str, Amount]]) -> Amount:
    """How large the whole folder is, as far as it is known; its files are not counted."""
    if row.get("file_size"):
        return Amount(0, row["file_size"])
    known = sum((amount.size for of in found.values() for amount in of.values()), 0.0)
    return Amount(0, known, unsized=1)


def _contents(
    subject: Subject, row: dict[str, Any], found: dict[str, dict[str, Amount]], choice: Choice
) -> list[Offer]:
    offers = []
    if _SUBJECTS[subject.word].prefix:
        label = f"Everything of this {subject.word}"
        offers.append(Offer(EVERYTHING, label, _everything(row, found), choice.kind is None))
    for kind in subject.kinds():
        if found[kind.word]:
            usual = (found[kind.word][format] for format in choosing.usual(found[kind.word]))
            offers.append(Offer(kind.word, kind.label, sum(usual, Amount()), choice.kind == kind))
    return offers


def _named(subject: Subject, row: dict[str, Any]) -> tuple[str, tuple[Crumb, ...]]:
    kind: type[Entity] = entity(_SUBJECTS[subject.word].entity)
    name = row[_SUBJECTS[subject.word].title] or ""
    title = f"{name} ({kind.names.prefix}-{subject.id})".strip()
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

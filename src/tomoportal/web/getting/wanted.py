"""What the address of the download page asks for: a subject, a kind of data and its formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import One, Value
from tomoportal.web.context import PageError, Visit
from tomoportal.web.entities.withdrawn import Gone
from tomoportal.web.getting import choosing
from tomoportal.web.getting.choosing import Amount, Subject
from tomoportal.web.getting.commands import MOST_NAMED, Choice, curl_config
from tomoportal.web.kept import kept

MOST_LISTED = 200_000
"""Files of each format in a list for curl."""
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of subject: its class, the field that names it, and the field with the address of its folder, if it has one."""

    entity: str
    title: str
    prefix: str = ""


SUBJECTS = {
    "dataset": SubjectKind("Dataset", "title", "s3_prefix"),
    "run": SubjectKind("Run", "name", "s3_prefix"),
    "tomogram": SubjectKind("Tomogram", "name"),
    "annotation": SubjectKind("Annotation", "object_name"),
    "deposition": SubjectKind("Deposition", "title"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. `row`: what the catalogue knows of the subject; `found`: what there is of it by kind and format; `amount`: what
    the choice comes to."""

    subject: Subject
    row: dict[str, Any]
    found: dict[str, dict[str, Amount]]
    choice: Choice
    amount: Amount

    @staticmethod
    def of(visit: Visit) -> Wanted:
        """What this visit asks for. Raises `PageError`."""
        subject = _subject(visit)
        row = _row(visit, subject)
        found = _amounts(visit.view, subject)
        return Wanted(subject, row, found, *_chosen(visit, subject, row, found))

    @property
    def everything(self) -> Amount:
        """How large the whole folder is, as far as it is known; its files are not counted."""
        return _everything(self.row, self.found)


def download_list(visit: Visit) -> str:
    """The choice of the query string as configuration for curl."""
    wanted = Wanted.of(visit)
    choice = wanted.choice
    if choice.kind is None or choice.has_folders:
        raise PageError(400, "curl cannot fetch folders; choose formats that are files.")
    listed = choosing.items(visit.view, wanted.subject, choice.kind, choice.formats, MOST_LISTED)
    return "".join(curl_config(visit, listed))


@kept
def _amounts(view: View, subject: Subject) -> dict[str, dict[str, Amount]]:
    """What there is of a subject by kind and format."""
    return {kind.word: choosing.amounts(view, subject, kind) for kind in subject.kinds()}


def _subject(visit: Visit) -> Subject:
    named = [
        (word, visit.request.query_params[word]) for word in SUBJECTS if word in visit.request.query_params
    ]
    if len(named) != 1:
        raise PageError(400, f"Name one of {', '.join(SUBJECTS)}, such as /download?dataset=10001.")
    word, text = named[0]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise PageError(400, f"“{text[:40]}” is not the number of a {word}.")
    return Subject(word, int(text))


def _row(visit: Visit, subject: Subject) -> dict[str, Any]:
    kind = SUBJECTS[subject.word]
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
    whole = EVERYTHING if SUBJECTS[subject.word].prefix else ""
    word = asked.get("content", "")
    if word not in (*words, whole) or not word:
        word = whole or (words[0] if words else subject.kinds()[0].word)
    if word == whole:
        return Choice(subject, None, (), (), row[SUBJECTS[subject.word].prefix]), _everything(row, found)
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

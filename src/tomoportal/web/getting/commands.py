"""Commands that fetch a choice of files, for terminals and notebooks. Text only; nothing is fetched here."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tomoportal.model.query import Compare, Condition, all_of
from tomoportal.web import urls
from tomoportal.web.context import Visit
from tomoportal.web.entities.downloads import IN_PLACE, Command, download, local_name
from tomoportal.web.entities.facts import FileLink
from tomoportal.web.getting import python_code
from tomoportal.web.getting.choosing import DUPLICATES, Files, Item, Kind, Subject

MOST_NAMED = 40
"""Files that a command for the AWS command line names one by one."""
_CLASSES = {"dataset": "Dataset", "run": "Run", "deposition": "Deposition"}
_METHODS = {
    "mrc_file": "download_mrcfile",
    "omezarr_dir": "download_omezarr",
    "metadata_path": "download_metadata",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen of a subject: a kind and its formats, or everything (`kind` None). `items` are all files when there are at most
    `MOST_NAMED`, else none; `prefix` is the S3 address of the subject's folder, if it has one."""

    subject: Subject
    kind: Kind | None
    formats: tuple[str, ...]
    items: tuple[Item, ...]
    prefix: str = ""

    @property
    def has_folders(self) -> bool:
        """Whether any format is a folder, which plain HTTP cannot fetch as one."""
        files = self.kind.files if self.kind else ()
        return any(one.is_folder for one in files if one.format in self.formats)


def commands(visit: Visit, choice: Choice) -> tuple[Command, ...]:
    """The ways that there are."""
    if len(choice.items) == 1:
        found = download(visit, link(choice.items[0]), saved_as(choice.items[0]))
        is_volume = choice.items[0].format in DUPLICATES
        fitting = (one for one in found.commands if is_volume or one.label != IN_PLACE)
        return (_tomoportal(visit, choice), *fitting, _python(visit, choice))
    several = (_curl(visit, choice), _aws(visit, choice))
    return (_tomoportal(visit, choice), *(one for one in several if one), _python(visit, choice))


def link(item: Item) -> FileLink:
    """A file as `web.downloads` takes it."""
    return FileLink(item.name, item.https, item.s3, item.size, item.is_folder)


def saved_as(item: Item) -> str:
    """What a single file is called at home: with its run and owner, so that nothing of the same name is overwritten."""
    is_volume = item.owner.startswith(("TM-", "TS-"))
    return local_name(item.run, item.owner, link(item), keep=not is_volume)


def curl_config(visit: Visit, items: Iterable[Item]) -> Iterator[str]:
    """Lines for `curl -K`: every file to its path below the current folder."""
    yield "create-dirs\nfail\nlocation\ngloboff\n"
    for item in items:
        yield f"url = {_quoted(visit.absolute(item.https))}\noutput = {_quoted(item.path)}\n"


def _quoted(text: str) -> str:
    """As curl reads its configuration: backslash, quote and white space escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _tomoportal(visit: Visit, choice: Choice) -> Command:
    words = ["tomoportal", "download", choice.subject.word, str(choice.subject.id), "--url", visit.base]
    if choice.kind:
        words += ["--only", choice.kind.word]
    if any(choice.formats):
        words += ["--format", ",".join(choice.formats)]
    return Command("tomoportal (resumes, checks)", shlex.join([*words, "--to", "downloads"]))


def _curl(visit: Visit, choice: Choice) -> Command | None:
    if choice.kind is None or choice.has_folders:
        return None
    address = visit.absolute(urls.download_list(parameters(choice)))
    return Command("curl", f"curl -fsS {shlex.quote(address)} | curl -K -")


def _aws(visit: Visit, choice: Choice) -> Command | None:
    if choice.kind is None and choice.prefix:
        folder = choice.prefix.rstrip("/")
        return _sync(visit, f"{folder}/", f"{folder.rsplit('/', 1)[-1]}/", [])
    return aws_sync(visit, choice.items) if choice.items else None


def aws_sync(visit: Visit, items: Sequence[Item]) -> Command:
    """The command that brings these files and folders, at least one, and nothing else."""
    keys = [item.s3.rstrip("/") for item in items]
    folder = os.path.commonpath([key.removeprefix("s3://").rpartition("/")[0] for key in keys])
    below = [
        _literally(key.removeprefix(f"s3://{folder}/")) + ("/*" if item.is_folder else "")
        for key, item in zip(keys, items, strict=True)
    ]
    name = folder.rsplit("/", 1)[-1] if "/" in folder else "downloads"
    return _sync(visit, f"s3://{folder}/", f"{name}/", below)


def _sync(visit: Visit, source: str, target: str, include: list[str]) -> Command:
    words = ["aws", "s3", "sync", source, target]
    if include:
        words += ["--exclude", "*", *(word for path in include for word in ("--include", path))]
    ending = f"--no-sign-request --endpoint-url {shlex.quote(visit.base + '/s3')}"
    return Command("AWS command line", f"{shlex.join(words)} {ending}")


def _literally(path: str) -> str:
    """A path as a pattern of the AWS command line that matches nothing else."""
    return re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", path)


def parameters(choice: Choice) -> tuple[tuple[str, str], ...]:
    """The query string that asks for the choice."""
    kind = choice.kind.word if choice.kind else "everything"
    formats = (("format", format) for format in choice.formats if format)
    return ((choice.subject.word, str(choice.subject.id)), ("content", kind), *formats)


def _python(visit: Visit, choice: Choice) -> Command:
    subject = choice.subject
    if choice.kind is None:
        name = _CLASSES[subject.word]
        body = [f'{name}.get_by_id(client, {subject.id}).download_everything("downloads")']
        imported = [name]
    else:
        chosen = [files for files in choice.kind.files if files.format in choice.formats]
        body = [line for files in chosen for line in _loop(subject, files)]
        imported = sorted({files.entity for files in chosen})
    start = [
        f"from tomoportal import {', '.join(['Client', *imported])}",
        "",
        f"client = Client({json.dumps(visit.base)})",
    ]
    return Command("Python", "\n".join([*start, *body]))


def _loop(subject: Subject, files: Files) -> list[str]:
    where = [subject.holds(files), Compare(files.https, "is_null", False)]
    if files.entity == "AnnotationFile":
        where = [subject.holds(files), Compare("format", "eq", files.format)]
    return python_loop(files, all_of(where))


def python_loop(files: Files, where: Condition) -> list[str]:
    """Lines that download a sort of files of the rows that fulfil `where`."""
    filters = ", ".join(python_code.filters(files.kind, where))
    folder = "annotation_shape_id" if files.entity == "AnnotationFile" else "id"
    method = _METHODS.get(files.address, "download")
    return [
        f"for item in {files.entity}.find(client, [{filters}]):",
        f'    item.{method}(f"downloads/{files.entity}/{{item.{folder}}}")',
    ]

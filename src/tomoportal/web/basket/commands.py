"""Commands that fetch what a basket holds. Text only; nothing is fetched here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from tomoportal.exports.selection import Selection
from tomoportal.model.query import Compare, all_of
from tomoportal.web import urls
from tomoportal.web.basket.files import Chosen, Sort, items
from tomoportal.web.context import Visit
from tomoportal.web.entities.downloads import Command
from tomoportal.web.getting.choosing import Files
from tomoportal.web.getting.commands import MOST_NAMED, aws_sync, python_loop

MOST_WRITTEN = 200
"""Ids that a Python program names."""
_COPICK = """# pip install copick
import os

os.environ["AWS_ENDPOINT_URL"] = {s3}
import cryoet_data_portal._client

cryoet_data_portal._client.DEFAULT_URL = {graphql}
import copick

root = copick.from_file("copick.json")
runs = [root.get_run(str(id)) for id in {ids}]"""


def file_commands(visit: Visit, selection: Selection, chosen: tuple[Sort, ...]) -> tuple[Command, ...]:
    """The ways to get the files of these sorts."""
    found = [_tomoportal(visit, selection, chosen), _curl(visit, selection, chosen)]
    if sum(sort.amount.count for sort in chosen) <= MOST_NAMED:
        named = items(visit.view, selection, [sort.word for sort in chosen], MOST_NAMED)
        found.append(aws_sync(visit, [item for _, item in named]))
    if len(selection) <= MOST_WRITTEN:
        found.append(_python(visit, selection, chosen))
    return tuple(found)


def manifest_address(selection: Selection, chosen: tuple[Sort, ...], notation: str = "") -> str:
    """Where the list of the files is."""
    asked = [("get", sort.word) for sort in chosen] + ([("as", notation)] if notation else [])
    return urls.selection("manifest", (*selection.parameters(), *asked))


def fetched(visit: Visit, address: str, name: str) -> Command:
    """What saves an export as a file."""
    return Command("curl", shlex.join(["curl", "-fsSo", name, visit.absolute(address)]))


def copick_code(visit: Visit, runs: tuple[int, ...]) -> Command:
    """What opens the configuration, and the chosen runs in it."""
    s3, graphql = json.dumps(f"{visit.base}/s3"), json.dumps(f"{visit.base}/graphql")
    return Command("Python, beside copick.json", _COPICK.format(s3=s3, graphql=graphql, ids=list(runs)))


def _tomoportal(visit: Visit, selection: Selection, chosen: tuple[Sort, ...]) -> Command:
    address = visit.absolute(manifest_address(selection, chosen))
    words = ["tomoportal", "download", "--manifest", address, "--to", "downloads"]
    return Command("tomoportal (resumes, checks)", shlex.join(words))


def _curl(visit: Visit, selection: Selection, chosen: tuple[Sort, ...]) -> Command:
    address = visit.absolute(manifest_address(selection, chosen, "curl"))
    return Command("curl", f"curl -fsS {shlex.quote(address)} | curl -K -")


def _python(visit: Visit, selection: Selection, chosen: tuple[Sort, ...]) -> Command:
    files = [one for sort in chosen for one in sort.kind.files if one.format == sort.format]
    imported = ", ".join(["Client", *sorted({one.entity for one in files})])
    lines = [f"from tomoportal import {imported}", "", f"client = Client({json.dumps(visit.base)})"]
    return Command("Python", "\n".join([*lines, *_loops(selection, files)]))


def _loops(selection: Selection, files: list[Files]) -> Iterator[str]:
    for one in files:
        there = Compare(one.https, "is_null", False)
        if one.entity == "AnnotationFile":
            there = Compare("format", "eq", one.format)
        yield from python_loop(one, all_of([Chosen(selection).holds(one), there]))

"""`POST /basket`: putting in, taking out, emptying, and taking over a basket that came with an address.

    add=runs.12   add=runs.1-20   remove=tomograms.7   list=/browse-data/runs?object=ribosome   do=empty | replace | merge (with runs=…)

The answer sends a browser back to where it was, with the new cookie; a script that asks for JSON is told `count` and `text`.
Requests that another site makes are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qsl, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tomoportal.errors import UsageError
from tomoportal.exports.selection import KINDS, Selection
from tomoportal.model import idsets, query
from tomoportal.model.query import Compare
from tomoportal.web import formats, urls
from tomoportal.web.basket.remembered import EMPTY, cookie, held
from tomoportal.web.context import PageError, Visit
from tomoportal.web.lists.annotation_filters import ANNOTATIONS_OF_RUN
from tomoportal.web.lists.filters import ListOf
from tomoportal.web.lists.offered import DATASETS, RUNS, RUNS_OF_DATASET

LARGEST = 256 << 10
"""Bytes of a form."""
_OWN_PAGE = re.compile(r"/(?!/)[!-\[\]-~]*\Z")
_DATASET = re.compile(r"/datasets/([0-9]{1,9})\Z")
_RUN = re.compile(r"/runs/([0-9]{1,9})\Z")
Fields = list[tuple[str, str]]


async def form(request: Request, public_url: str) -> Fields:
    """The fields of the form. Raises `PageError` for one of another site, too large, or no form at all."""
    if not _is_ours(request, public_url):
        raise PageError(
            403, "Another site asked for this change; open the page here and press the button again."
        )
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise PageError(413, f"A form has at most {LARGEST >> 10} kB; put in fewer at a time.")
        return parse_qsl(bytes(body).decode(), max_num_fields=3000)
    except (ValueError, ClientDisconnect):
        raise PageError(400, "This form cannot be read.") from None


def _is_ours(request: Request, public_url: str) -> bool:
    """Browsers say where a request comes from; what says nothing is no browser, and has no basket of somebody else's."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    own = (request.headers.get("host"), urlsplit(public_url).netloc or None)
    return origin is None or (_split(origin).netloc or "null") in own


def changed(visit: Visit, fields: Fields) -> Response:
    """The answer. Raises `PageError`."""
    try:
        before = held(visit)
        after = _after(visit, before, fields)
        remember = cookie(after, secure=visit.base.startswith("https:"))
    except (UsageError, query.QueryError) as error:
        raise PageError(400, str(error)) from None
    headers = {"set-cookie": remember, "cache-control": "no-store"}
    if "application/json" in visit.request.headers.get("accept", ""):
        return JSONResponse({"count": len(after), "text": _told(len(before), len(after))}, headers=headers)
    return RedirectResponse(_back(visit), 303, headers)


def _back(visit: Visit) -> str:
    """The page of ours where the button is; the basket itself when it is there, or the browser does not say."""
    came = _split(visit.request.headers.get("referer", ""))
    page = f"{came.path}?{came.query}" if came.query else came.path
    return page if _OWN_PAGE.match(page) and came.path != urls.BASKET else urls.BASKET


def _told(before: int, after: int) -> str:
    added = after - before
    if not after:
        return "The basket is empty."
    what = (
        f"{formats.number(added)} put into the basket" if added > 0 else f"{formats.number(-added)} taken out"
    )
    return f"{what if added else 'That was in the basket already'}; it holds {formats.number(after)}."


def _after(visit: Visit, before: Selection, fields: Fields) -> Selection:
    do = dict(fields).get("do", "")
    if do == "empty":
        return EMPTY
    given = Selection.read(fields)
    start = given if do == "replace" else before | given if do == "merge" else before
    removed = _named(text for name, text in fields if name == "remove")
    added = _named(text for name, text in fields if name == "add")
    lists = [text for name, text in fields if name == "list"]
    if len(lists) > 1:
        raise UsageError(f"This form names {len(lists):,} lists; put in one at a time.")
    for address in lists:
        added |= listed(visit, address)
    if added.ids:
        added.checked(visit.view)
    return (start | added) - removed


def _named(texts: Iterable[str]) -> Selection:
    """`runs.12` and so on."""
    parts = [text.partition(".") for text in texts]
    for word, _, _ in parts:
        if word not in KINDS:
            raise UsageError(
                f"“{word[:40]}” is nothing that a basket holds; expected some of {', '.join(KINDS)}."
            )
    return Selection.read((word, ids) for word, _, ids in parts)


def _split(address: str) -> SplitResult:
    """The parts of an address; none of one that is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def listed(visit: Visit, address: str) -> Selection:
    """All rows of the list at an address of ours, with its filters. Raises `UsageError`."""
    parts = _split(address)
    word, list_of, within = _list_at(parts.path)
    choice = list_of.read(parse_qsl(parts.query))
    members = choice.members(visit.view, within)
    found, _ = choice.matching(members)
    ids = members.places.ids(found)
    if len(ids) > idsets.MOST_IDS:
        raise UsageError(
            f"This list has {len(ids):,} {word}; a basket takes {idsets.MOST_IDS:,}. Narrow it with a filter, or put in whole datasets."
        )
    return Selection({word: tuple(sorted(ids))}) if ids else EMPTY


def _list_at(path: str) -> tuple[str, ListOf, query.Condition]:
    if path == urls.DATASETS:
        return "datasets", DATASETS, query.EVERYTHING
    if path == urls.RUNS:
        return "runs", RUNS, query.EVERYTHING
    if found := _DATASET.match(path):
        return "runs", RUNS_OF_DATASET, Compare("dataset_id", "eq", int(found[1]))
    if found := _RUN.match(path):
        return "annotations", ANNOTATIONS_OF_RUN, Compare("run_id", "eq", int(found[1]))
    raise UsageError(f"“{path[:40]}” is no list that can be put into a basket.")

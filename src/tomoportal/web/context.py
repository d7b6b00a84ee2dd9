"""What every page knows beside its own matter: the site, the request, the head of the document, steps through a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from starlette.requests import Request

from tomoportal.catalog import View
from tomoportal.model.query import Selection
from tomoportal.settings import Settings
from tomoportal.web import formats


class PageError(Exception):
    """The page cannot be shown; `status` is that of HTTP, the text is for the visitor."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the way to a page; the last one has no address."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands in the head of a document. `canonical` is a path of ours, `image` an address, `data` schema.org as JSON;
    `described_at`: where a description for programs lies."""

    title: str
    description: str
    canonical: str = ""
    image: str = ""
    section: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    described_at: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page."""

    request: Request
    view: View
    settings: Settings

    @property
    def base(self) -> str:
        """The address of the portal as its visitors see it, without a trailing slash."""
        return self.settings.public_url or str(self.request.base_url).rstrip("/")

    def absolute(self, address: str) -> str:
        """A whole address for commands and metadata."""
        return urljoin(f"{self.base}/", address)

    def id(self) -> int:
        """The number in the path. Raises `PageError` when it is none."""
        text = self.request.path_params["id"]
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise PageError(400, f"“{text[:40]}” is not a number; addresses of this portal end in a number.")
        return int(text)

    def row(self, entity: str, fields: Sequence[Selection | str]) -> dict[str, Any]:
        """The row whose number stands in the path. Raises `PageError` when there is none."""
        id = self.id()
        found = self.view.one(entity, id, fields)
        if found is None:
            raise PageError(404, f"There is no {formats.words(entity)} {id} here.")
        return found


@dataclass(frozen=True, slots=True)
class Step:
    """A place in the row of page numbers; without an address it is the current page or a gap."""

    label: str
    href: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is shown: rows `first` to `last` of `total`, and the ways to the other parts."""

    page: int
    pages: int
    first: int
    last: int
    total: int
    steps: tuple[Step, ...] = ()
    previous: str = ""
    next: str = ""

    @staticmethod
    def of(total: int, page: int, size: int, address: Any) -> Paging:
        """`address(page)` gives the address of a page. A page behind the last is the last."""
        pages = max(1, -(-total // size))
        page = min(page, pages)
        near = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
        steps: list[Step] = []
        for before, number in zip([0, *near], near, strict=False):
            if number - before == 2:
                steps.append(Step(str(number - 1), address(number - 1)))
            elif number - before > 2:
                steps.append(Step("…"))
            steps.append(Step(str(number), "" if number == page else address(number), number == page))
        first = (page - 1) * size + 1 if total else 0
        return Paging(
            page,
            pages,
            first,
            min(page * size, total),
            total,
            tuple(steps) if pages > 1 else (),
            address(page - 1) if page > 1 else "",
            address(page + 1) if page < pages else "",
        )

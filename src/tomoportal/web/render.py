"""Contexts → HTML, with Jinja2. Everything is escaped; a name that a template uses and nobody gives is an error."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tomoportal.web import formats, frame, urls
from tomoportal.web.basket import remembered
from tomoportal.web.context import Visit
from tomoportal.web.days import order_for, ordered
from tomoportal.web.entities.people import by_role, parted
from tomoportal.web.entities.withdrawn import Gone, withdrawn
from tomoportal.web.getting.same_query import same_query
from tomoportal.web.getting.table_csv import table_of

_SCRIPT_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates with their filters; `urls` makes every address."""
    made = Environment(
        loader=PackageLoader("tomoportal.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "urls": urls,
        "frame": frame,
        "same_query": same_query,
        "basket": remembered,
        "table_of": table_of,
    }
    made.filters |= {
        "number": formats.number,
        "size": formats.size,
        "day": formats.day,
        "plural": formats.plural,
        "quantity": formats.quantity,
        "rounded": rounded,
        "shortened": shortened,
        "by_role": by_role,
        "parted": parted,
        "script_json": script_json,
    }
    return made


def page(template: str, visit: Visit, context: Any) -> str:
    """The HTML of a page."""
    made = environment().get_template(template)
    with ordered(order_for(visit.request.headers.get("accept-language", ""))):
        return made.render(page=context, head=context.head, visit=visit, site=visit.settings)


def error(status: int, heading: str, message: str, site: Any) -> str:
    """The HTML of an error page; it needs no catalogue."""
    return (
        environment()
        .get_template("error.html")
        .render(status=status, heading=heading, message=message, site=site)
    )


def tombstone(gone: Gone, site: Any) -> str:
    """The HTML that stays in the place of what was withdrawn."""
    stone = withdrawn(gone.stone)
    return environment().get_template("tombstone.html").render(stone=stone, back=gone.back, site=site)


def explorer(context: Any, site: Any) -> str:
    """The HTML of the page for GraphQL; it needs no catalogue."""
    return environment().get_template("explorer.html").render(page=context, head=context.head, site=site)


def shortened(text: str, length: int) -> str:
    """The beginning of a text, up to the end of a word."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1].rsplit(" ", 1)[0].rstrip(",.;:") + "…"


def rounded(value: float | None, digits: int) -> float | None:
    """A number with so many decimals, if there is one."""
    return None if value is None else round(value, digits)


def script_json(data: Any) -> Markup:
    """JSON for a data block inside a script element."""
    return Markup(json.dumps(data, ensure_ascii=False).translate(_SCRIPT_ESCAPES))

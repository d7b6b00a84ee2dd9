"""Markdown → HTML. CommonMark with tables and struck text, by markdown-it-py. HTML in the text is shown as text: whatever an author
writes, no page gets a script, a style or a tag that is not made here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

Readdress = Callable[[str], str]
"""An address as it stands in the text → as it stands on the page; empty for what cannot be reached from there."""
Measure = Callable[[str], tuple[int, int] | None]
"""The address of a picture as it stands in the text → its width and height in pixels, if they are known."""
_ALIGNED = {"text-align:right": "num", "text-align:center": "centre", "text-align:left": ""}


@dataclass(frozen=True, slots=True)
class Heading:
    """A place on the page; `level` is 2 or 3."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Passage:
    """The plain text between a heading and the next; before the first one the title stands for it, without an anchor."""

    heading: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """`title` is the text of the first heading of level 1, which `html` leaves out; `lead`: the first paragraph before any
    other heading, as plain text."""

    title: str
    lead: str
    html: Markup
    headings: tuple[Heading, ...]
    passages: tuple[Passage, ...] = ()


def document(text: str, readdress: Readdress = str, measure: Measure = lambda _: None) -> Document:
    """A whole page. Pictures that can be measured keep their place while they come."""
    tokens = _parser().parse(text)
    title = _take_title(tokens)
    headings = tuple(_anchored(tokens))
    lead, passages = _lead(tokens), tuple(_passages(tokens, title))
    for token in tokens:
        _sized(token, measure)
        _made_safe(token, readdress)
    _named_tables(tokens, title)
    parser = _parser()
    return Document(
        title, lead, Markup(parser.renderer.render(tokens, parser.options, {})), headings, passages
    )


def inline(text: str) -> Markup:
    """A sentence with emphasis, code and links."""
    return Markup(_parser().renderInline(" ".join(text.split())))


def anchor_of(text: str) -> str:
    """As GitHub makes it: `What it is for?` → `what-it-is-for`."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    return parser


def _code(_: RendererHTML, tokens: Sequence[Token], place: int, *__: Any) -> str:
    return f'<div class="command"><pre tabindex="0"><code>{escape(tokens[place].content.rstrip())}</code></pre></div>\n'


def _table_open(_: RendererHTML, tokens: Sequence[Token], place: int, *__: Any) -> str:
    name = escape(str(tokens[place].meta.get("name", "Table")))
    return f'<div class="prose-table" tabindex="0" role="region" aria-label="{name}">\n<table>\n'


def _take_title(tokens: list[Token]) -> str:
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            title = _plain(tokens[place + 1])
            del tokens[place : place + 3]
            return title
    return ""


def _lead(tokens: Sequence[Token]) -> str:
    """The first paragraph that no heading stands above."""
    for token, content in pairwise(tokens):
        if token.type == "heading_open":
            break
        if token.type == "paragraph_open":
            return _plain(content)
    return ""


def _passages(tokens: Sequence[Token], title: str) -> Iterator[Passage]:
    heading, anchor, words = title, "", list[str]()
    before = ""
    for token in tokens:
        if token.type == "heading_open":
            yield Passage(heading, anchor, " ".join(words))
            anchor, words = str(token.attrs["id"]), []
        elif token.type == "inline" and before == "heading_open":
            heading = _plain(token)
        elif token.type in ("inline", "fence", "code_block"):
            words.append(_plain(token) if token.children else " ".join(token.content.split()))
        before = token.type
    yield Passage(heading, anchor, " ".join(words))


def _anchored(tokens: list[Token]) -> list[Heading]:
    """Gives headings their anchors; repeated ones get a number as GitHub gives it."""
    found: list[Heading] = []
    seen: dict[str, int] = {}
    for token, content in pairwise(tokens):
        if token.type != "heading_open":
            continue
        text = _plain(content)
        anchor = anchor_of(text)
        seen[anchor] = number = seen.get(anchor, -1) + 1
        anchor += f"-{number}" if number else ""
        token.attrSet("id", anchor)
        if token.tag in ("h2", "h3"):
            found.append(Heading(int(token.tag[1]), text, anchor))
    return found


def _plain(token: Token) -> str:
    parts = ("\n" if child.type == "softbreak" else child.content for child in token.children or [])
    return " ".join("".join(parts).split())


def _sized(token: Token, measure: Measure) -> None:
    for child in token.children or []:
        if child.type == "image" and (size := measure(str(child.attrs["src"]))):
            child.attrSet("width", str(size[0]))
            child.attrSet("height", str(size[1]))


def _made_safe(token: Token, readdress: Readdress) -> None:
    if name := _ALIGNED.get(str(token.attrs.pop("style", "")), ""):
        token.attrSet("class", name)
    for child in token.children or []:
        for attribute in ("href", "src"):
            if attribute in child.attrs:
                child.attrSet(attribute, readdress(str(child.attrs[attribute])))
        if child.type == "image":
            child.attrSet("loading", "lazy")
    if token.children:
        token.children = _without_dead_links(token.children)


def _without_dead_links(children: list[Token]) -> list[Token]:
    """Links without an address are shown as their text."""
    kept: list[Token] = []
    dead = False
    for child in children:
        if child.type == "link_open" and not child.attrs.get("href"):
            dead = True
        elif child.type == "link_close" and dead:
            dead = False
        else:
            kept.append(child)
    return kept


def _named_tables(tokens: list[Token], title: str) -> None:
    """Tables are named after the heading that they stand under; repeated names get a number."""
    name, seen = title, dict[str, int]()
    for token, content in pairwise(tokens):
        if token.type == "heading_open":
            name = _plain(content)
        elif token.type == "table_open":
            seen[name] = number = seen.get(name, 0) + 1
            token.meta["name"] = f"Table: {name}" + (f", {number}" if number > 1 else "")

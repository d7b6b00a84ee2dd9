"""Words in the guides: each passage that holds all of them; first those with whole words, above all in their heading."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tomoportal.web.content.guides import Guide
from tomoportal.web.content.markdown import Document, Passage
from tomoportal.web.found import Parts

MOST_WORDS = 8
MOST_FOUND = 30
AROUND = 110
"""Letters that are shown before and after the first word that was found."""


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage of a guide: `heading` and `excerpt` in pieces, with whether they match."""

    guide: str
    href: str
    heading: Parts
    excerpt: Parts


def find(text: str, guides: Iterable[tuple[Guide, Document]]) -> tuple[FoundPassage, ...]:
    """The passages in which every word of `text` begins a word, in any case; nothing when there are no words."""
    words = re.findall(r"[\w.-]*\w", text)[:MOST_WORDS]
    if not words:
        return ()
    wanted = [re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE) for word in words]
    whole = [re.compile(rf"{pattern.pattern}(?:e?s)?(?!\w)", re.IGNORECASE) for pattern in wanted]
    phrase = re.compile(r"\W+".join(map(re.escape, words)), re.IGNORECASE)
    either = re.compile("|".join(pattern.pattern for pattern in wanted), re.IGNORECASE)
    found = [
        (_rank(passage, wanted, whole, phrase), _told(guide, document, passage, either))
        for guide, document in guides
        for passage in document.passages
        if all(pattern.search(f"{passage.heading} {passage.text}") for pattern in wanted)
    ]
    return tuple(told for _, told in sorted(found, key=lambda pair: pair[0], reverse=True)[:MOST_FOUND])


def _rank(
    passage: Passage, wanted: list[re.Pattern[str]], whole: list[re.Pattern[str]], phrase: re.Pattern[str]
) -> tuple[int, ...]:
    """How many words stand as they are, or in the plural, in the heading and in the text; how many begin one of the heading; how
    often all of them follow each other, how often any occurs."""
    return (
        sum(bool(pattern.search(passage.heading)) for pattern in whole),
        sum(bool(pattern.search(passage.text)) for pattern in whole),
        sum(bool(pattern.search(passage.heading)) for pattern in wanted),
        len(phrase.findall(passage.text)),
        sum(len(pattern.findall(passage.text)) for pattern in wanted),
    )


def _told(guide: Guide, document: Document, passage: Passage, either: re.Pattern[str]) -> FoundPassage:
    href = guide.href + (f"#{passage.anchor}" if passage.anchor else "")
    return FoundPassage(
        document.title, href, _parts(passage.heading, either), _parts(_excerpt(passage.text, either), either)
    )


def _excerpt(text: str, either: re.Pattern[str]) -> str:
    """The text around the first word that was found, cut between words."""
    first = either.search(text)
    at = first.start() if first else 0
    start, stop = max(0, at - AROUND), at + AROUND
    start = text.find(" ", start) + 1 if start else 0
    stop = text.rfind(" ", 0, stop) if stop < len(text) else len(text)
    shown = text[min(start, at) : max(stop, at)]
    return f"{'…' if start else ''}{shown}{'…' if stop < len(text) else ''}"


def _parts(text: str, either: re.Pattern[str]) -> Parts:
    parts: list[tuple[str, bool]] = []
    end = 0
    for match in either.finditer(text):
        parts += [(text[end : match.start()], False), (match[0], True)]
        end = match.end()
    return tuple(part for part in (*parts, (text[end:], False)) if part[0])

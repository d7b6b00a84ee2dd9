"""The answer of the database to a search → where it matched, with the words marked. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tomoportal.catalog.search.index import LINE
from tomoportal.catalog.search.passages import IDENTIFIER, LABELS, SUBJECTS, Place, places
from tomoportal.catalog.search.terms import Term, terms
from tomoportal.catalog.words import Word, words
from tomoportal.model import query
from tomoportal.model.registry import entity as entity_named

MOST = 3
"""Places that are told of one result."""
LONGEST = 180
"""Letters of a text that are told."""
BEFORE = 60
"""Letters told before the first match of a long text."""
CUT, NEXT_LINE = "…", " · "

Marks = list[tuple[int, int]]


def told(answer: str, asked: query.Ranked) -> str:
    """The answer of `compile.search.ranked` as `query.Ranked` describes it."""
    found, wanted = json.loads(answer), terms(asked.text).wanted
    found["counts"] = [{"entity": SUBJECTS[item["kind"]], "count": item["count"]} for item in found["counts"]]
    found["hits"] = [_hit(hit, wanted) for hit in found["hits"]]
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def names_told(answer: str) -> str:
    """The answer of `compile.search.named` as `query.Named` describes it: the first line of a text is the name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in json.loads(answer):
        name = item["text"].partition(LINE)[0]
        known = found.setdefault((item["label"], name), {**item, "name": name, "count": 0})
        known["count"] += item["count"]
    return json.dumps(list(found.values()), ensure_ascii=False, separators=(",", ":"))


def marked(text: str, wanted: Sequence[Term]) -> list[tuple[str, bool]]:
    """A text in parts: what stands between, and what matches a term."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for start, end in _joined_marks(_marks(text, wanted)):
        parts += [(text[at:start], False), (text[start:end], True)]
        at = end
    parts.append((text[at:], False))
    return [part for part in parts if part[0]]


def _hit(hit: dict[str, Any], wanted: Sequence[Term]) -> dict[str, Any]:
    entity = SUBJECTS[hit.pop("kind")]
    matches = _identifier(entity, hit["id"], wanted) + _chosen(hit.pop("matches"), wanted)
    if not matches:
        shown = [f"{term.prefix}-{term.number}" for term in wanted if term.prefix]
        matches = [
            _match(IDENTIFIER, f"holds {', '.join(shown)}", [("holds ", False), (", ".join(shown), True)])
        ]
    return {"entity": entity, **hit, "matches": matches[:MOST]}


def _identifier(entity: str, id: int, wanted: Sequence[Term]) -> list[dict[str, Any]]:
    prefix = entity_named(entity).names.prefix
    if any(term.number == id and term.prefix in ("", prefix) for term in wanted):
        shown = f"{prefix}-{id}"
        return [_match(IDENTIFIER, shown, [(shown, True)])]
    return []


def _chosen(texts: Sequence[dict[str, Any]], wanted: Sequence[Term]) -> list[dict[str, Any]]:
    """Texts in which something matches that did not match before, best first, and one text of each other label."""
    matches: list[dict[str, Any]] = []
    seen: set[Term] = set()
    labels: set[str] = set()
    for item in texts:
        label, text = places()[item["place"]].label, item["text"]
        here = {term for term in wanted if _marks(text, [term])}
        if here - seen or label not in labels:
            seen |= here
            labels.add(label)
            short = _snippet(text, wanted, is_named=LABELS[label].is_named)
            matches.append(_match(label, short, marked(short, wanted), _belonging(places()[item["place"]])))
    return matches


def _belonging(place: Place) -> str:
    """Whose title, name, … it is, if not that of the row itself."""
    of_another = place.path and place.label in ("title", "name", "organism", "sample")
    return f" of a {place.end().names.one.lower()}" if of_another else ""


def _match(label: str, text: str, parts: Sequence[tuple[str, bool]], belonging: str = "") -> dict[str, Any]:
    told_parts = [{"text": part, "isMatch": is_match} for part, is_match in parts]
    return {"label": label, "words": f"{LABELS[label].words}{belonging}", "text": text, "parts": told_parts}


def _snippet(text: str, wanted: Sequence[Term], *, is_named: bool) -> str:
    """The line with most matches, cut around the first; behind the name of what it is about, if the first line is one."""
    lines = text.split(LINE)
    best = max(lines, key=lambda line: len({term for term in wanted if _marks(line, [term])}))
    short = _cut(best, _marks(best, wanted))
    return f"{lines[0]}{NEXT_LINE}{short}" if is_named and best is not lines[0] else short


def _cut(line: str, marks: Marks) -> str:
    if len(line) <= LONGEST:
        return line
    first = min((start for start, _ in marks), default=0)
    start = max(0, min(first - BEFORE, len(line) - LONGEST))
    end = min(len(line), start + LONGEST)
    start = line.find(" ", start, first) + 1 or start if start else 0
    end = line.rfind(" ", first + 1, end) if end < len(line) and " " in line[first + 1 : end] else end
    return f"{CUT if start else ''}{line[start:end]}{CUT if end < len(line) else ''}"


def _marks(text: str, wanted: Sequence[Term]) -> Marks:
    """The places (start, end) of the letters that match terms."""
    found = words(text)
    marks: Marks = []
    for term in wanted:
        for first in range(len(found) - len(term.words) + 1):
            here = found[first : first + len(term.words)]
            if _fits(term, here):
                marks.append((here[0].start, here[-1].end))
    return sorted(marks)


def _fits(term: Term, here: Sequence[Word]) -> bool:
    *others, last = (word.word for word in here)
    begins = last == term.words[-1] if term.is_whole else last.startswith(term.words[-1])
    return begins and tuple(others) == term.words[:-1]


def _joined_marks(marks: Marks) -> Marks:
    joined: Marks = []
    for start, end in marks:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined

"""Words → SQL: the condition that rows are found by them, rows in order of how well they match, names that fit.

A row scores, for each term, twice the weight of the best place where it matches, and one more when the word is whole. Scores are
whole numbers, ties go to the later release and then to the smaller id, so that every database gives the same order. CROSS JOIN
has SQLite begin with the few texts that match, whatever it thinks of the number of their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tomoportal.catalog.compile.dialect import Dialect
from tomoportal.catalog.compile.order import whole
from tomoportal.catalog.compile.writer import Source, Statement, Writer, joined
from tomoportal.catalog.search.passages import (
    CONTAINED,
    IDENTIFIER,
    LABELS,
    SUBJECTS,
    TITLES,
    is_searchable,
    places_of,
)
from tomoportal.catalog.search.tables import LINK, TEXT, WORD
from tomoportal.catalog.search.terms import Term, terms
from tomoportal.catalog.tables import RELEASE
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.fields import Kind
from tomoportal.model.registry import entity as entity_named

MOST_HITS = 100
"""Results of one search that are given at once."""
MOST_MATCHES = 12
"""Texts of a result among which those to show are chosen."""
_BEHIND_ALL = "\U0010ffff"

Conditions = Callable[[Writer, Source, query.Condition], str]
"""`condition.condition`, which this module is part of."""

_HOLDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Dataset": {
        "CZCDP": ("deposition_id",), "RN": ("runs", "id"), "TS": ("runs", "tiltseries", "id"), "AL": ("runs", "alignments", "id"),
        "TM": ("runs", "tomograms", "id"), "AN": ("runs", "annotations", "id"),
    },
    "Deposition": {"DS": ("datasets", "id"), "TM": ("tomograms", "id"), "AN": ("annotations", "id")},
    "Run": {"TS": ("tiltseries", "id"), "AL": ("alignments", "id"), "TM": ("tomograms", "id"), "AN": ("annotations", "id")},
}  # fmt: skip
"""Where the identifiers stand of what a row holds, by their prefix."""


def found_by(writer: Writer, source: Source, asked: query.Search, conditions: Conditions) -> str:
    """The row is found by all words of a text, and by none of those that are unwanted."""
    name = source.entity.__name__
    if not is_searchable(source.entity):
        raise QueryError(f"{name} cannot be searched by words")
    wanted = terms(asked.text)
    parts = [
        _found(writer, source, term, asked.labels, conditions, is_first=number == 0)
        for number, term in enumerate(wanted.wanted)
    ]
    parts += [f"NOT {_found(writer, source, term, asked.labels, conditions)}" for term in wanted.unwanted]
    return joined("AND", parts) if parts else "TRUE"


def ranked(writer: Writer, asked: query.Ranked, conditions: Conditions) -> Statement:
    """The JSON object that `query.Ranked` describes, with whole texts in place of `parts`."""
    entities = asked.entities or SUBJECTS
    for name in entities:
        if name not in SUBJECTS:
            raise QueryError(f"{name} cannot be searched by words; expected some of {', '.join(SUBJECTS)}")
    if asked.where != query.EVERYTHING and len(entities) != 1:
        raise QueryError("a condition goes with one kind of results only")
    if whole("limit", asked.limit) > MOST_HITS:
        raise QueryError(f"a search gives at most {MOST_HITS} results at once, not {asked.limit}; use offset")
    return writer.statement(_Ranking(writer, asked, entities, conditions).text())


def named(writer: Writer, asked: query.Named) -> Statement:
    """The JSON list that `query.Named` describes."""
    dialect, wanted = writer.dialect, terms(asked.text).wanted
    of = places_of(asked.entity, asked.labels)
    numbers = ", ".join(str(place.number) for place in of)
    labels = " ".join(f"WHEN {place.number} THEN {dialect.literal(place.label)}" for place in of)
    now = writer.constant("now", writer.scope.now)
    fitting = f"SELECT text_id FROM hit GROUP BY text_id HAVING count(*) = {len(wanted)}"
    columns = "x.text AS text, min(l.place) AS place, count(DISTINCT l.row_id) AS n, min(l.row_id) AS id, max(l.weight) AS w"
    rows = (
        f"SELECT {columns} FROM ({fitting}) AS f CROSS JOIN {LINK} AS l CROSS JOIN {TEXT} AS x "
        f"WHERE l.text_id = f.text_id AND x.id = l.text_id AND l.kind = {SUBJECTS.index(asked.entity)} "
        f'AND l.place IN ({numbers}) AND l."{RELEASE}" <= {now} '
        f"GROUP BY x.id, x.text ORDER BY n DESC, w DESC, text LIMIT {writer.bind(whole('limit', asked.limit))}"
    )
    members = {
        "label": (f"CASE g.place {labels} END", Kind.STR), "text": ("g.text", Kind.STR),
        "count": ("g.n", Kind.INT), "id": ("g.id", Kind.INT),
    }  # fmt: skip
    if not wanted or not of:
        return writer.statement(f"SELECT {dialect.literal('[]')}")
    answer = dialect.text(dialect.json_list(_object(dialect, members), f"({rows}) AS g"))
    return writer.statement(f"WITH {_hits(writer, wanted)} SELECT {answer}")


class _Ranking:
    """The statement of a search in the making."""

    def __init__(
        self, writer: Writer, asked: query.Ranked, entities: Sequence[str], conditions: Conditions
    ) -> None:
        self.writer, self.asked, self.entities, self.conditions = writer, asked, entities, conditions
        self.terms = terms(asked.text)
        self.now = writer.constant("now", writer.scope.now)

    def text(self) -> str:
        """The whole."""
        dialect = self.writer.dialect
        groups = "(SELECT kind, count(*) AS n FROM found GROUP BY kind ORDER BY kind) AS c"
        counts = dialect.json_list(
            _object(dialect, {"kind": ("c.kind", Kind.INT), "count": ("c.n", Kind.INT)}), groups
        )
        members = [
            ("total", dialect.shown("(SELECT count(*) FROM found)", Kind.INT)),
            ("counts", dialect.nested(counts)),
            ("hits", dialect.nested(self._best())),
        ]
        steps = [
            _hits(self.writer, self.terms.wanted),
            self._points(),
            f"found AS MATERIALIZED ({self._found()})",
        ]
        return f"WITH {', '.join(steps)} SELECT {dialect.text(dialect.json_object(members))}"

    def _points(self) -> str:
        """`score`: rows in which every term is found, and what they score."""
        kinds = ", ".join(str(SUBJECTS.index(name)) for name in self.entities)
        linked = (
            f"SELECT l.kind, l.row_id, h.term, 2 * l.weight + h.exact AS points FROM hit AS h CROSS JOIN {LINK} AS l "
            f'WHERE l.text_id = h.text_id AND l.kind IN ({kinds}) AND l."{RELEASE}" <= {self.now}'
        )
        given = [linked, *self._identified()]
        if len(self.terms.wanted) == 1:
            return f"score AS (SELECT kind, row_id, max(points) AS score FROM ({' UNION ALL '.join(given)}) AS p GROUP BY kind, row_id)"
        best = f"SELECT kind, row_id, term, max(points) AS points FROM ({' UNION ALL '.join(given)}) AS p GROUP BY kind, row_id, term"
        every = f"SELECT kind, row_id, sum(points) AS score FROM ({best}) AS b GROUP BY kind, row_id"
        return f"score AS ({every} HAVING count(*) = {len(self.terms.wanted)})"

    def _identified(self) -> list[str]:
        found = []
        for number, term in enumerate(self.terms.wanted):
            for name in self.entities:
                for where, weight in _identifiers(name, term):
                    source = self.writer.source(name)
                    found.append(
                        f"SELECT {SUBJECTS.index(name)}, {source.column('id')}, {number}, {2 * weight + 1} "
                        f"FROM {self.writer.table(source)} WHERE {self.conditions(self.writer, source, where)}"
                    )
        return found

    def _found(self) -> str:
        """Visible rows with what they are put in order by."""
        parts = []
        for name in self.entities:
            source = self.writer.source(name)
            where = [f"s.kind = {SUBJECTS.index(name)}", self.writer.visible(source)]
            where += [
                f"NOT {_found(self.writer, source, term, (), self.conditions)}"
                for term in self.terms.unwanted
            ]
            if self.asked.where != query.EVERYTHING:
                where.append(self.conditions(self.writer, source, self.asked.where))
            parts.append(
                f"SELECT s.kind, s.row_id, s.score, {source.column(RELEASE)} AS release, {source.column(TITLES[name])} AS title "
                f"FROM score AS s JOIN {self.writer.table(source)} ON {source.column('id')} = s.row_id WHERE {' AND '.join(where)}"
            )
        return " UNION ALL ".join(parts) if self.terms.wanted else f"{' UNION ALL '.join(parts)} LIMIT 0"

    def _best(self) -> str:
        dialect, order = self.writer.dialect, "score DESC, release DESC, kind, row_id"
        limit = self.writer.bind(self.asked.limit)
        offset = self.writer.bind(whole("offset", self.asked.offset)) if self.asked.offset else None
        chosen = f"(SELECT * FROM found ORDER BY {order}{dialect.window(limit, offset)}) AS f"
        rows = f"(SELECT f.*, {self._matches()} AS matches FROM {chosen} ORDER BY {order}) AS g"
        members = {
            "kind": ("g.kind", Kind.INT), "id": ("g.row_id", Kind.INT), "title": ("g.title", Kind.STR), "score": ("g.score", Kind.INT),
            "matches": ("g.matches", Kind.MATRIX),
        }  # fmt: skip
        return dialect.json_list(_object(dialect, members), rows)

    def _matches(self) -> str:
        texts = (
            f"(SELECT l.place AS place, x.text AS text FROM {LINK} AS l JOIN hit AS h ON h.text_id = l.text_id "
            f"JOIN {TEXT} AS x ON x.id = l.text_id "
            f'WHERE l.kind = f.kind AND l.row_id = f.row_id AND l."{RELEASE}" <= {self.now} GROUP BY l.place, l.text_id, x.text '
            f"ORDER BY max(2 * l.weight + h.exact) DESC, l.place, x.text LIMIT {MOST_MATCHES}) AS m"
        )
        dialect = self.writer.dialect
        return dialect.json_list(
            _object(dialect, {"place": ("m.place", Kind.INT), "text": ("m.text", Kind.STR)}), texts
        )


def _object(dialect: Dialect, members: Mapping[str, tuple[str, Kind]]) -> str:
    """A JSON object of values of a kind."""
    return dialect.json_object([(key, dialect.shown(value, kind)) for key, (value, kind) in members.items()])


def _hits(writer: Writer, wanted: Sequence[Term]) -> str:
    """`hit`: the texts in which each term stands, and whether its last word is whole there."""
    parts = [
        f"SELECT {number} AS term, text_id, max(exact) AS exact FROM ({_texts(writer, term)}) AS t GROUP BY text_id"
        for number, term in enumerate(wanted)
    ]
    return f"hit AS MATERIALIZED ({' UNION ALL '.join(parts) or 'SELECT 0 AS term, 0 AS text_id, 0 AS exact LIMIT 0'})"


def _neighbours(words: Sequence[str]) -> tuple[str, list[str]]:
    """Each word (`w0`, `w1` …) in the same text at its place beside the others. The longest is looked up first: mostly it stands in the
    fewest texts."""
    numbers = range(len(words))
    first = max(numbers, key=lambda number: len(words[number]))
    others = [number for number in numbers if number != first]
    sources = " CROSS JOIN ".join(f"{WORD} AS w{number}" for number in (first, *others))
    return sources, [
        f"w{number}.text_id = w{first}.text_id AND w{number}.position = w{first}.position + ({number - first})"
        for number in others
    ]


def _texts(writer: Writer, term: Term) -> str:
    """`text_id` of every text with the words of a term side by side, and `exact`."""
    last = len(term.words) - 1
    sources, near = _neighbours(term.words)
    bound = [writer.bind(word) for word in term.words]
    where = [*near, *(f"w{number}.word = {bound[number]}" for number in range(last))]
    if term.is_whole:
        where.append(f"w{last}.word = {bound[last]}")
    else:
        where.append(
            f"w{last}.word >= {bound[last]} AND w{last}.word < {writer.bind(term.words[last] + _BEHIND_ALL)}"
        )
    exact = f"CASE WHEN w{last}.word = {bound[last]} THEN 1 ELSE 0 END"
    return f"SELECT w0.text_id AS text_id, {exact} AS exact FROM {sources} WHERE {' AND '.join(where)}"


def _found(
    writer: Writer,
    source: Source,
    term: Term,
    labels: tuple[str, ...],
    conditions: Conditions,
    *,
    is_first: bool = False,
) -> str:
    """The row is found by a term; the rows of the first may be those to begin with."""
    name = source.entity.__name__
    now = writer.constant("now", writer.scope.now)
    only = ""
    if labels:
        numbers = [str(place.number) for place in places_of(name, labels)]
        only = f" AND place IN ({', '.join(numbers) or '-1'})"
    texts = f"SELECT text_id FROM ({_texts(writer, term)}) AS t"
    rows = f'SELECT row_id FROM {LINK} WHERE kind = {SUBJECTS.index(name)} AND "{RELEASE}" <= {now} AND text_id IN ({texts}){only}'
    parts = [writer.dialect.is_among(source.column("id"), rows, is_first=is_first)]
    if not labels or IDENTIFIER in labels:
        parts += [conditions(writer, source, where) for where, _ in _identifiers(name, term)]
    return joined("OR", parts)


def _identifiers(name: str, term: Term) -> list[tuple[query.Condition, int]]:
    """Conditions that a row has the identifier that was typed, or holds what has it, and what each is worth."""
    if term.number is None:
        return []
    if term.prefix in ("", entity_named(name).names.prefix):
        return [(query.Compare("id", "eq", term.number), LABELS[IDENTIFIER].weight)]
    if term.prefix not in _HOLDERS.get(name, {}):
        return []
    *path, field = _HOLDERS[name][term.prefix]
    return [(query.through(path, query.Compare(field, "eq", term.number)), CONTAINED)]

"""Regular expressions of RE2, rewritten for PostgreSQL, against RE2 itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fixtures_postgres import PostgresBackend
from tomoportal.catalog.compile.expressions import check_regex, compiled
from tomoportal.catalog.compile.letters import lower_case, lower_letters
from tomoportal.catalog.compile.patterns import portable
from tomoportal.errors import QueryError

MANY = 5000 if os.environ.get("TOMOPORTAL_TEST_ALL") else 150
TEXTS = [
    "", "a", "A", "ab",
    "aB c", "TS_01", "TS[1]*?", "x\\y", "ÄÖÜ straße", "Straẞe", "İstanbul ı", "K k K ſ S", "K", "ſ", "µm μ", "Σς σ", "12-3", "a\nb",
    "\n", "_", "é É", "日本", "𝔘", "}{", "^$|()", "aaaaaaaaaaaa", "\t", "\x0b", "ab\n", "Kaas",
]  # fmt: skip
LETTERS = "aAbkKsSTß_ 1-Äµσé日\n"


@pytest.fixture(scope="module")
def connection(postgres: PostgresBackend) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.server.render_as_string()) as connection:
        yield connection


def found(connection: psycopg.Connection, pattern: str, ignore_case: bool) -> list[str]:
    asked = 'SELECT text FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, n) WHERE text COLLATE "C" ~ %s ORDER BY n'
    return [text for (text,) in connection.execute(asked, (TEXTS, portable(pattern, ignore_case)))]


def expected(pattern: str, ignore_case: bool) -> list[str]:
    expression = compiled(pattern, ignore_case)
    return [text for text in TEXTS if expression.search(text)]


def atoms() -> st.SearchStrategy[str]:
    letter = st.sampled_from(LETTERS)
    plain = letter.map(lambda a: f"\\{a}" if a in "-" else a)
    escapes = st.sampled_from(
        [r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\x41", r"\x{e9}", r"\n", r"\.", r"\[", r"\\", r"\{",
         ".", r"\b", r"\B", "^", "$", r"\A", r"\z"]
    )  # fmt: skip
    inside = st.one_of(
        letter.map(lambda a: f"\\{a}" if a in "-^]" else a),
        st.sampled_from(["a-z", "A-K", "0-9", "à-ÿ", "α-ω", r"\d", r"\W", r"\s", "[:alpha:]", "[:^alpha:]",
                         "[:^digit:]", "[:punct:]", r"\x{3b1}-\x{3c9}"]),
    )  # fmt: skip
    classes = st.builds(
        lambda negated, members: f"[{'^' * negated}{''.join(members)}]",
        st.booleans(),
        st.lists(inside, min_size=1, max_size=3),
    )
    return st.one_of(plain, plain, escapes, classes)


def patterns() -> st.SearchStrategy[str]:
    repeats = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??", "{1,2}?"])
    groups = st.sampled_from(["(", "(?:", "(?P<name>", "(?i:", "(?s:", "(?i)(", "(?-i:"])
    return st.recursive(
        atoms(),
        lambda inner: st.one_of(
            st.builds(lambda part, repeat: f"(?:{part}){repeat}", inner, repeats),
            st.builds(lambda part, repeat: f"{part}{repeat}", atoms(), repeats),
            st.builds(lambda group, part: f"{group}{part})", groups, inner),
            st.lists(inner, min_size=2, max_size=4).map("".join),
            st.lists(inner, min_size=1, max_size=3).map("|".join),
            inner.map(lambda part: f"{part}|"),
        ),
        max_leaves=8,
    )


@given(pattern=patterns(), ignore_case=st.booleans())
@settings(max_examples=MANY, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_same_texts_are_found(connection: psycopg.Connection, pattern: str, ignore_case: bool) -> None:
    try:
        check_regex(pattern, ignore_case)
    except QueryError:
        assume(False)
    assert found(connection, pattern, ignore_case) == expected(pattern, ignore_case)


@pytest.mark.parametrize(
    "pattern",
    ["^TS", "a{300}", "a{2,700}", "(a|b)*c", "(?i)STRASSE|straße", r"[[:^alpha:]]\b",
     r"\W\b", r"[\W]", "***:a", "***=a", "a{,2}", "]", "}", "[]a]", "[^]a]", "[a\\-]"],
)  # fmt: skip
@pytest.mark.parametrize("ignore_case", [False, True])
def test_expressions_with_traps(connection: psycopg.Connection, pattern: str, ignore_case: bool) -> None:
    try:
        check_regex(pattern, ignore_case)
    except QueryError:
        pytest.skip("RE2 does not understand it, so that it is refused before")
    assert found(connection, pattern, ignore_case) == expected(pattern, ignore_case)


@pytest.mark.parametrize("pattern", [r"\pL", r"\p{Greek}", r"\PN", r"\Qa.b\E", r"\C", "(?m)^a", r"[\p{Lu}]"])
def test_what_postgres_cannot_say_is_refused(pattern: str) -> None:
    check_regex(pattern, False)
    with pytest.raises(QueryError, match="cannot be used where the catalogue lies in PostgreSQL"):
        portable(pattern, False)


def test_letters_of_two_cases_are_as_python_has_them() -> None:
    upper, lower = lower_letters()
    assert len(upper) == len(lower) > 1300
    table = str.maketrans(upper, lower)
    everything = "".join(chr(n) for n in range(1, 0x110000) if not 0xD800 <= n < 0xE000)
    assert everything.translate(table) == "".join(map(lower_case, everything))

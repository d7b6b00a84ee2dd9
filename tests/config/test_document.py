"""Files that are not usable YAML get one sentence each, and cannot exhaust the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tomoportal.config.document import MAX_BYTES, Document, parse_document, read_document
from tomoportal.problems import Problem

BOMB = b"a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 30)
)


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "yaml-empty", 1),
        (b"# only a comment\n", "yaml-empty", 1),
        (b"\x7fELF\x02\x00\x00", "yaml-binary", None),
        (b"a: 1\nname: J\xfcrgen\n", "yaml-encoding", 2),
        (b"a:\n\tb: 1\n", "yaml-tab", 2),
        (b"a: 1\n---\nb: 2\n", "yaml-documents", 2),
        (b"a: [1, 2\nb: 3\n", "yaml-syntax", 2),
        (b"a: *nowhere\n", "yaml-syntax", 1),
        (b"[" * 200_000, "yaml-too-deep", 1),
        (b"{a: " * 200_000, "yaml-too-deep", 1),
        (b"- " * 100_000, "yaml-too-deep", 1),
        (BOMB, "yaml-aliases", None),
        (b"&a [*a]", "yaml-aliases", 1),
        (b"a: &a {b: *a}", "yaml-aliases", 1),
    ],
    ids=lambda value: str(value)[:30],
)
def test_unusable_files(data: bytes, code: str, line: int | None) -> None:
    problem = parse_document(data, "x.yaml")

    assert isinstance(problem, Problem)
    assert problem.code == code
    assert problem.file == "x.yaml"
    assert line is None or problem.line == line


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    problem = read_document(path)

    assert isinstance(problem, Problem)
    assert problem.code == "yaml-too-large"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_editors_are_read(encoding: str) -> None:
    assert isinstance(parse_document("name: Jürgen\n".encode(encoding), "x"), Document)


def test_lines_of_paths() -> None:
    text = b"tiltseries:\n- metadata:\n    tilt_range:\n      min: 1\n  sources:\n  - literal:\n      value: [a,\n        b]\n"
    document = parse_document(text, "x")

    assert isinstance(document, Document)
    assert document.line_of("tiltseries[0].metadata.tilt_range.min") == 4
    assert document.line_of("tiltseries[0].sources[0].literal.value[1]") == 8
    assert document.line_of("tiltseries[0].metadata.tilt_range.max") == 3
    assert document.line_of("tiltseries[7].metadata") == 1

"""Templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomoportal.config.placeholders import (
    Unknown,
    expand,
    expand_value,
    names_in,
    template_fault,
)

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
PIECES = st.lists(
    st.one_of(NAMES.map(lambda n: f"{{{n}}}"), st.sampled_from(["{{", "}}", "a/b", "*.mrc", " ", "[x]", "ü"]))
)


@given(PIECES.map("".join), st.dictionaries(NAMES, st.text(max_size=5)))
def test_expansion_agrees_with_str_format(template: str, values: dict[str, str]) -> None:
    values |= dict.fromkeys(set(names_in(template)) - set(values), "v")

    assert expand(template, values) == template.format(**values)


def test_names_may_hold_hyphens_and_blanks() -> None:
    assert (
        expand("{tomo-voxel_spacing}/{Tomo name}", {"tomo-voxel_spacing": "10", "Tomo name": "a"}) == "10/a"
    )


@pytest.mark.parametrize(
    "template", ["{", "}", "{}", "{a", "a}", "{a.b}", "{a[0]}", "{a!r}", "{a:03d}", "{{a}", "{a{b}}"]
)
def test_faulty_templates_are_told(template: str) -> None:
    assert template_fault(template)
    with pytest.raises(ValueError, match=r"brace|placeholder"):
        expand(template, {"a": "x"})


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("float {x}", 4.0),
        ("float{x}", 4.0),
        ("int {x}", 4),
        ("  int  {x} ", 4),
        ("{x}", "4"),
        ("float x{x}", "float x4"),
    ],
)
def test_numbers(template: str, value: object) -> None:
    result = expand_value(template, {"x": "4"})

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("template", "cell"), [("float {x}", ""), ("float {x}", "nan"), ("int {x}", "4.5"), ("int {x}", "a")]
)
def test_bad_numbers_are_told(template: str, cell: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        expand_value(template, {"x": cell})


def test_unknown_and_absent_names() -> None:
    with pytest.raises(Unknown, match="y"):
        expand("{x}{y}", {"x": "1"})
    with pytest.raises(Unknown, match="x"):
        expand("{x}", {"x": None})


def test_a_number_with_a_comma_is_told_with_a_point() -> None:
    with pytest.raises(ValueError, match=r"found '2,7', expected a number; write 2\.7 with a point"):
        expand_value("float {cs}", {"cs": "2,7"})

"""Choosing by type and name, by pure functions: what is chosen, what comes along, and what nothing refers to."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.config.sections import SECTIONS
from tomoportal.errors import UsageError
from tomoportal.ingest.selection import EVERYTHING, WORDS, Selection, needs, with_needs, without_loose_ends
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key, folder, sidecar

RUN = Key("run", dataset="20002", run="TS_1")
ALIGNMENT = RUN.of("alignment", id=100)
NAMES = st.text(alphabet="abTS_.-01()[]*+éß ", min_size=1, max_size=12)


def task(key: Key, **links: str) -> Task:
    return Task(key, {"deposition_id": 1}, {}, {}, {}, links, why="new")


def volume(kind: str, number: int, alignment: str | None = sidecar(ALIGNMENT)) -> Task:
    return task(RUN.of(kind, spacing="10.000", id=number), alignment_metadata_path=alignment)


WHOLE = [task(RUN), task(RUN.of("frames")), task(RUN.of("tiltseries", id=100)), task(ALIGNMENT),
         volume("tomogram", 100), volume("annotation", 100), volume("annotation", 101)]  # fmt: skip
SIDECARS = {sidecar(one.key, "x-1.0"): one for one in WHOLE}


def places(tasks: list[Task]) -> set[str]:
    return {folder(one.key) for one in tasks}


@given(NAMES)
@settings(max_examples=60)
def test_names_match_from_their_start_and_exclusion_wins(name):
    literal = re.escape(name)
    chosen = Selection.of(include=[f"run={literal}"])
    assert chosen.names("run", (name,))
    assert chosen.names("run", (f"{name}_more",))
    assert not chosen.names("run", (f"/{name}",))
    assert chosen.names("tomogram", (name,))
    assert not Selection.of(include=[f"run={literal}"], exclude=[f"runs={literal}"]).names("run", (name,))


@given(
    st.lists(st.sampled_from(WHOLE), unique_by=lambda one: folder(one.key)),
    st.sets(st.integers(0, len(WHOLE) - 1)),
)
@settings(max_examples=100)
def test_what_is_chosen_comes_with_what_it_needs_and_nothing_else(chosen, published):
    missing = [folder(one.key) for number, one in enumerate(WHOLE) if number not in published]
    done = with_needs(chosen, WHOLE, SIDECARS, missing)
    there = places(done)
    assert places(chosen) <= there
    assert len(done) == len(there)
    for one in done:
        assert all(need in there or need not in missing for need in needs(one, SIDECARS))
    added = [one for one in done if folder(one.key) not in places(chosen)]
    assert all("needed by" in one.why for one in added)
    needed = {need for one in done for need in needs(one, SIDECARS)}
    assert places(added) <= needed & set(missing)
    assert [one for one in done if "needed by" not in one.why] == [one for one in done if one in chosen]


@given(st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=100)
def test_any_text_is_a_choice_or_wrong_usage(kind, regex):
    for options in ({"only": [kind]}, {"include": [f"{kind}={regex}"]}, {"exclude": [kind + regex]}):
        with suppress(UsageError):
            Selection.of(**options)


def test_every_section_is_a_word_in_singular_and_plural():
    assert set(SECTIONS) <= set(WORDS)
    for word in ("tomogram", "tomograms", "Tomograms", "run", "tiltseries", "dataset-keyphotos"):
        Selection.of(exclude=[f"{word}=x"])


def test_a_place_is_left_out_with_all_that_is_in_it():
    key = RUN.of("tomogram", spacing="13.480", id=100)
    for excluded in ("dataset=20002", "run=TS_", "voxel_spacing=13"):
        assert not Selection.of(exclude=[excluded]).takes(key, ("any",))
    assert Selection.of(exclude=["voxel_spacing=13"]).takes(ALIGNMENT, ("any",))
    assert EVERYTHING.takes(key, ())


def test_what_cannot_be_named_any_more_is_covered_by_no_expression():
    key = RUN.of("tomogram", spacing="10.000", id=100)
    assert EVERYTHING.covers(key, ())
    assert not Selection.of(include=["tomogram=.*"]).covers(key, ())
    assert not Selection.of(exclude=["tomogram=never"]).covers(key, ())
    assert Selection.of(exclude=["annotation=x"]).covers(key, ())
    assert not Selection.of(only=["annotations"]).covers(key, ())


def test_links_to_what_will_not_be_there_are_left_open():
    one = task(ALIGNMENT, tiltseries_path="a/b.json")
    assert without_loose_ends(one, ["a/b.json"]).links == {"tiltseries_path": None}
    assert without_loose_ends(one, ["other"]) is one


@pytest.mark.parametrize("word", ["tomo", "", "=x", "voxel_spacings"])
def test_unknown_types_are_told_with_the_known_ones(word):
    with pytest.raises(UsageError, match="annotations"):
        Selection.of(only=[word])

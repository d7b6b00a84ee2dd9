"""Which file of a run goes with which stack, and what gain references are called."""

from __future__ import annotations

import pytest

from tomoportal.ingest.references import chosen, gain_name, stack_of

STACKS = ["d/TS_1.st", "d/TS_1_2.mrc", "d/TS_10.st"]


@pytest.mark.parametrize(
    ("path", "stack"),
    [
        ("x/TS_1.rawtlt", "d/TS_1.st"),
        ("x/TS_1_ctf.txt", "d/TS_1.st"),
        ("x/TS_1_2_ctf.txt", "d/TS_1_2.mrc"),
        ("x/TS_1_2.rawtlt", "d/TS_1_2.mrc"),
        ("x/TS_10.defocus", "d/TS_10.st"),
        ("x/TS_1b.rawtlt", None),
        ("x/angles.rawtlt", None),
    ],
)
def test_a_file_belongs_to_the_stack_with_the_longest_name_it_begins_with(path, stack):
    assert stack_of(path, STACKS) == stack


@pytest.mark.parametrize(
    ("files", "taken", "passed_over"),
    [
        ([], [], []),
        (["any.rawtlt"], ["any.rawtlt"], []),
        (["any.tlt", "any.rawtlt"], ["any.rawtlt"], ["any.tlt"]),
        (["TS_1.tlt", "any.rawtlt"], ["TS_1.tlt"], []),
        (["TS_1_old.txt", "TS_1.txt"], ["TS_1.txt"], []),
        (["TS_1_a.txt", "TS_1_b.txt"], ["TS_1_a.txt"], ["TS_1_b.txt"]),
        (["TS_10.rawtlt"], [], []),
        (["a/TS_1.txt", "a/TS_1.txt"], ["a/TS_1.txt"], []),
    ],
)
def test_the_file_named_after_the_stack_is_taken_and_others_stacks_keep_theirs(files, taken, passed_over):
    found = chosen(files, "d/TS_1.st", STACKS)
    assert (found.files, found.passed_over) == (taken, passed_over)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("g/CountRef.mrc", "CountRef_gain.mrc"), ("g/a_gain.dm4", "a_gain.dm4"), ("g/a.b.gain", "a.b_gain.gain"),
        ("g/a.mrc.bz2", "a_gain.mrc.bz2"), ("g/gain.mrc", "gain_gain.mrc"), ("g/plain", "plain_gain"), ("g/a_gain.mrc.gz", "a_gain.mrc.gz"),
    ],
)  # fmt: skip
def test_gain_references_are_called_so_once(path, name):
    assert gain_name(path) == name
    assert gain_name(name) == name

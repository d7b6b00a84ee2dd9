"""How runs are recognised in a folder, and values as YAML."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.config.authoring.run_names import run_in, runs_of
from tomoportal.config.authoring.text import scalar


@pytest.mark.parametrize(
    ("tomograms", "others", "names", "glob", "regex"),
    [
        (
            ["t/TS_1.mrc", "t/TS_2.mrc"],
            ["m/TS_1.mdoc", "m/TS_2.mdoc"],
            ["TS_1", "TS_2"],
            "t/TS_*.mrc",
            r"(.*)\.mrc",
        ),
        (["t/a_rec.mrc", "t/b_rec.mrc"], ["a.mdoc", "b.mdoc"], ["a", "b"], "t/*_rec.mrc", r"(.*)_rec\.mrc"),
        (["P1/rec.mrc", "P2/rec.mrc"], ["P1/x.mdoc", "P2/x.mdoc"], ["P1", "P2"], "*", ""),
        (["g/P1/v/1.rec", "g/P2/v/7.rec"], ["g/P1/P1.mdoc", "g/P2/P2.mdoc"], ["P1", "P2"], "g/*", ""),
        (["only.rec"], ["only.mdoc"], ["only"], "*.rec", r"(.*)\.rec"),
    ],
)
def test_runs_are_called_by_what_tells_files_apart(tomograms, others, names, glob, regex):
    runs = runs_of({"tomograms": tomograms, "collection_metadata": others})

    assert runs is not None
    assert (runs.names, runs.pattern.globs, runs.pattern.name_regex) == (names, (glob,), regex)


def test_without_volumes_stacks_or_mdoc_files_there_are_no_runs():
    assert runs_of({"frames": ["a.tif", "b.tif"]}) is None


@pytest.mark.parametrize(
    ("path", "run"),
    [
        ("x/TS_1.st", "TS_1"),
        ("x/TS_11.st", "TS_11"),
        ("x/TS_111.st", None),
        ("ATS_1.st", None),
        ("TS_1/TS_1_a.st", "TS_1"),
    ],
)
def test_a_name_is_no_part_of_a_longer_one(path, run):
    assert run_in(path, ["TS_1", "TS_11"]) == run


_VALUES = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.dates(),
    st.sampled_from(["yes", "Null", "on", "1.0", "2025-01-01", "a: b", "# c", "- d", "{e}", "float {vs}", " x ", "~"]),
)  # fmt: skip


@settings(max_examples=300)
@given(_VALUES)
def test_values_read_back_as_they_were(value: Any):
    read = yaml.safe_load(f"key: {scalar(value)}  # said")["key"]
    if isinstance(value, float):
        assert float(read) == value
    else:
        assert read == value
        assert type(read) is type(value)
    assert isinstance(value, date) or "\n" not in scalar(value)

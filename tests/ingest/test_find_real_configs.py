"""Every pattern of every real deposition file finds something in a source tree made for it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from ingest.made_sources import Maker
from tomoportal.config import load_config
from tomoportal.ingest.find import Found, FoundItem, find
from tomoportal.problems import Severity

SHARED = Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[2].parent / "shared"))
FOLDER = SHARED / "data" / "configs"
OF_EMPTY_FILES = ("identified-objects",)
FAULTY = {"10011_draft.yaml", "10311_draft.yaml", "template.yaml"}
CONFIGS = [
    p for p in sorted((*FOLDER.glob("*.yaml"), *FOLDER.glob("gjensen/*.yaml"))) if p.name not in FAULTY
]


def _items(found: Found) -> list[FoundItem]:
    items = []
    for _, run in found.runs():
        for level in (run.items, *(spacing.items for spacing in run.spacings)):
            items += [item for some in level.values() for item in some]
    return items


@pytest.mark.skipif(not CONFIGS, reason=f"the real deposition files are not at {FOLDER}")
@pytest.mark.parametrize("path", CONFIGS or [None], ids=lambda path: path.stem if path else "none")
def test_all_globs_resolve(path: Path) -> None:
    made = Maker(path).make()
    config = load_config(path).config
    assert config is not None

    found = find(config, made.source, made.target, voxel_size=lambda _: 7.0)

    errors = [p for p in found.problems if p.severity is Severity.ERROR and p.code not in OF_EMPTY_FILES]
    assert [str(p) for p in errors] == []
    assert found.deposition is not None
    assert {d.name: {run.name for run in d.runs} for d in found.deposition.datasets} == made.runs
    counts = Counter(
        (i.entry.section, i.entry.index, int(i.source.where[:-1].rpartition("[")[2])) for i in _items(found)
    )
    short = {
        key: (counts[key], number)
        for key, number in made.expected.items()
        if counts[key] < number and key[0] != "runs"
    }
    assert short == {}
    sources = [(e, n) for s in config.sections for e in config.entries(s) for n, _ in enumerate(e.sources)]
    below_runs = [
        (e.section, e.index, n) for e, n in sources if e.section in {key[0] for key in made.expected}
    ]
    assert set(below_runs) <= set(made.expected)

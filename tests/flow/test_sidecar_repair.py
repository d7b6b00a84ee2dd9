"""A sidecar that somebody has altered is made from the data again, not from itself."""

from __future__ import annotations

import json

import pytest

HOMES = {
    "tomogram": "R1/Reconstructions/VoxelSpacing10.000/Tomograms/100",
    "annotation": "R1/Reconstructions/VoxelSpacing10.000/Annotations/100",
    "tiltseries": "R1/TiltSeries/100",
    "alignment": "R1/Alignments/100",
}
ALTERED = {
    "tomogram": ("size", {"x": 1, "y": 2, "z": 3}),
    "annotation": ("object_count", 7),
    "tiltseries": ("per_section_parameter", []),
    "alignment": ("per_section_alignment_parameters", []),
}


@pytest.mark.parametrize("more", [(), ("--metadata-only",)])
@pytest.mark.parametrize("kind", HOMES)
def test_an_altered_sidecar_becomes_what_it_was(tiny, portal, kind, more):
    assert portal.ingest(tiny.file, tiny.source).code == 0
    (path,) = (portal.layout / "20002" / HOMES[kind]).glob("*.json")
    before = path.read_bytes()
    key, value = ALTERED[kind]
    content = json.loads(before)
    assert content[key] != value
    path.write_text(json.dumps(content | {key: value}))
    ran = portal.ingest(tiny.file, tiny.source, *more)
    assert ran.problems == []
    after = json.loads(path.read_bytes())
    assert {**after, "last_updated_at": 0} == {**json.loads(before), "last_updated_at": 0}

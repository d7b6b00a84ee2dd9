"""Words and addresses of the reference system, in ours."""

from __future__ import annotations

import json

import pytest

from tomoportal.layout.mirror import Place, fingerprint
from tomoportal.layout.paths import Key
from tomoportal.layout.reference import translate, with_files_mark
from tomoportal.storage import Entry

RUN = Key("run", dataset="10500", run="TS 1+a")
HERE = "10500/TS 1+a"


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        (f"zarr://https://h.example/{HERE}/v.zarr", f"zarr://{{files}}{HERE}/v.zarr"),
        (f"precomputed://s3://bucket/deep/{HERE}/x", f"precomputed://{{files}}{HERE}/x"),
        ("zarr://https://h.example/10500/TS%201%2Ba/v.zarr", "zarr://{files}10500/TS%201%2Ba/v.zarr"),
        (f"https://h.example/a/b/{HERE}/v.zarr|zarr2:", f"{{files}}{HERE}/v.zarr|zarr2:"),
        ("https://h.example/10500/other run/v.zarr", "https://h.example/10500/other run/v.zarr"),
        (f"a shader that names {HERE}/v.zarr", f"a shader that names {HERE}/v.zarr"),
    ],
)
def test_addresses_of_a_viewer_state(address: str, ours: str) -> None:
    state = {"layers": [{"source": address}, {"source": {"url": address}}, {"source": [{"url": address}]}]}
    marked = json.loads(with_files_mark(json.dumps(state), "10500", "TS 1+a"))
    assert marked == json.loads(json.dumps(state).replace(json.dumps(address), json.dumps(ours)))


@pytest.mark.parametrize(
    "text",
    ["[1]", "{", "", '{"layers": null}', '{"layers": ["x"]}', '{"layers": [{"name": 5}]}', '{"a": NaN}'],
)
def test_a_damaged_viewer_state(text: str) -> None:
    with pytest.raises(ValueError):
        with_files_mark(text, "10500", "TS_1")


@pytest.mark.parametrize(
    ("told", "inside"),
    [
        (f"{HERE}/Frames/a.tif", f"{HERE}/Frames/a.tif"),
        (f"s3://bucket/{HERE}/Frames/a.tif", f"{HERE}/Frames/a.tif"),
        (f"/home/somebody/out/{HERE}/Frames/a.tif", f"{HERE}/Frames/a.tif"),
        ("/home/somebody/secret", None),
    ],
)
def test_paths_outside_are_cut_or_dropped(told: str, inside: str | None) -> None:
    place = Place(RUN.of("frames"), files=(Entry(f"{HERE}/Frames/a.tif", 7, "t"),))
    sidecar = translate(place, {"frames": [{"path": told}]}, {f"{HERE}/Frames/a.tif": 7}).sidecar
    assert sidecar["frames"] == [{"path": inside, "file_size": 7 if inside else None}]


def test_what_is_ours_already_stays() -> None:
    sidecar = {"frames": [], "frames_acquisition_files": ["a", "b"], "deposition_id": "1"}
    assert translate(Place(RUN.of("frames")), sidecar, {}, deposition="2").sidecar == sidecar


def test_a_fingerprint_sees_tags_sizes_and_names() -> None:
    def mark(tag: str = "t", size: int = 1, folders: tuple[str, ...] = ()) -> str:
        return fingerprint([Place(RUN, (Entry("a.json", size, tag),), folders=folders)])

    assert mark() == mark()
    assert len({mark(), mark(tag="u"), mark(size=2), mark(folders=("v.zarr",))}) == 4

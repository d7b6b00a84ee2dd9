"""CTF estimates, angles and metadata of tilt series: joined by number and angle, told where they do not fit."""

from __future__ import annotations

import json
from typing import Any

import mrcfile
import numpy as np
import pytest
from mrcfile.dtypes import get_ext_header_dtype

from fixtures_command import ingest_tiny
from fixtures_tiny import ANGLES, write_mrc

HOME = "20002/R1/TiltSeries/100"
ROWS = ("z_index", "major_defocus", "minor_defocus", "astigmatic_angle", "phase_shift", "max_resolution")


def _table(sections, defocus: float = 40000.0) -> str:
    lines = ["# Output from CTFFind version 4.1.14", "# Columns: #1 - micrograph number; #2 - defocus 1"]
    lines += [
        f"{n:.6f} {defocus + 100 * n:.6f} {defocus + 100 * n - 50:.6f} {10 + n:.6f} 0.500000 0.1 {5 + n:.4f}"
        for n in sections
    ]
    return "\n".join(lines) + "\n"


def _with_ctf(tiny, sections=range(1, 6), name="R1_ctf.txt", pattern="{run_name}*ctf*.txt") -> None:
    tiny.config["ctfs"] = [
        {"metadata": {"format": "CTFFIND"}, "sources": [{"source_glob": {"list_glob": pattern}}]}
    ]
    (tiny.lab / name).write_text(_table(sections))


def _sidecar(portal) -> dict[str, Any]:
    return json.loads((portal.layout / HOME / "tiltseries_metadata.json").read_text())


def _codes(ran) -> list[str]:
    return sorted(problem["code"] for problem in ran.problems)


def test_ctf_estimates_reach_the_sections_of_their_numbers(tiny, portal):
    _with_ctf(tiny)
    assert ingest_tiny(tiny, portal).problems == []
    rows = sorted(portal.rows("PerSectionParameters", *ROWS), key=lambda row: row["z_index"])
    expected = [(n - 1, 40000 + 100 * n, 39950 + 100 * n, 10 + n, 0.5, 5 + n) for n in range(1, 6)]
    assert [tuple(row[name] for name in ROWS) for row in rows] == expected
    assert _sidecar(portal)["ctf_path"] == f"{HOME}/R1_ctf.txt"
    assert portal.public()[f"{HOME}/R1_ctf.txt"].decode() == _table(range(1, 6))


def test_ctf_estimates_that_come_later_leave_the_volume_alone(tiny, portal):
    ingest_tiny(tiny, portal)
    volume = portal.layout / HOME / "R1.mrc"
    before = volume.stat().st_ino, (portal.layout / HOME / "R1.zarr/.zattrs").stat().st_ino
    _with_ctf(tiny)
    assert "R1" in portal.plan(tiny.write().file, tiny.source).out
    assert ingest_tiny(tiny, portal).problems == []
    assert (volume.stat().st_ino, (portal.layout / HOME / "R1.zarr/.zattrs").stat().st_ino) == before
    assert all(row["major_defocus"] for row in portal.rows("PerSectionParameters", "major_defocus"))
    (tiny.lab / "R1_ctf.txt").unlink()
    del tiny.config["ctfs"]
    ingest_tiny(tiny, portal)
    assert f"{HOME}/R1_ctf.txt" not in portal.public()
    assert not any(row["major_defocus"] for row in portal.rows("PerSectionParameters", "major_defocus"))


def test_the_table_of_another_stack_is_told_and_not_joined(tiny, portal):
    _with_ctf(tiny, range(1, 42))
    ran = ingest_tiny(tiny, portal)
    message = ran.problem("ctf-count")["message"]
    assert message == "the table goes up to image 41, the stack has 5; its values are left out"
    assert not any(row["major_defocus"] for row in portal.rows("PerSectionParameters", "major_defocus"))


def test_images_without_an_estimate_are_counted(tiny, portal):
    _with_ctf(tiny, (1, 2, 5))
    message = ingest_tiny(tiny, portal).problem("ctf-count")["message"]
    assert message == "the table has 3 estimates, the stack 5 images; without are numbers 3, 4"
    rows = {
        row["z_index"]: row["major_defocus"]
        for row in portal.rows("PerSectionParameters", "z_index", "major_defocus")
    }
    assert rows == {0: 40100, 1: 40200, 2: None, 3: None, 4: 40500}


@pytest.mark.parametrize(("text", "code"), [("", 1), ("1 2 three\n", 1), ("\0\0", 1)])
def test_a_broken_table_spoils_nothing_else(tiny, portal, text, code):
    _with_ctf(tiny)
    (tiny.lab / "R1_ctf.txt").write_text(text)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == code
    assert ran.problem("ctf-file")["file"].startswith("lab/R1_ctf.txt")
    assert _sidecar(portal)["ctf_path"] is None
    assert len(portal.rows("PerSectionParameters")) == len(ANGLES)


def test_several_tables_are_chosen_from_by_name_and_told(tiny, portal):
    _with_ctf(tiny)
    (tiny.lab / "R1_old_ctf.txt").write_text(_table(range(1, 6), 9000.0))
    ran = ingest_tiny(tiny, portal)
    assert ran.problem("file-chosen")["message"] == (
        "R1_ctf.txt is taken; R1_old_ctf.txt could belong to this stack as well"
    )
    assert _sidecar(portal)["per_section_parameter"][0]["major_defocus"] == 40100


def test_two_stacks_take_their_own_lists_and_tables(tiny, portal):
    write_mrc(tiny.lab / "R1_b.st", np.ones((3, 32, 40), np.int16), 2.5)
    (tiny.lab / "R1_b.rawtlt").write_text("-20\n0\n20\n")
    text = (tiny.lab / "R1.mdoc").read_text().replace("11:38:", "11:48:").replace("R1", "R1_b")
    (tiny.lab / "R1_b.mdoc").write_text(text)
    _with_ctf(tiny)
    (tiny.lab / "R1_b_ctf.txt").write_text(_table(range(1, 4), 50000.0))
    for section in ("tiltseries", "rawtilts", "collection_metadata"):
        pattern = tiny.config[section][0]["sources"][0]["source_glob"]
        pattern["list_glob"] = pattern["list_glob"].replace("{run_name}", "{run_name}*")
    ran = ingest_tiny(tiny, portal)
    assert set(_codes(ran)) <= {"metadata-tilt-range"}
    found = {}
    for path in (portal.layout / "20002/R1/TiltSeries").glob("*/tiltseries_metadata.json"):
        content = json.loads(path.read_text())
        sections = content["per_section_parameter"]
        found[content["identity"]["ingest_id"]] = (
            content["raw_tlt_path"].rpartition("/")[2],
            [section["major_defocus"] for section in sections],
            sorted(section["frame_acquisition_order"] for section in sections),
        )
    assert found == {
        "R1": ("R1.rawtlt", [40100, 40200, 40300, 40400, 40500], [0, 1, 2, 3, 4]),
        "R1_b": ("R1_b.rawtlt", [50100, 50200, 50300], [5, 6, 7]),
    }


def test_both_images_at_zero_of_a_bidirectional_series_keep_their_branch(tiny, portal):
    taken = [0.0, 20.0, 40.0, 0.0, -20.0, -40.0]
    stack = [-40.0, -20.0, 0.0, 0.0, 20.0, 40.0]
    write_mrc(tiny.lab / "R1.st", np.ones((6, 32, 40), np.int16), 2.5)
    (tiny.lab / "R1.rawtlt").write_text("".join(f"{angle}\n" for angle in stack))
    sections = [
        f"[ZValue = {n}]\nTiltAngle = {angle}\nExposureDose = 2.5\nDateTime = 28-Apr-25  11:38:{10 + n}\n"
        f"SubFramePath = D:\\R1_{n}.tif\n"
        for n, angle in enumerate(taken)
    ]
    del tiny.config["alignments"]
    (tiny.lab / "R1.mdoc").write_text("Voltage = 300\n[T = Tilt axis angle = 84.7]\n" + "\n".join(sections))
    ran = ingest_tiny(tiny, portal)
    assert _codes(ran) == ["duplicate-angle"]
    orders = [section["frame_acquisition_order"] for section in _sidecar(portal)["per_section_parameter"]]
    assert orders == [5, 4, 3, 0, 1, 2]


def test_without_a_list_the_mdoc_gives_the_angles_and_that_is_told(tiny, portal):
    (tiny.lab / "R1.rawtlt").unlink()
    ran = ingest_tiny(tiny, portal)
    assert (
        "the angles are those of the mdoc, in the order of its ZValue"
        in ran.problem("angles-from-mdoc")["message"]
    )
    content = _sidecar(portal)
    assert [one["raw_angle"] for one in content["per_section_parameter"]] == sorted(ANGLES, key=abs)
    assert content["raw_tlt_path"] is None


def test_without_a_list_and_with_another_number_of_sections_nothing_is_guessed(tiny, portal):
    (tiny.lab / "R1.rawtlt").unlink()
    write_mrc(tiny.lab / "R1.st", np.ones((4, 32, 40), np.int16), 2.5)
    assert "no-angle-list" in _codes(ingest_tiny(tiny, portal))
    assert _sidecar(portal)["per_section_parameter"] == []


CONTRADICTIONS = {
    "frames-count": ({"frames_count": 41}, "the run has 0 frame files; `frames_count` is 41"),
    "tilt-axis": ({"tilt_axis": -5.3}, "the tilt axis is at 84.7°; `tilt_axis` is -5.3°"),
    "voltage": ({"acceleration_voltage": 200000}, "the voltage was 300 kV; `acceleration_voltage` is 200000 V"),
    "tilt-range": ({"tilt_range": {"min": -60, "max": 60}}, "the angles go from -40° to 40°; `tilt_range` is -60° to 60°"),
    "tilt-step": ({"tilt_step": 3}, "most angles are 20° apart; `tilt_step` is 3°"),
    "total-flux": ({"total_flux": 120}, "the doses add up to 15 e⁻/Å²; `total_flux` is 120 e⁻/Å²"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_metadata_that_the_files_contradict_is_told_until_it_is_corrected(tiny, portal, name):
    changes, message = CONTRADICTIONS[name]
    metadata = tiny.config["tiltseries"][0]["metadata"]
    right = {key: metadata.get(key) for key in changes}
    metadata |= changes
    del tiny.config["alignments"]
    ran = ingest_tiny(tiny, portal)
    assert [(one["code"], one["severity"], one["message"]) for one in ran.problems] == [
        (f"metadata-{name}", "warning", message)
    ]
    assert (ran.problems[0]["file"].endswith(".rawtlt")) == name.startswith(("tilt-range", "tilt-step"))
    volume = (portal.layout / HOME / "R1.mrc").stat().st_ino
    metadata |= right
    for name in [name for name, value in right.items() if value is None]:
        del metadata[name]
    assert ingest_tiny(tiny, portal).problems == []
    assert (portal.layout / HOME / "R1.mrc").stat().st_ino == volume


def test_the_pixel_spacing_may_be_binned(tiny, portal):
    metadata = tiny.config["tiltseries"][0]["metadata"]
    metadata["pixel_spacing"] = 10.0
    write_mrc(tiny.lab / "R1.st", np.ones((5, 32, 40), np.int16), 10.0)
    ran = ingest_tiny(tiny, portal)
    assert [problem["message"] for problem in ran.problems] == [
        "PixelSpacing is 2.5 Å; `pixel_spacing` is 10 Å"
    ]
    metadata["binning_from_frames"] = 4
    assert ingest_tiny(tiny, portal).problems == []


def _with_header(tiny, angles, pixel: float = 2.5) -> None:
    """The stack with an extended header of type FEI1, by mrcfile's own description of it."""
    records = np.zeros(len(angles), get_ext_header_dtype(b"FEI1"))
    records["Metadata size"] = records.dtype.itemsize
    records["Alpha tilt"] = angles
    for name in ("Pixel size X", "Pixel size Y"):
        records[name] = pixel * 1e-10
    records["Bitmask 1"] = 0xFFFFFFFF
    with mrcfile.new(tiny.lab / "R1.st", overwrite=True) as file:
        file.set_data(np.ones((len(angles), 32, 40), np.int16))
        file.voxel_size = 2.5
        file.set_extended_header(records)
        file.header.exttyp = b"FEI1"


def test_without_a_list_the_extended_header_comes_before_the_mdoc(tiny, portal):
    del tiny.config["rawtilts"]
    _with_header(tiny, ANGLES)
    ran = ingest_tiny(tiny, portal)
    assert _codes(ran) == ["angles-from-header"]
    sections = _sidecar(portal)["per_section_parameter"]
    assert [one["raw_angle"] for one in sections] == list(ANGLES)
    assert [one["frame_acquisition_order"] for one in sections] == [3, 1, 0, 2, 4]


def test_a_list_and_a_pixel_size_that_the_extended_header_contradicts_are_told(tiny, portal):
    _with_header(tiny, [-40.2, -20.0, 0.0, 21.0, 40.0], 1.4)
    ran = ingest_tiny(tiny, portal)
    assert ran.problem("angles-differ")["message"] == (
        "1 of 5 angles are not those of the extended header of lab/R1.st; image 3 counted from 0 has 20° here and 21° there"
    )
    message = ran.problem("metadata-pixel-spacing")["message"]
    assert message == "the extended header says 1.4 Å; `pixel_spacing` is 2.5 Å"

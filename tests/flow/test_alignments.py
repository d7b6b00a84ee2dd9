"""Alignments from their files to the sidecar: lengths in Å, what is derived, what is told, and which alignment a volume gets."""

from __future__ import annotations

import copy
import json
import math
import os
from pathlib import Path

import pytest

from fixtures_command import FlowPortal, ingest_tiny
from fixtures_tiny import ANGLES

SHARED = Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[3] / "shared")) / "data"
PIXEL = 2.5
SIZE = (40, 32)
"""Columns and rows of the tiny stack."""
AXIS = 84.7
SHIFT = (1.5, -2.0)
COSINE, SINE = math.cos(math.radians(AXIS)), math.sin(math.radians(AXIS))


@pytest.fixture
def portal(tmp_path):
    return FlowPortal(tmp_path / "portal")


def use(tiny, written, *globs, **metadata):
    """Let the alignment be of this format and these files."""
    (entry,) = tiny.config["alignments"]
    entry["metadata"] = {"format": written, **metadata}
    entry["sources"] = [{"source_multi_glob": {"list_globs": list(globs)}}]


def sidecar(portal, number=100):
    path = portal.layout / f"20002/R1/Alignments/{number}/alignment_metadata.json"
    return json.loads(path.read_text())


def codes(ran):
    return [problem["code"] for problem in ran.problems]


def xf(count=5):
    line = f"{COSINE} {SINE} {-SINE} {COSINE} {-(COSINE * SHIFT[0] + SINE * SHIFT[1])} {SINE * SHIFT[0] - COSINE * SHIFT[1]}\n"
    return line * count


def aln(*, images=5, size=SIZE, dark=(), local="", rows=None):
    lines = [
        "# AreTomo Alignment / Priims bprmMn ",
        f"# RawSize = {size[0]} {size[1]} {images}",
        "# NumPatches = 1",
    ]
    lines += [f"# DarkFrame = {index} {index + 1} {ANGLES[index]}" for index in dark]
    lines += ["# AlphaOffset = 12.30", "# BetaOffset = -1.5", "# Thickness = 900"]
    kept = [index for index in range(len(ANGLES)) if index not in dark][:rows]
    lines += [
        f"{index + 1} {AXIS} 1.0 {SHIFT[0]} {SHIFT[1]} 1 1 1 0 {ANGLES[index] + 12.3}" for index in kept
    ]
    return "\n".join(lines) + "\n" + local


def star():
    names = ("NominalStageTiltAngle", "XTilt", "YTilt", "ZRot", "XShiftAngst", "YShiftAngst")
    text = "data_R1\n\nloop_\n" + "".join(f"_rlnTomo{name} #{n}\n" for n, name in enumerate(names, start=1))
    by_acquisition = sorted(ANGLES, key=abs)
    return text + "".join(
        f"{angle} 0 {angle + 0.1} {AXIS} {SHIFT[0] * PIXEL} {SHIFT[1] * PIXEL}\n" for angle in by_acquisition
    )


def xml():
    lists = {
        "Angles": [-angle - 0.1 for angle in ANGLES], "AxisAngle": [AXIS] * 5, "AxisOffsetX": [SHIFT[0] * PIXEL] * 5,
        "AxisOffsetY": [SHIFT[1] * PIXEL] * 5, "UseTilt": [True, True, False, True, True],
    }  # fmt: skip
    return f"<TiltSeries>{''.join(f'<{k}>{chr(10).join(map(str, v))}</{k}>' for k, v in lists.items())}</TiltSeries>"


def own():
    sections = [
        {
            "z_index": index, "tilt_angle": angle + 0.1, "volume_x_rotation": 0.0, "in_plane_rotation": [[COSINE, -SINE], [SINE, COSINE]],
            "x_offset": SHIFT[0], "y_offset": SHIFT[1],
        }
        for index, angle in enumerate(ANGLES)
    ]  # fmt: skip
    return json.dumps({"per_section_alignment_parameters": sections, "offset_unit": "px", "tilt_offset": 2.0})


FORMS = {
    "IMOD": ("R1.xf", xf(), 0.1, [0, 1, 2, 3, 4]),
    "ARETOMO3": ("R1.aln", aln(dark=(1,)), 12.3, [0, 2, 3, 4]),
    "RELION": ("R1.star", star(), 0.1, [0, 1, 2, 3, 4]),
    "WARP": ("R1.xml", xml(), 0.1, [0, 1, 3, 4]),
    "own": ("alignment_metadata.json", own(), 0.1, [0, 1, 2, 3, 4]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_published_in_the_same_way(tiny, portal, form):
    name, text, added, kept = FORMS[form]
    (tiny.lab / name).write_text(text)
    use(tiny, "IMOD" if form == "own" else form, *([name, "R1.tlt"] if form == "IMOD" else [name]))
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, [])
    content = sidecar(portal)
    sections = sorted(content["per_section_alignment_parameters"], key=lambda one: one["z_index"])
    assert [section["z_index"] for section in sections] == kept
    for section in sections:
        assert section["tilt_angle"] == pytest.approx(ANGLES[section["z_index"]] + added)
        assert [*section["in_plane_rotation"][0], *section["in_plane_rotation"][1]] == pytest.approx(
            [COSINE, -SINE, SINE, COSINE], abs=1e-6
        )
        offsets = [section["x_offset"], section["y_offset"]]
        assert offsets == pytest.approx([SHIFT[0] * PIXEL, SHIFT[1] * PIXEL], abs=1e-4)
    assert content["offset_unit"] == "Å"
    stored = portal.layout / content["alignment_path"]
    assert stored.read_text() == text
    assert stored.name == ("source_" if form == "own" else "") + name
    rows = portal.rows("PerSectionAlignmentParameters", "z_index", "x_offset")
    assert sorted(row["z_index"] for row in rows) == kept
    assert {round(row["x_offset"], 3) for row in rows} == {SHIFT[0] * PIXEL}


def test_offsets_of_aretomo_and_its_local_alignment_are_kept(tiny, portal):
    local = "# Local Alignment\n" + "".join(f"{n} 0 10.5 20.5 0.1 0.2 1.0\n" for n in range(5))
    (tiny.lab / "R1.aln").write_text(aln(local=local))
    use(tiny, "ARETOMO3", "R1.aln")
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, [])
    content = sidecar(portal)
    assert (content["tilt_offset"], content["x_rotation_offset"], content["tilt_offset_included"]) == (
        12.3,
        -1.5,
        True,
    )
    assert content["alignment_type"] == "LOCAL"
    table = content["local_alignment"]
    assert (table["unit"], table["patches"], len(table["rows"])) == ("px", 1, 5)
    assert dict(zip(table["columns"], table["rows"][3], strict=True)) == {
        "z_index": 3, "patch": 0, "x": 10.5, "y": 20.5, "x_shift": 0.1, "y_shift": 0.2, "reliability": 1.0,
    }  # fmt: skip
    assert portal.rows("Alignment", "tilt_offset")[0]["tilt_offset"] == 12.3


COMMANDS = {
    "tilt.com": "$tilt -StandardInput\nTHICKNESS 100\nXAXISTILT 1.5\nOFFSET -2\nSHIFT 4 6\nFULLIMAGE 40 32\nEXCLUDELIST 2,4-5\n"
    "#XTILTFILE other.xtilt\nIMAGEBINNED 1\n$if (-e ./savework) ./savework\n",
    "newst.com": "$newstack -StandardInput\nSizeToOutputInXandY 20,16\nBinByFactor 2\n#OffsetsInXandY 9,9\n",
}


def test_imods_commands_are_kept_and_honoured(tiny, portal):
    del tiny.config["tomograms"], tiny.config["annotations"]
    for name, text in COMMANDS.items():
        (tiny.lab / name).write_text(text)
    use(tiny, "IMOD", "R1.xf", "R1.tlt", "*.com")
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, [code for code in codes(ran) if code.startswith("align")]) == (0, [])
    content = sidecar(portal)
    names = [Path(path).name for path in content["files"]]
    assert names == ["R1.tlt", "R1.xf", "newst.com", "tilt.com"]
    assert [section["z_index"] for section in content["per_section_alignment_parameters"]] == [0, 2]
    assert (content["tilt_offset"], content["x_rotation_offset"], content["tilt_offset_included"]) == (
        -2,
        1.5,
        False,
    )
    assert content["volume_dimension"] == {"x": 100, "y": 80, "z": 250}
    assert content["volume_offset"] == {"x": 10, "y": 0, "z": 15}


def test_the_deposition_file_wins_and_both_numbers_are_told(tiny, portal):
    (tiny.lab / "tilt.com").write_text(COMMANDS["tilt.com"])
    use(
        tiny,
        "IMOD",
        "R1.xf",
        "R1.tlt",
        "tilt.com",
        tilt_offset=3.0,
        volume_dimension={"x": 90, "y": 80, "z": 250},
    )
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, ["alignment-disagrees"] * 2)
    messages = " ".join(problem["message"] for problem in ran.problems)
    assert "`tilt_offset` is 3° in the deposition file, -2° in lab/R1.xf" in messages
    assert "`volume_dimension` is 90 × 80 × 250 Å in the deposition file, 100 × 80 × 250 Å" in messages
    assert all(problem["line"] for problem in ran.problems)
    content = sidecar(portal)
    assert (content["tilt_offset"], content["volume_dimension"]["x"], content["x_rotation_offset"]) == (
        3.0,
        90,
        1.5,
    )


@pytest.mark.parametrize(
    ("written", "files", "sentence"),
    [
        ("IMOD", {"R1.xf": xf(4), "R1.tlt": "0\n" * 4}, "this alignment is for another stack: it is of 4 images, lab/R1.st has 5"),
        ("IMOD", {"R1.xf": xf(), "R1.tlt": "0\n" * 4}, "this file has 4 angles, but lab/R1.xf has 5 transforms"),
        ("IMOD", {"R1.xf": xf(), "R1.tlt": "0\n" * 5, "R1.xtilt": "0\n" * 6}, "R1.xtilt: this file has 6 angles"),
        ("IMOD", {"R1.xf": xf(), "R1.tlt": "0\n" * 5, "R1_b.xf": xf()}, "this is a second .xf file beside lab/R1.xf"),
        ("IMOD", {"R1.xf": aln(), "R1.tlt": "0\n" * 5}, "write `format: ARETOMO3`"),
        ("IMOD", {"R1.xf": "", "R1.tlt": "0\n" * 5}, "there is no transform in this file"),
        ("ARETOMO3", {"R1.aln": aln(images=6)}, "this alignment is for another stack: it is of 6 images"),
        ("ARETOMO3", {"R1.aln": aln(size=(80, 32))}, "its images are 80 × 32 pixels, those of lab/R1.st are 40 × 32"),
        ("ARETOMO3", {"R1.aln": xf()}, "write `format: IMOD`"),
        ("RELION", {"R1.star": star() + "1 2 3\n"}, "line 15: this row has 3 values"),
        ("WARP", {"R1.xml": xml()[:99]}, "this is no readable XML"),
        ("WARP", {"R1.xml": xml().replace("True\n", "", 1)}, "<UseTilt> has 4 values, <Angles> has 5"),
    ],
)  # fmt: skip
def test_what_does_not_fit_fails_alone(tiny, portal, written, files, sentence):
    for name, text in files.items():
        (tiny.lab / name).write_text(text)
    use(tiny, written, *files)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    assert sentence in ran.problem("alignment-failed")["message"]
    assert portal.rows("Alignment") == []
    assert len(portal.rows("TiltSeries")) == 1


def test_an_alignment_of_another_program_is_told(tiny, portal):
    (tiny.lab / "R1.aln").write_text(aln())
    use(tiny, "IMOD", "R1.aln")
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, ["incomplete-alignment"])
    assert "write `format: ARETOMO3`" in ran.problems[0]["hint"]
    assert sidecar(portal)["per_section_alignment_parameters"] == []


def test_angles_without_transforms_are_told(tiny, portal):
    (tiny.lab / "R1.xf").unlink()
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, ["incomplete-alignment"])
    assert "found lab/R1.tlt, without .xf" in ran.problems[0]["message"]


def test_a_shortened_file_is_told_and_taken(tiny, portal):
    (tiny.lab / "R1.aln").write_text(aln(rows=3))
    use(tiny, "ARETOMO3", "R1.aln")
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    assert "5 images, but 3 are aligned" in ran.problem("alignment-incomplete")["message"]
    assert [section["z_index"] for section in sidecar(portal)["per_section_alignment_parameters"]] == [
        0,
        1,
        2,
    ]


def test_an_alignment_of_the_unbinned_stack_is_converted(tiny, portal):
    (tiny.lab / "R1.aln").write_text(aln(size=(80, 64)))
    use(tiny, "ARETOMO3", "R1.aln")
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, ["alignment-binning"])
    assert sidecar(portal)["per_section_alignment_parameters"][0]["x_offset"] == SHIFT[0] * PIXEL / 2


def test_imod_files_of_aretomo_are_read_and_compared(tiny, portal):
    (tiny.lab / "R1.xf").write_text(xf())
    use(tiny, "ARETOMO3", "R1.xf", "R1.tlt")
    assert codes(ingest_tiny(tiny, portal)) == []
    assert len(sidecar(portal)["per_section_alignment_parameters"]) == 5
    (tiny.lab / "R1.aln").write_text(aln())
    use(tiny, "ARETOMO3", "R1.xf", "R1.tlt", "R1.aln")
    assert codes(ingest_tiny(tiny, portal)) == []
    assert sidecar(portal)["alignment_path"].endswith("R1.aln")
    turned = xf().replace(f"{SINE} {-SINE}", f"{-SINE} {SINE}")
    (tiny.lab / "R1.xf").write_text(turned)
    ran = ingest_tiny(tiny, portal)
    assert codes(ran) == ["alignment-differs"]
    assert "lab/R1.xf turns images another way than the .aln" in ran.problems[0]["message"]


def test_the_other_sign_of_the_tilt_axis_is_told(tiny, portal):
    (tiny.lab / "R1.xf").write_text(xf().replace(f"{SINE} {-SINE}", f"{-SINE} {SINE}"))
    ran = ingest_tiny(tiny, portal)
    assert codes(ran) == ["alignment-tilt-axis"]
    assert "the tilt axis at -84.7°, the tilt series states 84.7°" in ran.problems[0]["message"]


def test_angles_in_another_order_are_told(tiny, portal):
    (tiny.lab / "R1.tlt").write_text("".join(f"{angle}\n" for angle in reversed(ANGLES)))
    ran = ingest_tiny(tiny, portal)
    assert codes(ran) == ["alignment-angles"]


def test_without_a_pixel_spacing_shifts_are_left_out_and_told(tiny, portal):
    for section in ("tiltseries", "rawtilts", "collection_metadata", "frames"):
        del tiny.config[section]
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, ["alignment-pixel-spacing"])
    content = sidecar(portal)
    assert {section["x_offset"] for section in content["per_section_alignment_parameters"]} == {None}
    assert (portal.layout / content["alignment_path"]).is_file()
    rows = portal.rows("PerSectionAlignmentParameters", "x_offset")
    assert {row["x_offset"] for row in rows} == {None}


def test_the_pixel_spacing_of_a_published_tilt_series_is_used(tiny, portal):
    full = copy.deepcopy(tiny.config)
    del tiny.config["alignments"], tiny.config["tomograms"], tiny.config["annotations"]
    assert ingest_tiny(tiny, portal).code == 0
    tiny.config = full
    for section in ("tiltseries", "rawtilts", "collection_metadata", "frames"):
        del tiny.config[section]
    (tiny.lab / "R1.xf").write_text(xf())
    ran = ingest_tiny(tiny, portal)
    assert [code for code in codes(ran) if code.startswith("alignment")] == []
    content = sidecar(portal)
    assert content["tiltseries_path"] == "20002/R1/TiltSeries/100/tiltseries_metadata.json"
    assert content["per_section_alignment_parameters"][0]["x_offset"] == pytest.approx(SHIFT[0] * PIXEL)


def two_alignments(tiny):
    """R1.xf and R1_fine.xf, and a second tomogram, R1_fine.mrc."""
    second = copy.deepcopy(tiny.config["alignments"][0])
    second["sources"] = [{"source_multi_glob": {"list_globs": ["{run_name}_fine.xf", "{run_name}_fine.tlt"]}}]
    tiny.config["alignments"].append(second)
    for ending in ("xf", "tlt"):
        (tiny.lab / f"R1_fine.{ending}").write_text((tiny.lab / f"R1.{ending}").read_text())
    volume = copy.deepcopy(tiny.config["tomograms"][0])
    volume["metadata"]["is_visualization_default"] = False
    (tiny.lab / "fine").mkdir()
    (tiny.lab / "fine/R1_fine.mrc").write_bytes((tiny.lab / "tomograms/R1.mrc").read_bytes())
    volume["sources"] = [{"source_glob": {"list_glob": "fine/{run_name}_fine.mrc"}}]
    tiny.config["tomograms"].append(volume)
    return volume


def made_with(portal):
    """Folder of the alignment by (kind, number) of what was made with it."""
    found = {}
    for path in portal.sidecars():
        content = json.loads(portal.public()[path])
        if "alignment_metadata_path" in content:
            kind, number = path.split("/")[4:6]
            found[kind, int(number)] = int(content["alignment_metadata_path"].split("/")[3])
    return found


def test_a_tomogram_is_of_the_alignment_after_which_it_is_named(tiny, portal):
    two_alignments(tiny)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    assert codes(ran) == ["several-alignments"], "annotations do not tell"
    assert made_with(portal) == {
        ("Tomograms", 100): 100, ("Tomograms", 101): 101, ("Annotations", 100): 100, ("Annotations", 101): 100,
    }  # fmt: skip


def test_volumes_name_their_alignment(tiny, portal):
    volume = two_alignments(tiny)
    tiny.config["alignments"][1]["metadata"]["ingest_id"] = "refined"
    volume["metadata"]["alignment_ingest_id"] = "refined"
    tiny.config["tomograms"][0]["metadata"]["alignment_ingest_id"] = "R1"
    for entry, name in zip(tiny.config["annotations"], ("refined", "R1"), strict=True):
        entry["metadata"]["alignment_ingest_id"] = name
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, [])
    assert made_with(portal) == {
        ("Tomograms", 100): 100, ("Tomograms", 101): 101, ("Annotations", 100): 101, ("Annotations", 101): 100,
    }  # fmt: skip
    again = ingest_tiny(tiny, portal)
    assert (again.code, codes(again)) == (0, [])


def test_an_unknown_name_is_told_with_those_that_are_known(tiny, portal):
    two_alignments(tiny)["metadata"]["alignment_ingest_id"] = "refinde"
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = ran.problem("unknown-alignment")
    assert "run R1 has no alignment 'refinde'" in told["message"]
    assert "it has 'R1', 'R1_fine'; it is left out" in told["message"]
    assert told["line"]
    assert ("Tomograms", 101) not in made_with(portal)


@pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the real sample files are not there ({SHARED}); set TOMOPORTAL_SHARED"
)
def test_a_real_alignment_of_another_stack_is_refused(tiny, portal):
    """AreTomo's file in the samples of the public portal is of 3 images of 10 × 20 pixels, the stack beside it has 4 of 20 × 10."""
    folder = SHARED / "portal-backend/test_infra/test_files/input_bucket/10001_input"
    (tiny.lab / "R1.aln").write_bytes((folder / "alignments/TS_run1.aln").read_bytes())
    (tiny.lab / "R1.st").write_bytes((folder / "metadata/TS_run1.st").read_bytes())
    use(tiny, "ARETOMO3", "R1.aln")
    ran = ingest_tiny(tiny, portal)
    failed = {problem["code"]: problem["message"] for problem in ran.problems}
    assert "it is of 3 images, lab/R1.st has 4" in failed["alignment-failed"]

"""One alignment in the notation of every package: each projects points by its own documented formula to the same pixels, and what we
read from each is the same.

The formulas are those of the packages: IMOD's man page of xfmodel, AreTomo3's CSaveXF.cpp, RELION's Tomogram::setProjectionMatrix,
Warp's TiltSeries.GetPositionInAllTilts with Matrix3.Euler. Centres are put into the middle everywhere; packages differ there by half
a pixel.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.aretomo_alignment import read_aln
from tomoportal.formats.imod_alignment import read_imod_alignment
from tomoportal.formats.portal_alignment import read_portal_alignment
from tomoportal.formats.relion_alignment import read_relion_alignment
from tomoportal.formats.text import TextFile
from tomoportal.formats.warp_alignment import read_warp_alignment

PIXEL = 2.5
IMAGE = (400, 600)
VOLUME = (380, 560, 200)
TILTS = np.array([-41.7, -20.2, 0.3, 20.1, 40.4])
AXES = np.array([84.7, 84.8, 84.6, 84.7, 84.9])
SHIFTS = np.array([[12.5, -3.25], [4.0, 8.5], [0.0, 0.0], [-7.75, 2.5], [-20.0, 31.0]])
POINTS = np.random.default_rng(1).uniform(-180, 180, (20, 3))


def turn(axis, degrees):
    """Right-handed rotations, as in RELION's Rx, Ry and Rz."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array({
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]], "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis])  # fmt: skip


def imod():
    """aligned = A raw + d, and the aligned image shows the volume turned about y."""
    lines = []
    for axis, shift in zip(AXES, SHIFTS, strict=True):
        matrix = turn("z", -axis)[:2, :2]
        lines.append(" ".join(f"{value:.9f}" for value in [*matrix.ravel(), *(-matrix @ shift)]))
    files = (
        TextFile("\n".join(lines).encode(), "a.xf"),
        TextFile("\n".join(f"{t:9.2f}" for t in TILTS).encode(), "a.tlt"),
    )
    project = []
    for line, tilt in zip(lines, TILTS, strict=True):
        a11, a12, a21, a22, dx, dy = map(float, line.split())
        aligned = (turn("y", tilt) @ POINTS.T)[:2]
        project.append(np.linalg.solve([[a11, a12], [a21, a22]], aligned - [[dx], [dy]]))
    return read_imod_alignment(*files).in_angstrom(PIXEL), np.array(project)


def aretomo():
    """The .xf that AreTomo3 writes for these numbers, and then as IMOD."""
    head = f"# AreTomo Alignment / Priims bprmMn \n# RawSize = {IMAGE[0]} {IMAGE[1]} 5\n# NumPatches = 0\n"
    rows = zip(range(1, 6), AXES, SHIFTS, TILTS, strict=True)
    table = "".join(f"{n} {axis} 1.0 {x} {y} 1 1 1 0 {tilt}\n" for n, axis, (x, y), tilt in rows)
    project = []
    for axis, (x, y), tilt in zip(AXES, SHIFTS, TILTS, strict=True):
        angle = -np.radians(axis)
        a11, a12, a21, a22 = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        dx, dy = a11 * -x + a12 * -y, a21 * -x + a22 * -y
        aligned = (turn("y", tilt) @ POINTS.T)[:2]
        project.append(np.linalg.solve([[a11, a12], [a21, a22]], aligned - [[dx], [dy]]))
    return read_aln(TextFile((head + table).encode(), "a.aln")).in_angstrom(PIXEL), np.array(project)


def relion_matrix(axis, tilt, shift):
    """s2 · s1 · r2 · r1 · r0 · s0, in pixels."""
    move = [np.eye(4) for _ in range(3)]
    move[0][:3, 3] = -np.array(VOLUME) // 2
    move[1][:2, 3] = shift
    move[2][:2, 3] = np.array(IMAGE) // 2
    rotation = np.eye(4)
    rotation[:3, :3] = turn("z", axis) @ turn("y", tilt) @ turn("x", 0)
    return move[2] @ move[1] @ rotation @ move[0]


def relion_projection():
    whole = np.array([relion_matrix(*values) for values in zip(AXES, TILTS, SHIFTS, strict=True)])
    corner = np.column_stack([POINTS + np.array(VOLUME) // 2, np.ones(len(POINTS))])
    return (whole @ corner.T)[:, :2] - (np.array(IMAGE) // 2)[None, :, None]


GLOBAL = f"""data_global

loop_
_rlnTomoName #1
_rlnTomoTiltSeriesPixelSize #2
_rlnTomoTiltSeriesStarFile #3
_rlnTomoSizeX #4
_rlnTomoSizeY #5
_rlnTomoSizeZ #6
other {PIXEL} tilt_series/other.star 1 1 1
TS_1 {PIXEL} tilt_series/TS_1.star {VOLUME[0]} {VOLUME[1]} {VOLUME[2]}
"""
ORDER = (2, 3, 1, 4, 0)
"""RELION lists images as they were acquired; the angle list of the stack tells where they lie."""


def relion_5():
    columns = ("NominalStageTiltAngle", "XTilt", "YTilt", "ZRot", "XShiftAngst", "YShiftAngst")
    rows = [(round(TILTS[i]), 0.0, TILTS[i], AXES[i], *(SHIFTS[i] * PIXEL)) for i in ORDER]
    text = "# version 50001\n\ndata_TS_1\n\nloop_\n"
    text += "".join(f"_rlnTomo{name} #{n}\n" for n, name in enumerate(columns, start=1))
    text += "".join(" ".join(map(str, row)) + "\n" for row in rows)
    files = [TextFile(GLOBAL.encode(), "aligned.star"), TextFile(text.encode(), "TS_1.star")]
    return read_relion_alignment(files, "TS_1", [round(t) for t in TILTS]), relion_projection()


def relion_4():
    text = GLOBAL + "\ndata_TS_1\n\nloop_\n_rlnMicrographName #1\n"
    text += "".join(f"_rlnTomoProj{axis} #{n}\n" for n, axis in enumerate("XYZW", start=2))
    for i in ORDER:
        matrix = relion_matrix(AXES[i], TILTS[i], SHIFTS[i])
        rows = ("[" + ",".join(f"{value:.9f}" for value in row) + "]" for row in matrix)
        text += f"{i + 1:06d}@TS_1.mrcs {' '.join(rows)}\n"
    return read_relion_alignment(
        [TextFile(text.encode(), "tomograms.star")], "TS_1", (), IMAGE
    ), relion_projection()


def euler(tilt, psi):
    """Matrix3.Euler(0, tilt, psi) of Warp, in radians."""
    cb, sb, cg, sg = np.cos(tilt), np.sin(tilt), np.cos(psi), np.sin(psi)
    return np.array([[cg * cb, sg, -cg * sb], [-sg * cb, cg, sg * sb], [sb, 0, cb]])


def warp():
    lists = {
        "Angles": [*-TILTS, 57.0], "UseTilt": [*["True"] * 5, "False"], "AxisAngle": [*AXES, 0.0],
        "AxisOffsetX": [*(SHIFTS[:, 0] * PIXEL), 0.0], "AxisOffsetY": [*(SHIFTS[:, 1] * PIXEL), 0.0],
    }  # fmt: skip
    body = "".join(f"<{name}>{chr(10).join(map(str, values))}</{name}>" for name, values in lists.items())
    xml = f'<?xml version="1.0" encoding="utf-8"?>\n<TiltSeries>{body}<GridMovementX><Node X="0"/></GridMovementX></TiltSeries>'
    project = [
        (euler(np.radians(-tilt), -np.radians(axis)) @ POINTS.T)[:2] + shift[:, None]
        for axis, tilt, shift in zip(AXES, TILTS, SHIFTS, strict=True)
    ]
    return read_warp_alignment(TextFile(xml.encode(), "TS_1.xml")), np.array(project)


def portal():
    sections = [
        {
            "z_index": i, "tilt_angle": TILTS[i], "volume_x_rotation": 0, "in_plane_rotation": turn("z", AXES[i])[:2, :2].tolist(),
            "x_offset": SHIFTS[i, 0] * PIXEL, "y_offset": SHIFTS[i, 1] * PIXEL,
        }
        for i in range(5)
    ]  # fmt: skip
    content = {"per_section_alignment_parameters": sections, "offset_unit": "Å"}
    return read_portal_alignment(TextFile(json.dumps(content).encode(), "alignment_metadata.json")), None


NOTATIONS = (imod, aretomo, relion_5, relion_4, warp, portal)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_notation_reads_as_the_same(notation):
    found, _ = notation()
    assert found.problems == ()
    sections = sorted(found.sections, key=lambda section: section.z_index)
    assert [section.z_index for section in sections] == [0, 1, 2, 3, 4]
    for section, tilt, axis, shift in zip(sections, TILTS, AXES, SHIFTS, strict=True):
        assert section.tilt_angle == pytest.approx(tilt, abs=1e-6)
        assert section.volume_x_rotation == pytest.approx(0, abs=1e-6)
        np.testing.assert_allclose(section.in_plane_rotation, turn("z", axis)[:2, :2], atol=1e-7)
        assert (section.x_offset, section.y_offset) == pytest.approx(tuple(shift * PIXEL), abs=1e-5)


@pytest.mark.parametrize("notation", [one for one in NOTATIONS if one is not portal])
def test_the_formula_of_the_package_and_ours_lead_to_the_same_pixel(notation):
    """Ours is that of `tomoportal.formats.alignment`: a = Ry(t) Rx(α) X, and a = Rᵀ (r - o)."""
    found, theirs = notation()
    for section in found.sections:
        aligned = (turn("y", section.tilt_angle) @ turn("x", section.volume_x_rotation) @ POINTS.T)[:2]
        offset = np.array([section.x_offset, section.y_offset]) / PIXEL
        ours = np.linalg.solve(np.transpose(section.in_plane_rotation), aligned) + offset[:, None]
        np.testing.assert_allclose(ours, theirs[section.z_index], atol=1e-5)


def test_warp_levels_the_whole_series():
    """Euler(0, Angle + LevelAngleY, -AxisAngle) · RotateX(LevelAngleX), as canonical angles with their offsets added."""
    xml = (
        '<TiltSeries LevelAngleX="3.5" LevelAngleY="-2"><Angles>12</Angles><AxisAngle>30</AxisAngle>'
        "<AxisOffsetX>0</AxisOffsetX><AxisOffsetY>0</AxisOffsetY></TiltSeries>"
    )
    found = read_warp_alignment(TextFile(xml.encode(), "a.xml"))
    assert (found.x_rotation_offset, found.tilt_offset, found.tilt_offset_included) == (3.5, 2, False)
    (section,) = found.sections
    theirs = euler(np.radians(12 - 2), -np.radians(30)) @ turn("x", 3.5)
    ours = turn("y", section.tilt_angle + found.tilt_offset) @ turn(
        "x", section.volume_x_rotation + found.x_rotation_offset
    )
    np.testing.assert_allclose(np.array(section.in_plane_rotation) @ ours[:2], theirs[:2], atol=1e-12)


def test_sizes_of_the_volume_in_relion():
    found, _ = relion_5()
    assert found.volume_dimension == tuple(side * PIXEL for side in VOLUME)


def test_rows_of_relion_that_do_not_tell_their_image_are_taken_in_order():
    text = "data_TS_1\nloop_\n_rlnTomoYTilt\n_rlnTomoZRot\n_rlnTomoXShiftAngst\n_rlnTomoYShiftAngst\n1 2 3 4\n5 6 7 8\n"
    found = read_relion_alignment([TextFile(text.encode(), "TS_1.star")], "TS_1")
    assert [section.z_index for section in found.sections] == [0, 1]
    assert [problem.code for problem in found.problems] == ["alignment-numbering"]


ALIGNED = "loop_\n_rlnTomoYTilt\n_rlnTomoZRot\n_rlnTomoXShiftAngst\n_rlnTomoYShiftAngst\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.star"),
        ("data_\nloop_\n_rlnTomoNominalStageTiltAngle\n3\n", "there is no aligned tilt series in these files"),
        (f"data_x\n{ALIGNED}1 2 3\n", "a.star, line 7: this row has 3 values"),
        (f"data_x\n{ALIGNED}1 2 3 nan\n", "a.star, line 7: rlnTomoYShiftAngst is 'nan'"),
        (f"data_x\n{ALIGNED}1 2 3 4\ndata_y\n{ALIGNED}1 2 3 4\n", "these files hold 2 tilt series (x, y), and none is called 'TS_1'"),
        ("data_x\nloop_\n_rlnTomoProjX\n_rlnTomoProjY\n_rlnTomoProjZ\n_rlnTomoProjW\n[1,0,0,0] [0,1,0,0] [0,0,-1,0] [0,0,0,1]\n",
         "a.star, line 7: the projection matrix is no rotation (its determinant is -1)"),
        ("data_x\nloop_\n_rlnTomoProjX\n_rlnTomoProjY\n_rlnTomoProjZ\n_rlnTomoProjW\n[1,0,0] [0,1,0,0] [0,0,1,0] [0,0,0,1]\n",
         "a.star, line 7: rlnTomoProjX is '[1,0,0]'"),
    ],
)  # fmt: skip
def test_faulty_star_files(text, sentence):
    with pytest.raises(FormatError) as caught:
        read_relion_alignment([TextFile(text.encode(), "a.star")], "TS_1")
    assert sentence in str(caught.value)


def test_a_real_star_file_without_an_alignment_is_refused(shared):
    folder = shared / "tomo-preprocessing/test_data/import"
    files = [folder / "tilt_series.star", folder / "tilt_series/my_prefix_TS_01.star"]
    with pytest.raises(FormatError, match="there is no aligned tilt series"):
        read_relion_alignment([TextFile(file.read_bytes(), file.name) for file in files], "my_prefix_TS_01")


SOUND = (
    "<TiltSeries><Angles>1\n2</Angles><AxisAngle>3\n4</AxisAngle>"
    "<AxisOffsetX>5\n6</AxisOffsetX><AxisOffsetY>7\n8</AxisOffsetY></TiltSeries>"
)
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>\n<TiltSeries><Angles>&c;</Angles></TiltSeries>'


@pytest.mark.parametrize(
    ("xml", "sentence"),
    [
        ("", "a.xml, line 1: this is no readable XML"),
        (SOUND[:60], "this is no readable XML"),
        (BOMB, "a.xml, line 1: document type declarations are refused"),
        (
            '<!DOCTYPE TiltSeries SYSTEM "file:///etc/passwd"><TiltSeries/>',
            "document type declarations are refused",
        ),
        ("<Movie/>", "the document is a <Movie>"),
        ("<TiltSeries/>", "there is no <Angles>"),
        (SOUND.replace("3\n4", "3"), "<AxisAngle> has 1 values, <Angles> has 2"),
        (SOUND.replace("5\n6", "5\nNaN"), "'NaN' in <AxisOffsetX> is not a number"),
        (SOUND.replace("<AxisAngle>", "<UseTilt>True\nmaybe</UseTilt><AxisAngle>"), "'maybe' in <UseTilt>"),
        (
            SOUND.replace("<AxisAngle>", "<Angles>3\n4</Angles><AxisAngle>"),
            "<Angles> stands here a second time",
        ),
        ("<TiltSeries>" + "<a>" * 200, "nested more deeply"),
    ],
)
def test_faulty_xml(xml, sentence):
    with pytest.raises(FormatError) as caught:
        read_warp_alignment(TextFile(xml.encode(), "a.xml"))
    assert sentence in str(caught.value)


def changed(**values):
    section = {
        "z_index": 0, "tilt_angle": 0, "volume_x_rotation": 0, "in_plane_rotation": [[1, 0], [0, 1]], "x_offset": 1, "y_offset": 2,
    }  # fmt: skip
    return {"per_section_alignment_parameters": [{**section, **values}], "offset_unit": "px"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "expected an object with the list"),
        ({"per_section_alignment_parameters": 3}, "expected an object with the list"),
        (
            {"per_section_alignment_parameters": [3]},
            "per_section_alignment_parameters[0]: expected an object",
        ),
        (changed(z_index=-1), "z_index is -1"),
        (changed(z_index=True), "z_index is True"),
        (changed(tilt_angle=None), "tilt_angle is None; expected a finite number"),
        (changed(x_offset=float("nan")), "x_offset is nan"),
        (changed(in_plane_rotation=[[1, 0]]), "in_plane_rotation is list; expected two rows"),
        (changed(in_plane_rotation=[[1, 2], [2, 4]]), "in_plane_rotation cannot be inverted"),
        ({**changed(), "offset_unit": "nm"}, "offset_unit is 'nm'"),
        ({**changed(), "volume_dimension": {"x": 1}}, "volume_dimension.y is None"),
        (
            {"per_section_alignment_parameters": changed()["per_section_alignment_parameters"] * 2},
            "z_index 0 stands in",
        ),
    ],
)
def test_faulty_json(content, sentence):
    with pytest.raises(FormatError) as caught:
        read_portal_alignment(TextFile(json.dumps(content).encode(), "a.json"))
    assert sentence in str(caught.value)


def test_json_in_pixels_is_converted_and_without_a_unit_told():
    found = read_portal_alignment(TextFile(json.dumps(changed()).encode(), "a.json")).in_angstrom(4.0)
    assert (found.sections[0].x_offset, found.sections[0].y_offset) == (4, 8)
    silent = {key: value for key, value in changed().items() if key != "offset_unit"}
    found = read_portal_alignment(TextFile(json.dumps(silent).encode(), "a.json")).in_angstrom(4.0)
    assert (found.sections[0].x_offset, [problem.code for problem in found.problems]) == (
        1,
        ["alignment-unit"],
    )

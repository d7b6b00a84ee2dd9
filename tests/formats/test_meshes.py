"""Surfaces: every format against VTK and trimesh as independent writers, and files that are not what they should be."""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
import vtk
from hypothesis import given, settings
from hypothesis import strategies as st
from vtk.util.numpy_support import vtk_to_numpy

from tomoportal.errors import Absent, FormatError
from tomoportal.formats.meshes import Mesh, read_mesh, scaled, to_glb


def volume(mesh: Mesh) -> float:
    """Enclosed volume, positive when the faces look outwards."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


def surface(kind: str) -> Any:
    """A VTK surface: a sphere of triangles, the same as strips, a cube of quadrilaterals."""
    if kind == "cube":
        cube = vtk.vtkCubeSource()
        cube.Update()
        return cube.GetOutput()
    sphere = vtk.vtkSphereSource()
    sphere.SetThetaResolution(7)
    sphere.SetPhiResolution(6)
    if kind == "sphere":
        sphere.Update()
        return sphere.GetOutput()
    strips = vtk.vtkStripper()
    strips.SetInputConnection(sphere.GetOutputPort())
    strips.Update()
    return strips.GetOutput()


SURFACES = ("sphere", "strips", "cube")


def written_legacy(shape: Any, version: int, is_binary: bool, path: Path) -> bytes:
    writer = vtk.vtkPolyDataWriter()
    writer.SetInputData(shape)
    writer.SetFileVersion(version)
    writer.SetFileType(vtk.VTK_BINARY if is_binary else vtk.VTK_ASCII)
    writer.SetFileName(str(path))
    assert writer.Write()
    return path.read_bytes()


def written_xml(
    shape: Any, mode: str, compressor: str, path: Path, *, base64: bool, long_heads: bool
) -> bytes:
    writer = vtk.vtkXMLPolyDataWriter()
    writer.SetInputData(shape)
    getattr(writer, f"SetDataModeTo{mode}")()
    getattr(writer, f"SetCompressorTypeTo{compressor}")()
    writer.SetEncodeAppendedData(base64)
    writer.SetHeaderType(vtk.vtkXMLWriterBase.UInt64 if long_heads else vtk.vtkXMLWriterBase.UInt32)
    writer.SetBlockSize(240)
    writer.SetFileName(str(path))
    assert writer.Write()
    return path.read_bytes()


def assert_is(mesh: Mesh, shape: Any) -> None:
    """The points are VTK's, and the triangles enclose the volume that VTK measures."""
    points = vtk_to_numpy(shape.GetPoints().GetData())
    assert np.allclose(mesh.vertices, points, atol=1e-5)
    cut = vtk.vtkTriangleFilter()
    cut.SetInputData(shape)
    cut.Update()
    measured = vtk.vtkMassProperties()
    measured.SetInputConnection(cut.GetOutputPort())
    assert len(mesh.faces) == cut.GetOutput().GetNumberOfPolys()
    assert volume(mesh) == pytest.approx(measured.GetVolume(), rel=1e-5)


@pytest.mark.parametrize("kind", SURFACES)
@pytest.mark.parametrize(("version", "is_binary"), list(itertools.product((42, 51), (False, True))))
def test_legacy_vtk(kind: str, version: int, is_binary: bool, tmp_path: Path) -> None:
    shape = surface(kind)
    assert_is(read_mesh(written_legacy(shape, version, is_binary, tmp_path / "s.vtk"), "s.vtk", "vtk"), shape)


@pytest.mark.parametrize("kind", SURFACES)
@pytest.mark.parametrize("mode", ["Ascii", "Binary", "Appended"])
def test_vtk_of_xml(kind: str, mode: str, tmp_path: Path) -> None:
    shape = surface(kind)
    for compressor in ("None", "ZLib", "LZMA", "LZ4"):
        for base64, long_heads in itertools.product((False, True), (False, True)):
            data = written_xml(
                shape, mode, compressor, tmp_path / "s.vtp", base64=base64, long_heads=long_heads
            )
            assert_is(read_mesh(data, "s.vtp", "vtk"), shape)


@pytest.mark.parametrize("kind", ["obj", "stl", "glb"])
def test_what_trimesh_writes(kind: str) -> None:
    ball = trimesh.creation.icosphere(subdivisions=2, radius=3.0)
    data = ball.export(file_type=kind)
    mesh = read_mesh(data if isinstance(data, bytes) else data.encode(), f"ball.{kind}", kind)
    assert len(mesh.faces) == len(ball.faces)
    assert volume(mesh) == pytest.approx(ball.volume, rel=1e-4)
    assert np.allclose(mesh.vertices.max(axis=0), ball.bounds[1], atol=1e-5)


def test_glb_out_is_read_by_trimesh_and_the_same_each_time() -> None:
    ball = trimesh.creation.icosphere(subdivisions=1)
    mesh = Mesh(ball.vertices.astype(np.float32), ball.faces.astype(np.uint32))
    data = to_glb(mesh)
    assert data == to_glb(mesh)
    back = trimesh.load_mesh(io.BytesIO(data), file_type="glb", process=False)
    assert np.array_equal(back.vertices.astype(np.float32), mesh.vertices)
    assert np.array_equal(back.faces, mesh.faces)


def test_scaled() -> None:
    mesh = Mesh(np.array([[1, 2, 4]] * 3, np.float32), np.array([[0, 1, 2]], np.uint32))
    assert np.array_equal(scaled(mesh, 2.5, "x").vertices[0], np.array([2.5, 5, 10], np.float32))


def test_the_parts_of_a_scene_lie_where_the_file_places_them() -> None:
    scene = trimesh.Scene()
    scene.add_geometry(
        trimesh.creation.box((2, 2, 2)), transform=trimesh.transformations.translation_matrix([10, 0, 0])
    )
    scene.add_geometry(
        trimesh.creation.box((2, 2, 2)), transform=trimesh.transformations.translation_matrix([0, 20, 0])
    )
    mesh = read_mesh(scene.export(file_type="glb"), "two.glb", "glb")
    assert volume(mesh) == pytest.approx(16)
    assert mesh.vertices.max(axis=0).tolist() == [11, 21, 1]


class TestRealFiles:
    """Files of other programs, with figures that VTK or the files themselves state."""

    def read(self, shared: Path, path: str, kind: str, segment: str = "") -> Mesh:
        file = shared / path
        return read_mesh(file.read_bytes(), file.name, kind, segment)

    def test_one_surface_in_three_formats(self, shared: Path) -> None:
        home = "portal-backend/ingestion_tools/scripts/tests/fixtures/annotations/triangular_mesh"
        meshes = [self.read(shared, f"{home}.{kind}", kind, "special_name") for kind in ("glb", "obj", "hff")]
        assert {(len(mesh.vertices), len(mesh.faces)) for mesh in meshes} == {(40, 72)}
        assert all(np.allclose(mesh.vertices, meshes[0].vertices, atol=1e-5) for mesh in meshes)

    def test_a_segment_that_is_not_there_is_told_with_those_that_are(self, shared: Path) -> None:
        home = "portal-backend/ingestion_tools/scripts/tests/fixtures/annotations/triangular_mesh.hff"
        with pytest.raises(
            Absent, match="no segment with a mesh called 'other'; the segments are: special_name"
        ):
            self.read(shared, home, "hff", "other")

    def test_a_compressed_surface_of_pyseg(self, shared: Path) -> None:
        path = "pyseg/code/pyseg/data/surf.vtp"
        reader = vtk.vtkXMLPolyDataReader()
        reader.SetFileName(str(shared / path))
        reader.Update()
        mesh = self.read(shared, path, "vtk")
        assert np.array_equal(mesh.vertices, vtk_to_numpy(reader.GetOutput().GetPoints().GetData()))
        assert len(mesh.faces) == reader.GetOutput().GetNumberOfPolys()

    def test_lines_are_no_surface(self, shared: Path) -> None:
        with pytest.raises(FormatError, match="no face"):
            self.read(shared, "pyseg/code/pyseg/data/skel_small.vtp", "vtk")

    @pytest.mark.parametrize(
        "name", ["empty.obj", "empty.stl", "emptyIO/stl_empty_bin.stl", "empty_nodes.glb"]
    )
    def test_files_without_a_face(self, shared: Path, name: str) -> None:
        with pytest.raises(FormatError, match=r"no face|is empty"):
            self.read(shared, f"trimesh/models/{name}", name.rpartition(".")[2])

    def test_a_zipped_file_is_no_mesh(self, shared: Path) -> None:
        path = shared / "trimesh/models/ascii.stl.zip"
        with pytest.raises(FormatError):
            read_mesh(path.read_bytes(), path.name, "stl")
        with zipfile.ZipFile(path) as zipped:
            assert len(read_mesh(zipped.read(zipped.namelist()[0]), "ascii.stl", "stl").faces)

    @pytest.mark.parametrize(
        ("name", "faces"),
        [
            ("two_objects.obj", 16),
            ("negative_indices.obj", 12),
            ("unit_sphere.STL", 1280),
            ("multibody.stl", 32),
        ],
    )
    def test_odd_files_that_are_sound(self, shared: Path, name: str, faces: int) -> None:
        assert (
            len(self.read(shared, f"trimesh/models/{name}", name.lower().rpartition(".")[2]).faces) == faces
        )


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """One small file of every form."""
    folder = tmp_path_factory.mktemp("meshes")
    ball = trimesh.creation.icosphere(subdivisions=1)
    found = [(kind, ball.export(file_type=kind)) for kind in ("obj", "stl", "glb")]
    shape = surface("sphere")
    found += [("vtk", written_legacy(shape, 51, is_binary, folder / "s.vtk")) for is_binary in (False, True)]
    for mode, compressor in (("Ascii", "None"), ("Binary", "ZLib"), ("Appended", "LZ4")):
        found.append(
            ("vtk", written_xml(shape, mode, compressor, folder / "s.vtp", base64=False, long_heads=False))
        )
    return [(kind, data.encode() if isinstance(data, str) else data) for kind, data in found]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_give_a_mesh_or_a_sentence(
    samples: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    kind, whole = data.draw(st.sampled_from(samples))
    at = data.draw(st.integers(0, len(whole)))
    match data.draw(st.sampled_from(["cut", "flip", "drop", "insert"])):
        case "cut":
            damaged = whole[:at]
        case "flip":
            damaged = whole[:at] + bytes(255 - byte for byte in whole[at : at + 2]) + whole[at + 2 :]
        case "drop":
            damaged = whole[:at] + whole[at + data.draw(st.integers(1, 40)) :]
        case _:
            damaged = whole[:at] + data.draw(st.binary(min_size=1, max_size=12)) + whole[at:]
    try:
        mesh = read_mesh(damaged, "x", kind)
    except FormatError:
        return
    assert len(mesh.faces)
    assert mesh.faces.max() < len(mesh.vertices)
    assert np.isfinite(mesh.vertices).all()


@pytest.mark.parametrize("kind", ["obj", "stl", "glb", "vtk", "hff"])
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300))
def test_other_files_give_a_sentence(kind: str, data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^x(, line \d+)?: "):
        read_mesh(data, "x", kind)


@pytest.mark.parametrize(
    ("factor", "words"), [(1e300, "too far away for numbers of 32 bits"), (1e-300, "fall into one point")]
)
def test_factors_that_leave_no_surface_are_refused(factor: float, words: str) -> None:
    mesh = read_mesh(b"v 0 0 0\nv 10 0 0\nv 0 1 0\nf 1 2 3\n", "x", "obj")
    with pytest.raises(FormatError, match=rf"^x: with scale_factor {re.escape(f'{factor:g}')}, .*{words}"):
        scaled(mesh, factor, "x")


VERTICES = b"v 0 0 0\nv 10 0 0\nv 0 1 0\n"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b"f 0 1 2", "line 4: this face has the corner 0; the file has 3 vertices, counted from 1"),
        (b"f 1 2 3\nf 1/1/1 2/2/2 4/3/3", "line 5: this face has the corner 4; the file has 3 vertices"),
        (b"f -1 -2 -4", "line 4: this face has the corner -4"),
        (b"f 1 \\\n 2 \\\n 0", "line 6: this face has the corner 0"),
        (b"f 1 2 three", "line 4: this face has the corner 'three'; expected the number of a vertex"),
        (b"v 1 2\nf 1 2 3", "line 4: this vertex is '1 2'; expected three numbers"),
        (b"v 1 2 z\nf 1 2 3", "line 4: this vertex is '1 2 z'; expected three numbers"),
    ],
)
def test_lines_of_an_obj_that_mean_nothing_are_told(lines: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=f"^x, {words}") as caught:
        read_mesh(VERTICES + lines, "x", "obj")
    assert "Error" not in str(caught.value)


def test_corners_may_count_back_come_first_and_go_on_in_the_next_line() -> None:
    for text in (
        VERTICES + b"f -3 -2 -1",
        b"f 1 2 3 # a face\n" + VERTICES,
        VERTICES + b"f 1//1 \\\n2//1 3//1",
    ):
        assert len(read_mesh(text, "x", "obj").faces) == 1


def test_places_beyond_32_bits_are_refused() -> None:
    with pytest.raises(FormatError, match=r"x: vertex 2 of 3 lies at \(1e\+39, 0, 0\)"):
        read_mesh(b"v 0 0 0\nv 1e39 0 0\nv 0 1 0\nf 1 2 3\n", "x", "obj")


def test_entities_in_xml_are_refused() -> None:
    data = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><VTKFile type="PolyData"/>'
    with pytest.raises(FormatError, match="document type"):
        read_mesh(data, "x", "vtk")


def test_lengths_of_an_unknown_type_are_refused() -> None:
    data = b'<VTKFile type="PolyData" header_type="nt32"><PolyData/></VTKFile>'
    with pytest.raises(FormatError, match="header_type is 'nt32'; expected UInt32 or UInt64"):
        read_mesh(data, "x", "vtk")


@pytest.mark.parametrize("length", [100, 300, -10])
def test_a_glb_that_is_cut_off_is_told_without_words_of_python(length):
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    whole = to_glb(Mesh(corners, np.array([[0, 1, 2], [0, 1, 3]], np.int32)))

    with pytest.raises(
        FormatError, match=r"^m\.glb: this is no GLB file, or it is cut off or damaged"
    ) as caught:
        read_mesh(whole[:length], "m.glb", "glb")

    assert "Error" not in str(caught.value)

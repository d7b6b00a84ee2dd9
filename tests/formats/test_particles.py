"""Lists of particles in every format: one set of files of the field describes the same particles in all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import starfile

from tomoportal.errors import FormatError
from tomoportal.formats.particles import Particles, TableForm, Unit, in_voxels, read_particles, turned

SAMPLES = "portal-backend/test_infra/test_files/input_bucket/20002/annotations"
PLAIN = TableForm()


def of(shared: Path, path: str, kind: str, group: str | None = None, *, oriented: bool = True) -> Particles:
    file = shared / path
    return read_particles(file.read_bytes(), file.name, kind, PLAIN, oriented=oriented).of(group)


class TestTheSameParticles:
    """`relion_3_star.star`, `stopgap_star.star` and `copick.json` of one folder were made from each other."""

    def test_relion_and_copick_agree_on_orientations(self, shared: Path) -> None:
        relion = of(shared, f"{SAMPLES}/relion_3_star.star", "relion3_star")
        copick = of(shared, f"{SAMPLES}/copick.json", "copick")
        assert relion.rotations is not None
        assert copick.rotations is not None
        assert np.allclose(relion.rotations[0], copick.rotations[0], atol=1e-6)

    def test_origins_are_taken_off(self, shared: Path) -> None:
        particles = of(shared, f"{SAMPLES}/relion_3_star.star", "relion3_star", "tomo_1.tomostar")
        assert np.allclose(particles.positions, [[5.2, 10.4, 15.2], [0.8, 1.6, 2.8]])
        assert particles.records.tolist() == [27, 28]

    def test_stopgap_adds_its_shifts_and_counts_tomograms(self, shared: Path) -> None:
        particles = of(shared, f"{SAMPLES}/stopgap_star.star", "stopgap_star", "01")
        assert len(particles) == 2
        assert np.allclose(particles.positions[0], [2.8, 5.6, 8.8])

    def test_a_tomogram_that_is_not_there_has_no_particles(self, shared: Path) -> None:
        assert len(of(shared, f"{SAMPLES}/relion_3_star.star", "relion3_star", "tomo_9")) == 0


def test_relion_5_counts_in_angstrom_from_the_centre(shared: Path) -> None:
    path = "cylindra/cylindra_builtins/relion/tests/test_jobs/Refine3D/job_refine/run_it050_data.star"
    table = starfile.read(shared / path)["particles"]
    particles = of(shared, path, "relion5_star", "TS_01")
    assert particles.unit is Unit.CENTRED
    placed = in_voxels(particles, binning=1, spacing=10.0, shape_zyx=(100, 300, 400))
    first = table.iloc[0]
    expected = [
        (first[f"rlnCenteredCoordinate{axis}Angst"] - first[f"rlnOrigin{axis}Angst"]) / 10 + side / 2
        for axis, side in zip("XYZ", (400, 300, 100), strict=True)
    ]
    assert np.allclose(placed.positions[0], expected)
    with pytest.raises(FormatError, match="whose size is unknown"):
        in_voxels(particles, binning=1, spacing=10.0, shape_zyx=None)


def test_a_dynamo_table(shared: Path) -> None:
    path = "dynamotable/test/data/t_double.tbl"
    rows = np.loadtxt(shared / path)
    particles = of(shared, path, "dynamo_tbl", "2")
    picked = rows[rows[:, 19] == 2]
    assert np.allclose(particles.positions, picked[:, 23:26] + picked[:, 3:6])


@pytest.mark.parametrize(
    ("oriented", "first"),
    [(False, [235.42158508, 682.91247559, 301.9546814]), (True, [235.519577, 682.744141, 302.0])],
)
def test_an_imod_model(shared: Path, oriented: bool, first: list[float]) -> None:
    """The figures that the `imodmodel` library reads from it."""
    particles = of(shared, f"{SAMPLES}/oriented_points.mod", "mod", oriented=oriented)
    assert len(particles) == 4
    assert np.allclose(particles.positions[0], first)
    assert (particles.rotations is not None) == oriented


@pytest.mark.parametrize(
    ("name", "count"), [("point_sizes", 18), ("two_contour", 25), ("meshed_curvature", 1176)]
)
def test_real_models(shared: Path, name: str, count: int) -> None:
    assert len(of(shared, f"imodmodel/tests/test_data/{name}_example.mod", "mod", oriented=False)) == count


def test_a_damaged_model_ends_with_a_sentence(shared: Path) -> None:
    path = "sfftk/sfftk/test_data/segmentations/test_bad_data1.mod"
    with pytest.raises(FormatError, match="expected an IMOD model"):
        of(shared, path, "mod")


@pytest.mark.parametrize(
    ("path", "particles", "tomograms"),
    [
        ("10.1101-2024.12.28.630444/star/ps2.star", 3111, 21),
        ("10.1126-science.ads8738/star/respirasome.star", 14393, 131),
        ("10.1126-science.ads8738/star/putative_prohibitin.star", 279, 33),
        ("10.1126-science.ads8738/star/hsp60.star", 27, 1),
    ],
)
def test_published_lists(shared: Path, path: str, particles: int, tomograms: int) -> None:
    file = shared / "chlamy-annotations" / path
    table = read_particles(file.read_bytes(), file.name, "tomoman_relion_star", PLAIN)
    expected = starfile.read(file)
    assert (len(table.particles), len(table.groups)) == (particles, tomograms)
    for name, rows in expected.groupby("rlnTomoName"):
        assert np.allclose(
            table.of(name).positions, rows[["rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ"]].to_numpy()
        )


def test_columns_by_name() -> None:
    data = b"run_name,score,Z,Y,X,ID\nA,1,30,20,10,4\nB,1,3,2,1,5\n"
    form = TableForm(has_header=True, names=("x", "y", "z"), group="run_name", instance="ID")
    particles = read_particles(data, "p.csv", "csv_with_header", form).of("A")
    assert particles.positions.tolist() == [[10, 20, 30]]
    assert particles.instances is not None
    assert particles.instances.tolist() == [4]
    assert particles.records.tolist() == [2]


def test_a_column_that_is_not_there() -> None:
    form = TableForm(has_header=True, names=("x", "y", "depth"))
    with pytest.raises(
        FormatError, match=r"p.csv, line 1: there is no column depth; the header names x, y, z"
    ):
        read_particles(b"x,y,z\n1,2,3\n", "p.csv", "csv_with_header", form)


def test_tardis_numbers_its_instances() -> None:
    particles = read_particles(b"ID,X,Y,Z\n0,1,2,3\n0.0,4,5,6\n7,7,8,9\n", "t.csv", "tardis", PLAIN).of(None)
    assert particles.instances is not None
    assert particles.instances.tolist() == [0, 0, 7]
    with pytest.raises(FormatError, match=r"line 2: '1.5' is no number of an instance"):
        read_particles(b"ID,X,Y,Z\n1.5,1,2,3\n", "t.csv", "tardis", PLAIN)


def test_z_first_turns_matrices_too() -> None:
    matrix = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    particles = turned(Particles("p", np.array([[1.0, 2, 3]]), rotations=matrix[None]))
    assert particles.positions.tolist() == [[3, 2, 1]]
    assert particles.rotations is not None
    # Its rows and columns are those of z, y, x: what the file calls its first axis is z.
    assert particles.rotations[0].tolist() == [[1, 0, 0], [0, 0, 1], [0, -1, 0]]


def test_matrices_that_are_no_rotations_are_told_with_their_place() -> None:
    turns = np.stack([np.eye(3), 2 * np.eye(3), -np.eye(3)])
    particles = Particles("p.json", np.zeros((3, 3)), rotations=turns, records=np.array([4, 5, 6]))
    with pytest.raises(FormatError, match=r"p.json, line 5: its matrix is no rotation \(nor are 1 others\)"):
        in_voxels(particles, binning=1, spacing=1, shape_zyx=None)


@pytest.mark.parametrize(
    ("positions", "binning", "words"),
    [([[1, 2, 3], [4, 5, 6]], 1e-300, r"line 4: with binning 1e-300 .* farther away than 10,000,000 \(as do 1 others\)"),
     ([[1, 2, 3], [4, -2e7, 6]], 1, r"line 5: with binning 1 this point lies at \(4, -2e\+07, 6\)")],
)  # fmt: skip
def test_points_farther_away_than_any_volume_are_told_with_their_line(positions, binning, words) -> None:
    particles = Particles("p.csv", np.array(positions, float), records=np.array([4, 5]))
    with pytest.raises(FormatError, match=f"p.csv, {words}"):
        in_voxels(particles, binning=binning, spacing=10.0, shape_zyx=None)


def test_relion_4_origins_are_in_pixels_of_the_tilt_series() -> None:
    data = b"""
data_optics

loop_
_rlnOpticsGroup
_rlnTomoTiltSeriesPixelSize
_rlnImagePixelSize
1 2.0 8.0
2 4.0 8.0

data_particles

loop_
_rlnTomoName
_rlnCoordinateX
_rlnCoordinateY
_rlnCoordinateZ
_rlnOriginXAngst
_rlnOriginYAngst
_rlnOriginZAngst
_rlnOpticsGroup
a 100 100 100 8 0 -8 1
a 100 100 100 8 0 -8 2
"""
    particles = read_particles(data, "p.star", "relion4_star", PLAIN).of("a")
    assert particles.positions.tolist() == [[96, 100, 104], [98, 100, 102]]
    with pytest.raises(
        FormatError, match=r"p.star, line 23: this particle is of the optics group 3; known are 1, 2"
    ):
        read_particles(data.replace(b"-8 2\n", b"-8 3\n"), "p.star", "relion4_star", PLAIN)


@pytest.mark.parametrize("own", ["", "_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n"])
def test_origins_of_turned_boxes_are_counted_along_the_axes_of_the_box(own: str) -> None:
    """A box with Rot 90 has its x axis along the tomogram's -y: RELION's matrix is [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]."""
    columns = [f"_rlnCoordinate{axis}" for axis in "XYZ"] + [f"_rlnOrigin{axis}Angst" for axis in "XYZ"]
    columns += [f"_rlnTomoSubtomogram{angle}" for angle in ("Rot", "Tilt", "Psi")]
    head = "data_particles\n\nloop_\n_rlnTomoTiltSeriesPixelSize\n" + "\n".join(columns) + f"\n{own}"
    row = "2.0 100 100 100 8 0 -4 90 0 0" + (" 0 0 0" if own else "")
    particles = read_particles(f"{head}{row}\n".encode(), "p.star", "relion4_star", PLAIN, oriented=True).of(
        None
    )
    assert np.allclose(particles.positions, [[100, 104, 102]])
    assert particles.rotations is not None
    assert np.allclose(particles.rotations[0], [[0, 1, 0], [-1, 0, 0], [0, 0, 1]])

"""Lists of every format in one system of Å: the same particles, written for each package, lie on each other."""

from __future__ import annotations

import numpy as np
import pytest

from tomoportal.compare import ParticleList, in_angstrom, read_list
from tomoportal.errors import FormatError, UsageError
from tomoportal.formats.particles import Particles
from tomoportal.formats.particles.writers import WRITERS, Destination, at_spacing

SIZE = (24, 20, 12)
POINTS = Particles(
    "p",
    np.array([[3.5, 4.25, 5.0], [20.0, 15.5, 2.0], [12.0, 10.0, 6.0]]),
    rotations=np.tile(np.eye(3), (3, 1, 1)),
)
PUBLISHED = ParticleList(Particles("annotation:1", POINTS.positions), 10.0, SIZE)
"""As a portal has them."""


def listed(kind: str, particles: Particles = POINTS, spacing: float = 10.0) -> ParticleList:
    size = tuple(int(side * 10 / spacing) for side in SIZE)
    place = Destination("T", 7, spacing, (size[0], size[1], size[2]))
    return read_list(WRITERS[kind].write(particles, place), f"p{WRITERS[kind].ending}")


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_lies_on_the_published_points(kind: str) -> None:
    first, second = in_angstrom(listed(kind), PUBLISHED, 10.0)
    assert np.allclose(first, second, atol=1e-4)


@pytest.mark.parametrize("kind", ["ndjson", "csv", "dynamo_tbl", "mod"])
def test_the_published_points_keep_their_own_spacing(kind: str) -> None:
    finer = listed(kind, at_spacing(POINTS, 10.0, 5.0), 5.0)
    assert np.allclose(*in_angstrom(finer, PUBLISHED, 5.0), atol=1e-4)


def test_lists_in_one_unit_of_angstrom_need_nothing() -> None:
    assert np.allclose(*in_angstrom(listed("copick"), listed("copick"), None))
    assert np.allclose(*in_angstrom(listed("relion5_star"), listed("relion5_star"), None))


def test_what_is_not_known_is_asked_for() -> None:
    with pytest.raises(
        UsageError, match=r"p.csv counts in pixels, and the voxel spacing is not known; give --voxel-spacing"
    ):
        in_angstrom(listed("csv"), listed("csv"), None)
    with pytest.raises(UsageError, match="whose size is not known"):
        in_angstrom(listed("relion5_star"), listed("csv"), 10.0)
    with pytest.raises(UsageError, match="expected a number above 0"):
        in_angstrom(listed("csv"), listed("csv"), -1.0)


def test_tables_without_a_form() -> None:
    for text in ("x,y,z\n1,2,3\n", "1 2  3\n", "# made by hand\n1;2;3\n", "1\t2\t3\n"):
        assert read_list(text.encode(), "p.csv").particles.positions.tolist() == [[1, 2, 3]]


def test_several_tomograms() -> None:
    star = "data_\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\nA 1 2 3\nB 4 5 6\n"
    with pytest.raises(UsageError, match=r"particles of 2 tomograms \(A, B\); say which with --group"):
        read_list(star.encode(), "p.star")
    assert read_list(star.encode(), "p.star", group="B").particles.positions.tolist() == [[4, 5, 6]]
    with pytest.raises(FormatError, match="no particle of 'C'"):
        read_list(star.encode(), "p.star", group="C")


def test_endings_that_say_nothing() -> None:
    with pytest.raises(UsageError, match=r"the ending .dat says nothing"):
        read_list(b"1,2,3", "p.dat")
    with pytest.raises(UsageError, match="xml is no format of particles"):
        read_list(b"1,2,3", "p.dat", kind="xml")
    assert len(read_list(b"1,2,3", "p.dat", kind="csv").particles) == 1

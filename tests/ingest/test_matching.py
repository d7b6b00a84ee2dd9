"""Movies and images find their sections of the mdoc files."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.formats.mdoc import MdocSection
from tomoportal.ingest.matching import ANGLE_TOLERANCE, movies_of, sections_of


def _sections(angles, first: int = 0) -> list[MdocSection]:
    """Sections in the order of acquisition, numbered so that their numbers are no places in a stack."""
    return [MdocSection("ZValue", 1000 + first + n, n, tilt_angle=angle) for n, angle in enumerate(angles)]


def _matched(angles, sections, own=None):
    return sections_of(angles, sections, own or [True] * len(sections), list(range(len(sections))))


@pytest.mark.parametrize(
    ("name", "files", "place"),
    [
        ("a.tif", ["b.tif", "a.tif"], 1),
        ("a.tif", ["A.TIF", "a.tif"], 1),
        ("A.TIF", ["a.tif"], 0),
        ("a.mrc", ["a.mrc.bz2"], 0),
        ("a.mrc.gz", ["a.mrc"], 0),
        ("a.tif", ["a.tif.gz", "a.tif"], 1),
        ("a.tif", ["aa.tif"], None),
        ("a.tif", ["a.tiff"], None),
        (None, ["a.tif"], None),
    ],
)
def test_a_movie_is_found_by_its_name(name, files, place):
    assert movies_of([name], files) == [place]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.randoms(use_true_random=False), st.floats(-0.004, 0.004))
def test_distinct_angles_find_their_own_section_in_any_order(count, random_order: random.Random, off):
    angles = [3.0 * n - 60 for n in range(count)]
    taken = random_order.sample(range(count), count)
    stack = random_order.sample(range(count), count)
    sections = _sections([round(angles[n] + off, 4) for n in taken])
    found = _matched([angles[n] for n in stack], sections)
    assert [taken[place] for place in found if place is not None] == stack


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-6, 6), max_size=12), st.lists(st.integers(-6, 6), max_size=12))
def test_no_section_is_used_twice_and_none_is_left_that_fits(images, taken):
    found = _matched([10.0 * n for n in images], _sections([10.0 * n for n in taken]))
    used = [place for place in found if place is not None]
    assert len(set(used)) == len(used)
    assert all(place is None or taken[place] == image for image, place in zip(images, found, strict=True))
    for angle in set(images):
        wanted = min(images.count(angle), taken.count(angle))
        assert sum(images[i] == angle and place is not None for i, place in enumerate(found)) == wanted


@pytest.mark.parametrize("first", [1, -1])
@pytest.mark.parametrize("ascending", [True, False])
def test_the_two_images_at_zero_belong_to_the_branch_beside_them(first, ascending):
    """Against every assignment: the sum of jumps in the order of acquisition between neighbours is the least possible."""
    branch = [0.0, 20.0, 40.0, 60.0]
    taken = [first * angle for angle in branch] + [-first * angle for angle in branch]
    stack = sorted(taken, reverse=not ascending)
    found = _matched(stack, _sections(taken))
    assert None not in found

    def jumps(order):
        return sum(
            abs(a - b) for a, b in itertools.pairwise(order) if stack[order.index(a)] != stack[order.index(b)]
        )

    zeros = [n for n, angle in enumerate(stack) if angle == 0]
    other = list(found)
    other[zeros[0]], other[zeros[1]] = other[zeros[1]], other[zeros[0]]
    assert jumps(found) < jumps(other)


def test_images_in_the_order_of_the_file_are_its_sections():
    taken = [0.0, 0.0, 3.0, -3.0, 0.0]
    sections = [MdocSection("ZValue", n, n, tilt_angle=angle) for n, angle in enumerate(taken)]
    assert _matched(taken, sections) == [0, 1, 2, 3, 4]


def test_nominal_angles_find_measured_ones_within_the_tolerance():
    near, far = 20 + 0.9 * ANGLE_TOLERANCE, 40 + 1.1 * ANGLE_TOLERANCE
    assert _matched([0.0, 20.0, 40.0], _sections([0.0, near, far])) == [0, 1, None]


def test_the_nearest_of_two_near_angles_is_taken():
    assert _matched([10.0, 10.05], _sections([10.04, 10.01])) == [1, 0]


def test_own_sections_come_first_and_sections_without_an_angle_never():
    sections = [*_sections([0.0, 3.0]), *_sections([0.0, None], 10)]
    assert _matched([0.0, 3.0], sections, [False, False, True, True]) == [2, 1]

"""Key pictures: sizes, cropping, and overlays where they belong."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tomoportal.formats.pictures import encode_png
from tomoportal.ingest.pictures import (
    MaskOverlay,
    PointOverlay,
    colours,
    grey_levels,
    key_pictures,
)
from tomoportal.ingest.volumes import Slab

SIZES = {"snapshot": (512, 384), "thumbnail": (134, 100), "expanded": (1024, 768)}


def slab(shape: tuple[int, int] = (232, 240), **place) -> Slab:
    image = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    return Slab(image, place.pop("start", 30), place.pop("stop", 70), (100, *shape), **place)


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    assert picture.mode == "RGB"
    return picture


@pytest.mark.parametrize("shape", [(232, 240), (240, 232), (116, 120), (1, 1), (3, 700), (1500, 1100)])
def test_all_four_have_their_sizes(shape: tuple[int, int]) -> None:
    pictures = key_pictures(slab(shape))
    assert opened(pictures.original).size == (shape[1], shape[0])
    for name, size in SIZES.items():
        assert opened(getattr(pictures, name)).size == size


def test_a_plain_slab_is_grey_and_the_bytes_are_fixed() -> None:
    first, second = key_pictures(slab()), key_pictures(slab())
    assert first == second
    pixels = np.asarray(opened(first.expanded))
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 1] == pixels[..., 2]).all()


def test_extremes_do_not_spoil_the_contrast() -> None:
    image = np.random.default_rng(0).normal(0, 1, (300, 300)).astype(np.float32)
    image[:3, :3] = -1e6
    levels = grey_levels(image)
    assert 40 < levels.std() < 90
    assert (grey_levels(np.full((4, 4), 3.0)) == 128).all()
    assert set(grey_levels(np.eye(100)).ravel()) == {0, 255}


def find(picture: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    """Places (y, x) of the pixels close to `colour`."""
    return np.argwhere(np.abs(np.asarray(picture, int) - colour).max(axis=2) < 60)


@pytest.mark.parametrize(("x", "y"), [(120, 116), (60, 50), (200, 180)])
def test_a_point_is_drawn_where_it_is(x: int, y: int) -> None:
    colour = (255, 0, 255)
    points = np.array([[x, y, 50.0], [10, 10, 29.0], [10, 10, 71.0], [500, 10, 50], [10, -80, 50]])
    found = find(opened(key_pictures(slab(), points=[PointOverlay(points, colour)]).original), colour)
    assert np.allclose(found.mean(axis=0), (y, x), atol=0.6)
    assert len(found) < 100


def test_a_point_lands_in_the_crop_too() -> None:
    colour = (255, 0, 255)
    pictures = key_pictures(slab(), points=[PointOverlay(np.array([[70.0, 60.0, 50.0]]), colour)])
    scale = 1024 / 232
    expected = (60 + 0.5 - (232 - 174) / 2) * scale - 0.5, (70 + 0.5 - (240 - 232) / 2) * scale - 0.5
    assert np.allclose(find(opened(pictures.expanded), colour).mean(axis=0), expected, atol=3)


def test_points_on_the_border_are_cut_not_lost() -> None:
    points = np.array([[0, 0, 50.0], [239, 231, 50.0]])
    found = find(
        opened(key_pictures(slab(), points=[PointOverlay(points, (255, 0, 255))]).original), (255, 0, 255)
    )
    assert {tuple(place) for place in found} >= {(0, 0), (231, 239)}


def test_a_mask_tints_its_inside_and_keeps_the_picture_visible() -> None:
    mask = np.zeros((232, 240), bool)
    mask[80:150, 90:160] = True
    plain = np.asarray(opened(key_pictures(slab()).original), int)
    tinted = np.asarray(opened(key_pictures(slab(), masks=[MaskOverlay(mask, (255, 196, 0))]).original), int)
    changed = np.abs(tinted - plain).max(axis=2) > 3
    assert not changed[:75].any()
    assert not changed[:, 170:].any()
    assert changed[95:135, 105:145].mean() > 0.9
    inside = tinted[95:135, 105:145]
    assert np.corrcoef(inside[..., 0].ravel(), plain[95:135, 105:145, 0].ravel())[0, 1] > 0.95


def test_a_mask_of_another_size_is_brought_to_the_picture() -> None:
    mask = np.zeros((116, 120), bool)
    mask[40:75, 45:80] = True
    tinted = np.asarray(opened(key_pictures(slab(), masks=[MaskOverlay(mask, (255, 0, 0))]).original), int)
    assert tinted[115, 120, 0] > tinted[115, 120, 2] + 20


def test_a_coarser_slab_places_points_by_its_step() -> None:
    found = find(
        opened(
            key_pictures(
                slab(step=2), points=[PointOverlay(np.array([[240.0, 200.0, 50.0]]), (255, 0, 255))]
            ).original
        ),
        (255, 0, 255),
    )
    assert np.allclose(found.mean(axis=0), (100, 120), atol=0.8)


def test_colours_are_many_distinct_and_stable() -> None:
    many = colours(30)
    assert len(set(many)) == 30
    assert colours(5) == many[:5]
    assert all(max(colour) > 200 for colour in many)


def test_pngs_of_grainy_pictures_keep_every_pixel_and_stay_small() -> None:
    grain = np.random.default_rng(3).normal(128, 40, (300, 400)).clip(0, 255).astype(np.uint8)
    rgb = np.stack([grain, grain, grain], axis=-1)
    png, usual = encode_png(Image.fromarray(rgb)), io.BytesIO()
    assert (np.asarray(opened(png)) == rgb).all()
    Image.fromarray(rgb).save(usual, "PNG")
    assert len(png) < 0.8 * len(usual.getvalue())


def test_a_mask_has_a_rim_all_around_but_none_at_the_border_of_the_picture() -> None:
    mask = np.zeros((768, 1024), bool)
    mask[200:, 300:700] = True
    flat = Slab(np.zeros((768, 1024), np.float32), 30, 70, (100, 768, 1024))
    red = np.asarray(opened(key_pictures(flat, masks=[MaskOverlay(mask, (255, 0, 0))]).original))[..., 0]
    inside = red[500, 500]
    assert red[500, 301] > inside
    assert red[201, 500] > inside
    assert red[767, 500] == inside
    assert red[100, 100] == 128

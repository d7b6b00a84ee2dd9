"""Layers in napari's own coordinates: points, masks, surfaces and volumes lie on the bodies of the phantom, in Å."""

from __future__ import annotations

import json

import mrcfile
import numpy as np
import pytest
import trimesh
from scipy.ndimage import distance_transform_edt

from demo_oracle import centres, darkness, turns
from tomoportal import Tomogram
from tomoportal.errors import RemoteError
from tomoportal.napari.appearance import colours_of, contrast_of
from tomoportal.napari.layers import image_layer, tomogram_layers, volumes
from tomoportal.napari.particles import DIAMETER, diameter_of
from tomoportal.napari.parts import parts_of
from tomoportal.viewer.points import AXIS_LENGTH

TRUE_POINTS = "cytosolic ribosome, points, ground truth"
TRUE_AXES = "cytosolic ribosome, oriented points, ground truth, axes"
MEMBRANE = "membrane, segmentation, ground truth"


def _viewer(tomogram, parts=None, level=None):
    from napari.components import ViewerModel
    from napari.layers import Layer

    viewer = ViewerModel()
    for layer in tomogram_layers(tomogram, parts, level):
        viewer.add_layer(Layer.create(*layer))
    return viewer


@pytest.fixture(scope="module")
def parts(tomograms):
    return parts_of(tomograms[0])


@pytest.fixture(scope="module")
def fine(tomograms, parts):
    """The finest level with everything that fits."""
    return _viewer(tomograms[0], parts, level=0)


def _world(layer, data):
    return np.array([layer.data_to_world(place) for place in data])


def _values(viewer, layer, world):
    """What napari shows of a layer at places of the world, slice by slice."""
    found = []
    for place in world:
        viewer.dims.point = place
        found.append(layer.get_value(place, world=True))
    return np.array([0 if value is None else value for value in found])


def _true_ribosomes(facts):
    """Å from the outer corner, z, y, x."""
    places = [p["xyz_angstrom"] for p in facts["particles"] if p["species"] == "cytosolic ribosome"]
    return np.array(places)[:, ::-1] + float(min(facts["spacings"], key=float)) / 2


def test_points_are_where_the_phantom_has_its_ribosomes(fine, facts):
    true, spacing = _true_ribosomes(facts), 21.424
    found = _world(fine.layers[TRUE_POINTS], fine.layers[TRUE_POINTS].data)
    assert len(found) == len(true)
    distances = np.linalg.norm(found[:, None] - true[None], axis=2).min(axis=1)
    assert distances.max() < 0.51 * spacing
    assert {str(unit) for unit in fine.layers[TRUE_POINTS].units} == {"angstrom"}


def test_points_of_another_voxel_spacing_are_there_too(fine, facts):
    """Found by a program in the coarser tomogram: most are true, and none is off by more than its voxel then."""
    layer, true = fine.layers["cytosolic ribosome, points"], _true_ribosomes(facts)
    distances = np.linalg.norm(_world(layer, layer.data)[:, None] - true[None], axis=2).min(axis=1)
    near = distances[distances < 100]
    assert tuple(layer.scale) == pytest.approx((42.848,) * 3)
    assert len(near) > 0.6 * len(true)
    assert near.mean() < 42.848


def test_voxels_at_points_of_the_world_are_those_of_the_file(fine, facts, tomograms, demo_portal):
    world = _true_ribosomes(facts)
    stored = demo_portal.layout / tomograms[0].https_mrc_file.partition("/files/")[2]
    xyz = centres(facts, "21.424")
    with mrcfile.open(stored) as file:
        z, y, x = np.round(xyz).astype(int).T[::-1]
        assert _values(fine, fine.layers[0], world).tolist() == file.data[z, y, x].tolist()
        assert darkness(file.data, xyz, 21.424).mean() > 3


def test_masks_cover_what_they_are_of(fine, facts):
    """The axes of the microtubules lie in their mask, the gold and the ribosomes beside it."""
    layer, half = fine.layers["microtubule, segmentation, ground truth"], 21.424 / 2
    size = np.array([32, 96, 96]) * 21.424
    tubes = [f["path_angstrom"] for f in facts["filaments"] if f["kind"] == "microtubule"]
    path = np.concatenate(tubes)[:, ::-1] + half
    inside = path[((path > 0) & (path < size)).all(axis=1)]
    distances = distance_transform_edt(np.asarray(layer.data) == 0, sampling=21.424)
    voxels = np.round([layer.world_to_data(place) for place in inside]).astype(int)
    assert distances[tuple(voxels.T)].max() <= 125
    shown = _values(fine, layer, inside[::8])
    assert shown.tolist() == np.asarray(layer.data)[tuple(voxels[::8].T)].tolist()
    mirrored = voxels.copy()
    mirrored[:, 2] = 95 - mirrored[:, 2]
    assert distances[tuple(mirrored.T)].max() > 250


def test_a_surface_lies_on_its_mask(fine, parts, demo_portal):
    surface, mask = fine.layers["membrane, surface, ground truth"], fine.layers[MEMBRANE]
    inside = np.asarray(mask.data) > 0
    edge = np.abs(distance_transform_edt(inside) - distance_transform_edt(~inside))
    voxels = np.round([mask.world_to_data(place) for place in _world(surface, surface.data[0][::50])])
    voxels = np.clip(voxels.astype(int), 0, np.array(inside.shape) - 1)
    assert np.percentile(edge[tuple(voxels.T)], 95) <= 2
    published = trimesh.load_scene(
        demo_portal.layout / _file(parts, "Mesh").https_path.partition("/files/")[2], process=False
    )
    faces = published.to_mesh().faces
    assert (surface.data[1][:, ::-1] == faces).all(), (
        "z, y, x is left-handed, so the corners go round the other way"
    )


def test_axes_of_oriented_points_are_those_of_the_particles(fine, facts, parts):
    layer, true = fine.layers[TRUE_AXES], _true_ribosomes(facts)
    starts = _world(layer, layer.data[::3, 0])
    axes = layer.data[:, 1].reshape(-1, 3, 3) * layer.scale
    nearest = np.linalg.norm(starts[:, None] - true[None], axis=2).argmin(axis=1)
    lengths = np.linalg.norm(axes, axis=2)
    columns = np.swapaxes(turns(facts)[nearest], 1, 2)[..., ::-1]
    assert np.allclose(axes / lengths[..., None], columns, atol=1e-3)
    annotation = _file(parts, "OrientedPoint").annotation_shape.annotation
    diameter = diameter_of(annotation)
    assert np.allclose(lengths, AXIS_LENGTH * diameter)
    markers = fine.layers[TRUE_POINTS]
    assert np.allclose(markers.size * markers.scale[0], diameter)


def test_the_size_of_a_marker_is_that_of_the_object(parts, client):
    annotation = _file(parts, "Point").annotation_shape.annotation
    described = json.loads(client.get(annotation.https_metadata_path).content)["annotation_object"]
    assert diameter_of(annotation) == described.get("diameter", DIAMETER)
    annotation.__dict__["https_metadata_path"] += "x"
    with pytest.raises(RemoteError, match="answered 404"):
        diameter_of(annotation)


def test_levels_and_voxel_spacings_share_the_outer_faces(tomograms):
    """The coarser tomogram averages 2 × 2 × 2 voxels of the finer one; so does level 1 of its pyramid."""
    fine, coarse = _viewer(tomograms[0], (), 0).layers[0], _viewer(tomograms[1], (), 0).layers[0]
    level = _viewer(tomograms[0], (), 1).layers[0]
    assert level.scale.tolist() == pytest.approx(coarse.scale.tolist())
    data, ratios = np.asarray(fine.data, float), []
    for voxel in ((3, 7, 20), (12, 40, 5), (8, 21, 33)):
        corner = np.array(voxel) - 0.5
        low, high = (fine.world_to_data(coarse.data_to_world(place)) for place in (corner, corner + 1))
        covered = tuple(slice(round(a + 0.5), round(b + 0.5)) for a, b in zip(low, high, strict=True))
        assert data[covered].shape == (2, 2, 2)
        ratios.append(data[covered].mean() / float(coarse.data[voxel]))
        assert float(level.data[voxel]) == pytest.approx(data[covered].mean(), abs=1)
        assert level.data_to_world(voxel) == pytest.approx(coarse.data_to_world(voxel))
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-3), "the same grey values in another unit"


def test_napari_chooses_among_all_levels_unless_told(tomograms):
    viewer = _viewer(tomograms[0])
    image = viewer.layers[0]
    assert [level.shape for level in image.data] == [(32, 96, 96), (16, 48, 48), (8, 24, 24)]
    assert viewer.layers[MEMBRANE].multiscale
    assert {layer.name for layer in viewer.layers[1:]} == {
        part.name for part in parts_of(tomograms[0]) if part.is_visible
    }


def test_contrast_and_colours_are_those_of_the_portals_viewer(fine, tomograms):
    state = json.loads(tomograms[0].neuroglancer_config)["layers"]
    limits = state[0]["shaderControls"]["contrast"]["range"]
    assert fine.layers[0].contrast_limits == pytest.approx(limits)
    shown = {layer["name"]: layer for layer in state}
    points, mask = fine.layers[TRUE_POINTS], fine.layers[MEMBRANE]
    assert _hex(points.face_color[0]) == shown[TRUE_POINTS]["annotationColor"]
    assert _hex(mask.get_color(1)) == shown[MEMBRANE]["segmentDefaultColor"]
    assert mask.get_color(0) is None or mask.get_color(0)[3] == 0


def test_a_portal_that_tells_nothing_of_contrast_and_colours(tomograms):
    class Untold:
        neuroglancer_config = None

    tomogram, parts = tomograms[0], parts_of(tomograms[0])
    assert contrast_of(Untold()) is None
    found = colours_of(Untold(), parts)
    assert len(set(found)) == len(parts)
    _, told, _ = image_layer(volumes(tomogram, None), "a")
    low, high = told["contrast_limits"]
    coarsest = np.asarray(tomogram.open(2))
    assert ((coarsest < low).mean(), (coarsest > high).mean()) == pytest.approx((0.01, 0.01), abs=0.005)


def test_only_annotations_of_the_same_alignment_are_drawn(tomograms, client):
    parts = parts_of(tomograms[0])
    assert len(parts) == 9
    assert {part.file.format for part in parts} == {"ndjson", "zarr", "glb"}
    other = Tomogram(client, **tomograms[0].to_dict() | {"alignment_id": 10**6})
    assert parts_of(other) == []


def test_instances_have_colours_of_their_own(fine):
    layer = fine.layers["microtubule, instances, ground truth"]
    numbers = layer.features["instance_id"].to_numpy()
    colours = {
        number: {_hex(c) for c in layer.face_color[numbers == number]} for number in np.unique(numbers)
    }
    assert len(colours) == 3
    assert all(len(of_one) == 1 for of_one in colours.values())
    assert len(set.union(*colours.values())) == 3


def _file(parts, shape):
    return next(part.file for part in parts if part.shape == shape)


def _hex(colour):
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in colour[:3])

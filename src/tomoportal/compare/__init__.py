"""How well a prediction agrees with a truth: lists of particles, and masks.

    compare_points(predicted, truth, radius=…) → PointScores      one-to-one pairs within a radius
    compare_masks(predicted, truth) → MaskScores                  voxels, read slab by slab
    open_mask, read_list, in_angstrom                             files in every format that is read

Pure but for reading local files; knows neither the catalogue nor HTTP.
"""

from tomoportal.compare.lists import ParticleList, in_angstrom, is_volume, read_list
from tomoportal.compare.masks import Mask, MaskScores, compare_masks, open_mask
from tomoportal.compare.points import PointScores, compare_points

__all__ = [
    "Mask",
    "MaskScores",
    "ParticleList",
    "PointScores",
    "compare_masks",
    "compare_points",
    "in_angstrom",
    "is_volume",
    "open_mask",
    "read_list",
]

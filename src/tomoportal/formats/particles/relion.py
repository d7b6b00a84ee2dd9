"""Particle lists of RELION 3, 4 and 5, of Warp and of TOMOMAN, which share their labels.

Labels: https://relion.readthedocs.io/en/latest/Reference/MetadataLabel.html. Positions are `rlnCoordinateX/Y/Z` in pixels (of the unbinned
tilt series in RELION 4) or, in RELION 5, `rlnCenteredCoordinateX/Y/ZAngst` in Å from the centre of the tomogram. An origin is taken off
them: `rlnOriginX/Y/Z` in pixels, or `rlnOriginX/Y/ZAngst` in Å, for which the size of the pixels must be known. Where boxes were turned
when they were cut out (`rlnTomoSubtomogramRot/Tilt/Psi`), origins are counted along the axes of the box, and orientations are seen from
it (ParticleSet::getPosition and getMatrix3x3 in src/jaz/tomography/particle_set.cpp of 3dem/relion).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError
from tomoportal.formats.particles.table import Particles, ParticleTable, Unit, grouped
from tomoportal.formats.rotations import from_relion
from tomoportal.formats.star import Block, read_star
from tomoportal.formats.text import number, shortened

_COORDINATES = ("rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ")
_CENTRED = ("rlnCenteredCoordinateXAngst", "rlnCenteredCoordinateYAngst", "rlnCenteredCoordinateZAngst")
_ORIGINS = ("rlnOriginX", "rlnOriginY", "rlnOriginZ")
_ORIGINS_IN_ANGSTROM = ("rlnOriginXAngst", "rlnOriginYAngst", "rlnOriginZAngst")
_ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
_BOX_ANGLES = ("rlnTomoSubtomogramRot", "rlnTomoSubtomogramTilt", "rlnTomoSubtomogramPsi")
_TOMOGRAMS = ("rlnTomoName", "rlnMicrographName")
_PIXEL_SIZES = ("rlnTomoTiltSeriesPixelSize", "rlnImagePixelSize", "rlnPixelSize", "rlnMicrographPixelSize")
_SPOKEN = 10


def read_relion(data: bytes, name: str, grouped_by: str = "") -> ParticleTable:
    """All particles. `grouped_by` is the label whose values name tomograms; without it `rlnTomoName`, else `rlnMicrographName`.

    Raises `FormatError` with the line for what is no list of particles.
    """
    blocks = read_star(data, name)
    block = _particles(blocks, name)
    label = next(
        (known for known in ((grouped_by,) if grouped_by else _TOMOGRAMS) if known in block.labels), ""
    )
    if grouped_by and not label:
        raise FormatError(
            f"{name}, line {block.line}",
            f"the particles have no column _{grouped_by}, which names tomograms in this format.",
        )
    is_centred = set(_CENTRED) <= set(block.labels)
    wanted = [part for part in (_CENTRED if is_centred else _COORDINATES, *_present(block)) if part]
    labels = [text for part in wanted for text in part]
    numbers, texts = block.columns(labels, (label,) if label else ())
    columns = {part: numbers[:, labels.index(part[0]) : labels.index(part[0]) + 3] for part in wanted}
    positions = columns[wanted[0]] - _shift(block, blocks, columns, is_centred)
    groups, codes = grouped(texts[0]) if label else ((), None)
    unit = Unit.CENTRED if is_centred else Unit.PIXELS
    particles = Particles(name, positions, unit, records=np.asarray(block.rows[1], np.int64))
    own, box = columns.get(_ANGLES), columns.get(_BOX_ANGLES)
    inner, outer = (box, None) if own is None else (own, box)
    return ParticleTable(particles, inner, from_relion, outer, groups, codes, label)


def _particles(blocks: dict[str, Block], name: str) -> Block:
    """The block with coordinates: `particles`, else the only one that has them."""
    fitting = [
        block
        for block in blocks.values()
        if any(set(part) <= set(block.labels) for part in (_COORDINATES, _CENTRED))
    ]
    named = [block for block in fitting if block.name == "particles"]
    if len(named or fitting) != 1:
        told = ", ".join(shortened(block) for block in list(blocks)[:_SPOKEN])
        raise FormatError(
            name, f"{len(fitting)} of the blocks {told} have the columns _rlnCoordinateX, Y, Z; expected one list of particles.",
            "Is this a RELION file of particles?",
        )  # fmt: skip
    return (named or fitting)[0]


def _present(block: Block) -> list[tuple[str, str, str]]:
    parts = (_ANGLES, _BOX_ANGLES, _ORIGINS, _ORIGINS_IN_ANGSTROM)
    return [part for part in parts if set(part) <= set(block.labels)]


def _shift(
    block: Block,
    blocks: dict[str, Block],
    columns: dict[tuple[str, str, str], NDArray[np.float64]],
    is_centred: bool,
) -> NDArray[np.float64]:
    """What is taken off the coordinates, in their unit, along the axes of the tomogram."""
    stored = _ORIGINS_IN_ANGSTROM if _ORIGINS_IN_ANGSTROM in columns else _ORIGINS
    origins = columns.get(stored)
    if origins is None or not origins.any():
        return np.zeros((1, 3))
    if (box := columns.get(_BOX_ANGLES)) is not None:
        origins = np.einsum("nij,nj->ni", from_relion(box), origins)
    if is_centred == (stored is _ORIGINS_IN_ANGSTROM):
        return origins
    sizes = _pixel_sizes(block, blocks)
    return origins * sizes if is_centred else origins / sizes


def _pixel_sizes(block: Block, blocks: dict[str, Block]) -> NDArray[np.float64]:
    """The pixel size (Å) of every particle's coordinates, shape (n, 1): of its optics group, else of its own row."""
    optics = blocks.get("optics")
    for label in _PIXEL_SIZES:
        if optics is not None and label in optics.labels:
            sizes = _by_group(block, optics, label)
        elif optics is not None and label in optics.pairs:
            sizes = np.full((1, 1), number(optics.pairs[label]) or np.nan)
        elif label in block.labels:
            sizes = block.numbers([label])
        else:
            continue
        if not (sizes > 0).all():
            raise FormatError(
                f"{block.file}, line {block.line}",
                f"_{label} is not above 0 everywhere; expected pixel sizes in Å.",
            )
        return sizes
    raise FormatError(
        f"{block.file}, line {block.line}", "the origins are in Å, but no column gives the size of a pixel.",
        f"Expected one of {', '.join(f'_{label}' for label in _PIXEL_SIZES)}, in the block optics.",
    )  # fmt: skip


def _by_group(block: Block, optics: Block, label: str) -> NDArray[np.float64]:
    sizes = optics.numbers([label])
    if len(optics) == 1 or "rlnOpticsGroup" not in block.labels or "rlnOpticsGroup" not in optics.labels:
        return sizes[:1]
    groups = optics.texts("rlnOpticsGroup")
    known = dict(zip(groups, sizes[:, 0].tolist(), strict=True))
    asked = block.texts("rlnOpticsGroup")
    for row, group in enumerate(asked):
        if group not in known:
            raise FormatError(
                f"{block.file}, line {block.line_of(row)}",
                f"this particle is of the optics group {group}; known are {', '.join(groups)}.",
            )
    return np.array([[known[group]] for group in asked]).reshape(-1, 1)

"""Particle lists of STOPGAP (`.star`), of Dynamo (`.tbl`), and IMOD models (`.mod`)."""

from __future__ import annotations

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.formats.particles.table import Particles, ParticleTable, grouped
from tomoportal.formats.rotations import from_dynamo, from_stopgap
from tomoportal.formats.star import read_star
from tomoportal.formats.text import line_error, number, shortened, text_lines

_PLACES = ("orig_x", "orig_y", "orig_z")
_SHIFTS = ("x_shift", "y_shift", "z_shift")
_STOPGAP_ANGLES = ("phi", "psi", "the")


def read_stopgap(data: bytes, name: str) -> ParticleTable:
    """A motive list: `orig` plus `shift` in pixels, grouped by `tomo_num`.

    Format: STOPGAP's manual, "Motivelist" (https://github.com/wan-lab-vanderbilt/STOPGAP). Raises `FormatError` with the line.
    """
    blocks = read_star(data, name)
    fitting = [block for block in blocks.values() if {*_PLACES, "tomo_num"} <= set(block.labels)]
    if len(fitting) != 1:
        raise FormatError(
            name,
            "there is no block with the columns _tomo_num and _orig_x, y, z; expected a STOPGAP motive list.",
        )
    (block,) = fitting
    parts = [part for part in (_PLACES, _SHIFTS, _STOPGAP_ANGLES) if set(part) <= set(block.labels)]
    numbers, (tomograms,) = block.columns([label for part in parts for label in part], ["tomo_num"])
    columns = {part: numbers[:, 3 * place : 3 * place + 3] for place, part in enumerate(parts)}
    positions = columns[_PLACES] + columns.get(_SHIFTS, 0)
    groups, codes = grouped(tomograms)
    particles = Particles(name, positions, records=np.asarray(block.rows[1], np.int64))
    return ParticleTable(
        particles, columns.get(_STOPGAP_ANGLES), from_stopgap, None, groups, codes, "tomo_num"
    )


def read_dynamo(data: bytes, name: str) -> ParticleTable:
    """A table: columns 24 to 26 plus the shifts 4 to 6 in pixels, angles 7 to 9, grouped by column 20 (tomogram).

    Format: https://wiki.dynamo.biozentrum.unibas.ch/w/index.php/Table. Raises `FormatError` with the line.
    """
    rows, lines = [], []
    for line, text in enumerate(text_lines(data, name), start=1):
        if not text.strip() or text.lstrip().startswith(("#", "%")):
            continue
        words = text.split()
        values = [number(word) for word in words[:26]]
        if len(words) < 26:
            raise line_error(
                name, line, f"this line has {len(words)} columns; expected at least 26 of a Dynamo table."
            )
        if None in values:
            wrong = shortened(words[values.index(None)])
            raise line_error(
                name, line, f"column {values.index(None) + 1} is {wrong}; expected a finite number."
            )
        rows.append(values)
        lines.append(line)
    table = np.array(rows, dtype=np.float64).reshape(-1, 26)
    groups, codes = grouped([f"{value:g}" for value in table[:, 19].tolist()])
    particles = Particles(name, table[:, 23:26] + table[:, 3:6], records=np.array(lines, np.int64))
    return ParticleTable(particles, table[:, 6:9], from_dynamo, None, groups, codes, "column 20")

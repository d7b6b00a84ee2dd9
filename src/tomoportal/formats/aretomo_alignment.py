"""AreTomo's .aln file (AreTomo, AreTomo2, AreTomo3) → the canonical form, in pixels of the tilt series.

Of a row `SEC ROT GMAG TX TY SMEAN SFIT SCALE BASE TILT`, ROT is the angle of the tilt axis, counter-clockwise from y as in
SerialEM, and (TX, TY) the shift: a = R(-ROT) · (r - T), so that `in_plane_rotation` is [[cos ROT, -sin ROT], [sin ROT, cos ROT]]
and the offset T. So does AreTomo write it itself into the .xf of `-OutImod` (`a11 = cos(-ROT)`, `a12 = -sin(-ROT)`,
`a21 = sin(-ROT)`, shift -A · T: AreTomo/ImodUtil/CSaveXF.cpp in czimaginginstitute/AreTomo3, the same in AreTomo2), and so does
RELION 5 read it (`rlnTomoZRot` = ROT, shifts T). The package alnfile wrote .xf files with R(+ROT) in its version 0.1.1: these
turn images the other way, and `axis_angle` tells them from AreTomo's.

TILT contains AlphaOffset already (CAlignParam::AddAlphaOffset adds it to every angle and to the header). BetaOffset turns the
volume about x and is in no column.
"""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import LocalAlignment, SectionAlignment, TiltAlignment, Unit, rotation
from tomoportal.formats.aretomo_sections import DarkFrame, places
from tomoportal.formats.text import TextFile, line_error, number, shortened, text_lines
from tomoportal.problems import Problem, Severity

LOCAL_COLUMNS = ("z_index", "patch", "x", "y", "x_shift", "y_shift", "reliability")
LARGEST_TILT = 180.0
MOST_IMAGES = 100_000
_ROW = "the ten numbers SEC ROT GMAG TX TY SMEAN SFIT SCALE BASE TILT"
_LOCAL_ROW = "the seven numbers of a local alignment (image, patch, position, shift, reliability)"


@dataclass(frozen=True, slots=True)
class _Row:
    section: int
    rotation: float
    magnification: float
    shift: tuple[float, float]
    tilt: float


def read_aln(file: TextFile) -> TiltAlignment:
    """The alignment of every image that is not dark. Raises `FormatError` with the line for what is no .aln."""
    parser = _Parser(file)
    for count, line in enumerate(text_lines(file.data, file.name), start=1):
        parser.take(line.strip(), count)
    return parser.result()


class _Parser:
    """Collects header, rows and local rows in one pass."""

    def __init__(self, file: TextFile) -> None:
        self.name = file.name
        self.header: dict[str, float] = {}
        self.size: tuple[int, int, int] | None = None
        self.dark: list[DarkFrame] = []
        self.rows: list[_Row] = []
        self.local: list[tuple[float, ...]] = []
        self.in_local = False

    def take(self, line: str, count: int) -> None:
        if not line:
            return
        if line.startswith("#"):
            self._header(line[1:].strip(), count)
        elif self.in_local:
            values = self._numbers(line, count, 7, _LOCAL_ROW)
            self.local.append(values)
        else:
            self.rows.append(self._row(line, count))

    def result(self) -> TiltAlignment:
        if self.size is None:
            message = "this is no AreTomo alignment: there is no line '# RawSize = columns rows images'."
            raise FormatError(self.name, message, "Does the pattern name an .aln file?")
        if not self.rows:
            raise FormatError(self.name, f"no image is aligned; expected rows of {_ROW}.")
        columns, lines, images = self.size
        tilts = [row.tilt for row in self.rows]
        where, problems = places([row.section for row in self.rows], tilts, self.dark, images, self.name)
        local, doubts = self._local(where)
        return TiltAlignment(
            sections=tuple(_section(row, z) for row, z in zip(self.rows, where, strict=True)),
            unit=Unit.PIXEL,
            tilt_offset=self.header.get("alphaoffset"),
            tilt_offset_included=True,
            x_rotation_offset=self.header.get("betaoffset"),
            images=images,
            image_size=(columns, lines),
            local=local,
            problems=(*problems, *doubts, *self._stretched()),
        )

    def _header(self, text: str, count: int) -> None:
        if text.lower().startswith("local alignment"):
            self.in_local = True
            return
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            return
        if key.lower() == "rawsize":
            x, y, n = self._numbers(value, count, 3, "columns, rows and images after RawSize")
            if min(x, y, n) < 1 or n > MOST_IMAGES or (x, y, n) != (int(x), int(y), int(n)):
                raise line_error(self.name, count, f"{shortened(value)} is not the size of a tilt series.")
            self.size = (int(x), int(y), int(n))
        elif key.lower() == "darkframe":
            frame, section, tilt = self._numbers(value, count, 3, "frame, section and angle after DarkFrame")
            self.dark.append(DarkFrame(self._whole(frame, count), self._whole(section, count), tilt))
        elif key.lower() in ("alphaoffset", "betaoffset", "numpatches"):
            (self.header[key.lower()],) = self._numbers(value, count, 1, f"one number after {key}")

    def _row(self, line: str, count: int) -> _Row:
        values = self._numbers(line, count, 10, _ROW)
        section, rotated, magnification, x, y, *_, tilt = values
        if abs(tilt) > LARGEST_TILT:
            raise line_error(self.name, count, f"the tilt angle {tilt:g} lies outside -180 to 180 degrees.")
        return _Row(self._whole(section, count), rotated, magnification, (x, y), tilt)

    def _numbers(self, text: str, count: int, wanted: int, what: str) -> tuple[float, ...]:
        values = [number(word) for word in text.split()]
        finite = tuple(value for value in values if value is not None)
        if len(values) != wanted or len(finite) != wanted:
            hint = "These are IMOD's transforms: write `format: IMOD`." if len(finite) == 6 else ""
            raise line_error(self.name, count, f"found {shortened(text)}, expected {what}.", hint)
        return finite

    def _whole(self, value: float, count: int) -> int:
        if value != int(value) or not 0 <= value <= MOST_IMAGES:
            raise line_error(self.name, count, f"{value:g} is not the number of an image.")
        return int(value)

    def _local(self, where: list[int]) -> tuple[LocalAlignment | None, list[Problem]]:
        patches = int(self.header.get("numpatches", 0))
        if not self.local:
            return None, []
        known = [row for row in self.local if row[0] == int(row[0]) and 0 <= row[0] < len(where)]
        rows = tuple((where[int(row[0])], int(row[1]), *row[2:]) for row in known)
        problems = []
        if len(rows) != patches * len(where) or len(known) != len(self.local):
            message = (
                f"the local alignment has {len(self.local)} rows, {len(known)} of them of aligned images; "
                f"{patches} patches of {len(where)} images were expected"
            )
            problems.append(Problem("alignment-incomplete", message, Severity.WARNING, file=self.name))
        return LocalAlignment(patches, LOCAL_COLUMNS, rows), problems

    def _stretched(self) -> list[Problem]:
        found = sorted({row.magnification for row in self.rows} - {1.0})
        if not found:
            return []
        message = f"the file states magnifications such as {found[0]:g}; AreTomo always writes 1, and they are not applied"
        return [Problem("alignment-magnification", message, Severity.WARNING, file=self.name)]


def _section(row: _Row, z_index: int) -> SectionAlignment:
    return SectionAlignment(z_index, row.tilt, 0.0, rotation(row.rotation), *row.shift)

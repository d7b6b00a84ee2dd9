"""The tilt series XML of Warp, WarpTools and M → the canonical form.

Warp takes a point X of the volume (Å, from its middle) to Euler(0, Angle + LevelAngleY, -AxisAngle) · RotateX(LevelAngleX) · X
and adds AxisOffsetX, AxisOffsetY (Å) and the middle of the image (TiltSeries.GetPositionInAllTilts in warpem/warp; Matrix3.Euler in
its Tools). Written out, with θ the axis angle and A the angle, x and y become

    cos θ · u - sin θ · y,  sin θ · u + cos θ · y    with u = cos A · x - sin A · z

so that `in_plane_rotation` is [[cos θ, -sin θ], [sin θ, cos θ]], the offset (AxisOffsetX, AxisOffsetY), and the tilt angle -A: Warp
counts angles the other way than IMOD does (and inverts them when it imports an mdoc). LevelAngleX turns the whole about x,
LevelAngleY about y. Images with UseTilt False are left out. Deformations (GridMovement, GridVolumeWarp) stay in the file.
"""

from __future__ import annotations

from xml.parsers import expat

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import SectionAlignment, TiltAlignment, Unit, rotation
from tomoportal.formats.text import TextFile, line_error, number, shortened

_LISTS = ("Angles", "AxisAngle", "AxisOffsetX", "AxisOffsetY", "UseTilt")
_TRUTH = {"true": True, "false": False}
_DEEPEST = 64


def read_warp_alignment(file: TextFile) -> TiltAlignment:
    """Every image that is used, in the order of the file, which is that of the stack.

    Raises `FormatError` for what is no such XML, for document type declarations, and for lists of different lengths."""
    document = _Document(file)
    columns = {name: document.list_of(name) for name in _LISTS if name in document.texts}
    missing = [name for name in _LISTS[:4] if name not in columns]
    if missing:
        raise FormatError(file.name, f"there is no <{missing[0]}> in this <{document.root}>.",
            "Is this the XML of an aligned tilt series?")  # fmt: skip
    count = len(columns["Angles"])
    for name, values in columns.items():
        if len(values) != count:
            message = (
                f"<{name}> has {len(values)} values, <Angles> has {count}; expected one of each per image."
            )
            raise FormatError(file.name, message)
    used = [document.truth(word) for word in columns.get("UseTilt", ["True"] * count)]
    numbers = {name: [document.number(word, name) for word in columns[name]] for name in _LISTS[:4]}
    return TiltAlignment(
        sections=tuple(
            SectionAlignment(
                index,
                -numbers["Angles"][index] + 0.0,
                0.0,
                rotation(numbers["AxisAngle"][index]),
                numbers["AxisOffsetX"][index],
                numbers["AxisOffsetY"][index],
            )
            for index in range(count)
            if used[index]
        ),
        unit=Unit.ANGSTROM,
        tilt_offset=document.attribute("LevelAngleY", -1.0),
        x_rotation_offset=document.attribute("LevelAngleX", 1.0),
        images=count,
    )


class _Document:
    """The texts of the root's own children, and the root's attributes. Nothing is expanded or fetched."""

    def __init__(self, file: TextFile) -> None:
        self.name = file.name
        self.root = ""
        self.attributes: dict[str, str] = {}
        self.texts: dict[str, list[str]] = {}
        self._path: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse
        try:
            self._parser.Parse(file.data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            if isinstance(error, FormatError):
                raise
            reason = expat.errors.messages.get(getattr(error, "code", 0), "it cannot be decoded")
            line = getattr(error, "lineno", 1)
            raise line_error(self.name, line, f"this is no readable XML ({reason}).") from error
        if self.root != "TiltSeries":
            message = f"the document is a <{self.root[:40]}>; expected the <TiltSeries> of Warp or M."
            raise FormatError(self.name, message)

    def list_of(self, name: str) -> list[str]:
        return "".join(self.texts[name]).split()

    def number(self, word: str, name: str) -> float:
        value = number(word)
        if value is None:
            raise FormatError(self.name, f"{shortened(word)} in <{name}> is not a number.")
        return value

    def truth(self, word: str) -> bool:
        if word.lower() not in _TRUTH:
            raise FormatError(self.name, f"{shortened(word)} in <UseTilt> is neither True nor False.")
        return _TRUTH[word.lower()]

    def attribute(self, name: str, sign: float) -> float | None:
        text = self.attributes.get(name)
        return None if text is None else sign * self.number(text, name) + 0.0

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path:
            self.root, self.attributes = tag, attributes
        elif len(self._path) == 1 and tag in _LISTS:
            if tag in self.texts:
                raise self._error(f"<{tag}> stands here a second time.")
            self.texts[tag] = []
        self._path.append(tag)
        if len(self._path) > _DEEPEST:
            raise self._error("the elements are nested more deeply than in any file of Warp.")

    def _end(self, _tag: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        if len(self._path) == 2 and self._path[1] in self.texts:
            self.texts[self._path[1]].append(text)

    def _refuse(self, *_: object) -> None:
        raise self._error("document type declarations are refused; Warp writes none.")

    def _error(self, message: str) -> FormatError:
        return line_error(self.name, self._parser.CurrentLineNumber, message)

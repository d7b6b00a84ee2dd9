"""Pictures of a tomogram that the depositor gives, in the four sizes."""

from __future__ import annotations

from PIL import Image, ImageOps

from tomoportal.errors import NotFound, SourceError
from tomoportal.formats.picture_files import MOST_BYTES, fitted, read_picture
from tomoportal.formats.pictures import encode_png
from tomoportal.ingest.pictures import EXPANDED, SNAPSHOT, THUMBNAIL
from tomoportal.ingest.task import Work
from tomoportal.ingest.views import given_of
from tomoportal.layout.paths import Key, picture
from tomoportal.problems import Problem, Severity

LARGEST = (4096, 4096)
_CUT = {"snapshot": SNAPSHOT, "thumbnail": THUMBNAIL, "expanded": EXPANDED}


def given_pictures(work: Work, tomogram: Key) -> tuple[dict[str, bytes], list[Problem]]:
    """PNG bytes by size. Pictures that are published from the same files are taken from the portal: the files may belong to another
    deposition. One that cannot be read is told and left out."""
    sizes = work.task.parameters.get("pictures") or {}
    if sizes and work.known is not None and given_of(work.known) == given_of(work.task):
        try:
            return {size: work.target.read(picture(tomogram, size)) for size in sizes}, []
        except NotFound:
            pass
    made: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in dict.fromkeys(sizes.values()):
        try:
            image = _read(work, path)
        except SourceError as error:
            message = f"{error} A picture of the tomogram takes its place."
            problems.append(Problem("key-image", message, Severity.WARNING, file=path))
            continue
        made |= {size: encode_png(_sized(image, size)) for size in sizes if sizes[size] == path}
    return made, problems


def _read(work: Work, path: str) -> Image.Image:
    size = work.source.stat(path).size
    if size > MOST_BYTES:
        raise SourceError(path, f"the picture has {size >> 20} MiB; expected at most {MOST_BYTES >> 20} MiB.")
    return read_picture(work.source.read(path), path)


def _sized(image: Image.Image, size: str) -> Image.Image:
    """The whole picture as original; the others cut to 4:3 around the middle."""
    if size not in _CUT:
        return fitted(image, LARGEST)
    return ImageOps.fit(image, _CUT[size], Image.Resampling.LANCZOS)

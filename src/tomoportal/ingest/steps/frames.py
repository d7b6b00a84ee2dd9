"""Frames of a run: the movies as they are, and what the mdoc files say about them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tomoportal.errors import FormatError, NotFound
from tomoportal.formats.image_head import belies
from tomoportal.formats.mdoc import Mdoc, MdocSection, SectionDose, read_mdoc, section_doses
from tomoportal.ingest.copies import Copied, Copies
from tomoportal.ingest.matching import movies_of
from tomoportal.ingest.plan.plans import FORCED
from tomoportal.ingest.task import Outcome, Work
from tomoportal.layout.paths import folder
from tomoportal.layout.tree import marker
from tomoportal.problems import Problem, Severity

_SHOWN = 3
_COUNTED = ("tiff", "mrc")
"""Kinds of movies whose number of images NumSubFrames tells; EER is counted in other pieces."""


@dataclass(frozen=True, slots=True)
class Movie:
    """A frame file in its place; `row` is what is published of one that is no longer among the source files."""

    copied: Copied
    is_gain_corrected: bool
    row: Mapping[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The file name."""
        return self.copied.path.rpartition("/")[2]


def make_frames(work: Work) -> Outcome:
    """Copy movies and mdoc files; list every frame in order of acquisition with its dose (e⁻/Å²), then movies that no mdoc names.

    What is published stays with its row when its source is gone, unless the frames are asked for anew.
    """
    home = folder(work.task.key)
    mdocs, files = _mdocs(work, home)
    movies, problems = _movies(work, home)
    sections = [section for mdoc in mdocs for section in mdoc.sections]
    places = movies_of([section.frame_name for section in sections], [movie.base for movie in movies])
    rate = work.task.parameters["sources"][0]["dose_rate"]
    doses = section_doses(sections, None if rate is None else float(rate))
    frames = _frames(work, sections, doses, movies, places)
    paths = sorted(files)
    extra = {
        "frames": frames,
        "frames_acquisition_file": paths[0] if paths else None,
        "frames_acquisition_files": paths,
    }
    files |= {movie.copied.path: movie.copied.entry for movie in movies}
    problems += [problem for mdoc in mdocs for problem in mdoc.problems]
    problems += _doubts(work, sections, movies, places)
    return Outcome(extra, files, problems=tuple(problems))


def _mdocs(work: Work, home: str) -> tuple[list[Mdoc], dict[str, dict[str, Any]]]:
    mdocs: list[Mdoc] = []
    files: dict[str, dict[str, Any]] = {}
    for name, data in work.read("mdoc"):
        mdocs.append(read_mdoc(data, name))
        files |= work.put(f"{home}/{name.rpartition('/')[2]}", data)
    if not mdocs:
        files = _mdocs_left(work)
        mdocs = [read_mdoc(work.target.read(path), path) for path in sorted(files)]
    return mdocs, files


def _mdocs_left(work: Work) -> dict[str, dict[str, Any]]:
    """The published mdoc files, where the source has none any more."""
    if work.known is None or work.task.inputs.get("mdoc") or work.task.why == FORCED:
        return {}
    texts = {path: entry for path, entry in work.known.files.items() if "image" not in entry}
    return {path: entry for path, entry in texts.items() if work.target.exists(path)}


def _movies(work: Work, home: str) -> tuple[list[Movie], list[Problem]]:
    """The movies that are whole, in their places, those that stay from before, and what is wrong."""
    movies, problems = [], []
    rows = _published_rows(work)
    wanted = set()

    def staying(copied: Copied) -> Movie:
        row = rows.get(copied.path, {})
        default = work.task.parameters["sources"][0]["is_gain_corrected"]
        return Movie(copied, bool(row.get("is_gain_corrected", default)), row)

    files = [
        (file, bool(source["is_gain_corrected"]))
        for number, source in enumerate(work.task.parameters["sources"])
        for file in work.task.inputs.get(f"source{number}", ())
    ]
    with Copies.of(work) as copies:
        for file, is_corrected in files:
            path = f"{home}/{file.path.rpartition('/')[2]}"
            wanted.add(path)
            try:
                movies.append(Movie(copies.take(file, path), is_corrected))
            except FormatError as error:
                old = copies.published(path)
                movies += [staying(old)] if old else []
                stays = ", and the one published before stays" if old else ""
                message = f"{error.message.rstrip('.')}; this frame file is left out{stays}"
                problems.append(Problem("frame-file", message, file=error.where, hint=error.hint))
        left = [staying(copied) for copied in copies.left(wanted)]
    return movies + left, [*problems, *_not_found(left, _mdocs_left(work))]


def _published_rows(work: Work) -> dict[str, dict[str, Any]]:
    """What is published of each frame file: path → its row. Nothing of a sidecar that somebody has altered."""
    if work.known is None or not work.known.sidecar:
        return {}
    for path in (work.known.sidecar, marker(work.known)):
        with suppress(NotFound):
            data = work.target.read(path)
            if hashlib.sha256(data).hexdigest() == work.known.sidecar_sha256:
                return {row["path"]: row for row in json.loads(data)["frames"] if row["path"]}
    return {}


def _not_found(movies: Sequence[Movie], mdocs: Iterable[str]) -> Iterable[Problem]:
    names = [path.rpartition("/")[2] for path in mdocs]
    parts = [f"{len(movies)} published movies ({_some([movie.base for movie in movies])})"] if movies else []
    parts += [f"{len(names)} published mdoc files ({_some(names)})"] if names else []
    if parts:
        message = f"{' and '.join(parts)} are no longer among the source files; they stay"
        hint = "Is the source complete? `ingest --force --only frames` makes the frames as they are found, without these."
        yield _warning("frames-not-found", message, hint)


def _frames(
    work: Work,
    sections: Sequence[MdocSection],
    doses: Sequence[SectionDose],
    movies: Sequence[Movie],
    places: Sequence[int | None],
) -> list[dict[str, Any]]:
    deposition = work.task.identity["deposition_id"]
    corrected = bool(work.task.parameters["sources"][0]["is_gain_corrected"])
    listed = [
        {
            "acquisition_order": dose.acquisition_order,
            "accumulated_dose": dose.accumulated_dose,
            "exposure_dose": dose.exposure_dose,
            "is_gain_corrected": corrected if place is None else movies[place].is_gain_corrected,
            **_file(None if place is None else movies[place]),
            "name_in_source": section.frame_name,
            "raw_angle": section.tilt_angle,
            "deposition_id": deposition,
        }
        for section, dose, place in zip(sections, doses, places, strict=True)
    ]
    listed.sort(key=lambda frame: frame["acquisition_order"])
    orders = {frame["acquisition_order"] for frame in listed}
    others = [
        {
            "acquisition_order": None if (order := movie.row.get("acquisition_order")) in orders else order,
            "accumulated_dose": movie.row.get("accumulated_dose"),
            "exposure_dose": movie.row.get("exposure_dose"),
            "is_gain_corrected": movie.is_gain_corrected,
            **_file(movie),
            "name_in_source": movie.base,
            "raw_angle": movie.row.get("raw_angle"),
            "deposition_id": deposition,
        }
        for place, movie in enumerate(movies)
        if place not in places
    ]
    return listed + others


def _file(movie: Movie | None) -> dict[str, Any]:
    if movie is None:
        return {"path": None, "file_size": None}
    return {"path": movie.copied.path, "file_size": movie.copied.entry["size"]}


def _doubts(
    work: Work, sections: Sequence[MdocSection], movies: Sequence[Movie], places: Sequence[int | None]
) -> list[Problem]:
    """What does not fit together; nothing when no frame file was given."""
    if not movies:
        return []
    problems = [*_counts(sections, movies, places), *_images(sections, movies, places), *_kinds(movies)]
    sizes = {movie.copied.head.size: movie.base for movie in movies if movie.copied.head.size}
    if len(sizes) > 1:
        words = ", ".join(f"{x} × {y} ({name})" for (x, y), name in list(sizes.items())[:_SHOWN])
        problems.append(_warning("frame-sizes", f"the frame files differ in size: {words} pixels"))
    uncorrected = [movie.base for movie in movies if not movie.is_gain_corrected]
    if uncorrected and not work.task.parameters["has_gains"]:
        message = f"{len(uncorrected)} frame files are not gain-corrected, and the run has no gain reference"
        problems.append(_warning("no-gain", message, "Add it under `gains`, or correct `is_gain_corrected`."))
    rates = {source["dose_rate"] for source in work.task.parameters["sources"]}
    if len(rates) > 1:
        words = ", ".join(f"{rate:g}" for rate in sorted(rates))
        message = f"the sources of frames state several dose rates ({words}); the first is taken for all"
        problems.append(
            _warning("dose-rates", message, "Make runs of different dose rates differ by a table.")
        )
    return problems


def _counts(
    sections: Sequence[MdocSection], movies: Sequence[Movie], places: Sequence[int | None]
) -> Iterable[Problem]:
    if not sections:
        message = f"there is no mdoc for {len(movies)} frame files, so that their order, angle and dose stay unknown"
        yield _warning("frames-without-mdoc", message, "Add it under `collection_metadata`.")
        return
    missing = [
        section.frame_name or f"section {section.z_value}"
        for section, place in zip(sections, places, strict=True)
        if place is None
    ]
    unnamed = [movie.base for place, movie in enumerate(movies) if place not in places]
    parts = [f"{len(missing)} sections have no frame file ({_some(missing)})"] if missing else []
    parts += [f"{len(unnamed)} frame files are named by no section ({_some(unnamed)})"] if unnamed else []
    if parts:
        message = f"the mdoc files have {len(sections)} sections, and there are {len(movies)} frame files: "
        hint = "Check that the pattern finds all frames, and that they have the names that SubFramePath gives them."
        yield _warning("frames-differ", message + " and ".join(parts), hint)
    used = Counter(place for place in places if place is not None)
    twice = [movies[place].base for place, count in used.items() if count > 1]
    if twice:
        yield _warning("frame-named-twice", f"several sections name the same frame file: {_some(twice)}")


def _images(
    sections: Sequence[MdocSection], movies: Sequence[Movie], places: Sequence[int | None]
) -> Iterable[Problem]:
    other = [
        f"{movies[place].base} has {head.images} images, NumSubFrames is {section.num_sub_frames}"
        for section, place in zip(sections, places, strict=True)
        if place is not None
        and (head := movies[place].copied.head).kind in _COUNTED
        and None not in (head.images, section.num_sub_frames)
        and head.images != section.num_sub_frames
    ]
    if other:
        message = f"{len(other)} frame files have another number of images than the mdoc says: {_some(other)}"
        yield _warning("frame-images", message, "Is this the mdoc of these frames?")


def _kinds(movies: Sequence[Movie]) -> Iterable[Problem]:
    other = [
        f"{movie.base} is {movie.copied.head.told}"
        for movie in movies
        if belies(movie.base, movie.copied.head)
    ]
    if other:
        message = f"{len(other)} frame files are of another kind than their names say: {_some(other)}"
        yield _warning("frame-kind", message, "They are published as they are; rename them if programs mind.")


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _warning(code: str, message: str, hint: str = "") -> Problem:
    return Problem(code, message, Severity.WARNING, hint=hint)

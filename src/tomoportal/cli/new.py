"""`tomoportal new`: start a deposition file."""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tomoportal.config.authoring import Draft


class DepositionKind(StrEnum):
    """What can be started."""

    DATASET = "dataset"
    ANNOTATIONS = "annotations"
    TOMOGRAMS = "tomograms"


_KIND = typer.Option(
    "--kind",
    help="A new dataset, or annotations or tomograms for a dataset of the portal.",
    show_default=False,
)
_AUTHOR = typer.Option(
    metavar="NAME;ORCID", help="An author. The first counts as primary, the last as corresponding."
)
_FUNDING = typer.Option(metavar="AGENCY;GRANT", help="Who paid for a new dataset.")
_RELEASE = typer.Option(metavar="DATE", help="When the data become public, such as 2025-01-31.")
_SOURCE = typer.Option(metavar="URL", help="Folder or URL of the source files, to propose patterns from.")
_PATTERN = typer.Option(
    metavar="SECTION=GLOB", help="Files of a section, such as tomograms=tomograms/{run_name}.mrc; may be repeated."
)  # fmt: skip
_ANNOTATION = typer.Option(
    metavar="SHAPE:FORMAT:GLOB",
    help="Files of an annotation, such as Point:csv:picks/{run_name}.csv; may be repeated, for an entry each.",
)
_SET = typer.Option(
    "--set",
    metavar="PLACE=VALUE",
    help="Any other value of metadata or of standardization_config, such as tiltseries.tilt_axis=84.7; may be repeated.",
)


def new(
    file: Annotated[Path, typer.Argument(help="The deposition file to write.")] = Path("deposition.yaml"),
    kind: Annotated[DepositionKind | None, _KIND] = None,
    title: Annotated[str | None, typer.Option(help="Title of the deposition, and of a new dataset.")] = None,
    description: Annotated[str | None, typer.Option(help="What is deposited, in a few sentences.")] = None,
    deposition_id: Annotated[int | None, typer.Option(min=1, help="Identifier of the deposition.")] = None,
    dataset_id: Annotated[int | None, typer.Option(min=1, help="Identifier of the dataset.")] = None,
    author: Annotated[list[str] | None, _AUTHOR] = None,
    funding: Annotated[list[str] | None, _FUNDING] = None,
    release: Annotated[str | None, _RELEASE] = None,
    source: Annotated[str | None, _SOURCE] = None,
    prefix: Annotated[
        str, typer.Option(help="The source_prefix: folder below --source with the files.")
    ] = "",
    pattern: Annotated[list[str] | None, _PATTERN] = None,
    annotation: Annotated[list[str] | None, _ANNOTATION] = None,
    settings: Annotated[list[str] | None, _SET] = None,
    ask: Annotated[bool, typer.Option(help="Ask for what is not given, on a terminal.")] = True,
) -> None:
    """Start a deposition FILE from what is known; what is not is marked in it.

    With --source it looks at the files and proposes patterns. An existing file is never overwritten.
    """
    from tomoportal.config.authoring import FILL_IN, Draft, compose
    from tomoportal.errors import UsageError

    if file.exists():
        raise UsageError(f"{file} is there already and is not overwritten; name another file.")
    asking = ask and sys.stdin.isatty()
    chosen = kind or (DepositionKind(_asked_kind()) if asking else DepositionKind.DATASET)
    if asking:
        title = title or _asked("Title")
        description = description or _asked("Description")
        deposition_id = deposition_id or _asked_number("Identifier of the deposition")
        dataset_id = dataset_id or _asked_number("Identifier of the dataset")
        author = author or _asked_authors()
        release = release or _asked("Release date (2025-01-31)")
    dataset = None if dataset_id is None else str(dataset_id)
    draft = Draft(deposition_id, dataset, prefix.strip("/") or ".")
    _describe(draft, chosen, title, description, author or [], funding or [], release)
    if source:
        _look(draft, source)
    _given(draft, pattern or [], annotation or [], settings or [])
    text = compose(chosen.value, draft)
    _write(file, text)
    left = [str(number) for number, line in enumerate(text.splitlines(), 1) if f"# {FILL_IN}:" in line]
    typer.echo(
        f"{file} is written."
        + (f" {len(left)} places must be filled in: lines {', '.join(left)}." if left else "")
    )
    typer.echo(f"Then: tomoportal check {file}" + (f" --source {source}" if source else ""))


def _write(file: Path, text: str) -> None:
    from tomoportal.errors import UsageError

    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror or error}).") from error


def _asked(what: str) -> str | None:
    return typer.prompt(f"{what} (Enter: later)", default="", show_default=False) or None


def _asked_kind() -> str:
    kinds = [kind.value for kind in DepositionKind]
    while (text := typer.prompt(f"What is it ({', '.join(kinds)})", default=kinds[0])) not in kinds:
        typer.echo(f"Expected one of {', '.join(kinds)}.")
    return str(text)


def _asked_number(what: str) -> int | None:
    while (text := _asked(what)) is not None:
        if text.isdigit() and int(text) > 0:
            return int(text)
        typer.echo("Expected a whole number above 0.")
    return None


def _asked_authors() -> list[str]:
    found: list[str] = []
    while text := _asked("Next author, as NAME;ORCID" if found else "First author, as NAME;ORCID"):
        found.append(text)
    return found


def _describe(
    draft: Draft, kind: DepositionKind, title: str | None, description: str | None, authors: list[str], funding: list[str],
    release: str | None,
) -> None:  # fmt: skip
    """Put title, people, dates and money where the kind has them."""
    sections = {"depositions": "deposition"} | (
        {"datasets": "dataset"} if kind is DepositionKind.DATASET else {}
    )
    for section, word in sections.items():
        own = draft.metadata.setdefault(section, {})
        own |= {f"{word}_title": title} if title else {}
        own |= {f"{word}_description": description} if description else {}
    shared = draft.metadata["depositions"]
    if authors:
        shared["authors"] = [_author(text, place, len(authors)) for place, text in enumerate(authors)]
    today = date.today()
    shared["dates"] = {"deposition_date": today, "last_modified_date": today}
    if release:
        released = _date(release)
        shared["dates"] |= {"deposition_date": min(today, released), "release_date": released}
    if funding and "datasets" in draft.metadata:
        names = ("funding_agency_name", "grant_id")
        draft.metadata["datasets"]["funding"] = [
            dict(zip(names, _parts(text), strict=False)) for text in funding
        ]


def _author(text: str, place: int, count: int) -> dict[str, Any]:
    name, *orcid = _parts(text)
    said: dict[str, Any] = {"name": name}
    if orcid:
        said["ORCID"] = orcid[0]
    if place == 0:
        said["primary_author_status"] = True
    if place == count - 1:
        said["corresponding_author_status"] = True
    return said


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()][:2]


def _date(text: str) -> date:
    from tomoportal.errors import UsageError

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--release {text}: expected a date such as 2025-01-31.") from error


def _look(draft: Draft, source: str) -> None:
    """Take what the source proposes."""
    from tomoportal.cli.planning import open_source_storage
    from tomoportal.config.authoring import propose

    proposals = propose(open_source_storage(source), "" if draft.prefix == "." else draft.prefix)
    draft.looked = True
    draft.prefix = proposals.prefix or draft.prefix
    draft.patterns |= proposals.patterns
    draft.notes |= proposals.notes
    for section, values in proposals.metadata.items():
        draft.metadata[section] = {**values, **draft.metadata.get(section, {})}


def _given(draft: Draft, patterns: list[str], annotations: list[str], settings: list[str]) -> None:
    """Take what the flags say; it counts more than what was proposed."""
    from tomoportal.config.authoring import STANDARDIZED, patterns_of, put, split_annotation
    from tomoportal.errors import UsageError

    draft.patterns |= patterns_of(patterns)
    draft.annotations = [split_annotation(text) for text in annotations]
    for text in settings:
        place, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text}: expected PLACE=VALUE.")
        put(draft.metadata, place.strip(), value.strip())
    draft.standardize(draft.metadata.pop(STANDARDIZED, {}))

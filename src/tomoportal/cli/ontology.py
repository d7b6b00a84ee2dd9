"""`tomoportal ontology`: the ontologies with which identifiers and names of deposition files are compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import JsonOption, StorageOption
from tomoportal.errors import FormatError, UsageError

if TYPE_CHECKING:
    from tomoportal.model.ontology import Ontology

ontology = typer.Typer(
    name="ontology",
    help="Load and list ontologies, with which deposition files are compared.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@ontology.command()
def load(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="OBO files (go.obo) or OBO graphs (go.json).")
    ],
    storage: StorageOption = None,
) -> None:
    """Keep the terms of ontologies for this portal. One that is loaded again takes the place of the old one.

    tomoportal ontology load go.obo cl-basic.obo
    """
    from tomoportal.layout.ontologies import write_ontology
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    target = open_storage(Settings.from_environment(storage=storage).storage)
    for read in [_read(file) for file in files]:
        write_ontology(target, read)
        typer.echo(_line(read))


@ontology.command("list")
def list_(storage: StorageOption = None, as_json: JsonOption = False) -> None:
    """Show which ontologies are loaded."""
    import json

    from tomoportal.layout.ontologies import read_ontologies
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    found = read_ontologies(open_storage(Settings.from_environment(storage=storage).storage))
    for loaded in found.loaded:
        typer.echo(json.dumps(_told(loaded), ensure_ascii=False) if as_json else _line(loaded))
    if not found and not as_json:
        typer.echo("No ontology is loaded.")


def _read(file: Path) -> Ontology:
    from tomoportal.formats.obo import read_obo
    from tomoportal.formats.obo_graph import read_obo_graph

    reader = read_obo_graph if file.suffix.lower() == ".json" else read_obo
    try:
        with file.open("rb") as opened:
            return reader(opened, str(file))
    except FormatError as error:
        raise UsageError(f"{error} Nothing was loaded.") from error
    except OSError as error:
        raise UsageError(
            f"{file}: the file cannot be read ({error.strerror}). Nothing was loaded."
        ) from error


def _told(loaded: Ontology) -> dict[str, str | int]:
    terms = loaded.terms.values()
    return {
        "name": loaded.name,
        "version": loaded.version,
        "prefix": loaded.prefix,
        "terms": len(terms),
        "obsolete": sum(term.obsolete for term in terms),
        "synonyms": sum(len(term.synonyms) for term in terms),
    }


def _line(loaded: Ontology) -> str:
    told = _told(loaded)
    return (
        f"{told['name']} ({told['version'] or 'no version'}): {told['terms']:,} terms {told['prefix']}:…, "
        f"{told['obsolete']:,} of them obsolete, {told['synonyms']:,} synonyms"
    )

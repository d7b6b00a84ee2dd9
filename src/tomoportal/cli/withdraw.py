"""`tomoportal withdraw`: take something down for good, and say so where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import DatabaseOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.catalog import Catalog
    from tomoportal.layout.paths import Key
    from tomoportal.layout.private import Record


def withdraw(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT…",
            show_default=False,
            help="Folders of the layout (20002/TS_1/…, DepositionMetadata/20001) or kind:id (run:123, tomogram:45, dataset:20002).",
        ),
    ],
    reason: Annotated[
        str, typer.Option(help="Told on the page that stays in its place.", show_default=False)
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Withdraw without asking.")] = False,
    storage: StorageOption = None,
    database: DatabaseOption = None,
) -> None:
    """Take down datasets, runs, tilt series, alignments, tomograms, annotations or depositions, with what stands on them.

    Their files are deleted and their ids never given to anything else; their pages answer that they were withdrawn, when, and why.
    Ingesting them again leaves them out, unless --restore is given.

    tomoportal withdraw 20002/TS_7 --reason "the grid was mixed up"
    """
    from tomoportal.catalog import open_catalog
    from tomoportal.cli.ingest import CatalogLoading, ask_to_remove
    from tomoportal.ingest.removal import Removal, what_to_withdraw
    from tomoportal.layout.paths import folder
    from tomoportal.problems import has_errors
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    settings = Settings.from_environment(storage=storage, database=database)
    target = open_storage(settings.storage)
    with open_catalog(settings.database, create=True) as catalog:
        doomed: dict[str, Record] = {}
        for word in what:
            key = _key(word, catalog)
            found = what_to_withdraw(target, key)
            if not found:
                raise _unknown(word)
            _tell_if_done(word, found)
            doomed |= {folder(record.key): record for record in found}
        if not yes:
            ask_to_remove([record for record in doomed.values() if record.published])
        published = CatalogLoading(target, catalog)
        removal = Removal(target, published, reason)
        count = removal.take(doomed.values())
    problems = [*removal.problems, *published.problems]
    for problem in problems:
        typer.echo(str(problem), err=True)
    typer.echo(f"{count} withdrawn." if count else "Nothing was left to do.")
    if has_errors(problems):
        raise typer.Exit(1)


def _key(word: str, catalog: Catalog) -> Key:
    """The entity that a folder of the layout, or `kind:id`, names. Raises `UsageError`."""
    from tomoportal.errors import UsageError
    from tomoportal.ingest.selection import WORDS
    from tomoportal.layout.paths import folder, kind_of_sidecar, owner

    kind, sign, number = word.partition(":")
    if sign and number.isdecimal():
        kinds = WORDS.get(kind.lower(), ())
        place = next((found for one in kinds if (found := catalog.folder_of(one, int(number)))), None)
        if place is None:
            raise _unknown(word)
        word = place
    path = word.strip("/")
    key = kind_of_sidecar(path) or owner(path)
    if key is None:
        raise _unknown(word)
    if path != folder(key) and kind_of_sidecar(path) is None:
        raise UsageError(f"{word}: this is a part of {folder(key)}; withdraw that.")
    return key


def _tell_if_done(word: str, found: list[Record]) -> None:
    first = found[0].withdrawal
    if first is not None and not any(record.published for record in found):
        typer.echo(f"{word} was withdrawn on {first['on'][:10]}.")


def _unknown(word: str) -> Exception:
    from tomoportal.errors import UsageError

    return UsageError(
        f"{word}: nothing of that name was ever published here; expected a folder such as 20002/TS_1, or kind:id such as run:12."
    )

"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

StorageOption = Annotated[
    str | None,
    typer.Option(
        "--storage",
        help="Folder or URL of the standard layout. [env TOMOPORTAL_STORAGE, else portal/files]",
        show_default=False,
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="URL of the catalogue. [env TOMOPORTAL_DATABASE, else sqlite:///portal/catalog.sqlite]",
        show_default=False,
    ),
]
ContentOption = Annotated[
    str | None,
    typer.Option(
        "--content",
        help="Folder of the site: site.toml (title, logo, colours, license, banners) and own Markdown pages. [env TOMOPORTAL_CONTENT]",
        show_default=False,
    ),
]
SourceOption = Annotated[
    str,
    typer.Option(
        "--source", help="Folder or URL under which the deposition's source_prefix lies.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for machines.")]

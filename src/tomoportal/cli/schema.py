"""`tomoportal schema`: what can be asked and what can be written, as text."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    reference: Annotated[
        bool, typer.Option("--reference", help="All entities and fields, as Markdown.")
    ] = False,
    deposition: Annotated[
        bool,
        typer.Option(
            "--deposition",
            help="The JSON Schema of deposition files, for editors; with --reference all their keys.",
        ),
    ] = False,
) -> None:
    """Print the GraphQL schema (SDL) of the portal."""
    if deposition and reference:
        from tomoportal.config.reference import reference as keys

        typer.echo(keys())
    elif reference:
        from tomoportal.model.reference import reference as entities

        typer.echo(entities())
    elif deposition:
        import json

        from tomoportal.config.json_schema import json_schema

        typer.echo(json.dumps(json_schema(), indent=2))
    else:
        from graphql import print_schema

        from tomoportal.api.graphql.schema import make_schema

        typer.echo(print_schema(make_schema()))

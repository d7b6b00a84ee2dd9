"""`tomoportal query`: ask the catalogue, or a portal somewhere, with GraphQL."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tomoportal.cli.options import DatabaseOption

Variables = dict[str, Any] | None


def query(
    query: Annotated[
        str | None,
        typer.Argument(
            help="A GraphQL query, or the name of a file with one; `-`, or none at a pipe, reads standard input."
        ),
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option("--variables", help="JSON such as '{\"id\": 10901}', or @FILE.", show_default=False),
    ] = None,
    operation: Annotated[
        str | None,
        typer.Option("--operation", help="The operation, where the query has several.", show_default=False),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", help="Ask the portal at this address instead of a database.", show_default=False
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Ask with GraphQL what this portal, or the one at --url, has published.

    The answer is JSON: coloured and indented on a terminal, one line for other programs. Exit code 1 says that it holds
    errors, which are told on standard error, too. Cost limits of the server do not count for the database at hand.

    Examples:

      tomoportal query '{ datasets { id title } }'

      tomoportal query runs.graphql --variables '{"name": "TS_001"}' | jq '.data.runs[].id'
    """
    from tomoportal.errors import UsageError

    if url and database:
        raise UsageError("--url and --database exclude each other: ask a portal or a database")
    text, values = _text(query), _variables(variables)
    answer = _remote(url, text, values, operation) if url else _local(database, text, values, operation)
    _show(answer)


def _text(given: str | None) -> str:
    import sys
    from pathlib import Path

    from tomoportal.errors import UsageError

    if given is None and sys.stdin.isatty():
        raise UsageError("there is no query; give one such as '{ datasets { id title } }', or a file")
    if given is None or given == "-":
        return sys.stdin.read()
    if "{" in given:
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{given!r} is neither a query (it has no brace) nor a file that can be read: {error}"
        ) from None


def _variables(given: str | None) -> Variables:
    import json
    from pathlib import Path

    from tomoportal.errors import UsageError

    if given is None:
        return None
    try:
        data = json.loads(Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given)
    except (OSError, ValueError) as error:
        raise UsageError(f"--variables {given!r} cannot be read as JSON: {error}") from None
    if not isinstance(data, dict):
        raise UsageError('--variables must be a JSON object such as {"id": 10901}')
    return data


def _local(database: str | None, text: str, variables: Variables, operation: str | None) -> str:
    import sys
    from dataclasses import replace

    from tomoportal.api.graphql.execute import Request, Service
    from tomoportal.catalog import Addresses, open_catalog
    from tomoportal.settings import Settings

    settings = Settings.from_environment(database=database)
    addresses = Addresses(f"{settings.public_url}/files/", f"s3://{settings.bucket}/")
    with open_catalog(settings.database) as catalog:
        service = Service(replace(settings.limits, cost=sys.maxsize))
        return service.answer(catalog.view(addresses=addresses), Request(text, variables, operation))


def _remote(url: str, text: str, variables: Variables, operation: str | None) -> str:
    import httpx

    from tomoportal.errors import RemoteError

    address = url.rstrip("/").removesuffix("/graphql") + "/graphql"
    body = {"query": text, "variables": variables, "operationName": operation}
    try:
        response = httpx.post(address, json=body, timeout=120, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RemoteError(f"{address} cannot be reached ({error}). Is the portal running there?") from error
    if "json" not in response.headers.get("content-type", ""):
        message = f"{address} answered {response.status_code}, not as a portal does: {response.text[:200]!r}"
        raise RemoteError(message, response.status_code)
    return response.text


def _show(answer: str) -> None:
    import json
    import sys

    if sys.stdout.isatty():
        from rich.console import Console

        Console().print_json(answer, ensure_ascii=False)
    else:
        typer.echo(answer)
    errors = json.loads(answer).get("errors") or []
    for error in errors:
        place = "".join(f" (line {at['line']}, column {at['column']})" for at in error.get("locations") or [])
        typer.echo(f"Error: {error['message']}{place}", err=True)
    if errors:
        raise typer.Exit(1)

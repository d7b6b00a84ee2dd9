"""`tomoportal schema`: the GraphQL schema as text."""

from __future__ import annotations


def schema() -> None:
    """Print the GraphQL schema (SDL) of the portal."""
    from graphql import print_schema

    from tomoportal.api.graphql.schema import make_schema

    print(print_schema(make_schema()))

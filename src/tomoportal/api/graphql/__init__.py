"""GraphQL: a schema made from the model, documents turned into query trees, answers passed through as the catalogue made them.

    vocabulary   names of the model in GraphQL and back
    inputs, schema   the types; everything that the official client 4.9.0 knows under `Query`, and more
    filters      where clauses and orders → conditions
    translate    selections → query trees
    execute      a request → the text of the answer
    endpoint     HTTP

Reads go through a `catalog.View`; nothing here writes SQL.
"""

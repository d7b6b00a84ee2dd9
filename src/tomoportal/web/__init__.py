"""The pages that people see.

    site.py          routes(get_view, settings): the pages as Starlette routes, headers, error pages
    pages/           one module per page: request → frozen context
    lists, filters   what can be filtered and sorted; query string ↔ query tree
    facts            rows made from the model's fields
    urls             every address of the site
    render, templates/, static/, formats, identifiers, people, cards, downloads

Reads the catalogue through a `View`, never through our own HTTP API, and writes nothing.
"""

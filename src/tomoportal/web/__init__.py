"""The pages that people see.

    site, pages/             requests and routes; one module per page: request → frozen context
    render, frame, templates/, static/      contexts → HTML; what stands around every page
    getting/, basket/, content/             what visitors take along; what they pick; pages of text and guides
    lists/                   what can be filtered, counted and sorted; query string ↔ query tree
    entities/, looking/      what pages tell of entities, rows made from the model's fields; slices, plots, menus of the viewer
    context, urls, ways, formats, days, identifiers, kept        what all of them stand on

Reads the catalogue through a `View`, never through our own HTTP API, and writes nothing.
"""

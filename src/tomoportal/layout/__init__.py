"""The standard layout: the contract between what is written and what is served, and the only place with folder names.

    paths      every path built and parsed
    private    the area `.tomoportal/` that is never served: identifiers, records, leases, markers
    tree       reading a finished tree: datasets, sidecars, their child rows
    publish    putting an entity into the tree so that readers see the old one or the new one

Nothing here knows volumes or databases; a storage is passed in.
"""

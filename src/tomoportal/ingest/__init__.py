"""From source files to the standard layout: find → plan → run.

    find/         what the deposition file points at (reads listings, writes nothing)
    identity      by what an entity is recognised when it is ingested again, and its folder id
    task          one unit of work as plain data, and what comes out of it
    plan          found items and what is published already → tasks (decides, writes nothing)
    steps/        {kind: function}: what each task does, in a staging folder
    copies        files that are published byte for byte: in pieces, once, taken up again
    matching      which section of the mdoc files a movie or an image belongs to (pure)
    agreement     whether the files contradict what the deposition file states (pure)
    sidecars      the metadata JSON of each entity (pure)
    views         which pictures and viewer states follow from what is published (pure)
    execute       does one task and publishes its entity
    run           executes a plan: leases, workers, order
    report        what a run tells
    keyphotos     the tomogram whose picture stands for a dataset or deposition
    given_photos  the pictures that depositors give instead; addresses: fetching them
    volumes/      the streaming volume writer
    pictures      key pictures out of kept slabs

Nothing here knows the catalogue: what is published is told by a callback.
"""

"""From source files to the standard layout: find → plan → run.

    find/         what the deposition file points at (reads listings, writes nothing)
    identity      by what an entity is recognised when it is ingested again, and its folder id
    task          one unit of work as plain data, and what comes out of it
    plan          found items and what is published already → tasks (decides, writes nothing)
    steps/        {kind: function}: what each task does, in a staging folder
    sidecars      the metadata JSON of each entity (pure)
    run           executes a plan: lease, workers, publishing, report
    volumes/      the streaming volume writer
    pictures      key pictures out of kept slabs

Nothing here knows the catalogue: what is published is told by a callback.
"""

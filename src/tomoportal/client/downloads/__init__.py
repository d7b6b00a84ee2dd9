"""Getting files out of a portal: what is asked for (`targets`, `selection`), what that is (`listing`, `manifest`), and bringing it
here (`engine`) or into an object store (`upload`).

    targets ─ selection ─► sources ─ listing ─► manifest ─ engine ─► folder
                                                   └────── upload ─► s3://

Only a manifest crosses the middle: a file of JSON lines that tells path, address, size and checksum of every file. It may come from
others, so it is checked as input of strangers, wherever it comes from.
"""

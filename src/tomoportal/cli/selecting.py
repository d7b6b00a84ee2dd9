"""The options with which a part of a plan is chosen."""

from __future__ import annotations

from typing import Annotated

import typer

OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="TYPE", show_default=False,
        help="Only this type: a section of the deposition file, singular or plural (tomograms, annotation, …). Repeatable. What it "
        "needs and is not published yet comes along.",
    ),
]  # fmt: skip
MetadataOnlyOption = Annotated[
    bool,
    typer.Option(
        "--metadata-only",
        help="Write metadata of what is published; touch no data files. What has no data yet is named and left out.",
    ),
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--include", metavar="TYPE=REGEX", show_default=False,
        help="Of this type only those whose name matches from its start, such as run=TS_0 or tomogram='.*_bin4'. Repeatable.",
    ),
]  # fmt: skip
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", metavar="TYPE=REGEX", show_default=False,
        help="Leave out those of this type whose name matches from its start; a run, dataset or voxel_spacing with all that is in it. "
        "Repeatable.",
    ),
]  # fmt: skip
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Make anew what is published as asked for; with --only, of those types."),
]
RestoreOption = Annotated[
    bool,
    typer.Option(
        "--restore", help="Publish again, with the same ids, what was withdrawn and this file leads to."
    ),
]
MeshesOption = Annotated[
    bool | None,
    typer.Option(
        "--meshes/--no-meshes", show_default=False,
        help="Give masks a surface for the 3-D view, or take it away. Without either, those that have one keep it.",
    ),
]  # fmt: skip

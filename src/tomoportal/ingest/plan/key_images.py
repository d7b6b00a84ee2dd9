"""Which picture files show a tomogram."""

from __future__ import annotations

from tomoportal.ingest.find import FoundSpacing
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.views import PICTURE_SIZES, GivenPictures
from tomoportal.layout.paths import Key


def plan_key_images(run: RunPlanning, tomogram: Key, path: str, spacing: FoundSpacing) -> None:
    """Note the pictures of a tomogram: for each size the file that is called so, else the one called `original`, else the first."""
    files = {
        item.name: item.path
        for item in spacing.items.get("key_images", ())
        if item.path and not item.referenced and item.parameters.get("tomogram") == path
    }
    standard = files.get("original") or next(iter(files.values()), None)
    sizes = {size: found for size in PICTURE_SIZES if (found := files.get(size) or standard)}
    run.pictures[tomogram] = GivenPictures(run.inputs(dict.fromkeys(sizes.values())), sizes)

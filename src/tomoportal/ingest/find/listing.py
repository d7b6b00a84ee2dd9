"""What the listings made for finding also tell: sizes and tags of source files, so that nobody asks for each file again."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.errors import NotFound
from tomoportal.ingest.find.places import VOLUME, Place, folder_input
from tomoportal.ingest.task import Input
from tomoportal.storage import Entry, Storage


@dataclass(frozen=True, slots=True)
class Listing:
    """The source as it was listed. `entry(path)`: size and tag of a file, by its path from the root of the source; None when no
    listing has told them."""

    storage: Storage
    place: Place

    def entry(self, path: str) -> Entry | None:
        """What a listing says about a file."""
        return self.place.entry(path)

    def fingerprint(self, path: str) -> Input:
        """What tells whether a source file, or all files of a folder, have changed. Asks the storage only about what was not listed.
        What is gone has size 0 and no tag."""
        known = self.entry(path)
        if known is not None:
            return Input(path, known.size, known.tag)
        if path.endswith(VOLUME):
            told = self.place.volume(path)
            if told is not None:
                return told
        try:
            found = self.storage.stat(path)
            return Input(path, found.size, found.tag)
        except NotFound:
            return folder_input(self.storage, path)

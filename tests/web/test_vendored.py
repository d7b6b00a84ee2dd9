from __future__ import annotations

import hashlib
import json

from tomoportal.web.urls import STATIC


def test_vendored_files_are_those_of_their_release():
    notes = list((STATIC / "vendor").glob("*/vendor.json"))
    assert notes
    for note in notes:
        told = json.loads(note.read_text())
        assert {"name", "version", "source", "licence"} <= set(told)
        assert (note.parent / "LICENSE").is_file()
        for name, mark in told["files"].items():
            assert hashlib.sha256((note.parent / name).read_bytes()).hexdigest() == mark

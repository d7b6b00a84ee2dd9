"""Files that many tasks need: read once, told once when they are faulty, asked for again when only the way to them failed."""

from __future__ import annotations

import pytest

from tomoportal.errors import FormatError, SourceError
from tomoportal.ingest.shared import SharedFiles


class Reading:
    """Answers with each of `outcomes` in turn, the last one again and again."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes, self.asked = list(outcomes), 0

    def __call__(self) -> object:
        self.asked += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_a_file_is_read_once_while_there_is_room_for_it():
    files, first, second = SharedFiles(room=10), Reading("first"), Reading("second")
    for _ in range(3):
        assert files.once(1, first, lambda _: 6) == "first"
    assert first.asked == 1
    assert files.once(2, second, lambda _: 6) == "second"
    assert files.once(1, first, lambda _: 6) == "first"
    assert first.asked == 2


def test_that_a_file_is_faulty_is_remembered():
    files, faulty = SharedFiles(), Reading(FormatError("list.star", "it is cut off."))
    for _ in range(3):
        with pytest.raises(FormatError, match="cut off"):
            files.once(1, faulty, lambda _: 1)
    assert faulty.asked == 1


def test_trouble_on_the_way_is_the_trouble_of_one_task():
    files, reading = SharedFiles(), Reading(SourceError("list.star", "the connection failed."), "list")
    with pytest.raises(SourceError, match="connection"):
        files.once(1, reading, lambda _: 1)
    assert files.once(1, reading, lambda _: 1) == "list"

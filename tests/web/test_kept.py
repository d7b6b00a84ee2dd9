"""Answers are made once for each state of the catalogue, however many ask for them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import pytest

from tomoportal.web import kept


@dataclass(frozen=True)
class Rows:
    state: tuple[str, ...]
    is_all: bool = True


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    kept.forget()


def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    asked, begun, may_end = [], Event(), Event()

    @kept.remembered
    def slow(rows: Rows, word: str) -> str:
        asked.append(word)
        begun.set()
        assert may_end.wait(30)
        return word * 2

    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(slow, Rows(("now",)), "ab") for _ in range(8)]
        assert begun.wait(30)
        may_end.set()
        assert [answer.result() for answer in answers] == ["abab"] * 8
    assert asked == ["ab"]


def test_what_failed_is_asked_again() -> None:
    tries = iter((ValueError("not now"), None))

    @kept.remembered
    def failing(rows: Rows) -> str:
        if error := next(tries):
            raise error
        return "done"

    with pytest.raises(ValueError, match="not now"):
        failing(Rows(("now",)))
    assert failing(Rows(("now",))) == failing(Rows(("now",))) == "done"


def test_answers_about_all_rows_stay_when_many_are_asked_about_some() -> None:
    asked = []

    @kept.remembered
    def told(rows: Rows, number: int) -> int:
        asked.append(number)
        return number

    told(Rows(("now",)), -1)
    for number in range(kept.MOST[False] + 1):
        told(Rows(("now",), is_all=False), number)
    before = len(asked)
    told(Rows(("now",)), -1)
    assert len(asked) == before
    told(Rows(("now",), is_all=False), 0)
    assert len(asked) == before + 1


def test_another_state_is_asked_anew_and_old_ones_are_forgotten() -> None:
    asked = []

    @kept.remembered
    def told(rows: Rows) -> str:
        asked.append(rows.state[0])
        return rows.state[0]

    states = [Rows((str(number),)) for number in range(kept.STATES + 1)]
    for rows in (*states, states[-1], states[0]):
        assert told(rows) == rows.state[0]
    assert asked == [*(rows.state[0] for rows in states), "0"]

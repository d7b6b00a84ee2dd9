"""Asking beforehand what every visitor of a list asks of all rows, whenever the catalogue has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from threading import Event, Thread

from tomoportal.catalog import View
from tomoportal.errors import PortalError
from tomoportal.web.lists.filter_kinds import AllOf, OneOf, Range
from tomoportal.web.lists.filters import ListOf
from tomoportal.web.lists.offered import DATASETS, DEPOSITIONS, RUNS
from tomoportal.web.pages import authors, home, objects, organisms

PAUSE = 1.0
"""Seconds between two looks at the catalogue."""

_log = logging.getLogger(__name__)


class Warming:
    """A thread that looks whether the catalogue has changed, from `start` until `stop`."""

    def __init__(self, get_view: Callable[[], View]) -> None:
        self._get_view = get_view
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="warming", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what is being asked is waited for a while."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        known: tuple[str, ...] = ()
        while not self._stopped.is_set():
            try:
                view = self._get_view()
                if view.key != known:
                    self._ask(view)
                    known = view.key
            except PortalError as error:
                _log.debug("nothing is asked beforehand: %s", error)
            self._stopped.wait(PAUSE)

    def _ask(self, view: View) -> None:
        for ask in questions():
            if self._stopped.is_set():
                return
            ask(view)


def questions() -> Iterator[Callable[[View], object]]:
    """What is asked of a view, those of most visitors first."""
    yield from (View.totals, home.pictured)
    yield from (partial(_prepare, list_of=each) for each in (DATASETS, RUNS, DEPOSITIONS))
    yield from (objects.all_objects, organisms.all_organisms, authors.all_authors)


def _prepare(view: View, list_of: ListOf) -> None:
    """Ask all that a list shows while nothing is chosen."""
    choice = list_of.read(())
    members = choice.members(view)
    for item in list_of.filters:
        match item:
            case OneOf() | AllOf():
                choice.options(item, members)
            case Range():
                choice.spread(item, members)
    for sort in list_of.sorts:
        members.in_order(sort.order)

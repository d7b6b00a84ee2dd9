"""Where a visitor came from, as addresses remember it, and the breadcrumbs that lead back there with all that was chosen.

`back` is the query string of the page before. `from` names that page where it is not the one above: `runs` (the list of runs) or
`deposition-10300`. The reference system writes `from=deposition-annotations&deposition-id=10300`, which is understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tomoportal.web import urls
from tomoportal.web.context import Crumb, Visit

LONGEST_BACK = 2000
"""Letters of the way back that are remembered in an address."""
FROM_RUNS = "runs"
_FROM_DEPOSITION = re.compile(r"deposition-([0-9]{1,9})")
Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """The page before: `place` is empty when it is the page above, `back` is its query string."""

    place: str = ""
    back: str = ""

    @staticmethod
    def of(parameters: Iterable[tuple[str, str]]) -> Origin:
        """What a query string tells of it; nothing when it makes no sense."""
        given = {name.replace("-", "_"): value for name, value in parameters}
        place, back = given.get("from", ""), given.get("back", "").replace("\x00", "")
        if place in ("deposition-annotations", "deposition-tomograms"):
            place = f"deposition-{given.get('deposition_id', '')}"
        is_known = place == FROM_RUNS or _FROM_DEPOSITION.fullmatch(place)
        return Origin(place if is_known else "", back if len(back) <= LONGEST_BACK else "")

    @property
    def parameters(self) -> Parameters:
        """The part of a query string that tells of it."""
        return tuple((name, value) for name, value in (("from", self.place), ("back", self.back)) if value)

    @property
    def query(self) -> Parameters:
        """The query string of the page before, in parts."""
        return tuple(parse_qsl(self.back))

    @property
    def before(self) -> Origin:
        """Where the visitor had come from there."""
        return Origin.of(self.query)

    @property
    def deposition(self) -> int | None:
        """The deposition that the visitor came from."""
        found = _FROM_DEPOSITION.fullmatch(self.place)
        return int(found[1]) if found else None


def from_deposition(id: int, back: str = "") -> Origin:
    """What links on the page of a deposition tell."""
    return Origin(f"deposition-{id}", back if len(back) <= LONGEST_BACK else "")


def came_from(visit: Visit) -> Origin:
    """Where this visitor came from."""
    return Origin.of(visit.request.query_params.multi_items())


def to_dataset(visit: Visit, origin: Origin) -> tuple[Crumb, ...]:
    """The way to the page of a dataset: through a deposition, the list of runs or that of datasets."""
    if origin.deposition is not None:
        row = visit.view.one("Deposition", origin.deposition, ("title",))
        if row is not None:
            page = Crumb(row["title"], urls.deposition(origin.deposition, origin.query))
            return (Crumb("Depositions", urls.depositions(origin.before.query)), page)
    if origin.place == FROM_RUNS:
        return (Crumb("Runs", urls.runs(origin.query)),)
    return (Crumb("Datasets", urls.datasets(() if origin.place else origin.query)),)


def to_run(visit: Visit, origin: Origin, dataset: Crumb) -> tuple[Crumb, ...]:
    """The way to the page of a run. `dataset` leads to the page of its dataset, as it was when the visitor came from there."""
    if origin.deposition is not None:
        narrowed = (("deposition_id", str(origin.deposition)), *origin.parameters)
        dataset = Crumb(dataset.text, urls.with_query(dataset.href, narrowed))
    if origin.place:
        return (*to_dataset(visit, origin), dataset)
    return (
        *to_dataset(visit, origin.before),
        Crumb(dataset.text, urls.with_query(dataset.href, origin.query)),
    )

"""What `find` gives: a list with a little more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, SupportsIndex, TypeVar, overload

if TYPE_CHECKING:
    import pandas

    from tomoportal.client.entities import ClientEntity

E = TypeVar("E", bound="ClientEntity")


class Results(list[E], Generic[E]):
    """A list of entities, of the class `kind`. With exactly one in it, its attributes and methods can be used directly."""

    def __init__(self, items: Iterable[E], kind: type[E]) -> None:
        super().__init__(items)
        self.kind = kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_ipython_canary_method_should_not_exist_":
            raise AttributeError(name)
        if not self:
            raise AttributeError(f"{name}: nothing was found, so there is nothing to take it from.")
        if len(self) > 1:
            raise AttributeError(f"{name}: there are {len(self)} results; choose one of them first.")
        return getattr(self[0], name)

    @overload
    def __getitem__(self, index: SupportsIndex) -> E: ...
    @overload
    def __getitem__(self, index: slice) -> Results[E]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> E | Results[E]:
        if isinstance(index, slice):
            return Results(super().__getitem__(index), self.kind)
        return super().__getitem__(index)

    def to_dataframe(self) -> pandas.DataFrame:
        """A table with a row for each entity and a column for each scalar: `Int64`, `float64`, `string`, `boolean`, dates in UTC,
        categories. Raises `UsageError` without pandas (`tomoportal[analysis]`)."""
        from tomoportal.client.tables import dataframe

        return dataframe(self, self.kind)

    def _repr_html_(self) -> str:
        from tomoportal.client.notebook import gallery

        return gallery(self) if self else f"<i>no {self.kind.names.many.lower()} found</i>"

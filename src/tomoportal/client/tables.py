"""Entities as a pandas table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tomoportal.client.extras import needed
from tomoportal.model.fields import Field, Kind

if TYPE_CHECKING:
    import pandas

    from tomoportal.client.entities import ClientEntity

_DTYPES = {
    Kind.INT: "Int64",
    Kind.FLOAT: "float64",
    Kind.STR: "string",
    Kind.STATE: "string",
    Kind.BOOL: "boolean",
}
"""Whole numbers, text and truth values that may be absent."""


def dataframe(entities: Sequence[ClientEntity], kind: type[ClientEntity]) -> pandas.DataFrame:
    """A row for each entity, a column for each scalar: `Int64`, `float64`, `string`, `boolean`, dates in UTC, categories for words of
    an enumeration. Raises `UsageError` without pandas."""
    needed("pandas", "to_dataframe()")
    import pandas

    columns = {
        name: _column(pandas, field, [entity.__dict__.get(name) for entity in entities])
        for name, field in kind.fields.items()
    }
    return pandas.DataFrame(columns)


def _column(pandas: Any, field: Field[Any], values: list[Any]) -> Any:
    if field.kind is Kind.DATE:
        return pandas.Series(pandas.to_datetime(values, utc=True))
    if field.kind is Kind.ENUM:
        return pandas.Series(values, dtype=pandas.CategoricalDtype(list(field.enum or ())))
    return pandas.Series(values, dtype=_DTYPES.get(field.kind, "object"))

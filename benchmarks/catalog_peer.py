"""The peer that our GraphQL is measured beside: Strawberry, SQLAlchemy's mapped classes, dataloaders, asyncpg, uvicorn.

    python benchmarks/catalog_peer.py postgresql://… PORT PUBLIC_URL

It answers the questions of `catalog_http` from the tables of our catalogue in PostgreSQL with the same words: root lists with
conditions, order and limit, connections, figures by groups. Types and mapped classes are made from the model when it starts. One
statement for each relation of each level, never one for each row; parsed and validated documents are kept. To its favour it does
less than ours: conditions and orders come in as JSON that nobody checks, every row is public, nothing limits what is asked.
"""

from __future__ import annotations

import operator
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sql
import strawberry
import uvicorn
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, aliased, foreign, relationship
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.scalars import JSON

from tomoportal.api.graphql.vocabulary import AGGREGATE, Words, camel, vocabulary
from tomoportal.catalog.tables import make_tables
from tomoportal.model.fields import FILES_MARK, Address, Field, Kind, Relation

WORDS = vocabulary()
TYPES = {Kind.INT: "int", Kind.FLOAT: "float", Kind.BOOL: "bool"}
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "_eq": operator.eq, "_gt": operator.gt, "_ilike": lambda column, value: column.ilike(value),
    "_is_null": lambda column, value: column.is_(None) if value else column.is_not(None),
}  # fmt: skip


PARSED, VALIDATED = ParserCache(), ValidationCache()


class Base(DeclarativeBase):
    metadata = make_tables()


def _mapped() -> dict[str, Any]:
    """The mapped class of each entity, with its relations."""
    classes = {
        name: type(name, (Base,), {"__table__": Base.metadata.tables[words.entity.names.table]})
        for name, words in WORDS.items()
    }
    for name, words in WORDS.items():
        here = classes[name]
        for relation_name, relation in words.relations.items():
            there = classes[relation.target]
            ends = (
                (foreign(getattr(there, relation.key)), here.id)
                if relation.many
                else (there.id, foreign(getattr(here, relation.key)))
            )
            setattr(
                here,
                relation_name,
                relationship(there, primaryjoin=ends[0] == ends[1], viewonly=True, uselist=relation.many),
            )
    return classes  # fmt: skip


MAPPED = _mapped()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows of an entity (of parents, by their column `key`): which, in which order, how many; or figures by the values at `groups`."""

    entity: str
    key: str = ""
    where: Any = None
    order: Any = None
    first: int | None = None
    groups: tuple[tuple[str, ...], ...] | None = None

    def name(self) -> str:
        """Equal for those that one loader answers."""
        return repr(self)


def condition(entity: str, where: Any) -> Any:
    """What rows have to fulfil."""
    words, here, parts = WORDS[entity], MAPPED[entity], [sql.true()]
    for name, asked in (where or {}).items():
        if relation := words.relations.get(name):
            related = getattr(here, name)
            parts.append((related.any if relation.many else related.has)(condition(relation.target, asked)))
        else:
            column = getattr(here, words.fields[name].name)
            parts += [COMPARED[word](column, value) for word, value in asked.items()]
    return sql.and_(*parts)


def ordering(entity: str, order: Any) -> list[Any]:
    """Columns to sort by, the id last."""
    here, words = MAPPED[entity], WORDS[entity]
    items = [order] if isinstance(order, dict) else order or ()
    given = [(getattr(here, words.fields[name].name), way) for item in items for name, way in item.items()]
    return [*(column.desc() if way == "desc" else column.asc() for column, way in given), here.id.asc()]


def rows(wanted: Wanted, parents: Sequence[int] = ()) -> Any:
    """The statement for some rows; `first` counts for each parent."""
    here = MAPPED[wanted.entity]
    order = ordering(wanted.entity, wanted.order)
    chosen = sql.select(here).where(condition(wanted.entity, wanted.where))
    if not wanted.key:
        return chosen.order_by(*order)
    column = getattr(here, wanted.key)
    chosen = chosen.where(column.in_(parents))
    if wanted.first is not None:
        place = sql.func.row_number().over(partition_by=column, order_by=order)
        numbered = sql.select(here.id, place.label("place")).where(
            column.in_(parents), condition(wanted.entity, wanted.where)
        )
        kept = numbered.subquery()
        chosen = chosen.join(kept, sql.and_(kept.c.id == here.id, kept.c.place <= wanted.first))
    return chosen.order_by(column, *order)


def figures(wanted: Wanted, parents: Sequence[int] = ()) -> Any:
    """The statement for counts: parent (if any), values of the groups, count."""
    here = MAPPED[wanted.entity]
    ends: dict[tuple[str, ...], tuple[str, Any]] = {(): (wanted.entity, here)}
    joins, keys = [], []
    for path in wanted.groups or ():
        for length in range(1, len(path)):
            step = path[:length]
            if step not in ends:
                entity, before = ends[step[:-1]]
                target = WORDS[entity].relations[step[-1]].target
                ends[step] = (target, aliased(MAPPED[target]))
                joins.append(getattr(before, step[-1]).of_type(ends[step][1]))
        entity, at = ends[path[:-1]]
        keys.append(getattr(at, WORDS[entity].fields[path[-1]].name))
    parent = [getattr(here, wanted.key)] if wanted.key else []
    chosen = (
        sql.select(*parent, *keys, sql.func.count())
        .select_from(here)
        .where(condition(wanted.entity, wanted.where))
    )
    for join in joins:
        chosen = chosen.join(join)
    if parent:
        chosen = chosen.where(parent[0].in_(parents))
    return chosen.group_by(*parent, *keys).order_by(*parent, *(key.nulls_first() for key in keys))


@dataclass(slots=True)
class Asking:
    """What one request has of the database: a session for each statement, a loader for each relation with its arguments."""

    sessions: async_sessionmaker[AsyncSession]
    loaders: dict[str, DataLoader[int, Any]] = field(default_factory=dict)

    async def all(self, statement: Any, *, entities: bool) -> Sequence[Any]:
        """All rows of a statement."""
        async with self.sessions() as session:
            found = await session.execute(statement)
            return found.scalars().all() if entities else found.all()

    async def load(self, wanted: Wanted, parent: int) -> Any:
        """What one parent has, asked together with that of all others."""
        name = wanted.name()
        if name not in self.loaders:

            async def together(parents: list[int]) -> list[Any]:
                return await self._together(wanted, parents)

            self.loaders[name] = DataLoader(load_fn=together)
        return await self.loaders[name].load(parent)

    async def _together(self, wanted: Wanted, parents: list[int]) -> list[Any]:
        found: dict[int, list[Any]] = defaultdict(list)
        if wanted.groups is not None:
            for parent, *values in await self.all(figures(wanted, parents), entities=False):
                found[parent].append(values)
            return [_figures(wanted, found[parent]) for parent in parents]
        for row in await self.all(rows(wanted, parents), entities=True):
            found[getattr(row, wanted.key)].append(row)
        return [found[parent] for parent in parents]


def _figures(wanted: Wanted, found: Sequence[Sequence[Any]]) -> Any:
    """The object with the figures of all groups."""
    assert wanted.groups is not None
    made = []
    for *values, count in found or ([] if wanted.groups else [[0]]):
        group = SimpleNamespace()
        for path, value in zip(wanted.groups, values, strict=True):
            at = group
            for step in path[:-1]:
                at = at.__dict__.setdefault(step, SimpleNamespace())
            setattr(at, path[-1], value)
        made.append(SimpleNamespace(count=count, group_by=group))
    return SimpleNamespace(aggregate=made)


def _groups(info: strawberry.Info) -> tuple[tuple[str, ...], ...]:
    """The fields that figures are wanted by, from what was selected below `aggregate { groupBy { … } }`."""
    (asked,) = info.selected_fields

    def ends(fields: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        return [
            end
            for one in fields
            for end in (ends(one.selections, (*path, one.name)) if one.selections else [(*path, one.name)])
        ]

    by = [
        one for part in asked.selections for one in part.selections if one.name == "groupBy" and part.name == "aggregate"
    ]  # fmt: skip
    return tuple(end for one in by for end in ends(one.selections, ()))


def _type(name: str, members: dict[str, Any], annotations: dict[str, str] | None = None) -> None:
    """A GraphQL type of this module, so that others find it by name."""
    made = type(name, (), {**members, "__annotations__": annotations or {}, "__module__": __name__})
    globals()[name] = strawberry.type(made)


def _resolved(name: str, type_name: str, resolver: Any) -> Any:
    resolver.__annotations__["return"] = type_name
    return strawberry.field(resolver=resolver, name=name)


def _scalar(words: Words, name: str, files: str) -> Any:
    of: Field[Any] = words.fields[name]
    if of.address_of is not None:
        kind, stored = of.address_of
        prefix = "s3://tomoportal/" if kind is Address.S3 else files

        def address(self: Any) -> Any:
            path = getattr(self, stored)
            return None if path is None else prefix + path

        return _resolved(name, "str | None", address)
    if of.kind is Kind.STATE:

        def state(self: Any) -> Any:
            text = getattr(self, of.name)
            return None if text is None else text.replace(FILES_MARK, files)

        return _resolved(name, "str | None", state)

    def value(self: Any) -> Any:
        return getattr(self, of.name)

    return strawberry.field(name=name) if camel(of.name) == name else _resolved(name, "str | None", value)


def _to_one(name: str, relation: Relation) -> Any:
    wanted = Wanted(relation.target, "id")

    async def resolve(self: Any, info: strawberry.Info) -> Any:
        parent = getattr(self, relation.key)
        found = [] if parent is None else await info.context["asking"].load(wanted, parent)
        return found[0] if found else None

    return _resolved(name, f"{relation.target} | None", resolve)


def _to_many(name: str, relation: Relation) -> Any:
    async def resolve(
        self: Any, info: strawberry.Info, where: JSON | None = None, order_by: JSON | None = None, first: int | None = None
    ) -> Any:  # fmt: skip
        wanted = Wanted(relation.target, relation.key, where, order_by, first)
        found = await info.context["asking"].load(wanted, self.id)
        return SimpleNamespace(edges=[SimpleNamespace(node=row) for row in found])

    return _resolved(name, f"{relation.target}Connection", resolve)


def _related_figures(name: str, relation: Relation) -> Any:
    async def resolve(self: Any, info: strawberry.Info, where: JSON | None = None) -> Any:
        wanted = Wanted(relation.target, relation.key, where, groups=_groups(info))
        return await info.context["asking"].load(wanted, self.id)

    return _resolved(name, f"{relation.target}Aggregate", resolve)


def _root_list(name: str, entity: str) -> Any:
    async def resolve(
        info: strawberry.Info, where: JSON | None = None, order_by: JSON | None = None, limit_offset: JSON | None = None
    ) -> Any:  # fmt: skip
        window: Any = limit_offset or {}
        chosen = rows(Wanted(entity, "", where, order_by))
        chosen = chosen.limit(window.get("limit")).offset(window.get("offset"))
        return await info.context["asking"].all(chosen, entities=True)

    return _resolved(name, f"list[{entity}]", resolve)


def _root_figures(name: str, entity: str) -> Any:
    async def resolve(info: strawberry.Info, where: JSON | None = None) -> Any:
        wanted = Wanted(entity, "", where, groups=_groups(info))
        return _figures(wanted, await info.context["asking"].all(figures(wanted), entities=False))

    return _resolved(name, f"{entity}Aggregate", resolve)


def make_schema(files: str) -> strawberry.Schema:
    """All entities of the model."""
    roots: dict[str, Any] = {}
    for entity, words in WORDS.items():
        plain = {name: of for name, of in words.fields.items() if of.kind is not Kind.MATRIX}
        annotations = {of.name: f"{TYPES.get(of.kind, 'str')} | None" for of in plain.values()}
        members = {words.fields[name].name: _scalar(words, name, files) for name in plain}
        columns = {name: kind for name, kind in annotations.items() if members[name].base_resolver is None}
        relations: dict[str, Any] = {}
        for name, relation in words.relations.items():
            relations[name] = _to_many(name, relation) if relation.many else _to_one(name, relation)
            if relation.many:
                relations[name + AGGREGATE] = _related_figures(name + AGGREGATE, relation)
        _type(entity, {**members, **relations}, columns)
        _type(f"{entity}Edge", {}, {"node": entity})
        _type(f"{entity}Connection", {}, {"edges": f"list[{entity}Edge]"})
        grouped = {camel(name): kind for name, kind in columns.items()}
        grouped |= {name: f"{relation.target}Group | None" for name, relation in words.relations.items()}
        _type(f"{entity}Group", {}, grouped)
        _type(f"{entity}Figures", {}, {"count": "int", "group_by": f"{entity}Group"})
        _type(f"{entity}Aggregate", {}, {"aggregate": f"list[{entity}Figures]"})
        roots[words.entity.names.root] = _root_list(words.entity.names.root, entity)
        figures_name = words.entity.names.root + AGGREGATE
        roots[figures_name] = _root_figures(figures_name, entity)
    _type("Query", roots)
    return strawberry.Schema(query=globals()["Query"], extensions=[lambda: PARSED, lambda: VALIDATED])


class Server(GraphQL[Any, Any]):
    """Each request asks anew."""

    def __init__(self, database: str, files: str) -> None:
        super().__init__(make_schema(files))
        url = make_url(re.sub("^postgresql:", "postgresql+asyncpg:", database))
        engine = create_async_engine(url, pool_size=16, max_overflow=32)
        self.sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def get_context(self, request: Any, response: Any) -> Any:
        return {"request": request, "response": response, "asking": Asking(self.sessions)}


def main() -> None:
    database, port, public_url = sys.argv[1:]
    uvicorn.run(
        Server(database, f"{public_url}/files/"), port=int(port), log_level="warning", timeout_keep_alive=600
    )


if __name__ == "__main__":
    main()

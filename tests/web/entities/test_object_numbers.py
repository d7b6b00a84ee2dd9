"""Numbers of objects are the same, whether one object is asked about or all are gathered."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sql

from fixtures_web import DAY, web_portal
from tomoportal.model.query import Compare, Select, Value
from tomoportal.web import kept
from tomoportal.web.entities.object_numbers import ObjectNumbers, numbers_of, numbers_of_all


def query_of_objects(entity: str) -> Select:
    return Select(entity, (Value("object_id", "object_id"),))


def test_one_object_is_looked_up_once_all_are_known(tmp_path: Path) -> None:
    with web_portal(tmp_path, pictures=False) as catalog:
        view = catalog.view(today=DAY)
        kept.forget()
        annotated = {
            row["object_id"]
            for row in view.rows(query_of_objects("Annotation"))
            + view.rows(query_of_objects("IdentifiedObject"))
        }
        alone = {id: numbers_of(view, id) for id in annotated}
        assert kept.known(numbers_of_all, view) is None
        assert alone == numbers_of_all(view)
        for id, numbers in alone.items():
            mine = Compare("object_id", "eq", id)
            assert numbers.annotations == view.count("Annotation", mine)
            assert numbers.truths == view.count(
                "Annotation", mine & Compare("ground_truth_status", "eq", True)
            )
            assert sum(share.annotations for share in numbers.shares.values()) == numbers.annotations
        said: list[str] = []
        sql.event.listen(catalog.database.reader, "before_cursor_execute", lambda *of: said.append(of[2]))
        assert {id: numbers_of(view, id) for id in annotated} == alone
        assert numbers_of(view, "GO:none") == ObjectNumbers()
        assert not said

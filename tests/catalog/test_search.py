"""Full-text search: what is found, in which order, where it matched; and that nothing of the future is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fixtures_catalog import FUTURE, PAST, TODAY, Rows, fill, portal_rows, row
from fixtures_layout import Layout, add_run, dataset_sidecar, deposition_sidecar
from fixtures_postgres import Backend
from tomoportal.catalog import Catalog, View, load, open_catalog
from tomoportal.catalog.rows import delete, in_order_of_need, insert, settle
from tomoportal.catalog.search import index
from tomoportal.catalog.search.passages import LABELS, SPELLED, SUBJECTS, labels_of, places
from tomoportal.catalog.search.tables import LINK, TEXT, WORD
from tomoportal.catalog.search.terms import Term, terms
from tomoportal.catalog.tables import FOLDER, RELEASE
from tomoportal.catalog.words import tokens, words
from tomoportal.errors import QueryError
from tomoportal.layout.ontologies import write_ontology
from tomoportal.layout.paths import Key
from tomoportal.model import query as q
from tomoportal.model.ontology import Ontologies, Ontology
from tomoportal.model.ontology import Term as OntologyTerm
from tomoportal.model.registry import entity as entity_named

LATER = date(2031, 1, 1)
LIBRARY = 40001
ONTOLOGIES = Ontologies(
    (
        Ontology(
            "go",
            "1",
            {
                "GO:0022626": OntologyTerm(
                    "GO:0022626", "cytosolic ribosome", ("80S ribosome", "kytosolisches Ribosom")
                )
            },
        ),
    )
)


def library_rows() -> Rows:
    """One dataset with everything that people look for, beside the invented portal."""
    home = str(LIBRARY)
    rows = portal_rows()
    for entity, values in (
        ("Dataset", {
            "id": LIBRARY, "title": "β-tubulin rings, seen with a focused ion beam", "deposition_id": 20001,
            "release_date": PAST, "folder": home,
            "description": "Lamellae of 微小管 cells.\nMilled at 30 kV by Łukasz; an ion beam was not focused twice. "
            + "More of it. " * 30,
            "organism_name": "Homo sapiens", "organism_taxid": 9606, "cell_strain_name": "HeLa", "cell_strain_id": "CVCL_0030",
            "tissue_name": "cervix", "cell_component_name": "cytoskeleton", "sample_type": "cell_line", "folder_path": f"{home}/",
            "dataset_publications": "10.1038/s41586-020-2665-2, 10.1101/2024.01.01",
            "related_database_entries": "EMPIAR-10499, EMD-1234, PDB-7XYZ",
        }),
        ("DatasetAuthor", {"id": 1, "dataset_id": LIBRARY, "name": "Søren Ærøskøbing", "orcid": "0000-0001-2345-678X",
                           "kaggle_id": "soerenk",
                           "affiliation_name": "Institut für Kälte", "author_list_order": 1}),
        ("Run", {"id": 400010, "name": "Position_12-3", "dataset_id": LIBRARY, "folder": f"{home}/Position_12-3"}),
        ("TiltSeries", {"id": 9001, "run_id": 400010, "deposition_id": 20001, "microscope_model": "Krios G4", "camera_model": "Falcon 4i",
                        "data_acquisition_software": "PACE-tomo", "folder": f"{home}/Position_12-3/TiltSeries/100"}),
        ("Annotation", {"id": 9002, "run_id": 400010, "deposition_id": 20002, "object_id": "GO:0022626",
                        "object_name": "cytosolic ribosome",
                        "object_state": "hibernating", "annotation_method": "template matching", "annotation_software": "pytom-match-pick",
                        "release_date": PAST, "folder": f"{home}/Position_12-3/A/100"}),
        ("Annotation", {"id": 9003, "run_id": 400010, "deposition_id": 20001, "object_id": "GO:1", "object_name": "vault",
                        "release_date": FUTURE, "folder": f"{home}/Position_12-3/A/101"}),
    ):  # fmt: skip
        rows.setdefault(entity, []).append(row(entity, **values))
    return rows


@pytest.fixture(scope="module")
def library(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with open_catalog(backend.url(tmp_path_factory.mktemp("search")), create=True) as catalog:
        fill(catalog, library_rows())
        with catalog.database.write() as connection:
            index.renew(connection, catalog.database, lambda: ONTOLOGIES)
        yield catalog


@pytest.fixture
def view(library: Catalog) -> View:
    return library.view(today=TODAY)


def found(view: View, text: str, entity: str = "Dataset") -> list[int]:
    rows = view.rows(q.Select(entity, (q.Value("id", "id"),), q.Search(text)))
    return [item["id"] for item in rows]


@pytest.mark.parametrize(
    "text",
    [
        "tubulin", "β-tubulin", "β", "RINGS focus", '"focused ion beam"', "微小管", "小管", "微", "lukasz", "Łukasz", "cytoskel",
        "homo sapiens", "9606", "NCBITaxon:9606", "hela", "CVCL_0030", "CVCL", "cervix", "soren", "Ærøskøbing", "aeroskobing",
        "0000-0001-2345-678X", "https://orcid.org/0000-0001-2345-678X", "soerenk", "kalte", "10.1038/s41586-020-2665-2", "s41586-020",
        "https://doi.org/10.1038/s41586-020-2665-2", "doi:10.1101/2024.01.01", "EMPIAR-10499", "empiar 10499", "10499", "EMPIAR10499",
        "empiar-104", "EMD-1234", "emd 1234", "EMDB-1234", "EMD1234", "PDB-7xyz", "7XYZ", "Position_12-3", "position 12", "krios", "falcon",
        "PACE-tomo", "cytosolic ribo hela", "GO:0022626", "hibernating", "template matching", "pytom", "80S", '"80s ribosome"',
        "DS-40001", "40001", "RN-400010", "AN-9002", "TS-9001", "hela -yeast", "-yeast hela", 'soren "ion beam"', "tubulin 'rings'",
    ],
)  # fmt: skip
def test_it_is_found(view: View, text: str) -> None:
    assert LIBRARY in found(view, text)


@pytest.mark.parametrize(
    "text",
    [
        "ubulin", '"ion beam focused"', '"focused ion bea"', "管小", "10498", "EMPIAR-10498", '"EMPIAR-104"', "EMD-4321", "RN-400011",
        "vault",
        "tubulin -hela", 'rings -"focused ion"', "twice chloroplast", "DS-30001", "0000-0001-2345-6789", "b", "GO:0022627",
        '"cells milled"',
    ],
)  # fmt: skip
def test_it_is_not_found(view: View, text: str) -> None:
    assert LIBRARY not in found(view, text)


@pytest.mark.parametrize(
    ("entity", "text", "ids"),
    [
        ("Deposition", "CZCDP-20002", [20002]), ("Deposition", "20002", [20002]), ("Deposition", "hibernating", [20002]),
        ("Deposition", "tubulin", [20001]), ("Deposition", "community angstrom", [20002]), ("Deposition", "DS-40001", [20001]),
        ("Run", "Position_12-3", [400010]), ("Run", "pytom falcon", [400010]), ("Run", "80s", [400010]), ("Run", "AN-9002", [400010]),
        ("Annotation", "80S hibernating", [9002]), ("Annotation", "AN-9002", [9002]), ("Annotation", "vault", []),
        ("TiltSeries", "krios falcon", [9001]), ("Tomogram", "TS 300011 bela", [1601, 1702]),
    ],
)  # fmt: skip
def test_other_rows_are_found(view: View, entity: str, text: str, ids: list[int]) -> None:
    assert found(view, text, entity) == ids


JUNK = (
    "", " ", "—", '"', '""', '" "', "-", "--", "- -", '-"', "*", "%", "_", "'", "';--", "NEAR(", "AND", "a" * 1000, "\x00", "\x00a",
    "(((", "{}", "\U0001f9ec", "\ud7ff", "￿", "٣", "½", "ﬁ", "e\u0301", "\u0301", "-" * 500, '"a' * 300, "a " * 500, "DS-",
    "RN-99999999999",
    "999999999", "CZCDP-0", "\u202e", "ａｂｃ", "İ", "ß" * 900,
)  # fmt: skip


@pytest.mark.parametrize("text", JUNK)
def test_junk_is_only_text(view: View, text: str) -> None:
    for entity in SUBJECTS:
        total = view.search(q.Ranked(text, (entity,), limit=1))["total"]
        assert total == (len(found(view, text, entity)) if terms(text).wanted else 0)
    view.names(q.Named(text, "Dataset", ("object", "author")))


def test_a_text_that_is_too_long_is_refused(view: View) -> None:
    with pytest.raises(QueryError, match="1001 letters"):
        view.search(q.Ranked("a" * 1001))
    with pytest.raises(QueryError, match="at most 100"):
        view.search(q.Ranked("a", limit=101))
    with pytest.raises(QueryError, match="Frame cannot be searched"):
        view.search(q.Ranked("a", ("Frame",)))
    with pytest.raises(QueryError, match="one kind"):
        view.search(q.Ranked("a", where=q.Compare("id", "eq", 1)))


def shown(hit: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            match["label"],
            "".join(f"[{part['text']}]" if part["isMatch"] else part["text"] for part in match["parts"]),
        )
        for match in hit["matches"]
    ]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("tubulin", [("title", "β-[tubulin] rings, seen with a focused ion beam")]),
        ("80s", [("object", "cytosolic ribosome · also: [80S] ribosome")]),
        ("678x", [("author", "Søren Ærøskøbing · 0000-0001-2345-[678X]")]),
        ("aero", [("author", "Søren [Ærøskøbing]")]),
        ("10499", [("publication", "EMPIAR-[10499], EMD-1234, PDB-7XYZ")]),
        ("empiar-10499", [("publication", "[EMPIAR-10499], EMD-1234, PDB-7XYZ")]),
        ("小管", [("description", "Lamellae of 微[小管] cells.")]),
        ("DS-40001", [("identifier", "[DS-40001]")]),
        ("RN-400010", [("identifier", "holds [RN-400010]")]),
    ],
)  # fmt: skip
def test_where_it_matched(view: View, text: str, matches: list[tuple[str, str]]) -> None:
    (hit,) = view.search(q.Ranked(text, ("Dataset",)))["hits"]
    assert (hit["entity"], hit["id"], shown(hit)) == ("Dataset", LIBRARY, matches)


def test_long_texts_are_cut_around_the_match(view: View) -> None:
    (hit,) = view.search(q.Ranked("milled lukasz", ("Dataset",)))["hits"]
    ((label, text),) = shown(hit)
    assert label == "description"
    assert text.startswith("[Milled] at 30 kV by [Łukasz]; an ion beam")
    assert text.endswith("…")
    assert len(text) < 200


def test_every_word_is_explained(view: View) -> None:
    (hit,) = view.search(q.Ranked("hela soren krios pytom", ("Dataset",)))["hits"]
    assert {label for label, _ in shown(hit)} <= set(LABELS)
    (hit,) = view.search(q.Ranked("soren tubulin", ("Dataset",)))["hits"]
    assert [label for label, _ in shown(hit)] == ["title", "author"]


def test_better_places_come_first(view: View) -> None:
    """A title before an object before a description, a whole word before a beginning."""
    hits = view.search(q.Ranked("ribosome", ("Dataset",)))["hits"]
    assert [hit["id"] for hit in hits] == [30002, 30001, LIBRARY]
    assert [shown(hit)[0][0] for hit in hits] == ["title", "object", "object"]
    assert hits[0]["score"] > hits[1]["score"] == hits[2]["score"]


def test_pages_of_results(view: View) -> None:
    whole = view.search(q.Ranked("ribosome", limit=100))
    assert whole["total"] == len(whole["hits"]) == sum(item["count"] for item in whole["counts"])
    parts = [
        view.search(q.Ranked("ribosome", limit=3, offset=start)) for start in range(0, whole["total"], 3)
    ]
    assert [hit for part in parts for hit in part["hits"]] == whole["hits"]
    only = q.Ranked("ribosome", ("Dataset",), q.Compare("organism_taxid", "eq", 9606))
    assert [hit["id"] for hit in view.search(only)["hits"]] == [LIBRARY]


def test_nothing_of_the_future(library: Catalog, view: View) -> None:
    later = library.view(today=LATER)
    for text in ("vault", "thylakoid", "spikes"):
        assert view.search(q.Ranked(text))["total"] == 0
        assert view.names(q.Named(text, "Dataset", ("object", "title"))) == []
        assert later.search(q.Ranked(text))["total"] > 0
    assert [item["name"] for item in later.names(q.Named("vau", "Dataset", ("object",)))] == ["vault"]


def test_names(view: View) -> None:
    names = view.names(q.Named("ri", "Dataset", ("title", "object", "author")))
    assert [(item["label"], item["name"], item["count"]) for item in names] == [
        ("object", "cytosolic ribosome", 3), ("title", "Ribosomes of yeast", 1),
        ("title", "β-tubulin rings, seen with a focused ion beam", 1),
    ]  # fmt: skip


def test_only_some_labels(view: View) -> None:
    def ids(label: str) -> list[int]:
        rows = view.rows(q.Select("Dataset", (q.Value("id", "id"),), q.Search("ribosom", (label,))))
        return [item["id"] for item in rows]

    assert ids("title") == [30002]
    assert ids("object") == [30001, 30002, LIBRARY]


def test_what_people_type() -> None:
    asked = terms('GO:0005840 "ion beam" -yeast -"b c" emd1234 RN-12 x 微小')
    assert asked.wanted == (
        Term(("go", "0005840")), Term(("ion", "beam"), True), Term(("emd", "1234")), Term(("rn", "12"), False, 12, "RN"),
        Term(("x",), True), Term(("微", "小")),
    )  # fmt: skip
    assert asked.unwanted == (Term(("yeast",)), Term(("b", "c"), True))


def test_words_and_their_places() -> None:
    text = "Å №5 ﬁbre İ, e\u0301tude"
    assert [word.word for word in words(text)] == tokens(text)
    assert [(word.word, text[word.start : word.end]) for word in words(text)] == [
        ("a", "Å"), ("no5", "№5"), ("fibre", "ﬁbre"), ("i", "İ"), ("etude", "e\u0301tude"),
    ]  # fmt: skip


# ---- against a plain evaluation --------------------------------------------------------------------------------


def plain_results(catalog: Catalog, rows: Rows, text: str, today: date) -> list[tuple[str, int, int]]:
    """Rows that fit with their score, best first, by going through all rows of the catalogue."""
    now = f"{today.isoformat()}T00:00:00+00:00"
    with catalog.database.reader.connect() as connection:
        release = {
            (table.name, item.id): item[-1]
            for table in catalog.database.tables.tables.values()
            if RELEASE in table.c and "id" in table.c
            for item in connection.execute(table.select().with_only_columns(table.c.id, table.c[RELEASE]))
        }
    wanted, found = terms(text).wanted, []
    for subject in SUBJECTS:
        for item in rows.get(subject, ()):
            name = entity_named(subject).names
            points = [
                max(
                    [
                        0,
                        *_own_points(name.prefix, item["id"], term),
                        *_points(rows, subject, item, term, release, now),
                    ]
                )
                for term in wanted
            ]
            if all(points) and points and release[name.table, item["id"]] <= now:
                found.append((release[name.table, item["id"]], subject, item["id"], sum(points)))
    found.sort(key=lambda hit: (SUBJECTS.index(hit[1]), hit[2]))
    found.sort(key=lambda hit: (hit[3], hit[0]), reverse=True)
    return [hit[1:] for hit in found]


def _own_points(prefix: str, id: int, term: Term) -> list[int]:
    return [2 * LABELS["identifier"].weight + 1] if term.number == id and term.prefix in ("", prefix) else []


def _points(rows: Rows, subject: str, item: Any, term: Term, release: Any, now: str) -> Iterator[int]:
    for place in places():
        if place.entity != subject:
            continue
        entity, ends = entity_named(subject), [item]
        for step in place.path:
            relation = entity.relations[step]
            ids = {end["id"] for end in ends}
            ends = [other for other in rows.get(relation.target, ()) if other[relation.key] in ids]
            entity = entity_named(relation.target)
        for end in ends:
            if release[entity.names.table, end["id"]] > now:
                continue
            for field in labels_of(entity)[place.label]:
                text = "" if end[field.name] is None else f"{SPELLED.get(field.name, '')}{end[field.name]}"
                yield from (2 * place.weight + whole for whole in _matches(term, text))


def _matches(term: Term, text: str) -> Iterator[int]:
    found = tokens(text)
    for start in range(len(found)):
        here = tuple(found[start : start + len(term.words)])
        if here == term.words:
            yield 1
        elif (
            len(here) == len(term.words)
            and here[:-1] == term.words[:-1]
            and here[-1].startswith(term.words[-1])
            and not term.is_whole
        ):
            yield 0


def test_scores_and_order_are_those_of_a_plain_evaluation(backend: Backend, tmp_path: Path) -> None:
    rows, draw = library_rows(), random.Random(5)
    vocabulary = sorted({
        word for items in rows.values() for item in items for value in item.values() if isinstance(value, str) for word in value.split()
    })  # fmt: skip
    with open_catalog(backend.url(tmp_path), create=True) as catalog:
        fill(catalog, rows)
        for _ in range(60):
            drawn = [draw.choice(vocabulary) for _ in range(draw.choice((1, 1, 2, 3)))]
            text = " ".join(word[: draw.randint(1, len(word))].replace('"', "") for word in drawn)
            if any(term.prefix for term in terms(text).wanted):
                continue
            for today in (TODAY, LATER):
                answer = catalog.view(today=today).search(q.Ranked(text, limit=100))
                expected = plain_results(catalog, rows, text, today)
                assert answer["total"] == len(expected), text
                assert [(hit["entity"], hit["id"], hit["score"]) for hit in answer["hits"]] == expected[
                    :100
                ], text


# ---- keeping up ------------------------------------------------------------------------------------------------


def contents(catalog: Catalog) -> dict[str, list[str]]:
    """The tables of search, with texts in place of their numbers."""
    text = f"(SELECT digest FROM {TEXT} AS x WHERE x.id = text_id)"
    asked = {
        TEXT: f"SELECT digest, text FROM {TEXT}",
        WORD: f"SELECT {text}, word, position FROM {WORD}",
        LINK: f'SELECT {text}, kind, row_id, place, weight, "{RELEASE}" FROM {LINK}',
    }
    with catalog.database.reader.connect() as connection:
        return {name: sorted(map(str, connection.exec_driver_sql(sql))) for name, sql in asked.items()}


def with_folders(rows: Rows) -> Rows:
    """Rows without a folder get that of the row they belong to, as they have it when they are read from a sidecar."""
    folders: dict[tuple[str, int], str] = {}
    for entity in in_order_of_need():
        for item in rows.get(entity.__name__, ()):
            above = [
                folders.get((r.target, item[r.key]), "") for r in entity.relations.values() if not r.many
            ]
            item[FOLDER] = folders[entity.__name__, item["id"]] = item[FOLDER] or max(
                above, key=len, default=""
            )
    return rows


@pytest.mark.parametrize("scope", ["30001", "30001/TS_02", "DepositionMetadata/20002"])
def test_a_part_that_is_taken_out_and_put_back(backend: Backend, tmp_path: Path, scope: str) -> None:
    """Afterwards the tables are as if everything was loaded at once; in between, as if the part had never been there."""
    everything = with_folders(portal_rows())
    part = {
        name: [item for item in items if item[FOLDER] == scope or item[FOLDER].startswith(f"{scope}/")]
        for name, items in everything.items()
    }
    rest = {name: [item for item in items if item not in part[name]] for name, items in everything.items()}
    with open_catalog(backend.url(tmp_path, "all"), create=True) as catalog:
        fill(catalog, everything)
        whole = contents(catalog)
        with catalog.database.write() as connection:
            forgotten = index.forget(connection, catalog.database, [scope])
            delete(connection, catalog.database, [scope])
            settle(connection, catalog.database, scope, forgotten)
        without = contents(catalog)
        with catalog.database.write() as connection:
            forgotten = index.forget(connection, catalog.database, [scope])
            insert(connection, catalog.database, part)
            settle(connection, catalog.database, scope, forgotten)
        assert contents(catalog) == whole
    with open_catalog(backend.url(tmp_path, "rest"), create=True) as catalog:
        fill(catalog, rest)
        assert contents(catalog) == without


def test_names_of_ontologies_come_and_go(backend: Backend, tmp_path: Path) -> None:
    with open_catalog(backend.url(tmp_path), create=True) as catalog:
        fill(catalog, library_rows())
        before = contents(catalog)
        for known, hits in ((ONTOLOGIES, 1), (ONTOLOGIES, 1), (Ontologies(), 0)):
            with catalog.database.write() as connection:
                index.renew(connection, catalog.database, lambda known=known: known)
            view = catalog.view(today=TODAY)
            assert view.search(q.Ranked("kytosolisch", ("Dataset",)))["total"] == hits
            assert view.search(q.Ranked("cytosolic hibernating", ("Dataset",)))["total"] == 1
        assert contents(catalog) == before


def test_ontologies_are_noticed_when_loading(backend: Backend, tmp_path: Path) -> None:
    """Those loaded later give names to what is in the catalogue already; taken away, they are forgotten."""
    layout = Layout(tmp_path / "files", gather=False)
    layout.put(Key("deposition", deposition="20001"), deposition_sidecar(20001))
    layout.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    layout.put(Key("dataset", dataset="30001"), dataset_sidecar(30001))
    add_run(layout, "30001", "TS_01")
    layout.gather("30001")
    with open_catalog(backend.url(tmp_path), create=True) as catalog:
        assert not load(layout.storage, catalog).problems
        (named,) = catalog.view(today=LATER).rows(
            q.Select("Annotation", (q.Value("id", "object_id"),), limit=1)
        )
        term = OntologyTerm(named["id"], "another name", ("a synonym of it",))
        for known, total in ((Ontology("go", "1", {term.id: term}), 1), (Ontology("go", "2", {}), 0)):
            write_ontology(layout.storage, known)
            load(layout.storage, catalog, datasets=[])
            view = catalog.view(today=LATER)
            assert view.search(q.Ranked('"synonym of it"', ("Dataset",)))["total"] == total
            assert view.count("Run", q.Search("another synonym")) == total

"""The Python client: `Client`, and the entities of the model as classes that look things up.

    from tomoportal import Client, Run
    client = Client("http://localhost:8000")
    for run in Run.find(client, [Run.tomograms.size_x > 900]):
        print(run.name, run.dataset.title)

Light: importing it loads neither numpy nor a database, nor does making a `Client` load what speaks HTTP. Everything here stands on `model`
and `errors`.

    connection, retrying, answers   one session, questions asked again, errors as sentences
    filters, document, values   what users write → the query tree → GraphQL; pure
    entities, classes, results  what every entity can do; the 23 of them; lists of them
    relations, renames          what stands on the classes besides fields
    volume, points              data without downloading
    tables, notebook, pages     entities as pandas tables, HTML, links
    download, downloads         files
"""

from tomoportal.client.classes import Tomogram  # noqa: F401  (fills CLASSES)
from tomoportal.client.connection import Client
from tomoportal.client.entities import CLASSES, ClientEntity
from tomoportal.client.results import Results

__all__ = ["CLASSES", "Client", "ClientEntity", "Results"]

"""The Python client: `Client`, and the entities of the model as classes that look things up.

    from tomoportal import Client, Run
    client = Client("http://localhost:8000")
    for run in Run.find(client, [Run.tomograms.size_x > 900]):
        print(run.name, run.dataset.title)

Light: importing it loads neither numpy nor a database. Everything here stands on `model` and `errors`.
"""

from tomoportal.client.connection import Client
from tomoportal.client.entities import CLASSES, ClientEntity, Results

__all__ = ["CLASSES", "Client", "ClientEntity", "Results"]

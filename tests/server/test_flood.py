"""Many costly GraphQL requests at once leave cheap ones, pages and files alone."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from fixtures_catalog import small_portal
from fixtures_server import make_file, serving
from tomoportal.settings import Settings

CLIENTS = 30
STEPS = 5
FILE = "30001/dataset_metadata.json"


def costly(number: int) -> str:
    """Every tomogram with every other, several times over; each request another one, so that nothing can be remembered."""
    group = "deposition { tomograms { " * STEPS + "id" + " } }" * STEPS
    field = f"tomogramsAggregate {{ aggregate {{ count groupBy {{ {group} }} }} }}"
    return f"{{ a{number}: {field} b{number}: {field} }}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("flood")
    small_portal(folder).close()
    make_file(folder / "files", FILE, b"{}")
    with serving(
        Settings(storage=str(folder / "files"), database=f"sqlite:///{folder / 'catalog.sqlite'}")
    ) as url:
        yield url


def test_a_flood_of_costly_queries_starves_nobody_else(served: str):
    answered: list[dict] = []
    one_is_done = threading.Event()

    def flood(number: int) -> None:
        response = httpx.post(f"{served}/graphql", json={"query": costly(number)}, timeout=120)
        answered.append(response.json())
        one_is_done.set()

    with httpx.Client(base_url=served, timeout=60) as cheap:
        ask_for_little(cheap)
        clients = [threading.Thread(target=flood, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        assert one_is_done.wait(100)
        ask_for_little(cheap)
        meanwhile = len(answered)
    for client in clients:
        client.join(100)
    assert meanwhile < CLIENTS / 2, f"{meanwhile} of {CLIENTS} costly queries went before"
    assert len(answered) == CLIENTS
    assert all(answer.get("data") for answer in answered), [a for a in answered if not a.get("data")]


def ask_for_little(client: httpx.Client) -> None:
    query = "{ runs(where: {id: {_eq: 300011}}) { name dataset { title } } }"
    found = client.post("/graphql", json={"query": query}).json()
    assert found["data"]["runs"][0]["name"] == "TS_01"
    assert client.get("/browse-data/datasets").status_code == 200
    assert client.get(f"/files/{FILE}").content == b"{}"

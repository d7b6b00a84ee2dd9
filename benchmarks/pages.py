"""How fast the pages are, over HTTP: one visitor, 64 at once, and Chromium.

    python benchmarks/pages.py [--runs 20000] [--seconds 0.5] [URL…]

`catalog_data` says what is in the portal. A database at a URL is filled when it is empty, and kept; without a URL, SQLite and PostgreSQL
are made for this run. `tomoportal serve` runs with one worker; processor time is that of the server and of PostgreSQL together. Largest
pages are those of the dataset of most runs, of its deposition, and so on; typical ones those of a dataset of about 40 runs. Needs wrk
and /usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import quote, urlsplit

import sqlalchemy as sql
from catalog_http import filled, postgres_at, rounded
from playwright.sync_api import Browser, sync_playwright

from fixtures_browser import CHROMIUM, FLAGS
from fixtures_server import serving
from tomoportal.catalog import View, open_catalog
from tomoportal.model import query
from tomoportal.model.query import Compare, Figure, GroupKey, Groups, Order, RelatedTotal, Value
from tomoportal.settings import Settings
from tomoportal.web import urls

VISITORS = 64
SECONDS_TOGETHER = 10
FEWEST, MOST = 5, 100
LOADS = 5
"""How often Chromium loads a page, with nothing in its cache."""
TYPICAL_RUNS, TYPICAL_ANNOTATIONS = 40, 7
SEEN = ("front page", "datasets", "dataset, typical", "dataset, largest", "run, typical", "tomogram")
"""Pages that Chromium loads."""
FIRST = "/browse-data/datasets"
TICKS = os.sysconf("SC_CLK_TCK")

OBSERVE = """() => {
  window.largest = 0; window.shifted = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) window.largest = entry.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver(list => { for (const entry of list.getEntries()) window.shifted += entry.value; })
    .observe({type: "layout-shift", buffered: true});
}"""
TRANSFERRED = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter(entry => entry.initiatorType !== "img").reduce((sum, entry) => sum + entry.transferSize, 0)"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", metavar="URL")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each page")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = options.databases or [
            f"sqlite:///{folder}/catalog.sqlite",
            stack.enter_context(postgres_at(folder / "postgres")),
        ]
        for database in databases:
            filled(database, options.runs)
            measure(database, options.seconds, folder)


def measure(database: str, seconds: float, folder: Path) -> None:
    """Tables about one database."""
    with open_catalog(database) as catalog:
        found = pages(catalog.view(today=datetime.now(UTC).date()))
        print(f"\n{catalog.database.url}, {found.runs:,} runs, load average {os.getloadavg()[0]:.1f}")
    before = set(children(os.getpid()))
    settings = Settings(storage=str(folder / "files"), database=database)
    (folder / "files").mkdir(exist_ok=True)
    with serving(settings) as url:
        roots = [*set(children(os.getpid())) - before, *postmaster(database)]
        visitor = Visitor(url)
        print(f"\nthe list of datasets is there {visitor.timed(FIRST) / 1000:.1f} s after the start")
        rest(roots)
        print(
            "\n| page | first visit, ms | median ms | 95th ms | processor ms | kB | JSON, ms |\n"
            + "|---" * 7
            + "|"
        )
        for name, path in found.paths.items():
            print(line(visitor, name, path, seconds, roots), flush=True)
        print(f"\n{together(url, list(found.paths.values()), folder)}")
        print(
            "\n| in Chromium | largest paint, ms | layout shift | kB without pictures |\n" + "|---" * 4 + "|"
        )
        for told in seen(url, {name: found.paths[name] for name in SEEN}):
            print(told, flush=True)
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}")


@dataclass(frozen=True, slots=True)
class Pages:
    """Paths of pages by what they are, in a portal of so many runs."""

    runs: int
    paths: dict[str, str]


def pages(view: View) -> Pages:
    """One page of each kind at least."""
    runs = view.count("Run")
    of_dataset = {item["dataset"]: item["n"] for item in _counted(view, "Run", "dataset_id", "dataset")}
    largest = max(of_dataset, key=lambda id: of_dataset[id])
    typical = min(of_dataset, key=lambda id: abs(of_dataset[id] - TYPICAL_RUNS))
    found = {"front page": "/"}
    for entity, word in (("Dataset", "datasets"), ("Run", "runs"), ("Deposition", "depositions")):
        found |= _lists(word, f"/browse-data/{word}", -(-view.count(entity) // 20))
    found |= {
        f"search, {words}": f"/search?q={quote(words)}"
        for words in ("membrane", "membrane cells", "TS_00012")
    }
    found["suggestions"] = "/search/suggest?q=memb"
    for size, dataset in (("typical", typical), ("largest", largest)):
        row = view.one("Dataset", dataset, ("deposition_id",)) or {}
        found[f"dataset, {size}"] = f"/datasets/{dataset}"
        found[f"dataset, {size}, filtered"] = f"/datasets/{dataset}?object=membrane+2&quality_score=5"
        found[f"dataset, {size}, last page"] = f"/datasets/{dataset}?page={-(-of_dataset[dataset] // 20)}"
        found[f"dataset, {size}, download"] = f"/download?dataset={dataset}"
        found[f"deposition, {size}"] = f"/depositions/{row['deposition_id']}"
    found["deposition, largest, by dataset"] = f"{found['deposition, largest']}?group-by=deposited_location"
    return Pages(runs, found | _of_runs(view) | _others())


def _lists(word: str, path: str, last: int) -> dict[str, str]:
    some = "object=ribosome+0" if word != "depositions" else "object=membrane+2"
    more = "organism=Organism+1&object=membrane+2&" + (
        "quality_score=5" if word != "depositions" else "files=annotation"
    )
    sort = {"datasets": "title", "runs": "name-desc", "depositions": "oldest"}[word]
    return {
        word: path,
        f"{word}, a filter": f"{path}?{some}",
        f"{word}, three filters": f"{path}?{more}",
        f"{word}, searched": f"{path}?search=membrane",
        f"{word}, sorted": f"{path}?sort={sort}",
        f"{word}, last page": f"{path}?page={last}",
    }


def _of_runs(view: View) -> dict[str, str]:
    """Pages of a run of some and of one of most annotations, and of what they hold."""
    fields = (Value("id", "id"), RelatedTotal("annotations", "annotations"))
    rows = view.rows(query.Select("Run", fields, limit=5000))
    typical = next(row["id"] for row in rows if row["annotations"] == TYPICAL_ANNOTATIONS)
    largest = max(rows, key=lambda row: row["annotations"])["id"]
    found: dict[str, str] = {}
    for size, run in (("typical", typical), ("largest", largest)):
        found |= {f"run, {size}": f"/runs/{run}", f"run, {size}, files": f"/runs/{run}/files"}
    kinds = (
        ("Tomogram", "tomograms"),
        ("TiltSeries", "tiltseries"),
        ("Alignment", "alignments"),
        ("Annotation", "annotations"),
    )
    for entity, word in kinds:
        inside = query.Select(
            entity, (Value("id", "id"),), Compare("run_id", "eq", typical), (Order(("id",)),), 1
        )
        found[entity.lower()] = f"/{word}/{view.rows(inside)[0]['id']}"
    return found | {"viewer": f"/view/runs/{typical}"}


def _others() -> dict[str, str]:
    return {
        "objects": "/objects", "object, seen in all runs": "/objects/GO:1", "object of all annotations": "/objects/GO:0005840",
        "organisms": "/organisms", "organism, typical": "/organisms/20", "organism, largest": "/organisms/1",
        "authors": "/authors", "author, typical": "/authors/Author%202900", "author of all annotations": "/authors/Author%200",
        "text": "/about", "guides": "/docs",
    }  # fmt: skip


def _counted(view: View, entity: str, field: str, name: str) -> list[dict[str, Any]]:
    groups = Groups("groups", (GroupKey(name, (field,)), Figure("n", "count")))
    return json.loads(view.json(query.Aggregate(entity, (groups,))))["groups"]


class Visitor:
    """One who asks over a connection that stays open."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self.connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=120)

    def get(self, path: str) -> int:
        """Bytes on the wire of a page."""
        self.connection.request("GET", path, headers={"accept-encoding": "gzip"})
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"{path} answers {response.status}")
        return len(body)

    def timed(self, path: str) -> float:
        """Milliseconds until a page is there."""
        started = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - started) * 1000

    def times(self, path: str, seconds: float) -> list[float]:
        """The same again and again."""
        found: list[float] = []
        began = time.perf_counter()
        while len(found) < FEWEST or (len(found) < MOST and time.perf_counter() - began < seconds):
            found.append(self.timed(path))
        return found


def line(visitor: Visitor, name: str, path: str, seconds: float, roots: list[int]) -> str:
    """Of the table of pages."""
    first = visitor.timed(path)
    used = processor_ms(roots)
    times = visitor.times(path, seconds)
    used = (processor_ms(roots) - used) / len(times)
    size = visitor.get(path) / 1000
    twin = median(visitor.times(_twin(path), seconds / 2)) if not path.startswith("/search/") else None
    cells = [*map(rounded, (first, median(times), quantiles(times, n=20)[-1], used, size))]
    return f"| {name} | {' | '.join(cells)} | {rounded(twin) if twin else ''} |"


def _twin(path: str) -> str:
    address, mark, asked = path.partition("?")
    return f"{urls.twin(address)}{mark}{asked}"


def rest(roots: list[int]) -> None:
    """Wait until these processes have asked all that they ask beforehand."""
    used = -1.0
    while processor_ms(roots) > used + 50:
        used = processor_ms(roots)
        time.sleep(2)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [child for child, (parent, _) in processes().items() if parent == pid]


def processor_ms(roots: list[int]) -> float:
    """What these processes, all below them and those that have ended there have used."""
    known, total, left = processes(), 0.0, list(roots)
    while left:
        pid = left.pop()
        total += known[pid][1] if pid in known else 0.0
        left += [child for child, (parent, _) in known.items() if parent == pid]
    return total


def processes() -> dict[int, tuple[int, float]]:
    """Parent, and milliseconds of processor time with those of ended children, of each process."""
    found: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                found[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])) * 1000 / TICKS)
    return found


def postmaster(database: str) -> list[int]:
    """The process that PostgreSQL's others come from."""
    if not database.startswith("postgresql"):
        return []
    with open_catalog(database) as catalog, catalog.database.connect() as connection:
        backend = connection.execute(sql.text("SELECT pg_backend_pid()")).scalar_one()
        return [processes()[backend][0]]


def together(url: str, paths: list[str], folder: Path) -> str:
    """What many visitors at once, who go from page to page, get."""
    script = folder / "pages.lua"
    listed = ", ".join(json.dumps(path) for path in paths)
    script.write_text(
        f"local paths = {{{listed}}}\nlocal at = 0\n"
        'function request() at = at % #paths + 1 return wrk.format("GET", paths[at], {["Accept-Encoding"] = "gzip"}) end\n'
    )
    command = [
        "wrk",
        "-t2",
        f"-c{VISITORS}",
        f"-d{SECONDS_TOGETHER}s",
        "--timeout",
        "60s",
        "-s",
        str(script),
        url,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = next(line.split()[1] for line in said.splitlines() if line.startswith("Requests/sec"))
    wrong = [line.strip() for line in said.splitlines() if "Non-2xx" in line or "Socket errors" in line]
    return f"{VISITORS} visitors at once over all pages: {rate} pages/s, {'; '.join(wrong) or 'no errors'}"


def seen(url: str, paths: dict[str, str]) -> Iterator[str]:
    """Lines of the table of Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for name, path in paths.items():
            found = [loaded(browser, url + path) for _ in range(LOADS)]
            paint, shift, size = (median(values) for values in zip(*found, strict=True))
            yield f"| {name} | {rounded(paint)} | {shift:.3f} | {rounded(size / 1000)} |"
        browser.close()


def loaded(browser: Browser, address: str) -> tuple[float, float, float]:
    """Milliseconds to the largest paint, layout shift and bytes without pictures of a page that nothing is known of."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(f"({OBSERVE})()")
        page.goto(address, wait_until="networkidle")
        return page.evaluate("window.largest"), page.evaluate("window.shifted"), page.evaluate(TRANSFERRED)


if __name__ == "__main__":
    main()

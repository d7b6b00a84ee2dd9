"""Folders of the file service: what browsers, scripts and crawlers are told, and what they are not."""

from __future__ import annotations

import html.parser
import json
from urllib.parse import unquote, urljoin

import pytest

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Links(html.parser.HTMLParser):
    """Addresses of all links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs)["href"])


def walked(get, accept: str, start: str = "/files/") -> set[str]:
    """Every file that is found by following links downwards."""
    files, waiting, seen = set(), [start], set()
    while waiting:
        folder = waiting.pop()
        seen.add(folder)
        base = folder.partition("?")[0]
        answer = get(folder, accept=accept)
        assert answer.status_code == 200, folder
        for link in Links(answer.text).found:
            target = urljoin(folder, link)
            if not target.startswith(base) or target.partition("#")[0] in seen:
                continue
            if target.partition("?")[0].endswith("/"):
                waiting.append(target)
            else:
                files.add(unquote(target.removeprefix("/files/")))
    return files


@pytest.fixture(scope="module")
def listed(served, public_files) -> set[str]:
    """What S3 lists: the same rule, another way."""
    import boto3
    from botocore import UNSIGNED
    from botocore.client import Config

    client = boto3.client(
        "s3",
        endpoint_url=f"{served}/s3",
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED),
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="tomoportal")
    found = {item["Key"] for page in pages for item in page["Contents"]}
    assert set(public_files) <= found
    return found


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_links_lead_to_every_public_file_and_to_nothing_else(get, listed, accept):
    assert walked(get, accept) == listed


def test_scripts_get_json(get, public_files):
    answer = get(f"/files/{HOME}/Tomograms/100/", accept="application/json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"] == "accept"
    told = answer.json()
    assert told["path"] == f"{HOME}/Tomograms/100/"
    assert told["folders"] == ["volume.zarr"]
    assert told["next"] is None
    for file in told["files"]:
        path = f"{told['path']}{file['name']}"
        head = get(f"/files/{path}", "HEAD")
        assert file["size"] == len(public_files[path]) == int(head.headers["content-length"])
        assert file["etag"] == head.headers["etag"]
        assert file["modified"].endswith("Z")


def test_long_folders_come_in_pages(get, root):
    folder = root / f"{HOME}/Tomograms/101/many.zarr"
    names = [f"{number} &c.bin" for number in range(2300)]
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"1")
    start = f"/files/{HOME}/Tomograms/101/many.zarr/"
    found, address = [], start
    while address:
        told = get(address, accept="application/json").json()
        found += [file["name"] for file in told["files"]]
        address = told["next"] and urljoin(start, told["next"])
    assert found == sorted(names)
    assert len(walked(get, "*/*", start)) == len(walked(get, BROWSER, start)) == 2300
    for name in names:
        (folder / name).unlink()
    folder.rmdir()


def test_browsers_get_a_page_that_runs_nothing_of_the_files(get):
    answer = get(f"/files/{HOME}/Tomograms/", accept=BROWSER)
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<h1>Tomograms</h1>" in answer.text
    assert "s3://tomoportal/" in answer.text.replace("<wbr>", "")
    assert f"<title>{HOME}/Tomograms/ " in answer.text
    assert get("/files/", accept=BROWSER).status_code == 200


def test_names_are_no_markup(get, root):
    file = root / "30001/TS_01/<img src=x onerror=alert(1)>&\"'?#%41.txt"
    file.write_bytes(b"text")
    try:
        for accept in (BROWSER, "*/*"):
            text = get("/files/30001/TS_01/", accept=accept).text
            assert "<img src=x" not in text
            (link,) = (link for link in Links(text).found if "onerror" in unquote(link))
            assert get(urljoin("/files/30001/TS_01/", link)).content == b"text"
    finally:
        file.unlink()


def test_head_of_a_folder(get):
    there, head = get("/files/30001/"), get("/files/30001/", "HEAD")
    assert head.content == b""
    assert head.headers["content-length"] == there.headers["content-length"] == str(len(there.content))


def test_nothing_tells_of_what_is_hidden(get):
    everything = "".join(
        json.dumps(get(f"/files/{path}", accept="application/json").json())
        for path in (
            "",
            "30001/",
            "30001/TS_01/",
            f"{HOME}/",
            f"{HOME}/Annotations/",
            f"{HOME}/NeuroglancerPrecompute/",
        )
    )
    for word in (
        "30003",
        "102",
        "thylakoid",
        "tomoportal",
        "leak",
        "private",
        "early",
        "later",
        "hidden",
        "tmp-",
    ):
        assert word not in everything, word


def test_a_file_to_be_saved(get, public_files):
    path = "30001/TS_01/Frames/ein%20Bild%20&%20mehr+%C3%A9.mdoc"
    answer = get(f"/files/{path}?download")
    assert (
        answer.headers["content-disposition"]
        == "attachment; filename*=UTF-8''ein%20Bild%20%26%20mehr%2B%C3%A9.mdoc"
    )
    assert answer.content == public_files[unquote(path)]
    assert "content-disposition" not in get(f"/files/{path}").headers

from __future__ import annotations

import shlex

import pytest
from starlette.requests import Request

from tomoportal.settings import Settings
from tomoportal.web.context import Visit
from tomoportal.web.entities.downloads import download, folder
from tomoportal.web.entities.facts import FileLink


@pytest.fixture
def visit(portal) -> Visit:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000")],
        "scheme": "http",
    }
    return Visit(Request(scope), portal.view(), Settings(bucket="b"))


def test_curl_takes_brackets_as_they_are(visit):
    file = FileLink("MRC volume", "/files/1/a[1].mrc", "s3://b/1/a[1].mrc", 5.0, False)
    curl = shlex.split(download(visit, file, "a[1].mrc").commands[0].text)
    assert curl == ["curl", "-gfL", "-o", "a[1].mrc", "http://127.0.0.1:8000/files/1/a[1].mrc"]


def test_names_with_blanks_and_quotes_survive_the_shell(visit):
    name = "it's a $(run) %23.mrc"
    file = FileLink("MRC volume", f"/files/1/{name}", "s3://b/1/it's a $(run) #.mrc", 5.0, False)
    curl, aws = (
        shlex.split(command.text) for command in download(visit, file, file.s3.rsplit("/", 1)[-1]).commands
    )
    assert curl == [
        "curl",
        "-fL",
        "-o",
        "it's a $(run) #.mrc",
        "http://127.0.0.1:8000/files/1/it's%20a%20$(run)%20%23.mrc",
    ]
    assert aws[:5] == ["aws", "s3", "cp", "s3://b/1/it's a $(run) #.mrc", "it's a $(run) #.mrc"]


def test_folders_are_synchronised_and_opened_in_place(visit):
    file = FileLink("OME-Zarr volume", '/files/1/a"b.zarr', 's3://b/1/a"b.zarr', None, True)
    found = download(visit, file, 'a"b.zarr')
    assert found.href == ""
    aws, python = (command.text for command in found.commands)
    assert shlex.split(aws)[2:5] == ["sync", 's3://b/1/a"b.zarr/', 'a"b.zarr/']
    opened: list[str] = []
    code = python.replace("import zarr", "").split("half")[0]
    exec(code, {"zarr": type("Zarr", (), {"open_group": staticmethod(lambda url, mode: opened.append(url))})})
    assert opened == ["http://127.0.0.1:8000/files/1/a%22b.zarr"]


def test_the_public_address_wins(visit):
    public = Visit(visit.request, visit.view, Settings(public_url="https://data.example"))
    commands = folder(
        public, "All", "s3://b/1/", None, "Dataset.get_by_id(client, 1).download_everything()"
    ).commands
    assert "--endpoint-url https://data.example/s3" in commands[0].text
    assert commands[1].text.splitlines() == [
        "from tomoportal import Client, Dataset",
        "",
        'client = Client("https://data.example")',
        "Dataset.get_by_id(client, 1).download_everything()",
    ]

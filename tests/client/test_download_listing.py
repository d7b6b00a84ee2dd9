"""What lies at a portal: told by ours in one answer, elsewhere through S3, on a real server of each kind."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from fixtures_answers import Answer, answering, ranged
from fixtures_s3 import S3Server
from fixtures_server import serving
from tomoportal import Client, Run, Tomogram
from tomoportal.client.downloads.fetching import fetch
from tomoportal.client.downloads.listing import Asker, Source, kind_of, listed, s3_files, whole_folder
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.selection import PORTAL, Wish, selected
from tomoportal.client.downloads.targets import Target, read_targets
from tomoportal.errors import NotFound, RemoteError, UsageError

PATIENCE = 2.0
XML = {"Content-Type": "application/xml"}
QUIET = Options(progress=False, patience=PATIENCE)


@pytest.fixture(scope="module")
def client(demo_portal):
    with serving(demo_portal.settings) as url, Client(url) as client:
        yield client


def base_of(client: Client) -> str:
    return client.url.removesuffix("/graphql")


def source(client: Client, key: str, to: str | None = None) -> Source:
    bucket = "tomoportal"
    return Source(key, f"{base_of(client)}/files/", "files", True, key if to is None else to, bucket)


def test_a_portal_tells_all_files_with_sizes_and_checksums(client, demo_portal):
    items = list(listed(base_of(client), [source(client, "10901/TS_001")], PATIENCE))
    stored = {path for path in (demo_portal.layout / "10901/TS_001").rglob("*") if path.is_file()}
    assert {demo_portal.layout / item.path for item in items} == stored
    assert all(item.size == (demo_portal.layout / item.path).stat().st_size for item in items)
    unchecked = [item.path for item in items if not item.sha256]
    assert all(
        ".zarr/" in path or "_precompute/" in path or "viewer" in kind_of(path) for path in unchecked
    ), unchecked
    assert all(item.etag for item in items)


def test_s3_lists_the_same_files(client):
    wanted = list(listed(base_of(client), [source(client, "10901/TS_002")], PATIENCE))
    asker = Asker(PATIENCE)
    found = list(s3_files(asker, f"{base_of(client)}/s3/tomoportal", source(client, "10901/TS_002")))
    asker.wire.drop()
    assert [(item.path, item.url, item.size, item.etag) for item in found] == [
        (item.path, item.url, item.size, item.etag) for item in wanted
    ]


def test_without_the_service_of_manifests_folders_and_files_come_through_s3(
    s3_server: S3Server, tmp_path, monkeypatch
):
    """As at the public portal: addresses in a bucket that anybody may list."""
    bucket = s3_server.bucket("public")
    store = s3_server.client()
    contents = {f"10/R 1/T.zarr/{name}": name.encode() for name in (".zattrs", "0/.zarray", "0/0/0", "0/0/1")}
    contents |= {"10/R 1/Frames/f#1+ä.tif": b"movie", "10/R 10/other": b"not mine"}
    for key, data in contents.items():
        store.put_object(Bucket="public", Key=key, Body=data)
    assert bucket == "s3://public"
    pages = []

    def answer(request):
        """The portal and its bucket: unsigned requests are signed for the real server behind."""
        path, _, query = request.target.partition("?")
        if path == "/api/manifest":
            return Answer(b"", 404)
        if path == "/s3/public":
            from urllib.parse import parse_qs

            asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
            pages.append(asked)
            token = (
                {"ContinuationToken": asked["continuation-token"]} if "continuation-token" in asked else {}
            )
            page = store.list_objects_v2(Bucket="public", Prefix=asked.get("prefix", ""), MaxKeys=2, **token)
            return Answer(_xml(page), 200, XML)
        from urllib.parse import unquote

        key = unquote(path.removeprefix("/files/"))
        return ranged(request, contents[key], _tag(store, key)) if key in contents else Answer(b"", 404)

    with answering(answer) as url:
        base = f"{url}/files/"
        sources = [
            Source("10/R 1/T.zarr", base, "tomograms", True, "T.zarr", "public"),
            Source("10/R 1/Frames/f#1+ä.tif", base, "frames", False, "f.tif", "public"),
        ]
        paths = fetch(url, sources, tmp_path, QUIET)
        assert [path.name for path in paths] == ["T.zarr", "f.tif"]
        assert (tmp_path / "f.tif").read_bytes() == b"movie"
        assert {
            path.relative_to(tmp_path).as_posix()
            for path in (tmp_path / "T.zarr").rglob("*")
            if path.is_file()
        } == {f"T.zarr/{name}" for name in (".zattrs", "0/.zarray", "0/0/0", "0/0/1")}
        assert len(pages) == 3, "one to see whether there is a service, two of two keys each"
        with pytest.raises(RemoteError, match="nothing to download"):
            fetch(url, [Source("10/R", base, "x", True, "R", "public")], tmp_path, QUIET)


def _tag(store: boto3.client, key: str) -> str:
    return store.head_object(Bucket="public", Key=key)["ETag"].strip('"')


def _xml(page: dict) -> bytes:
    from xml.sax.saxutils import escape

    entries = "".join(
        f"<Contents><Key>{escape(entry['Key'])}</Key><ETag>{escape(entry['ETag'])}</ETag><Size>{entry['Size']}</Size></Contents>"
        for entry in page.get("Contents", ())
    )
    more = page.get("NextContinuationToken")
    token = f"<NextContinuationToken>{escape(more)}</NextContinuationToken>" if more else ""
    return f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{entries}{token}</ListBucketResult>'.encode()


@pytest.mark.parametrize(
    "evil", ["10901/../../evil", "10901//evil", "elsewhere", "/etc/passwd", "10901/..", "10901x/y"]
)
@pytest.mark.parametrize("way", ["manifest", "s3"])
def test_a_listing_cannot_write_outside_the_destination(evil, way, tmp_path):
    def answer(request):
        if request.target == "/api/manifest" and way == "manifest":
            lines = [
                {"of": 0, "path": "10901/good", "size": 4},
                {"of": 0, "path": evil, "size": 4},
                {"end": True, "files": 2, "bytes": 8},
            ]
            body = "\n".join(json.dumps(line) for line in lines).encode()
            return Answer(body, 200, {"Content-Type": "application/x-ndjson"})
        if request.target.startswith("/s3/"):
            page = {"Contents": [{"Key": key, "Size": 4, "ETag": '"x"'} for key in ("10901/good", evil)]}
            return Answer(_xml(page), 200, XML)
        return Answer(b"", 404)

    with answering(answer) as url, pytest.raises(RemoteError, match="leave the destination"):
        fetch(url, [Source("10901", f"{url}/files/", "files", True, "10901", "b")], tmp_path / "here", QUIET)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "cut off"),
        (b'{"of": 0, "path": "1/a", "size": 4}\n', "cut off"),
        (b'{"error": {"code": "withdrawn", "message": "1 was withdrawn.", "status": 410}}\n', "1 was withdrawn"),
        (b'{"error": {"code": "being-replaced", "message": "A new version is coming.", "status": 503}}\n', "A new version is coming"),
    ],
)  # fmt: skip
def test_a_list_that_is_not_whole_is_nothing(body, says, tmp_path):
    with (
        answering(lambda _: Answer(body, 200, {"Content-Type": "application/x-ndjson"})) as url,
        pytest.raises(RemoteError, match=says),
    ):
        fetch(
            url,
            [Source("1", f"{url}/files/", "files", True, "1", "b")],
            tmp_path,
            Options(patience=0.3, progress=False),
        )


def test_what_is_no_listing_is_said(tmp_path):
    with (
        answering(
            lambda request: Answer(b"<html><br>", 404 if request.method == "POST" else 200, XML)
        ) as url,
        pytest.raises(RemoteError, match="did not answer with a listing"),
    ):
        fetch(url, [Source("1", f"{url}/files/", "files", True, "1", "b")], tmp_path, QUIET)


def test_whole_folders_are_known_by_their_names():
    assert whole_folder("1/T.zarr/0/.zarray") == "1/T.zarr"
    assert whole_folder("1/a_precompute/info") == "1/a_precompute"
    assert whole_folder("1/T.zarr") == whole_folder("1/zarr/x") == ""


@pytest.mark.parametrize(
    ("words", "targets", "portal"),
    [
        (["dataset", "10001"], [Target("Dataset", 10001)], ""),
        (["runs", "1", "2", "Tomogram", "3"], [Target("Run", 1), Target("Run", 2), Target("Tomogram", 3)], ""),
        (["https://p.org/datasets/5?x=1#y"], [Target("Dataset", 5)], "https://p.org"),
        (["http://p.org:1/sub/runs/5/"], [Target("Run", 5)], "http://p.org:1/sub"),
        (["http://p.org/view/runs/5?tomogram=2"], [Target("Run", 5)], "http://p.org"),
        (["http://p.org/files/1/R%201/x.mrc"], [Target("", path="1/R 1/x.mrc")], "http://p.org"),
        (["s3://b/1/R/"], [Target("", path="1/R")], ""),
        (["10001/TS_001/Frames", "10001"], [Target("", path="10001/TS_001/Frames"), Target("", path="10001")], ""),
    ],
)  # fmt: skip
def test_targets_are_kinds_pages_and_paths(words, targets, portal):
    named = read_targets(words)
    assert (list(named.targets), named.portal) == (targets, portal)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dataset"], "comes its id"), (["run", "TS_001"], "'TS_001' is none"), (["nonsense"], "names nothing"), ([""], "names nothing"),
        (["http://p.org/browse-data"], "no page of a dataset"), (["http://a.org/runs/1", "http://b.org/runs/1"], "several portals"),
    ],
)  # fmt: skip
def test_what_names_nothing_is_said(words, says):
    with pytest.raises(UsageError, match=says):
        read_targets(words)


def keys(client: Client, targets: list[Target], wish: Wish) -> set[str]:
    return {one.key for one in selected(client, targets, wish)}


def test_a_deposition_brings_its_own_metadata_unless_kinds_are_chosen(client, demo_portal):
    own, target = "DepositionMetadata/10900", Target("Deposition", 10900)
    assert own in keys(client, [target], Wish())
    assert own not in keys(client, [target], Wish(only=("tomograms",)))
    stored = {path for path in (demo_portal.layout / own).rglob("*") if path.is_file()}
    found = {
        demo_portal.layout / item.path for item in listed(base_of(client), [source(client, own)], PATIENCE)
    }
    assert found == stored
    assert demo_portal.layout / own / "deposition_metadata.json" in found


def test_filters_choose_what_the_catalogue_knows(client):
    tomograms = Tomogram.find(client)
    spacing = tomograms[0].voxel_spacing
    run = Run.find(client)[0]

    def of(entity, name):
        return getattr(entity, name).partition("/files/")[2]

    wish = Wish(only=("tomograms",), formats=("zarr",), voxel_spacing=round(spacing, 3))
    assert keys(client, [PORTAL], wish) == {
        of(one, "https_omezarr_dir") for one in tomograms if abs(one.voxel_spacing - spacing) < 0.0005
    }
    annotated = keys(client, [Target("Run", run.id)], Wish(object="ribosome"))
    assert annotated
    assert all("ribosome" in key and key.startswith(f"{run.dataset_id}/{run.name}/") for key in annotated)
    by_id = keys(client, [Target("Run", run.id)], Wish(object=run.annotations[0].object_id))
    assert by_id == {key for key in by_id if f"/{run.name}/" in key} != set()
    shapes = keys(client, [], Wish(shape="SegmentationMask", formats=("mrc",)))
    assert shapes
    assert all(key.endswith("_segmentationmask.mrc") for key in shapes)
    everything = keys(
        client,
        [Target("Dataset", run.dataset_id)],
        Wish(only=("tiltseries", "frames", "gains", "alignments")),
    )
    assert {key.split("/")[2] for key in everything} == {"TiltSeries", "Frames", "Gains", "Alignments"}
    assert keys(client, [Target("Tomogram", tomograms[0].id)], Wish(formats=("mrc",))) == {
        of(tomograms[0], "https_mrc_file")
    }


def test_what_is_asked_for_and_not_there_is_said(client, tmp_path):
    with pytest.raises(NotFound, match="none with this id"):
        list(selected(client, [Target("Dataset", 5)], Wish()))
    with pytest.raises(UsageError, match="Nothing is named"):
        list(selected(client, [], Wish()))
    with pytest.raises(UsageError, match="filters choose among entities"):
        list(selected(client, [Target("", path="10901/TS_001")], Wish(object="x")))
    with pytest.raises(UsageError, match="no file fits"):
        fetch(base_of(client), selected(client, [], Wish(object="unicorn")), tmp_path, QUIET)
    with pytest.raises(RemoteError, match="no such public file or folder"):
        fetch(base_of(client), [source(client, ".tomoportal/ids.json")], tmp_path, QUIET)
    assert not Path(tmp_path / ".tomoportal").exists()

"""The S3 service as its clients see it: boto3 without credentials, obstore, and plain HTTP."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import boto3
import pytest
from botocore import UNSIGNED
from botocore.client import Config
from botocore.exceptions import ClientError

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
MRC = f"{HOME}/Tomograms/100/volume.mrc"
BIG = 3_000_001


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    """As the official client makes it: the endpoint, no signature."""
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=f"{served}/s3", region_name="us-east-1", config=config)


def keys(client: Any, **options: Any) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="tomoportal", **options)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def test_listing_has_every_public_file_in_byte_order(client, public_files, root):
    home, link = "30001/TS_01/Reconstructions/", "30001/TS_01/Gains/"
    linked = [link + path.removeprefix(home) for path in public_files if path.startswith(home)]
    expected = sorted([*public_files, "30001/TS_01/inside.txt", *linked], key=str.encode)
    assert [key for key in keys(client) if not key.endswith("page.html")] == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_make_up_the_whole(client, size):
    assert keys(client, PaginationConfig={"PageSize": size}) == keys(client)


@pytest.mark.parametrize(
    "prefix",
    [
        "30001/", "30001", "3000", "30001/TS_01/Recon", f"{HOME}/Tomograms/100/volume", f"{HOME}/Tomograms/100/volume.zarr",
        "30001/TS_01/Frames/ein Bild & mehr+é", "30003/", "nothing/", ".tomoportal/", "30001/TS_01/run_metadata.json",
        "30001/TS_01/run_metadata.json/",
    ],
)  # fmt: skip
def test_prefix_takes_what_begins_so(client, prefix):
    assert keys(client, Prefix=prefix) == [key for key in keys(client) if key.startswith(prefix)]


@pytest.mark.parametrize("delimiter", ["/", ".", "TS_"])
@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "30001/",
        "30003/",
        "30001/T",
        "30001/TS_01/later/",
        "30001/TS_01/Gains/",
        f"{HOME}/",
        f"{HOME}/NeuroglancerPrecompute/",
        f"{HOME}/Tomograms/100/volume.zarr/",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_delimiter_folds(client, delimiter, prefix, size):
    files, folders = [], []
    for key in (key for key in keys(client) if key.startswith(prefix)):
        head, found, _ = key[len(prefix) :].partition(delimiter)
        if found:
            folders.append(prefix + head + delimiter)
        else:
            files.append(key)
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="tomoportal", Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}
    )
    got_files, got_folders = [], []
    for page in pages:
        assert page["KeyCount"] == len(page.get("Contents", [])) + len(page.get("CommonPrefixes", [])) <= size
        got_files += [item["Key"] for item in page.get("Contents", [])]
        got_folders += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
    assert got_files == files
    assert got_folders == list(dict.fromkeys(folders))


@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize(
    "prefix",
    [
        "30001/" + "x" * 300 + "/",
        "30001/" + "x/" * 2000,
        "30001/TS_01/later/",
        "30001/TS_01/out/",
        "30001/TS_01/out/files/30003/",
        "../",
        "../../",
        "30001/../../",
        "/",
        "//",
        "30001//",
        "/etc/",
        ".tomoportal/",
        "./",
    ],
)
def test_prefix_outside_the_tree_has_nothing(client, prefix, delimiter):
    answer = client.list_objects_v2(Bucket="tomoportal", Prefix=prefix, Delimiter=delimiter)
    assert answer["KeyCount"] == 0


def test_start_after(client):
    everything = keys(client)
    for after in (everything[0], everything[5], everything[5] + "0", "30001/TS_01/R", "zzz"):
        assert keys(client, StartAfter=after) == [key for key in everything if key > after]


def test_first_version_of_listing(client):
    pages = client.get_paginator("list_objects").paginate(
        Bucket="tomoportal", PaginationConfig={"PageSize": 4}
    )
    assert [item["Key"] for page in pages for item in page["Contents"]] == keys(client)


def test_no_keys_asked_for(client):
    answer = client.list_objects_v2(Bucket="tomoportal", MaxKeys=0)
    assert answer["KeyCount"] == 0
    assert not answer["IsTruncated"]


def test_listing_agrees_with_the_object(client):
    listed = client.list_objects_v2(Bucket="tomoportal", Prefix=MRC)["Contents"][0]
    head = client.head_object(Bucket="tomoportal", Key=MRC)
    assert listed["Size"] == head["ContentLength"] == BIG
    assert listed["ETag"] == head["ETag"]
    assert listed["LastModified"] == head["LastModified"]


def test_download_with_parallel_ranges(client, public_files, tmp_path: Path):
    from boto3.s3.transfer import TransferConfig

    target = tmp_path / "volume.mrc"
    config = TransferConfig(multipart_threshold=500_000, multipart_chunksize=700_000, max_concurrency=4)
    client.download_file("tomoportal", MRC, str(target), Config=config)
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(public_files[MRC]).digest()


def test_every_object_has_its_bytes(client, public_files):
    for key, content in public_files.items():
        assert client.get_object(Bucket="tomoportal", Key=key)["Body"].read() == content


def test_range_and_conditions(client, public_files):
    got = client.get_object(Bucket="tomoportal", Key=MRC, Range="bytes=-5")
    assert got["Body"].read() == public_files[MRC][-5:]
    assert got["ContentRange"] == f"bytes {BIG - 5}-{BIG - 1}/{BIG}"
    for options, code in (
        ({"Range": f"bytes={BIG}-"}, "InvalidRange"),
        ({"IfMatch": '"other"'}, "PreconditionFailed"),
        ({"IfNoneMatch": got["ETag"]}, "304"),
    ):
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket="tomoportal", Key=MRC, **options)
        assert error.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    "key",
    [
        "30003/dataset_metadata.json", ".tomoportal/datasets/30001/index.json", "30001/TS_01/leak.txt", "30001/nothing", "30001/",
        f"{HOME}/Annotations/102/thylakoid.glb",
        f"{HOME}/NeuroglancerPrecompute/102-mesh_precompute/info",
        "30001/TS_01/private.txt",
        "30001/TS_01/early.txt",
        "30001/TS_01/later/dataset_metadata.json",
        f"{HOME}/NeuroglancerPrecompute/100-neuroglancer-config.json",
    ],
)  # fmt: skip
def test_hidden_keys_are_not_there(client, key):
    with pytest.raises(ClientError) as error:
        client.get_object(Bucket="tomoportal", Key=key)
    assert error.value.response["Error"]["Code"] == "NoSuchKey"
    with pytest.raises(ClientError) as error:
        client.head_object(Bucket="tomoportal", Key=key)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_other_buckets_and_writes(client):
    assert client.head_bucket(Bucket="tomoportal")
    assert client.get_bucket_location(Bucket="tomoportal")["LocationConstraint"] is None
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["tomoportal"]
    refused = (
        (client.list_objects_v2, {"Bucket": "other"}, "NoSuchBucket"),
        (client.put_object, {"Bucket": "tomoportal", "Key": "x", "Body": b"x"}, "AccessDenied"),
        (client.delete_object, {"Bucket": "tomoportal", "Key": MRC}, "AccessDenied"),
        (client.get_bucket_acl, {"Bucket": "tomoportal"}, "NotImplemented"),
    )
    for call, options, code in refused:
        with pytest.raises(ClientError) as error:
            call(**options)
        assert error.value.response["Error"]["Code"] == code


def test_a_signature_does_not_matter(served, public_files):
    signed = boto3.client(
        "s3",
        endpoint_url=f"{served}/s3",
        region_name="eu-west-1",
        aws_access_key_id="anybody",
        aws_secret_access_key="secret",
    )
    assert signed.get_object(Bucket="tomoportal", Key=MRC)["Body"].read() == public_files[MRC]


def test_obstore_reads_it(served, public_files):
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        "tomoportal", endpoint=f"{served}/s3", skip_signature=True, virtual_hosted_style_request=False,
        client_options={"allow_http": True}, region="us-east-1",
    )  # fmt: skip
    found = {item["path"] for page in obstore.list(store, "30001") for item in page}
    assert {key for key in public_files if key.startswith("30001/")} <= found
    assert bytes(obstore.get_range(store, MRC, start=7, length=9)) == public_files[MRC][7:16]


def test_replaced_entity_is_neither_listed_in_part_nor_read(client, get, root: Path):
    marker = root / f"{HOME}/Tomograms/100/.replacing"
    marker.write_text("{}")
    try:
        answer = get(f"/s3/tomoportal?list-type=2&prefix={HOME}/Tomograms/")
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        assert ElementTree.fromstring(answer.content).findtext("Code") == "SlowDown"
        assert get(f"/s3/tomoportal/{MRC}").status_code == 503
        assert get("/s3/tomoportal?list-type=2&delimiter=/").status_code == 200
    finally:
        marker.unlink()


@pytest.mark.parametrize("query", ["max-keys=many", "continuation-token=%ff", "uploads"])
def test_nonsense_is_an_error_of_the_protocol(get, query):
    answer = get(f"/s3/tomoportal?list-type=2&{query}")
    assert answer.status_code in (400, 501)
    assert ElementTree.fromstring(answer.content).findtext("Message")


@pytest.mark.parametrize("path", ["tomoportal?list-type=2&prefix=%01%1f", "tomoportal/%00", "%0b"])
def test_answers_are_xml_whatever_was_asked(get, path):
    ElementTree.fromstring(get(f"/s3/{path}").content)


def test_any_number_of_keys_may_be_asked_for(get):
    answer = get(f"/s3/tomoportal?list-type=2&max-keys={'9' * 5000}")
    assert ElementTree.fromstring(answer.content).findtext("{*}MaxKeys") == "1000"


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        (f"tomoportal/{MRC}?response-content-type=text/html", "GET", 400, "InvalidRequest"),
        (f"tomoportal/{MRC}?partNumber=2", "GET", 416, "InvalidPartNumber"),
        (f"tomoportal/{MRC}", "PATCH", 405, "MethodNotAllowed"),
        (f"tomoportal/{MRC}", "POST", 403, "AccessDenied"),
        ("tomoportal/new", "PUT", 403, "AccessDenied"),
        ("tomoportal?list-type=3", "GET", 400, "InvalidArgument"),
        ("tomoportal?list-type=2&encoding-type=xml", "GET", 400, "InvalidArgument"),
        ("tomoportal?list-type=2&max-keys=-1", "GET", 400, "InvalidArgument"),
        ("Tomoportal", "GET", 404, "NoSuchBucket"),
        ("tomoportal/%2e%2e/x", "GET", 404, "NoSuchKey"),
        ("tomoportal/30001/%ff", "GET", 404, "NoSuchKey"),
        ("tomoportal/" + "x" * 3000, "GET", 404, "NoSuchKey"),
    ],
)
def test_errors_are_those_of_the_protocol(get, path, method, status, code):
    answer = get(f"/s3/{path}", method)
    assert answer.status_code == status
    document = ElementTree.fromstring(answer.content)
    assert document.tag == "Error"
    assert document.findtext("Code") == code
    assert document.findtext("Message")
    assert answer.headers["content-type"] == "application/xml"


def test_the_only_part_is_the_whole(client, public_files):
    assert client.get_object(Bucket="tomoportal", Key=MRC, PartNumber=1)["Body"].read() == public_files[MRC]


def test_several_ranges_give_the_whole(get, public_files):
    answer = get(f"/s3/tomoportal/{MRC}", range="bytes=0-1,900-901")
    assert answer.status_code == 200
    assert answer.content == public_files[MRC]


def test_head_tells_what_get_tells(get):
    there, head = get(f"/s3/tomoportal/{MRC}"), get(f"/s3/tomoportal/{MRC}", "HEAD")
    mine = {"date", "x-amz-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in mine} == {
        k: v for k, v in there.headers.items() if k not in mine
    }


def test_tokens_and_owners_tell_of_visible_keys_only(client):
    visible, token = keys(client), None
    seen = []
    while True:
        more = {"ContinuationToken": token} if token else {}
        answer = client.list_objects_v2(Bucket="tomoportal", MaxKeys=3, FetchOwner=True, **more)
        assert all(item["Owner"]["ID"] for item in answer["Contents"])
        seen += [item["Key"] for item in answer["Contents"]]
        token = answer.get("NextContinuationToken")
        if not token:
            break
        assert base64.urlsafe_b64decode(token).decode() in visible
    assert seen == visible


@pytest.mark.parametrize("after", ["30001/~", "30002/~", "30003", "30003/", "30003/TS_01/", "30003/~"])
def test_nothing_of_what_is_hidden_is_met_from_any_place(client, after):
    for delimiter in ("", "/"):
        answer = client.list_objects_v2(Bucket="tomoportal", StartAfter=after, Delimiter=delimiter)
        found = [item["Key"] for item in answer.get("Contents", [])]
        found += [item["Prefix"] for item in answer.get("CommonPrefixes", [])]
        assert not [name for name in found if name.startswith("30003")]
        assert answer["KeyCount"] == len(found)
        answer = client.list_objects(Bucket="tomoportal", Marker=after, Delimiter=delimiter, Prefix="30003")
        assert "Contents" not in answer
        assert "CommonPrefixes" not in answer


def test_first_version_folds_and_goes_on(client):
    markers, folders = [""], []
    while markers[-1] is not None:
        answer = client.list_objects(
            Bucket="tomoportal", Prefix="30001/", Delimiter="/", MaxKeys=1, Marker=markers[-1]
        )
        folders += [item["Prefix"] for item in answer.get("CommonPrefixes", [])]
        markers.append(answer.get("NextMarker"))
    assert folders == ["30001/TS_01/", "30001/TS_02/"]


def test_keys_are_encoded_when_asked_for(get, public_files):
    path = next(path for path in public_files if "Bild" in path)
    prefix = path.rpartition("/")[0] + "/"
    plain = ElementTree.fromstring(get(f"/s3/tomoportal?list-type=2&prefix={prefix}").content)
    assert [item.text for item in plain.iterfind("{*}Contents/{*}Key")] == [path]
    answer = get(f"/s3/tomoportal?list-type=2&encoding-type=url&prefix={prefix}")
    encoded = ElementTree.fromstring(answer.content)
    assert [item.text for item in encoded.iterfind("{*}Contents/{*}Key")] == [quote(path)]
    assert encoded.findtext("{*}EncodingType") == "url"


def test_names_that_nobody_can_ask_for_are_not_listed(client, get, root: Path):
    names = [os.fsencode(root / "30001/TS_01") + b"/" + name for name in (b"\xff\xfe.txt", b"new\nline.txt")]
    for name in names:
        with open(name, "wb") as file:
            file.write(b"odd")
    try:
        assert not [key for key in keys(client, Prefix="30001/TS_01/") if "odd" in key or "line" in key]
        assert get("/files/30001/TS_01/").status_code == 200
    finally:
        for name in names:
            os.unlink(name)

"""The client and the command line start without anything heavy."""

import subprocess
import sys

HEAVY = (
    "numpy",
    "scipy",
    "zarr",
    "numcodecs",
    "sqlalchemy",
    "graphql",
    "starlette",
    "granian",
    "pydantic",
    "yaml",
    "PIL",
    "obstore",
    "pandas",
    "dask",
    "fsspec",
    "aiohttp",
)
BLOCKED = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None  # importing it is an error from now on
"""


def _run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False)


def test_the_client_needs_none_of_the_heavy_packages():
    done = _run("from tomoportal import Client, Run; Client('http://127.0.0.1:1'); Run.tomograms.size_x > 3")
    assert done.returncode == 0, done.stderr


def test_what_speaks_http_is_loaded_for_the_first_question():
    """Making a client costs nothing."""
    later = {"httpx", "email", "ssl", "asyncio"}
    code = f"""
from tomoportal import Client, Run, Tomogram
client = Client('http://127.0.0.1:1')
Run.tomograms.size_x.between(3, 4), Tomogram.open, repr(client)
client.close()
assert not {later!r} & set(sys.modules), {later!r} & set(sys.modules)
"""
    done = _run(code)
    assert done.returncode == 0, done.stderr


def test_help_needs_none_of_the_heavy_packages():
    done = _run("import sys; sys.argv = ['tomoportal', '--help']; from tomoportal.cli import main; main()")
    assert done.returncode == 0, done.stderr
    assert "ingest" in done.stdout


def test_the_public_names_are_these():
    import tomoportal
    from tomoportal.model.registry import ENTITIES

    assert set(dir(tomoportal)) == {"Client", "__version__", *(entity.__name__ for entity in ENTITIES)}
    for name in dir(tomoportal):
        assert getattr(tomoportal, name) is not None


def test_a_command_that_needs_more_says_what_to_install(tmp_path):
    (tmp_path / "a.yaml").write_text("version: 1.3.0\n")
    done = _run(
        f"import sys; sys.argv = ['tomoportal', 'check', {str(tmp_path / 'a.yaml')!r}]; from tomoportal.cli import main; main()"
    )
    assert done.returncode == 2
    assert "pip install 'tomoportal[all]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_star_brings_the_public_names():
    done = _run("from tomoportal import *; Client('http://127.0.0.1:1'); Run.tomograms.size_x > 3")
    assert done.returncode == 0, done.stderr


def test_the_package_runs_as_the_command_line():
    command = [sys.executable, "-m", "tomoportal", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m tomoportal" in done.stdout


def test_what_is_not_installed_is_named_with_its_extra():
    code = """
from tomoportal import Annotation, Client, Tomogram
from tomoportal.client.results import Results
from tomoportal.errors import UsageError
client = Client("http://127.0.0.1:1")
tomogram = Tomogram(client, id=1, httpsOmezarrDir="http://127.0.0.1:1/files/a.zarr", s3OmezarrDir="s3://a/b")
for ask in (tomogram.open, lambda: tomogram.open(via="s3"), Annotation(client, id=1).points, Results([], Tomogram).to_dataframe):
    try:
        ask()
    except UsageError as error:
        print(error)
"""
    done = _run(code)
    assert done.stdout.count("pip install 'tomoportal[analysis]'") == 4, done.stderr

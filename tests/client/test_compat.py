"""Scripts of the official client, run as they are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fixtures_server import serving

SCRIPT = '''
import sys
import cryoet_data_portal as portal
from cryoet_data_portal import Client, Run, Tomogram
from cryoet_data_portal._models import IdentifiedObject

client = Client()
assert __name__ == "__main__"
print(sys.argv[1:], portal.__version__, portal.Run is Run)
print([run.name for run in Run.find(client, [Run.name.ilike("%ts%"), Run.tomogram_voxel_spacings.tomograms.size_x > 9])])
print(IdentifiedObject.find(client))
sys.exit(len(Run.find(client)))
'''  # fmt: skip


@pytest.fixture(scope="module")
def url(demo_portal):
    with serving(demo_portal.settings) as url:
        yield url


def _run(words, folder, url="http://127.0.0.1:1", compat=True):
    program = [sys.executable, *(["-m", "tomoportal.compat"] if compat else []), *words]
    environment = {**os.environ, "TOMOPORTAL_URL": url}
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, env=environment, check=False)


def test_a_script_runs_with_its_arguments_and_exit_code(url, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = _run(["script.py", "a", "--b"], tmp_path, url)
    assert done.stdout.splitlines()[:2] == [
        "['a', '--b'] 4.9.0 True",
        "['TS_001', 'TS_002']",
    ], done.stderr
    assert done.returncode == 2


def test_a_module_and_its_neighbours_run(url, tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").touch()
    (tmp_path / "tools" / "neighbour.py").write_text("from cryoet_data_portal import *\n")
    (tmp_path / "tools" / "count.py").write_text(
        "import sys\nfrom .neighbour import Client, Run\n"
        "print(__name__, sys.argv[1:], Run.count(Client()), sys.argv[0] == __file__)\n"
    )
    done = _run(["-m", "tools.count", "x"], tmp_path, url)
    assert done.stdout == "__main__ ['x'] 2 True\n", done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "def inner():\n    return 1 / 0\ninner()\n",
        "x = (\n",
        "import sys\nsys.exit('no')\n",
        "raise SystemExit(7)\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('a') from error\n",
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n",
        "import beside\nprint(beside.NAME, __name__, __file__, __builtins__ is not None)\n",
        "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)\n",
        "import multiprocessing as m\nif __name__ == '__main__':\n    print(m.get_context('fork').Pool(1).map(len, ['abc']))\n",
    ],
    ids=["trace", "syntax", "message", "code", "chained", "signal", "neighbour", "pickle", "fork"],
)
def test_it_is_as_if_python_ran_it(source, tmp_path):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "script.py").write_text(source)
    (folder / "beside.py").write_text("NAME = __name__\n")
    words = ["scripts/script.py"]
    ours, theirs = _run(words, tmp_path), _run(words, tmp_path, compat=False)
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_wrong_calls(tmp_path):
    assert _run([], tmp_path).returncode == _run(["-m"], tmp_path).returncode == 2
    shown = _run(["--help"], tmp_path)
    assert (shown.returncode, shown.stderr[:6]) == (0, "usage:")
    ours, theirs = (_run(["absent.py"], tmp_path, compat=compat) for compat in (True, False))
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


def test_no_package_of_that_name_is_left_behind(tmp_path):
    done = _run(["-c", "import cryoet_data_portal"], tmp_path, compat=False)
    assert "No module named 'cryoet_data_portal'" in done.stderr

"""`tomoportal demo` without making one."""

import socket

from fixtures_command import tomoportal
from tomoportal.demo import written_demo


def test_a_taken_port_is_told_before_any_work(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = tomoportal("demo", "--folder", tmp_path / "demo-portal", "--port", taken.getsockname()[1])
    assert ran.code == 2
    assert "is taken by another program" in ran.err
    assert not (tmp_path / "demo-portal").exists()


def test_a_finished_demo_is_recognised(demo_files, tmp_path):
    folder = demo_files.truth.parent
    assert written_demo(folder) == demo_files
    assert written_demo(folder, seed=8) is None
    assert written_demo(tmp_path) is None

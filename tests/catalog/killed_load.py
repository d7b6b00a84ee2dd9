"""`tomoportal load` that tells when it begins, and may be stopped by SIGKILL at one of its statements. Run as a script:

    python killed_load.py NUMBER load --storage … --database …

With a NUMBER above 0 the process kills itself before that statement or commit; with 0 it prints how many there were. On standard output
"begins" is the first line.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Engine

import tomoportal.catalog.load  # noqa: F401 (loading begins with everything imported)
from tomoportal.cli import main

LAST = int(sys.argv.pop(1))
seen = 0


def count(*_: Any) -> None:
    global seen
    seen += 1
    if seen == LAST:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sql.event.listen(Engine, "before_cursor_execute", count)
    sql.event.listen(Engine, "commit", count)
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    try:
        main()
    finally:
        sys.stdout.write(f"{seen} statements\n")

"""Names of processes that hold between machines and containers, and whether such a process is still there.

A number alone says little: another machine on the same disk, a container, or a later process may have it too.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

SCRATCH = "tomoportal-"
"""How folders with passing files begin; the name of their process and a dot follow, so that the next one can sweep them."""


def this_process() -> str:
    """Host, its table of processes, number and time of start: a name that no other process has or will have."""
    pid = os.getpid()
    return f"{socket.gethostname()}.{_table()}.{pid}.{_start_of(pid)}"


def is_ours_to_judge(name: str) -> bool:
    """Whether the process of that name could be seen from here; False for those of other machines and containers, and for what is
    no such name."""
    parts = name.rsplit(".", 3)
    return len(parts) == 4 and parts[:2] == [socket.gethostname(), _table()] and parts[2].isdecimal()


def has_ended(name: str) -> bool:
    """Whether the process of that name could be seen from here, but is not there."""
    if not is_ours_to_judge(name):
        return False
    _, _, pid, started = name.rsplit(".", 3)
    return str(_start_of(int(pid))) != started


def _table() -> str:
    """Which table of processes is ours: containers that share the name of their host count their processes apart."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return "0"


def _start_of(pid: int) -> str | None:
    """When a process of this machine started, in clock ticks; None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None

"""Who may write: one process at a time holds the lease of a dataset.

On this machine a lease ends with its process; a lease of another machine ends when it has not been renewed for `EXPIRES`
seconds. Stores without reliable create-only writes cannot guarantee more: use one coordinator there.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tomoportal.errors import Busy, NotFound
from tomoportal.layout.private import lease_path
from tomoportal.layout.processes import has_ended, is_ours_to_judge, this_process

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

RENEW = 30.0
EXPIRES = 300.0


@contextmanager
def hold(storage: Storage, name: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lease `name` meanwhile, renewed by a thread. Raises `Busy` when it is not free within `wait` seconds."""
    path, token = lease_path(name), uuid.uuid4().hex
    deadline = time.monotonic() + wait
    while not _acquire(storage, path, token):
        if time.monotonic() >= deadline:
            raise Busy(name, _who(storage, path) + " Wait until it has finished, or stop it.")
        time.sleep(0.05)
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(storage, path, token, stop), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        stop.set()
        renewing.join()
        if (_read(storage, path) or {}).get("token") == token:
            storage.delete(path)


def _acquire(storage: Storage, path: str, token: str) -> bool:
    if storage.create(path, _content(token)):
        return True
    if not _is_free(storage, path):
        return False
    guard = f"{path}.taking-over"
    if not storage.create(guard, _content(token)):
        if _is_free(storage, guard):
            storage.delete(guard)
        return False
    try:
        # Only now is it certain that what gets deleted is not the new lease of somebody who was faster.
        if not _is_free(storage, path):
            return False
        storage.delete(path)
        return storage.create(path, _content(token))
    finally:
        storage.delete(guard)


def _is_free(storage: Storage, path: str) -> bool:
    held = _read(storage, path)
    return held is None or _is_over(held)


def _content(token: str) -> bytes:
    content = {
        "token": token, "host": socket.gethostname(), "pid": os.getpid(), "process": this_process(), "renewed": time.time(),
    }  # fmt: skip
    return json.dumps(content).encode()


def _read(storage: Storage, path: str) -> dict[str, Any] | None:
    try:
        return json.loads(storage.read(path))
    except (NotFound, ValueError):
        return None


def _is_over(held: dict[str, Any]) -> bool:
    process = str(held.get("process"))
    if is_ours_to_judge(process):
        return has_ended(process)
    return time.time() - float(held.get("renewed", 0)) > EXPIRES


def _renew(storage: Storage, path: str, token: str, stop: threading.Event) -> None:
    while not stop.wait(RENEW) and (_read(storage, path) or {}).get("token") == token:
        storage.write(path, _content(token))


def _who(storage: Storage, path: str) -> str:
    held = _read(storage, path) or {}
    return f"process {held.get('pid', '?')} on {held.get('host', '?')} is writing here."

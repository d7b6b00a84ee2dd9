"""The place of a unit (a file, or a folder that is whole or absent) on the disk of this machine, before and after it is complete.

Beside the target `TS_001.mrc` lie, while it comes, `.TS_001.mrc.[mark].part` with the bytes and `.TS_001.mrc.[mark].part.state` with a
line for each piece that is complete; the mark follows from the address, so that two entities of one name never mix. In the end
the part is renamed, and `.tomoportal-downloads` in the same folder gets a line that tells where the target comes from.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from tomoportal.client.downloads.checksums import is_as_recorded, recorded
from tomoportal.client.downloads.manifest import Item, Unit
from tomoportal.client.downloads.names import NOTES, PART, STATE, checked_path, folds_case
from tomoportal.errors import PortalError, StorageError, UsageError

NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""How files are opened here: not through links."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


class DiskTrouble(StorageError):
    """The disk of this machine refuses what every other file would need, too."""


def disk_error(path: Path | str, error: OSError) -> PortalError:
    """A system's error as a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskTrouble(
            str(path), "the disk is full (or your quota). What has come is kept: make room and run it again"
        )
    if error.errno == errno.EFBIG:
        return DiskTrouble(
            str(path),
            "files as large as this are not allowed here (a limit of the disk or of the shell: ulimit -f)",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DiskTrouble(
            str(path), f"this cannot be written ({error.strerror}); choose a folder that you may write to"
        )
    return StorageError(str(path), f"this cannot be written ({error.strerror or error})")


@contextmanager
def told(path: Path | str) -> Iterator[None]:
    """Turns the system's errors into ours."""
    try:
        yield
    except PortalError:
        raise
    except OSError as error:
        raise disk_error(path, error) from error


class Destination:
    """A folder to download into. Every folder below it is made here, and none that a link leads out of it."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} cannot be made or used as a folder ({error.strerror}).") from error
        self.root = folder
        self._real = os.path.realpath(folder)
        self._made: set[str] = set()

    def folds_case(self) -> bool:
        """Whether `a` and `A` are one name here."""
        return folds_case(self.root)

    def free(self) -> int:
        """Bytes that are free."""
        return shutil.disk_usage(self._real).free

    def is_empty(self) -> bool:
        """Whether nothing lies in it yet."""
        with told(self.root), os.scandir(self.root) as entries:
            return next(entries, None) is None

    def path(self, name: str) -> Path:
        """Where a path of a manifest lies."""
        return self.root / checked_path(name)

    def make_folder(self, folder: Path) -> None:
        """Make it and those above. Raises `StorageError`."""
        known = str(folder)
        if known in self._made:
            return
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            real = os.path.realpath(folder)
        if real != self._real and not real.startswith(os.path.join(self._real, "")):
            raise StorageError(
                known,
                f"a link leads out of the destination (to {real}) and is not followed; choose another folder",
            )
        self._made.add(known)

    def check_links(self, folder: Path) -> None:
        """Raises `StorageError` when an existing part of the way to a folder leads out of the destination."""
        while not os.path.lexists(folder) and folder != self.root:
            folder = folder.parent
        self.make_folder(folder)


class Standing(Enum):
    """What lies at a target."""

    ABSENT = "nothing"
    WHOLE = "what the portal has"
    OTHER = "something else"


class Place:
    """Where one unit goes."""

    def __init__(self, destination: Destination, unit: Unit) -> None:
        self.unit, self._destination = unit, destination
        self.target = destination.path(unit.path)
        mark = hashlib.sha256(unit.url.encode()).hexdigest()[:8]
        self.part = self.target.with_name(f".{self.target.name}.{mark}{PART}")
        self._state = self.part.with_name(self.part.name + STATE)
        self._log = -1
        self._done: set[int] = set()
        self.is_of_other_version = False
        """Whether an earlier attempt has brought files of another version of this folder."""

    def standing(self, items: Iterable[Item], verify: bool) -> Standing:
        """What lies at the target now; `verify`: do not believe the note that it is whole."""
        self._destination.check_links(self.target.parent)
        if not os.path.lexists(self.target):
            return Standing.ABSENT
        note = _note(self.target)
        is_noted = note is not None and (note.get("url"), note.get("version")) == (
            self.unit.url,
            self.unit.version,
        )
        is_noted = is_noted and self.unit.is_sure
        whole = self._is_whole_folder if self.unit.is_folder else self._is_whole_file
        with told(self.target):
            return Standing.WHOLE if whole(items, note if is_noted else None, verify) else Standing.OTHER

    def _is_whole_folder(self, items: Iterable[Item], note: dict[str, Any] | None, verify: bool) -> bool:
        if note is None or self.target.is_symlink():
            return False
        for item in items:
            path = self.target / item.path[len(item.folder) + 1 :]
            if not _has_size(path, item.size) or (
                verify and recorded(item) and not is_as_recorded(item, path)
            ):
                return False
        return True

    def _is_whole_file(self, items: Iterable[Item], note: dict[str, Any] | None, verify: bool) -> bool:
        item = self.unit.first
        if not _has_size(self.target, item.size):
            return False
        if (
            note is not None
            and note.get("mtime") == self.target.stat().st_mtime_ns
            and not (verify and recorded(item))
        ):
            return True
        if not is_as_recorded(item, self.target):
            return False
        if note is None or note.get("mtime") != self.target.stat().st_mtime_ns:
            self._write_note(self.target.stat().st_mtime_ns)
        return True

    def refusal(self) -> UsageError:
        """Why the target is kept as it is."""
        note = _note(self.target)
        if note is None:
            reason = "exists, and nothing tells where it comes from"
        elif note.get("url") != self.unit.url:
            reason = f"was downloaded from {note.get('url')}"
        else:
            reason = "is not what the portal has today: it changed there or here since it was downloaded"
        return UsageError(
            f"{self.target} {reason}. It was kept, and {self.unit.url} was not downloaded: "
            "choose another folder, or replace it (overwrite=True, --overwrite)."
        )

    def held(self) -> int:
        """Bytes of the disk that an earlier attempt has taken already."""
        with suppress(OSError):
            if not self.unit.is_folder:
                return self.part.lstat().st_size
            return sum(path.lstat().st_size for path in self.part.rglob("*") if not path.is_dir())
        return 0

    def tidy(self) -> None:
        """Remove what was left beside a target that is whole."""
        with suppress(OSError):
            self._state.unlink(missing_ok=True)

    def begin(self) -> None:
        """Make ready to write; what an earlier attempt has completed of this version is known then. Raises `UsageError` when another
        process is at it."""
        self._destination.make_folder(self.target.parent)
        with told(self._state):
            self._log = os.open(self._state, os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_LINKS, 0o644)
        try:
            _lock(self._log, self.target)
            with told(self.part):
                self._read_state()
                if self.unit.is_folder:
                    _remove_unless(self.part, is_folder=True)
                    self._destination.make_folder(self.part)
        except BaseException:
            self.leave()
            raise

    def _read_state(self) -> None:
        with open(self._state, "rb") as file:
            lines = file.read().decode("ascii", "replace").split("\n")
        header = f"{self.unit.version} {self.unit.size}"
        known = [int(line, 16) for line in lines[1:-1] if len(line) == 16 and _is_hex(line)]
        if (
            lines[0] == header
            and len(lines) > 1
            and (self.unit.is_folder or _has_size(self.part, self.unit.size))
        ):
            self._done = set(known)
        elif self.unit.is_folder and lines[0]:
            self._done, self.is_of_other_version = set(known), True
            self._restart(header)
        else:
            _remove_unless(self.part, is_folder=None)
            self._restart(header)

    def _restart(self, header: str) -> None:
        os.ftruncate(self._log, 0)
        text = "".join(f"{key:016x}\n" for key in sorted(self._done))
        os.write(self._log, f"{header}\n{text}".encode())

    def part_of(self, item: Item) -> Path:
        """Where the bytes of one file go."""
        if not item.folder:
            return self.part
        path = self.part / item.path[len(item.folder) + 1 :]
        self._destination.make_folder(path.parent)
        return path

    def is_done(self, item: Item, piece: int = -1) -> bool:
        """Whether an earlier attempt has completed this file, or piece of it."""
        if _key(item, piece) not in self._done:
            return False
        path = self.part if not item.folder else self.part / item.path[len(item.folder) + 1 :]
        return _has_size(path, item.size)

    def mark_done(self, item: Item, piece: int = -1) -> None:
        """Remember that; the bytes are written already."""
        with told(self._state):
            os.write(self._log, f"{_key(item, piece):016x}\n".encode())

    def finish(self, overwrite: bool) -> None:
        """Give the complete part its name."""
        with told(self.target):
            mtime = None if self.unit.is_folder else self.part.stat(follow_symlinks=False).st_mtime_ns
            if os.path.lexists(self.target):
                if not overwrite:
                    raise self.refusal()
                self._replace(mtime)
            else:
                self._write_note(mtime)
                os.replace(self.part, self.target)
            self._state.unlink(missing_ok=True)
        self.leave()

    def _replace(self, mtime: int | None) -> None:
        """A file gives way at once; a folder is moved aside first."""
        old = self.part.with_name(self.part.name + ".replaced")
        if self.unit.is_folder or (self.target.is_dir() and not self.target.is_symlink()):
            _remove(old)
            os.rename(self.target, old)
        self._write_note(mtime)
        os.replace(self.part, self.target)
        _remove(old)

    def leave(self) -> None:
        """Let others at it; what has come stays."""
        if self._log >= 0:
            log, self._log = self._log, -1
            os.close(log)

    def remove_strangers(self, items: Iterable[Item]) -> None:
        """Remove what an earlier attempt has brought of another version and this one does not have."""
        wanted = {hash(item.path[len(item.folder) + 1 :]) for item in items}
        with told(self.part):
            for home, _, names in os.walk(self.part):
                for name in names:
                    path = Path(home, name)
                    if hash(path.relative_to(self.part).as_posix()) not in wanted:
                        path.unlink()

    def _write_note(self, mtime: int | None) -> None:
        note = {"name": self.target.name, "url": self.unit.url, "version": self.unit.version, "mtime": mtime}
        data = f"\n{json.dumps(note)}\n".encode()
        path = self.target.with_name(NOTES)
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | NO_LINKS, 0o644)
        try:
            os.write(log, data)
        finally:
            os.close(log)


def _note(target: Path) -> dict[str, Any] | None:
    """The last thing that was noted of a target."""
    try:
        data = target.with_name(NOTES).read_bytes()
    except OSError:
        return None
    known = json.dumps({"name": target.name})[:-1].encode() + b","
    found = None
    for line in data.split(b"\n"):
        if line.startswith(known):
            with suppress(ValueError):  # cut off by a stop
                found = json.loads(line)
    return found


def _key(item: Item, piece: int) -> int:
    text = f"{item.path}\n{item.version}\n{piece}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _is_hex(text: str) -> bool:
    return all(sign in "0123456789abcdef" for sign in text)


def _has_size(path: Path, size: int | None) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and (size is None or found.st_size == size)


def _remove_unless(path: Path, is_folder: bool | None) -> None:
    """Remove what stands where something else is wanted; None: whatever it is."""
    if os.path.lexists(path) and (is_folder is None or path.is_symlink() or path.is_dir() != is_folder):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _lock(handle: int, target: Path) -> None:
    """One process at a time; where locks are not known, as on Windows and some network disks, nobody is kept out."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"{target} is being downloaded by another process; wait for it.") from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise

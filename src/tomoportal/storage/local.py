"""A folder on this machine. Links that lead out of the root are not followed.

Written files appear under their name only when they are complete: a temporary name beside the target, then
a rename. They survive the end of the process at any moment; that they survive the end of the power is left
to the file system.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tomoportal.errors import NotFound, StorageError
from tomoportal.storage.protocol import TEMPORARY, Entry, Level, clean_path, is_clean

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class LocalStorage:
    """See `Storage`."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).expanduser().resolve()
        self.url = str(self.root)
        self._below = os.path.join(self.url, "")
        self.unfollowed: set[str] = set()
        self.unnameable: set[str] = set()

    def __repr__(self) -> str:
        return f"LocalStorage({str(self.root)!r})"

    def list(self, prefix: str = "") -> Iterator[Entry]:
        folder = self._inside(prefix)
        if folder.is_dir():
            yield from self._walk(folder, prefix)

    def list_after(self, prefix: str, after: str) -> Iterator[Entry]:
        return (entry for entry in self.list(prefix) if entry.path > after)

    def folders(self, prefix: str = "") -> builtins.list[str]:
        entries = self._scan(self._inside(prefix), prefix)
        return sorted(entry.name for entry in entries if self._is_folder(entry))

    def level(self, prefix: str = "") -> Level:
        folder = self.root / clean_path(prefix)
        if not self._below_root(os.path.realpath(folder)):
            self.unfollowed.add(prefix)
            return Level()
        folders: builtins.list[str] = []
        files: builtins.list[Entry] = []
        for entry in self._scan(folder, prefix) if folder.is_dir() else ():
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if not is_clean(path):
                self.unnameable.add(ascii(path))
            elif self._is_folder(entry):
                folders.append(entry.name)
            elif self._is_file(entry):
                files += self._still_there(entry, path)
            elif entry.is_symlink():
                self.unfollowed.add(path)
        return Level(tuple(sorted(folders)), tuple(files))

    def stat(self, path: str) -> Entry:
        return self._looked_at(path)[1]

    def exists(self, path: str) -> bool:
        try:
            target = self._inside(path)
        except StorageError:
            return False
        try:
            with self._told(path):
                return stat.S_ISREG(target.stat().st_mode)
        except NotFound:
            return False

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        found, _ = self._looked_at(path)
        with self._told(path), found.open("rb") as file:
            file.seek(start)
            return file.read(-1 if length is None else length)

    def address(self, path: str, seconds: int) -> str:
        raise StorageError(
            f"{self.url}/{path}", "a file in a folder has no address that others could read it at"
        )

    def write(self, path: str, data: bytes) -> Entry:
        with self._told(path, writing=True):
            target = self._place(path)
            with self._temporary(target) as temporary:
                temporary.write_bytes(data)
                os.replace(temporary, target)
            return _entry(path, target.stat())

    def create(self, path: str, data: bytes) -> bool:
        with self._told(path, writing=True):
            target = self._place(path)
            with self._temporary(target, shared=True) as temporary:
                temporary.write_bytes(data)
                return _link(temporary, target)

    def reliable_create(self) -> bool:
        return True

    def upload(self, path: str, file: Path) -> Entry:
        if not file.is_file():
            raise NotFound(str(file))
        with self._told(path, writing=True):
            target = self._place(path)
            file.chmod(0o644)
            try:
                os.replace(file, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                with self._temporary(target) as temporary:
                    shutil.copyfile(file, temporary)
                    os.replace(temporary, target)
                file.unlink()
            return _entry(path, target.stat())

    def upload_all(self, files: Mapping[str, Path]) -> None:
        for path, file in files.items():
            self.upload(path, file)

    def delete(self, path: str) -> None:
        with contextlib.suppress(NotFound), self._told(path):
            self._inside(path).unlink()

    def delete_tree(self, prefix: str) -> None:
        if not prefix:
            raise StorageError(self.url, "the whole storage is not removed at once; remove its folders")
        folder = self._inside(prefix)
        with contextlib.suppress(NotFound), self._told(prefix):
            if folder.is_symlink():
                folder.unlink()
            elif folder.is_dir():
                shutil.rmtree(folder)

    def local_path(self, path: str) -> Path | None:
        return self._inside(path)

    @contextmanager
    def fetch(self, path: str, scratch: Path | None = None) -> Iterator[Path]:
        found, _ = self._looked_at(path)
        yield found

    def _walk(self, folder: Path, prefix: str) -> Iterator[Entry]:
        """Files in the order of their paths; a stack of open folders, because a tree may be deeper than
        Python's."""
        stack = [(prefix, iter(self._scan(folder, prefix)))]
        while stack:
            parent, entries = stack[-1]
            entry = next(entries, None)
            if entry is None:
                stack.pop()
                continue
            path = clean_path(f"{parent}/{entry.name}" if parent else entry.name)
            if self._is_folder(entry):
                stack.append((path, iter(self._scan(Path(entry.path), path))))
            elif self._is_file(entry):
                yield from self._still_there(entry, path)
            elif entry.is_symlink():
                self.unfollowed.add(path)

    def _still_there(self, entry: os.DirEntry[str], path: str) -> builtins.list[Entry]:
        try:
            return [_entry(path, entry.stat())]
        except OSError as error:
            with contextlib.suppress(NotFound), self._told(path):
                raise error
        return []

    def _scan(self, folder: Path, prefix: str) -> builtins.list[os.DirEntry[str]]:
        """What lies directly in a folder, in the order of full paths; nothing when the folder is gone."""
        entries: builtins.list[os.DirEntry[str]] = []
        with contextlib.suppress(NotFound), self._told(prefix), os.scandir(folder) as scan:
            entries = [entry for entry in scan if not entry.name.startswith(TEMPORARY)]
        return sorted(entries, key=lambda e: e.name + "/" if self._is_folder(e) else e.name)

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_symlink():
            return entry.is_dir(follow_symlinks=False)
        with contextlib.suppress(NotFound), self._told(entry.name):
            return entry.is_dir() and self._stays_inside(entry) and not _is_circle(entry)
        return False

    def _is_file(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_symlink():
            return entry.is_file(follow_symlinks=False)
        with contextlib.suppress(NotFound), self._told(entry.name):
            return entry.is_file() and self._stays_inside(entry)
        return False

    def _stays_inside(self, entry: os.DirEntry[str]) -> bool:
        return not entry.is_symlink() or self._below_root(os.path.realpath(entry.path))

    def _below_root(self, real: str) -> bool:
        return real == self.url or real.startswith(self._below)

    def _inside(self, path: str) -> Path:
        full = self.root / clean_path(path)
        if not self._below_root(os.path.realpath(full)):
            raise StorageError(f"{self.url}/{path}", "this link leads out of the storage and is not followed")
        return full

    def _looked_at(self, path: str) -> tuple[Path, Entry]:
        """Where a file lies, and what it is. Anything but a file is absent."""
        with self._told(path):
            place = self._inside(path)
            found = place.stat()
        if not stat.S_ISREG(found.st_mode):
            raise NotFound(f"{self.url}/{path}", "this is a folder or a device, not a file")
        return place, _entry(path, found)

    def _place(self, path: str) -> Path:
        target = self._inside(path)
        if not path or target.is_dir():
            raise StorageError(f"{self.url}/{path}", "a folder stands here; expected the path of a file")
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        return target

    @contextmanager
    def _temporary(self, target: Path, *, shared: bool = False) -> Iterator[Path]:
        """A place beside `target` for what will be it; whatever is left there is removed in the end.

        The name follows from the target's, so that a repeated write replaces what a killed one has left; `shared` gives a name of its
        own to each of several processes that try at once.
        """
        name = TEMPORARY + (uuid.uuid4().hex if shared else hashlib.sha1(target.name.encode()).hexdigest())
        temporary = target.with_name(name)
        try:
            temporary.touch(0o644)
            temporary.chmod(0o644)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def _told(self, path: str, writing: bool = False) -> Iterator[None]:
        """Turns the system's errors into ours."""
        where = f"{self.url}/{path}" if path else self.url
        try:
            yield
        except StorageError:
            raise
        except OSError as error:
            if error.errno in _ABSENT and not writing:
                raise NotFound(where) from None
            raise StorageError(where, error.strerror or str(error)) from error


def _link(temporary: Path, target: Path) -> bool:
    """Give a complete file its name unless the name is taken. File systems without hard links claim the
    name first, so that for a moment the file is there and empty."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            return False
        os.replace(temporary, target)
    return True


def _is_circle(entry: os.DirEntry[str]) -> bool:
    """Whether a link leads to a folder that it lies in."""
    return Path(os.path.realpath(os.path.dirname(entry.path))).is_relative_to(os.path.realpath(entry.path))


def _entry(path: str, found: os.stat_result) -> Entry:
    return Entry(path, found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}", found.st_mtime)

"""Runs a script that was written for the official client, with its imports answered by this one:

    python -m tomoportal.compat script.py [ARGUMENT…]
    python -m tomoportal.compat -m package.module [ARGUMENT…]

`import cryoet_data_portal` gives our `Client` and entities, in this process alone: no package of that name is installed or changed, and
processes that the script starts anew have the import of their own. `Client()` without an address takes `TOMOPORTAL_URL`. Arguments,
`__name__`, exit codes and tracebacks are those of `python script.py`.
"""

from __future__ import annotations

import builtins
import io
import os
import runpy
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType
from typing import Any

PACKAGE = "cryoet_data_portal"
VERSION = "4.9.0"
"""The version of the official client whose names these are."""
USAGE = "usage: python -m tomoportal.compat (script.py | -m module) [ARGUMENT…]"


class _Answering(MetaPathFinder, Loader):
    """Makes the package and its inner modules when they are imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _MODULES:
            return None
        return ModuleSpec(fullname, self, origin="tomoportal.compat", is_package=fullname == PACKAGE)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(_MODULES[module.__name__]())


def _models() -> dict[str, Any]:
    from tomoportal.client import CLASSES

    return {**CLASSES, "__all__": list(CLASSES)}


def _client() -> dict[str, Any]:
    from tomoportal.client import Client

    return {"Client": Client}


def _package() -> dict[str, Any]:
    public = {**_client(), **_models()}
    return {**public, "__all__": [name for name in public if name != "__all__"], "__version__": VERSION}


def _relations() -> dict[str, Any]:
    from tomoportal.client.relations import Many, Single

    return {"ItemRelationship": Single, "ListRelationship": Many}


_MODULES: dict[str, Callable[[], dict[str, Any]]] = {
    PACKAGE: _package,
    f"{PACKAGE}._models": _models,
    f"{PACKAGE}._client": _client,
    f"{PACKAGE}._gql_base": _relations,
}


def answer_imports() -> None:
    """From now on the imports of this process are answered."""
    if not any(isinstance(finder, _Answering) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Answering())


def main(arguments: list[str]) -> None:
    """Run a script or module in place of this program."""
    wants_help = arguments[:1] in (["-h"], ["--help"])
    if wants_help or arguments in ([], ["-m"]):
        sys.stderr.write(f"{USAGE}\n")
        raise SystemExit(0 if wants_help else 2)
    answer_imports()
    sys.excepthook = _show
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        _run(arguments[0])


def _run(path: str) -> None:
    path = os.path.abspath(path)
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        sys.stderr.write(
            f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n"
        )
        raise SystemExit(2) from None
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    module = ModuleType("__main__")
    vars(module).update(__file__=path, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = module
    exec(compile(source, path, "exec", dont_inherit=True), vars(module))


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback that begins in the script."""
    while trace is not None and trace.tb_frame.f_code.co_filename in _OURS:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


_OURS = (__file__, runpy.__file__, "<frozen runpy>")

if __name__ == "__main__":
    main(sys.argv[1:])

"""`/viewer/v/p/`: the Neuroglancer client, served from our own address so that nothing is asked of another host.

The client is the build inside the `neuroglancer` wheel, copied into the package when it is built. It takes its state from the
part of the address after `#!`, and insists on a path of the form `…/v/<token>/` and on a Python server's event stream; a
stub in a file of its own stands in for that stream.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

VIEWER_PATH = "/viewer/v/p/"
VENDORED = Path(__file__).parents[1] / "vendor" / "neuroglancer"
STUB = "no-python-server.js"

_STUB_SCRIPT = """\
// The client of the Python package waits for events of a Python server. There is none: it is told that all is well.
window.EventSource = class {
  constructor(url) {
    this.url = url;
    setTimeout(() => this.onopen && this.onopen(new Event("open")), 0);
  }
  addEventListener() {}
  removeEventListener() {}
  close() {}
};

// Restoring a state makes all layers first and gives them their settings one by one. On a slow machine the listener that writes
// the state into the address is called in between, stumbles over a layer without settings, and the layer being restored is
// given up. So listeners wait until all is restored.
let viewer;
Object.defineProperty(window, "viewer", {
  get: () => viewer,
  set(made) {
    viewer = made;
    const { state } = made;
    const restore = state.restoreState.bind(state);
    const add = state.changed.add.bind(state.changed);
    let restoring = false;
    state.restoreState = (content) => {
      restoring = true;
      try {
        restore(content);
      } finally {
        restoring = false;
      }
    };
    state.changed.add = (listener) => add(() => (restoring ? void setTimeout(listener, 0) : listener()));
  },
});
"""

_ABSENT = "The 3-D viewer is not part of this installation. Install it with `pip install neuroglancer` and start the server again."

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src *; frame-ancestors *; object-src 'none'; base-uri 'self'"
)
"""Data may come from anywhere (shared links point at other portals, too), scripts only from here; the client makes the drawing
code of annotations at run time and needs `unsafe-eval` for that. It only shows what its address says, so any page may embed it."""


@lru_cache
def client_folder() -> Path | None:
    """Where the built client lies: in our package, else in an installed `neuroglancer`; None when there is none."""
    if (VENDORED / "index.html").is_file():
        return VENDORED
    found = importlib.util.find_spec("neuroglancer")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "static" / "client"
    return folder if (folder / "index.html").is_file() else None


def viewer_routes() -> list[BaseRoute]:
    """The page, its stub, its files."""
    folder = client_folder()
    if folder is None:
        return [Route("/viewer/{rest:path}", lambda _: PlainTextResponse(_ABSENT, status_code=501))]
    page = (
        (folder / "index.html").read_text().replace("<script ", f'<script src="{STUB}"></script><script ', 1)
    )
    page = page.replace("<title>neuroglancer</title>", "<title>Viewer</title>")
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}

    def index(_: object) -> Response:
        return HTMLResponse(page, headers=headers)

    def stub(_: object) -> Response:
        return Response(_STUB_SCRIPT, media_type="text/javascript", headers={"cache-control": "no-cache"})

    return [
        Route(VIEWER_PATH, index),
        Route(VIEWER_PATH + STUB, stub),
        Mount(VIEWER_PATH.rstrip("/"), _Hashed(directory=folder)),
    ]


class _Hashed(StaticFiles):
    """Files whose names change with their content: a browser may keep them for ever."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        response = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        if isinstance(response, FileResponse):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response

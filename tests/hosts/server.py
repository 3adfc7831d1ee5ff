"""Two servers for host pages: a newspaper's own, and the one that publishes banners."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

PAGES = Path(__file__).parent / "pages"
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@contextmanager
def run_server(application: Application) -> Iterator[str]:
    """Yield the server's URL."""
    with make_server("127.0.0.1", 0, application, _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@dataclass
class HostPages:
    """A newspaper's site. Its pages are files with places for banners."""

    pages: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)

    def put(
        self, address: str, page: str, parts: Mapping[str, bytes] | None = None, **headers: str
    ) -> None:
        """Show a page at an address, with banners in its places. Keywords are its headers.

        Banners are placed as bytes, as server-side includes do, whatever charset the page has.
        """
        content = (PAGES / f"{page}.html").read_bytes()
        for place in ("head", "top", "inline", "end", "corner"):
            content = content.replace(b"{{ %s }}" % place.encode(), (parts or {}).get(place, b""))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[f"/{address}"] = (content, {"Content-Type": "text/html"} | named)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        found = self.pages.get(environ["PATH_INFO"])
        if found is None:
            start_response("204 No Content", [])
            return []
        start_response("200 OK", list(found[1].items()))
        return [found[0]]

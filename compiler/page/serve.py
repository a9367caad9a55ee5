"""A page on this machine that is made again whenever a file behind it is saved."""

from __future__ import annotations

import re
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

from .document import document

_EVERY = 0.25  # Seconds between two looks at the files.
_PULSE = 15.0  # Seconds after which a browser that has gone away is noticed.
_USE = re.compile(r'^[ \t]*use[ \t]+"([^"\n]+)"', re.MULTILINE)
_LIVE = """
const own = %s;
const source = new EventSource("/events");
source.onmessage = (event) => event.data !== own && location.reload();
"""


class Wrong(Exception):
    """What is wrong with a specification or its inputs, as the command line says it."""


Make = Callable[[str], str]
"""Makes the page, given the script that reloads it. Raises ``Wrong``, ``OSError``."""


def behind(path: Path) -> set[Path]:
    """A specification and the files that it uses, those that are missing among them."""
    found: set[Path] = set()
    stack = [path.resolve()]
    while stack:
        file = stack.pop()
        if file in found:
            continue
        found.add(file)
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
        stack += [(file.parent / name).resolve() for name in _USE.findall(text)
                  if "\0" not in name]  # fmt: skip
    return found


@dataclass
class Site:
    """The page of a specification and its state: ``version`` changes with the files."""

    path: Path
    make: Make
    others: tuple[Path, ...] = ()
    version: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.building = threading.Lock()
        self.made: tuple[str, str] = ("", "")
        self.seen = self.state()

    def state(self) -> dict[Path, tuple[int, int] | None]:
        """When each file was saved last, and how long it is."""
        found: dict[Path, tuple[int, int] | None] = {}
        for file in (*behind(self.path), *self.others):
            try:
                status = file.stat()
                found[file] = (status.st_mtime_ns, status.st_size)
            except OSError:
                found[file] = None
        return found

    def look(self) -> None:
        """A new version where a file has changed."""
        now = self.state()
        if now != self.seen:
            self.seen = now
            with self.changed:
                self.version = secrets.token_hex(8)
                self.changed.notify_all()

    def watch(self) -> None:
        while True:
            time.sleep(_EVERY)
            self.look()

    def page(self) -> str:
        """The page of the files as they are, or what is wrong with them."""
        with self.building:
            version = self.version
            if self.made[0] != version:
                self.made = version, self.written(_LIVE % repr(version))
            return self.made[1]

    def written(self, live: str) -> str:
        try:
            return self.make(live)
        except Wrong as error:
            return self.complaint(str(error), live)
        except OSError as error:
            return self.complaint(f"{self.path}: {error.strerror or error}", live)
        except Exception as error:  # The next version of the file may be fine.
            traceback.print_exc(file=sys.stderr)
            return self.complaint(f"gradc failed on its own account: {error!r}", live)

    def complaint(self, text: str, live: str) -> str:
        body = (
            f"<main><h1>{escape(self.path.name)}</h1>"
            f'<pre class="wrong" role="alert">{escape(text)}</pre></main>'
        )
        return document(f"{self.path.name}: wrong", body, live=live)


class Server(ThreadingHTTPServer):
    """Serves a site to this machine alone."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        super().__init__(("127.0.0.1", port), _Handler)
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A browser that has gone away is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def run(self) -> None:
        """Serves until Ctrl-C."""
        threading.Thread(target=self.site.watch, daemon=True).start()
        try:
            self.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        # Another site that has its name point here must not read the page.
        if self.headers.get("Host") not in self.server.hosts:
            self.send_error(403)
        elif self.path == "/":
            self.answer(self.server.site.page())
        elif self.path == "/events":
            self.events()
        else:
            self.send_error(404)

    def answer(self, text: str) -> None:
        content = text.encode("utf-8")
        self.start("text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def start(self, sort: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", sort)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")

    def events(self) -> None:
        """The version, now and whenever there is a new one."""
        site = self.server.site
        self.start("text/event-stream")
        self.end_headers()
        while True:
            version = site.version
            self.wfile.write(f"retry: 1000\ndata: {version}\n\n".encode())
            self.wfile.flush()
            with site.changed:
                if site.version == version:
                    site.changed.wait(_PULSE)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is for what is wrong."""

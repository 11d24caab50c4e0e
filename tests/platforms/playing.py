"""Small local servers that play the platforms: they answer as the real ones do, and remember all calls."""

import html
import json
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.platforms.certificate import certificate

FORM = "application/x-www-form-urlencoded"


class Call(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict


class Answer(NamedTuple):
    status: int = 200
    body: object = {}
    headers: dict[str, str] = {}


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Say nothing: a browser that hangs up half-way is no failure of a test."""


@dataclass
class PlayedPlatform:
    """A server on loopback. `answer` decides what it says to a call; without one it says 200 to everything."""

    answer: Callable[[Call], Answer] = lambda call: Answer()
    calls: list[Call] = field(default_factory=list)
    is_https: bool = False

    def __enter__(self):
        self.server = _Server(("127.0.0.1", 0), self._handler())
        if self.is_https:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate())
            # The thread of the connection shakes hands: a browser opens some that it never uses.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.address = f"{'https' if self.is_https else 'http'}://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def _handler(self):
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                platform.play(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler

    def play(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        is_form = handler.headers.get("Content-Type", "").startswith(FORM)
        body = _last_of_each(raw.decode()) if is_form else json.loads(raw) if raw else {}
        call = Call(handler.command, parts.path, _last_of_each(parts.query), dict(handler.headers), body)
        self.calls.append(call)
        answer = self.answer(call)
        said = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        handler.send_response(answer.status)
        for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(said.encode())))
        handler.end_headers()
        handler.wfile.write(said.encode())

    def ask(self, method: str, address: str, **with_) -> httpx.Response:
        """Call this server as a person's browser does; `address` may be a path."""
        where = address if address.startswith("http") else self.address + address
        # The certificate is one of a test's own.
        return httpx.request(method, where, verify=False, follow_redirects=True, **with_)


def _last_of_each(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


def page(title: str, body: str, *, status: int = 200) -> Answer:
    """A page for people."""
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
    text = f"{head}<body><main><h1>{html.escape(title)}</h1>{body}</main></body></html>"
    return Answer(status, text, {"Content-Type": "text/html; charset=utf-8"})


def link_to(address: str, text: str) -> str:
    return f'<p><a href="{html.escape(address)}">{html.escape(text)}</a></p>'


def links_on(text: str) -> list[str]:
    """The addresses of all links on a page."""
    return [html.unescape(address) for address in re.findall(r'<a [^>]*?href="([^"]+)"', text)]

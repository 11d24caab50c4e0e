"""A proxy before a real endpoint that fails as networks and servers do, in the order that a test asks for."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class FaultyProxy:
    """Forwards to `target`, after the faults: a status, or a word.

    `drop` closes the connection, `cut` does so in the middle of the answer, `hang` sends nothing, `trickle` a line
    now and then, `garbage` an answer that is none, `endless` one line after the other, `dots` a line without end and
    `dots slowly` one that goes on now and then; `meet` is no fault: the request waits until another one is there.
    """

    def __init__(self, target: str, *faults: object) -> None:
        self.faults = list(faults)
        self.seen: list[str] = []
        self.at_once = self.most_at_once = 0
        # Set at the end: what hangs need not hang any longer.
        self.over = threading.Event()
        self.company = threading.Barrier(2, timeout=60)
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.forward("GET")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with proxy._lock:
                    proxy.seen.append(body.decode())
                    proxy.at_once += 1
                    proxy.most_at_once = max(proxy.most_at_once, proxy.at_once)
                    fault = proxy.faults.pop(0) if proxy.faults else None
                try:
                    if fault == "meet":
                        proxy.company.wait()
                    elif fault:
                        self.fail(fault)
                        return
                    self.forward("POST", body)
                finally:
                    with proxy._lock:
                        proxy.at_once -= 1

            def fail(self, fault):
                if fault == "drop":
                    self.close_connection = True
                    self.connection.close()
                elif fault == "hang":
                    proxy.over.wait()
                    self.close_connection = True
                elif fault in ("cut", "trickle", "dots slowly"):
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.dribble(b"." if fault == "dots slowly" else b": wait\n", for_ever=fault != "cut")
                    self.close_connection = True
                elif fault in ("endless", "dots"):
                    self.send_response(200)
                    self.end_headers()
                    self.pour(b"." * 65536 if fault == "dots" else b"data: {}\n" * 8192)
                    self.close_connection = True
                elif fault == "garbage":
                    self.answer(200, b'{"choices": []}')
                else:
                    self.answer(fault, f"no, key {self.headers['Authorization']}".encode(), {"Retry-After": "0.1"})

            def pour(self, part):
                with contextlib.suppress(OSError):
                    while not proxy.over.is_set():
                        self.wfile.write(part)

            def dribble(self, part, for_ever):
                while True:
                    try:
                        self.wfile.write(part)
                        self.wfile.flush()
                    except OSError:
                        return
                    if proxy.over.wait(0.2) or not for_ever:
                        return

            def forward(self, method, body=None):
                headers = {"Authorization": self.headers["Authorization"], "Content-Type": "application/json"}
                found = httpx.request(method, target + self.path, content=body, headers=headers, timeout=60)
                self.answer(found.status_code, found.content)

            def answer(self, status, content, headers=None):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def saying(parts, *, status=200, content_type="application/json", headers=()):
    """A server that gives the same answer to everything; yields its address and what it was asked.

    `parts` are the bytes of the body: it ends where they do.
    """
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.tell()

        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.tell()

        def tell(self):
            self.send_response(status)
            for name, value in [("Content-Type", content_type), *headers]:
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                for part in parts:
                    self.wfile.write(part)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
        server.shutdown()

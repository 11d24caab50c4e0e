"""Where TLS ends: a real Caddy in front of a small server."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from webapp.env import ROOT

CADDY = Path(sys.executable).parent / "caddy"
CADDYFILE = ROOT / "deploy" / "Caddyfile"


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers it got; breaks off in the middle of /broken."""

    def do_GET(self):
        if self.path.startswith("/broken"):
            return self.connection.close()
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return self.wfile.write(body)

    def log_message(self, *args):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def proxy(tmp_path):
    web = HTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{free_port()}"
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        # A bare http:// address asks for no certificate, so the test leaves the machine's trust store alone.
        "SITE_ADDRESS": address,
        "WEB_ADDRESS": f"127.0.0.1:{web.server_port}",
        "CADDY_ADMIN": f"127.0.0.1:{free_port()}",
    }
    log = tmp_path / "caddy.log"
    with log.open("wb") as out:
        command = [CADDY, "run", "--adapter", "caddyfile", "--config", CADDYFILE]
        caddy = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    wait_for(address)
    yield address, log
    caddy.send_signal(signal.SIGTERM)
    assert caddy.wait(10) == 0
    web.shutdown()
    web.server_close()


def wait_for(address):
    for _ in range(100):
        try:
            return get(address)
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


def get(address, **headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=5) as answer:
        return json.load(answer), answer.headers


def test_caddy_accepts_the_file_as_it_would_write_it():
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SITE_ADDRESS": "ratings.example.org"}
    for command in (["validate", "--adapter", "caddyfile", "--config", CADDYFILE], ["fmt", CADDYFILE]):
        done = subprocess.run([CADDY, *command], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    assert done.stdout == CADDYFILE.read_text()


def test_the_scheme_is_what_caddy_saw_and_not_what_a_client_claims(proxy):
    seen, headers = get(proxy[0], **{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    assert seen["x-forwarded-proto"] == "http"
    assert seen.get("x-forwarded-host") != "evil.example"
    assert "Server" not in headers


def test_who_came_with_which_platform_id_is_not_logged(proxy):
    address, log = proxy
    with pytest.raises(urllib.error.HTTPError, match="502"):
        get(f"{address}/broken?PROLIFIC_PID=5f1e", Cookie="session=abc")
    assert wait_until(lambda: "/broken" in log.read_text())
    text = log.read_text()
    assert "5f1e" not in text
    assert "session=abc" not in text
    assert "remote_ip" not in text


def wait_until(is_true):
    deadline = time.monotonic() + 5
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_true()

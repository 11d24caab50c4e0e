"""The embedded Valkey: the message broker of one machine, on a unix socket. What it loses, the sweep sends again."""

import os
import signal
import socket
from pathlib import Path

from webapp.stack.binaries import find_binary
from webapp.stack.process import Child, libraries, wait_until_ready


def start_valkey(*, sockets: Path, log: Path) -> Child:
    """Start the broker without persistence: after a restart, rows in the database say what is to be done."""
    address = sockets / "valkey.sock"
    address.unlink(missing_ok=True)
    memory_only = ["--save", "", "--appendonly", "no", "--dir", str(sockets)]
    place = ["--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700"]
    program: list[str | Path] = [find_binary("valkey-server"), *place, *memory_only, "--daemonize", "no"]
    child = Child("Valkey", program, env={**libraries(), "PATH": os.defpath}, log=log, death_signal=signal.SIGKILL)
    wait_until_ready(child, lambda: answers(address), seconds=20)
    return child


def answers(address: Path) -> bool:
    """Tell whether the server answers PING."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.settimeout(2)
            connection.connect(str(address))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

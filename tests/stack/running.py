"""Start `manage.py up` as a person would, and look at the processes that it makes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def command_line(process: psutil.Process) -> str:
    """Return how a process was called; nothing for one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


class Up:
    """A running stack over a data directory."""

    def __init__(self, data_dir: Path, *options: str, port: int | None = None, **env: str):
        self.port = port or free_port()
        self.output = data_dir.with_name(f"{data_dir.name[:20]}.{time.monotonic_ns()}.out")
        self.output.parent.mkdir(parents=True, exist_ok=True)
        ours = {"DATA_DIR": str(data_dir), "PORT": str(self.port), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
        kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BROKER_URL", "SECRET_KEY"}}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *options],
                cwd=ROOT,
                env={**kept, **ours, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=10)

    def wait_until_ready(self, seconds: float = 90) -> float:
        """Return the seconds until the first page was there."""
        began = time.monotonic()
        while "Duologue runs at" not in self.words():
            assert self.process.poll() is None, self.words()
            assert time.monotonic() - began < seconds, self.words()
            time.sleep(0.05)
        return time.monotonic() - began

    def wait_until_it_ends(self, seconds: float = 30) -> int:
        return self.process.wait(timeout=seconds)

    def words(self) -> str:
        return self.output.read_text()

    def descendants(self) -> dict[str, psutil.Process]:
        """Return all processes under the supervisor by command line."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        return {f"{line} #{process.pid}": process for process in found if (line := command_line(process))}

    def find(self, part: str) -> psutil.Process:
        return next(process for line, process in self.descendants().items() if part in line)

    def status(self, path: str = "/healthz") -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
            return response.status


def still_running(processes, *, seconds: float) -> list[str]:
    """Wait for the processes to end and return the names of those that did not."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [str(process) for process in alive if process.status() != psutil.STATUS_ZOMBIE]

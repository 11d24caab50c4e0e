"""The product as it runs: a database with fsync on and two web servers, and people in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.bench_web import free_port, listens
from webapp.env import ROOT
from webapp.stack.paths import broker_url, database_url, runtime_dir
from webapp.stack.postgres import create_database, start_postgres
from webapp.stack.process import Child, wait_until_ready
from webapp.stack.services import django_environment, web_program
from webapp.stack.supervisor import Kept, Supervisor

PATIENCE_S = 240
"""No figure: a busy machine may take its time, and only a run that hangs has to end."""


class Site:
    """A database with fsync on and two web servers, kept alive by the product's own supervisor."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.sockets = data_dir, runtime_dir(data_dir)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self.ports = [free_port(), free_port()]
        self.said: list[str] = []
        self.supervisor = Supervisor(self.said.append)
        addresses = {"database_url": database_url(data_dir), "broker_url": broker_url(data_dir)}
        self.env = django_environment(os.environ, data_dir=data_dir, **addresses)
        self.env["PYTHONPATH"] = str(ROOT)

    def start(self, *, comparisons: int, quota: int) -> None:
        """Start everything, with a launched study of so many comparisons and at most so many a person."""
        postgres = partial(start_postgres, self.data_dir / "postgres", sockets=self.sockets, log=self.log("postgres"))
        self.supervisor.add(Kept("PostgreSQL", postgres, is_server=True, stop_signal=signal.SIGINT))
        create_database(self.sockets)
        self.code = self.errand("prepare", str(comparisons), str(quota)).strip()
        for port in self.ports:
            self.supervisor.add(Kept(f"web {port}", partial(self.start_web, port)))
        for port, kept in zip(self.ports, self.supervisor.kept[1:], strict=True):
            wait_until_ready(kept.child, partial(listens, port), seconds=60)

    def stop(self) -> None:
        self.supervisor.stop()

    def start_web(self, port: int) -> Child:
        env = {**self.env, "DATABASE_POOL": "1"}
        return Child(f"web {port}", web_program(port), env=env, log=self.log(str(port)), death_signal=signal.SIGTERM)

    def log(self, name: str) -> Path:
        return self.data_dir / f"{name}.log"

    def errand(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "tests.slots.errand", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def send_in(self, people: int, *, pace: float = 0.1, seed: str = "") -> subprocess.Popen:
        """Let stubborn annotators in, in a process of their own; with a seed some of them leave in the middle."""
        ports, home = ",".join(map(str, self.ports)), f"/s/{self.code}/"
        arguments = [ports, home, str(people), str(self.acknowledged), str(pace), seed]
        command = [sys.executable, "-m", "tests.slots.stubborn", *arguments]
        with self.log("people").open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=log)

    @property
    def acknowledged(self) -> Path:
        return self.data_dir / "acknowledged"

    def keep_up(self, *, until: Callable[[], bool]) -> None:
        """Look after the children until something has come about."""
        deadline = time.monotonic() + PATIENCE_S
        while not until():
            assert time.monotonic() < deadline, self.said
            self.supervisor.look_after()
            time.sleep(0.02)

    def wait_for(self, people: subprocess.Popen) -> None:
        """Wait until these people are told that there is nothing left for them."""
        self.keep_up(until=lambda: people.poll() is not None)
        assert people.returncode == 0, self.log("people").read_text()

    def wait_for_more(self, answers: int, people: subprocess.Popen) -> None:
        """Wait until so many more answers are acknowledged, or these people have no more to give."""
        goal = self.count() + answers
        self.keep_up(until=lambda: self.count() >= goal or people.poll() is not None)

    def end_leases(self) -> None:
        """Let the time pass in which nothing is heard of anybody who holds a comparison."""
        self.errand("free")

    @contextmanager
    def leases_that_end(self) -> Iterator[None]:
        """End all leases every few seconds meanwhile, whoever is at work."""
        command = [sys.executable, "-m", "tests.slots.errand", "lapse"]
        with self.log("lapses").open("ab") as log:
            ends = subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=log)
        try:
            yield
            assert ends.poll() is None, self.log("lapses").read_text()
        finally:
            ends.kill()
            ends.wait()

    def check(self) -> dict[str, int]:
        """Fail unless the study is complete and nothing acknowledged is lost; returns what is there, by kind."""
        found: dict[str, int] = json.loads(self.errand("check", self.code, str(self.acknowledged)))
        print(found)
        return found

    def count(self) -> int:
        lines = self.acknowledged.read_text().split() if self.acknowledged.exists() else []
        return sum(not line.startswith("-") for line in lines)

    def running(self, kind: str) -> list[Child]:
        """Return the running children of this kind."""
        return [kept.child for kept in self.supervisor.kept if kept.name.startswith(kind) and kept.child]

    def strike(self, child: Child) -> None:
        """Kill a child as a power cut would."""
        child.send(signal.SIGKILL)

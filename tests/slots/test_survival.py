"""Power cuts in miniature: web servers, the database and clients are killed while people judge; nothing gets lost."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bench.bench_web import free_port, listens
from webapp.env import ROOT
from webapp.stack.paths import broker_url, database_url, runtime_dir
from webapp.stack.postgres import create_database, start_postgres
from webapp.stack.process import Child, wait_until_ready
from webapp.stack.services import django_environment, web_program
from webapp.stack.supervisor import Kept, Supervisor

pytestmark = pytest.mark.stack


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

    def start(self) -> str:
        """Start everything; returns the path of the study's first page."""
        postgres = partial(start_postgres, self.data_dir / "postgres", sockets=self.sockets, log=self.log("postgres"))
        self.supervisor.add(Kept("PostgreSQL", postgres, is_server=True, stop_signal=signal.SIGINT))
        create_database(self.sockets)
        code = self.errand("prepare").strip()
        for port in self.ports:
            self.supervisor.add(Kept(f"web {port}", partial(self.start_web, port)))
        for port, kept in zip(self.ports, self.supervisor.kept[1:], strict=True):
            wait_until_ready(kept.child, partial(listens, port), seconds=60)
        return f"/s/{code}/"

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

    def send_in(self, home: str, people: int) -> subprocess.Popen:
        """Let stubborn annotators in, in a process of their own."""
        ports = ",".join(map(str, self.ports))
        command = [sys.executable, "-m", "tests.slots.stubborn", ports, home, str(people), str(self.acknowledged)]
        with self.log("people").open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=log)

    @property
    def acknowledged(self) -> Path:
        return self.data_dir / "acknowledged"

    def keep_up(self, *, until: Callable[[], bool]) -> None:
        """Look after the children until something has come about."""
        deadline = time.monotonic() + 240
        while not until():
            assert time.monotonic() < deadline, self.said
            self.supervisor.look_after()
            time.sleep(0.02)

    def wait_for(self, people: subprocess.Popen) -> None:
        """Wait until these people are told that there is nothing left for them."""
        self.keep_up(until=lambda: people.poll() is not None)
        assert people.returncode == 0, self.log("people").read_text()

    def wait_for_more(self, answers: int) -> None:
        """Wait until so many more answers are acknowledged: people are in the middle of their work."""
        goal = self.count() + answers
        self.keep_up(until=lambda: self.count() >= goal)

    def count(self) -> int:
        return self.acknowledged.read_text().count("\n") if self.acknowledged.exists() else 0

    def running(self, kind: str) -> list[Child]:
        """Return the running children of this kind."""
        return [kept.child for kept in self.supervisor.kept if kept.name.startswith(kind) and kept.child]

    def strike(self, child: Child) -> None:
        """Kill a child as a power cut would."""
        child.send(signal.SIGKILL)


def test_no_acknowledged_answer_is_lost_when_web_database_and_clients_are_killed(tmp_path):
    site, rng = Site(tmp_path), random.Random(7)
    try:
        home = site.start()
        staying, doomed = site.send_in(home, 8), site.send_in(home, 4)
        for victim in ("web", "PostgreSQL", "web", "PostgreSQL"):
            site.wait_for_more(rng.randint(20, 60))
            site.strike(rng.choice(site.running(victim)))
        doomed.kill()
        doomed.wait()
        site.wait_for(staying)
        site.errand("free")
        site.wait_for(site.send_in(home, 3))
        print(site.errand("check", home.split("/")[2], str(site.acknowledged)))
        assert sum("SIGKILL" in said for said in site.said) == 4, site.said
    finally:
        site.supervisor.stop()

"""The real processes of generation over servers of their own: database, broker, workers, beat. Tests may kill them."""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from celery import Celery
from django.db import connection

from tests.deploy.node import Node
from webapp.celery import app as site
from webapp.stack.postgres import UNSAFE_BUT_FAST, create_database, start_postgres
from webapp.stack.process import Child
from webapp.stack.valkey import start_valkey

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 8
THOUGHT = "She is worried about what they will say. [RESULT SKILL] Empathy"


def wait_for(what: Callable[[], Any], *, seconds: float, say: Callable[[], str] = lambda: "") -> Any:
    """Return what `what` gives as soon as it gives something; servers may be away meanwhile."""
    until = time.monotonic() + seconds
    while True:
        try:
            if found := what():
                return found
        except Exception as problem:
            connection.close()
            if time.monotonic() > until:
                raise AssertionError(f"{problem} {say()}") from problem
        assert time.monotonic() < until, f"Nothing after {seconds} s. {say()}"
        time.sleep(0.05)


class Factory:
    """Starts, kills and restarts the processes by name. `replay` is the file that model workers answer from."""

    def __init__(
        self,
        *,
        node: Node | None = None,
        database_url: str = "",
        broker_url: str = "",
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        """Over an embedded stack of its own; `node` is a RabbitMQ in place of Valkey, addresses name real servers."""
        self.node = node
        self.lease_seconds = lease_seconds
        # In /tmp itself: the path of a socket has 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="dg-", dir="/tmp"))
        self.sockets = self.directory / "run"
        self.sockets.mkdir(mode=0o700)
        self.replay = self.directory / "answers.jsonl"
        self.children: dict[str, Child] = {}
        embedded = f"redis+socket://{quote(str(self.sockets))}/valkey.sock"
        self.broker_url = broker_url or (node.url("duologue") if node else embedded)
        self.gpu_broker_url = broker_url or (node.url("gpu") if node else embedded)
        self.has_own_database = not database_url
        own = f"postgresql://duologue@/duologue?host={quote(str(self.sockets), safe='')}"
        self.database_url = database_url or own
        write_answers(self.replay)

    def start_postgres(self) -> None:
        self.children["postgres"] = start_postgres(
            self.directory / "postgres",
            sockets=self.sockets,
            log=self.log("postgres"),
            options={**UNSAFE_BUT_FAST, "max_connections": "60"},
        )

    def start_broker(self) -> None:
        if self.node:
            self.node.start()
            return
        self.children["broker"] = start_valkey(sockets=self.sockets, log=self.log("broker"))

    def start_default_worker(self) -> None:
        self._start("default", *celery("worker", "--pool", "threads", "-c", "4", "-Q", "default,results"))

    def start_beat(self) -> None:
        self._start("beat", *celery("beat", "--scheduler", "celery.beat:Scheduler", "--pidfile", ""))

    def start_model_worker(self, name: str, slug: str, *, seconds_per_text: float) -> None:
        replay = ["--backend", "replay", "--source", str(self.replay)]
        pace = ["--option", f"seconds_per_text={seconds_per_text}"]
        self._start(name, "-m", "inference_worker", "--model", slug, *replay, *pace, BROKER_URL=self.gpu_broker_url)

    def start_engine(self, name: str, slug: str, *, backend: str, source: Path) -> None:
        """Start a worker that really computes."""
        engine = ["--backend", backend, "--source", str(source)]
        self._start(name, "-m", "inference_worker", "--model", slug, *engine, BROKER_URL=self.gpu_broker_url)

    def migrate(self) -> None:
        create_database(self.sockets)
        self._start("migrate", "manage.py", "migrate", "-v0")
        assert self.children["migrate"].process.wait(timeout=60) == 0, self.children["migrate"].last_words(5)

    def kill(self, name: str) -> None:
        """End a process as the kernel would when memory runs out."""
        if name == "broker" and self.node:
            self.node.kill()
            return
        self.children[name].process.send_signal(signal.SIGKILL)
        self.children[name].kill_group()

    def stop(self) -> None:
        for child in self.children.values():
            child.kill_group()
        if self.node:
            self.node.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def words(self) -> str:
        """The ends of all logs, for the message of a test that fails."""
        return "\n".join(f"{name}: {child.last_words(3)}" for name, child in self.children.items())

    def _start(self, name: str, *arguments: str, **over: str) -> None:
        ours = {
            "DJANGO_SETTINGS_MODULE": "webapp.settings",
            "DATA_DIR": str(self.directory),
            "DATABASE_URL": self.database_url,
            "BROKER_URL": self.broker_url,
            "SECRET_KEY": "k" * 50,
            "GENERATION_LEASE_SECONDS": str(self.lease_seconds),
        }
        program: list[str | Path] = [sys.executable, *arguments]
        self.children[name] = Child(
            name, program, env={**os.environ, **ours, **over, "PYTHONPATH": str(ROOT)}, log=self.log(name)
        )


def celery(*arguments: str) -> list[str]:
    return ["-m", "celery", "-A", "webapp.celery", *arguments, "--loglevel", "WARNING"]


def write_answers(path: Path, *, different: int = 97) -> None:
    """Write what the replayed model says: one thought, and many responses of which the seed picks one."""
    thought = {"contains": "### Explanation:", "text": THOUGHT}
    rng = random.Random(1)
    nouns = ["exam", "teacher", "sister", "letter", "train", "garden", "doctor", "phone"]
    responses = [{"text": f"Let us talk about your {rng.choice(nouns)}, number {n}."} for n in range(different)]
    path.write_text("\n".join(json.dumps(line) for line in [thought, *responses]))


@contextmanager
def connected_to(factory: Factory) -> Iterator[None]:
    """Let this process's own queries go to the factory's database."""
    usual = dict(connection.settings_dict)
    connection.close()
    app = Celery("orders", broker=factory.broker_url, set_as_current=True)
    if factory.has_own_database:
        connection.settings_dict |= {"HOST": str(factory.sockets), "NAME": "duologue", "USER": "duologue"}
    try:
        yield
    finally:
        connection.close()
        # In place: the dictionary is shared with every other connection of this process.
        connection.settings_dict.clear()
        connection.settings_dict.update(usual)
        app.close()
        site.set_current()

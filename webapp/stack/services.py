"""The Python processes of the embedded stack, and what each may know."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from annotation.services.registry import DEMO_MODEL
from inference_worker.schema import DEFAULT_QUEUE, RESULTS_QUEUE

# What the model worker may see of the environment: the broker, and nothing that opens the database or signs a cookie.
WORKER_MAY_SEE = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH"}


@dataclass(frozen=True)
class Service:
    """A program that runs until it is stopped. `death_signal` reaches it when the supervisor is killed."""

    name: str
    program: list[str]
    env: dict[str, str]
    death_signal: signal.Signals = signal.SIGKILL


def services(*, data_dir: Path, port: int, database_url: str, broker_url: str) -> list[Service]:
    """Return the processes in the order in which they start."""
    env = django_environment(os.environ, data_dir=data_dir, database_url=database_url, broker_url=broker_url)
    return [
        # SIGTERM, so that granian takes its worker processes along; webapp.stack.web covers the case that it cannot.
        Service("web", web_program(port), {**env, "DATABASE_POOL": "1"}, signal.SIGTERM),
        Service("worker", worker_program(), env),
        Service("beat", celery("beat", "--scheduler", "celery.beat:Scheduler", "--pidfile", ""), env),
        Service("model worker", model_worker_program(), model_worker_environment(os.environ, broker_url)),
    ]


def web_program(port: int) -> list[str]:
    """One granian worker process with a few threads: requests here are short."""
    place = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    size = ["--workers", "1", "--blocking-threads", "8", "--workers-kill-timeout", "2"]
    return [sys.executable, "-m", "granian", *place, *size, "--no-ws", "webapp.stack.web:application"]


def worker_program() -> list[str]:
    """The default worker: threads, because its work waits for the database."""
    queues = f"{DEFAULT_QUEUE},{RESULTS_QUEUE}"
    quiet = ["--without-gossip", "--without-mingle"]
    return celery("worker", "--pool", "threads", "-c", "4", "-Q", queues, "-n", "default@%h", *quiet)


def celery(*arguments: str) -> list[str]:
    """Return a call of celery on the default app."""
    return [sys.executable, "-m", "celery", "-A", "webapp.celery", *arguments, "--loglevel", "INFO"]


def model_worker_program() -> list[str]:
    """The worker of the packaged model."""
    return [sys.executable, "-m", "inference_worker", "--model", DEMO_MODEL]


def django_environment(
    values: Mapping[str, str], *, data_dir: Path, database_url: str, broker_url: str
) -> dict[str, str]:
    """Return the environment of the processes that run Django."""
    ours = {"DATA_DIR": str(data_dir), "DATABASE_URL": database_url, "BROKER_URL": broker_url}
    return {**values, **ours, "PYTHONUNBUFFERED": "1"}


def model_worker_environment(values: Mapping[str, str], broker_url: str) -> dict[str, str]:
    """Return the environment of the model worker: what it needs, by name, and nothing else."""
    allowed = {name: value for name, value in values.items() if name in WORKER_MAY_SEE}
    return {**allowed, "BROKER_URL": broker_url, "PYTHONUNBUFFERED": "1"}

"""The run of an embedded stack, from the first check to the last process."""

import shutil
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import FrameType

from django.core.management import call_command
from django.db import connections

from webapp.env import read_env
from webapp.stack.admin_user import ensure_admin
from webapp.stack.errand import Errand, Options
from webapp.stack.paths import broker_url, database_url, no_room, runtime_dir
from webapp.stack.postgres import create_database, start_postgres
from webapp.stack.preflight import lock_data_dir, prepare_data_dir, prepare_sockets, require_free_port
from webapp.stack.process import Child, wait_until_ready
from webapp.stack.services import Service, services
from webapp.stack.supervisor import Kept, Supervisor
from webapp.stack.valkey import start_valkey

Tell = Callable[[str], None]
LOW_MB = 50


class Interrupted(BaseException):
    """Somebody asked the stack to stop."""


def run(options: Options, *, tell: Tell) -> int:
    """Run the stack until it is asked to stop or its task is done. Returns the exit code."""
    prepare_data_dir(options.data_dir)
    with closing(lock_data_dir(options.data_dir)):
        require_free_port(options.port)
        supervisor = Supervisor(tell)
        listen_for_signals()
        try:
            start(supervisor, options, tell=tell)
            return attend(supervisor, options, tell=tell)
        except Interrupted:
            tell("Stopping …")
            return 0
        finally:
            on_signals(lambda *_: supervisor.kill())
            connections.close_all()
            supervisor.stop()
            forget_sockets(options.data_dir)
            tell("Stopped.")


def on_signals(handler: Callable[[int, FrameType | None], object]) -> None:
    """Handle Ctrl-C, `kill` and a closed terminal in the same way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def listen_for_signals() -> None:
    """Turn the first signal into an exception in the main thread."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    on_signals(interrupt)


def start(supervisor: Supervisor, options: Options, *, tell: Tell) -> None:
    """Start servers, bring the database up to date, start programs, and wait until the pages answer."""
    began = time.monotonic()
    start_servers(supervisor, options.data_dir)
    call_command("migrate", verbosity=0, interactive=False)
    ensure_admin(options.data_dir)
    connections.close_all()
    env = read_env()
    addresses = {
        "database_url": env.text("DATABASE_URL", database_url(options.data_dir)),
        "broker_url": env.text("BROKER_URL", broker_url(options.data_dir)),
    }
    for service in services(data_dir=options.data_dir, port=options.port, **addresses):
        launch = partial(start_service, service, options.data_dir / "logs")
        supervisor.add(Kept(service.name, launch))
    web = next(kept.child for kept in supervisor.kept if kept.name == "web")
    assert web is not None
    wait_until_ready(web, lambda: answers(f"{options.address}/healthz"), seconds=60)
    tell(f"Duologue runs at {options.address} (started in {time.monotonic() - began:.1f} s; Ctrl-C stops it).")


def start_servers(supervisor: Supervisor, data_dir: Path) -> None:
    """Start the embedded PostgreSQL and Valkey, unless the environment names servers that run elsewhere."""
    env, sockets, logs = read_env(), runtime_dir(data_dir), data_dir / "logs"
    prepare_sockets(sockets)
    if not env.text("DATABASE_URL"):
        launch = partial(start_postgres, data_dir / "postgres", sockets=sockets, log=logs / "postgres.log")
        supervisor.add(Kept("PostgreSQL", launch, is_server=True, stop_signal=signal.SIGINT))
        create_database(sockets)
    if not env.text("BROKER_URL"):
        launch = partial(start_valkey, sockets=sockets, log=logs / "valkey.log")
        supervisor.add(Kept("Valkey", launch, is_server=True))


def forget_sockets(data_dir: Path) -> None:
    """Remove the sockets' directory where it lies outside the data directory."""
    sockets = runtime_dir(data_dir)
    if data_dir not in sockets.parents:
        shutil.rmtree(sockets, ignore_errors=True)


def start_service(service: Service, logs: Path) -> Child:
    """Start one of the Python processes with a log of its own."""
    log = logs / f"{service.name.replace(' ', '-')}.log"
    return Child(service.name, service.program, env=service.env, log=log, death_signal=service.death_signal)


def answers(url: str) -> bool:
    """Tell whether a page answers without an error."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def attend(supervisor: Supervisor, options: Options, *, tell: Tell) -> int:
    """Keep the children running while the errand goes on beside them. Returns the exit code."""
    full = FullDiskWarning(options.data_dir, tell)
    errand = Errand(options, tell=tell)
    errand.start()
    try:
        while errand.is_alive() or not options.exit:
            supervisor.look_after()
            full.look()
            time.sleep(0.2)
        return errand.code
    finally:
        errand.stop.set()


class FullDiskWarning:
    """Says once that the disk runs full, before PostgreSQL stops for it."""

    def __init__(self, data_dir: Path, tell: Tell) -> None:
        self.data_dir, self.tell = data_dir, tell
        self.next_look, self.has_warned = 0.0, False

    def look(self) -> None:
        if self.has_warned or time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + 10
        free = shutil.disk_usage(self.data_dir).free // 10**6
        if free < LOW_MB:
            self.has_warned = True
            self.tell(no_room(self.data_dir, free))

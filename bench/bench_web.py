"""What one "save and receive the next comparison" costs: a closed loop over HTTP, no time to think in between.

`make bench-web`, or `python -m bench.bench_web --annotators 1,64,200 --stored 0,100000,1000000 --json out.json`.
The stack is the product's own: its PostgreSQL with fsync on, its web server with every middleware. Every annotator has
a session of their own, came in through the consent page, and sends the form as a browser does. CPU is read from /proc
for the process trees of web server and database; the client is measured apart. `--peer pearmut,potato` runs these tools
from the package registry in the same way afterwards, and prints how often our CPU an operation goes into theirs.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.browser import Answer, Browser, path_of, token
from bench.closed_loop import Ground, Run, measure, tell
from bench.loop_table import OURS, medians, show
from bench.peers import Peer, PeerFailed, install, known
from webapp.stack.binaries import StackError
from webapp.stack.paths import runtime_dir
from webapp.stack.postgres import create_database, start_postgres
from webapp.stack.process import Child, wait_until_ready

PEER_START_SECONDS = 90.0
KEYS = re.compile(r'<input type="radio" name="([^"]+)"')
CONSENT = {"consent_version": "1", "adult": "on", "agree": "on"}


class Annotator:
    """A simulated annotator: comes in through the pages, then answers one comparison after another."""

    def __init__(self, port: int, home: str) -> None:
        self.browser, self.home = Browser("127.0.0.1", port), home
        self.form: dict[str, str] = {}
        self.path = ""

    async def come_in(self) -> None:
        """Consent, read the instructions, and receive the first comparison."""
        landing = await self.browser.get(self.home)
        await self.browser.post(self.home, CONSENT | {"csrfmiddlewaretoken": token(landing.body)})
        instructions = await self.browser.get(f"{self.home}instructions/")
        first = await self.browser.post(f"{self.home}next/", {"csrfmiddlewaretoken": token(instructions.body)})
        self.path = path_of(first.headers["location"])
        page = await self.browser.get(self.path)
        self.form = {"csrfmiddlewaretoken": token(page.body), "active_ms": "4000", "blurs": "0"}
        self.form |= dict.fromkeys(KEYS.findall(page.body), "-1")

    async def close(self) -> None:
        await self.browser.close()

    async def answer(self) -> bool:
        """Save the comparison in hand and receive the next; True when that is what happened."""
        answer: Answer = await self.browser.post(self.path, self.form, htmx=True)
        following = answer.headers.get("hx-push-url", "")
        worked = answer.status == 200 and bool(following) and 'id="rate"' in answer.body
        self.path = path_of(following) if worked else self.path
        return worked


@dataclass
class Stack:
    """The product's database and web server over a directory of their own."""

    data_dir: Path
    port: int
    postgres: Child
    web: Child


@contextmanager
def running_stack(data_dir: Path) -> Iterator[Stack]:
    """Start database and web server as `manage.py up` does; stop them afterwards."""
    from django.conf import settings

    from webapp.stack.services import django_environment, web_program

    port, sockets = free_port(), runtime_dir(data_dir)
    env = django_environment(
        os.environ, data_dir=data_dir, database_url=settings.DATABASE_URL, broker_url=settings.BROKER_URL
    )
    sockets.mkdir(mode=0o700, exist_ok=True)
    postgres = start_postgres(data_dir / "postgres", sockets=sockets, log=data_dir / "postgres.log")
    web = None
    try:
        create_database(sockets)
        web = Child("web", web_program(port), env={**env, "DATABASE_POOL": "1"}, log=data_dir / "web.log")
        wait_until_ready(web, lambda: listens(port), seconds=60)
        yield Stack(data_dir, port, postgres, web)
    finally:
        if web is not None:
            web.stop(patience=3)
        postgres.stop(signal.SIGINT, patience=5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def bench(options: argparse.Namespace) -> list[Run]:
    """Measure every number of annotators over every number of stored judgements, then the peers."""
    runs = []
    for stored in options.stored:
        with tempfile.TemporaryDirectory(prefix="duologue-bench-") as folder, ground(Path(folder)) as stack:
            from bench.stage import Size, make_study

            study = make_study(Size(comparisons=options.comparisons, k=options.k, stored=stored))
            home = f"/s/{study.code}/"
            here = Ground(OURS, (stack.web.process.pid, stack.postgres.process.pid), stored)
            for count in options.annotators:
                for _ in range(options.runs):
                    crowd = [Annotator(stack.port, home) for _ in range(count)]
                    runs.append(tell(asyncio.run(measure(here, crowd, options.seconds))))
    return runs + [run for peer in options.peer for run in bench_peer(peer, options)]


def bench_peer(peer: Peer, options: argparse.Namespace) -> list[Run]:
    """Measure a peer with every number of annotators, each time over a fresh study."""
    programs, runs = install(peer), []
    for count in options.annotators:
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory(prefix=f"{peer.name}-bench-") as folder:
                peer.prepare(Path(folder), count, options.comparisons)
                runs.append(tell(run_peer(peer, programs, Path(folder), count, options.seconds)))
    return runs


def run_peer(peer: Peer, programs: Path, folder: Path, count: int, seconds: float) -> Run:
    """Start the peer's server, measure, stop it. Raises PeerFailed."""
    port = free_port()
    program, environment = peer.program(programs, folder, port), peer.environment(folder)
    server = Child(peer.name, program, env=environment, log=folder / "server.log")
    try:
        wait_until_ready(server, lambda: listens(port), seconds=PEER_START_SECONDS)
        workers = [peer.worker(port, number) for number in range(count)]
        return asyncio.run(measure(Ground(peer.title, (server.process.pid,)), workers, seconds))
    except StackError as problem:
        raise PeerFailed(f"{peer.title} did not start: {problem}") from problem
    finally:
        server.stop(patience=3)


@contextmanager
def ground(data_dir: Path) -> Iterator[Stack]:
    """Point Django at a data directory of its own, start the stack there and bring the database up to date."""
    os.environ.update({"DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "webapp.settings"})
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    from webapp.env import database_from_url
    from webapp.stack.paths import database_url

    django.setup()
    settings.DATABASE_URL = database_url(data_dir)
    connections["default"].settings_dict.update(database_from_url(settings.DATABASE_URL))
    with running_stack(data_dir) as stack:
        call_command("migrate", verbosity=0)
        try:
            yield stack
        finally:
            connections.close_all()


def numbers(text: str) -> list[int]:
    return [int(word.replace("_", "")) for word in text.split(",")]


def peers(text: str) -> list[Peer]:
    """Return the peers of these names. Raises ArgumentTypeError for one that is not known."""
    if unknown := [name for name in text.split(",") if name not in known()]:
        raise argparse.ArgumentTypeError(f"no peer is called {unknown[0]!r}: known are {', '.join(known())}")
    return [known()[name] for name in text.split(",")]


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.bench_web", description=__doc__)
    parser.add_argument("--annotators", type=numbers, default=[1, 64, 200], help="how many at once: 1,64,200")
    parser.add_argument("--stored", type=numbers, default=[0], help="judgements stored before: 0,100000,1000000")
    parser.add_argument("--comparisons", type=int, default=2000)
    parser.add_argument("--k", type=int, default=40, help="judgements a comparison takes; enough not to run out")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one run")
    parser.add_argument("--runs", type=int, default=5, help="of each setting; the medians are printed")
    parser.add_argument(
        "--peer", type=peers, default=[], help=f"tools to run beside us, with commas: {','.join(known())}"
    )
    parser.add_argument("--json", type=Path, help="write runs and medians to this file")
    return parser.parse_args(arguments)


def main() -> None:
    options = read_options()
    try:
        runs = bench(options)
    except PeerFailed as problem:
        raise SystemExit(str(problem)) from None
    table = medians(runs)
    show(table)
    if options.json:
        options.json.write_text(json.dumps({"medians": table, "runs": [asdict(run) for run in runs]}, indent=1))


if __name__ == "__main__":
    main()

"""What one "save and receive the next comparison" costs: a closed loop over HTTP, no time to think in between.

`make bench-web`, or `python -m bench.bench_web --annotators 1,64,200 --stored 0,100000,1000000 --json out.json`.
The stack is the product's own: its PostgreSQL with fsync on, its web server with every middleware. Every annotator has
a session of their own, came in through the consent page, and sends the form as a browser does. CPU is read from /proc
for the process trees of web server and database; the client is measured apart.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.browser import Answer, Browser, path_of, token
from bench.machine import calibrate, look, memory_of_tree
from webapp.stack.paths import runtime_dir
from webapp.stack.postgres import create_database, start_postgres
from webapp.stack.process import Child, wait_until_ready

KEYS = re.compile(r'<input type="radio" name="([^"]+)"')
CONSENT = {"consent_version": "1", "adult": "on", "agree": "on"}


@dataclass(frozen=True)
class Run:
    """One closed loop. Times in milliseconds, memory in megabytes, shares of one core."""

    annotators: int
    stored: int
    operations: int
    errors: int
    per_second: float
    p50: float
    p95: float
    p99: float
    web_cpu: float
    database_cpu: float
    cpu: float
    web_memory: float
    database_memory: float
    stolen: float
    background: float
    calibration: float


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

    async def answer(self) -> bool:
        """Save the comparison in hand and receive the next; True when that is what happened."""
        answer: Answer = await self.browser.post(self.path, self.form, htmx=True)
        following = answer.headers.get("hx-push-url", "")
        worked = answer.status == 200 and bool(following) and 'id="rate"' in answer.body
        self.path = path_of(following) if worked else self.path
        return worked


async def crowd(port: int, home: str, count: int) -> list[Annotator]:
    """Let so many annotators come in, eight at a time."""
    annotators = [Annotator(port, home) for _ in range(count)]
    gate = asyncio.Semaphore(8)

    async def enter(annotator: Annotator) -> None:
        async with gate:
            await annotator.come_in()

    await asyncio.gather(*map(enter, annotators))
    return annotators


async def work(annotators: list[Annotator], seconds: float) -> tuple[list[float], int]:
    """Let all answer until the time is over; returns the milliseconds of each operation and the number of errors."""
    until, times, errors = time.monotonic() + seconds, list[float](), 0

    async def go_on(annotator: Annotator) -> None:
        nonlocal errors
        while (started := time.monotonic()) < until:
            worked = await annotator.answer()
            times.append((time.monotonic() - started) * 1000)
            errors += not worked

    await asyncio.gather(*map(go_on, annotators))
    return times, errors


async def measure(stack: "Stack", home: str, count: int, stored: int, seconds: float) -> Run:
    """Let a fresh crowd in, warm up for a second, then measure."""
    annotators = await crowd(stack.port, home, count)
    await work(annotators, 1.0)
    calibration = calibrate()
    roots = [stack.web.process.pid, stack.postgres.process.pid]
    before = look(roots)
    times, errors = await work(annotators, seconds)
    after = look(roots)
    memory = [memory_of_tree(root) for root in roots]
    for annotator in annotators:
        await annotator.browser.close()
    wall = after.wall - before.wall
    web, database = (b - a for a, b in zip(before.trees, after.trees, strict=True))
    ours = web + database + after.bench - before.bench
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
    return Run(
        annotators=count,
        stored=stored,
        operations=len(times),
        errors=errors,
        per_second=len(times) / wall,
        p50=cuts[49],
        p95=cuts[94],
        p99=cuts[98],
        web_cpu=web / len(times) * 1000,
        database_cpu=database / len(times) * 1000,
        cpu=(web + database) / len(times) * 1000,
        web_memory=memory[0],
        database_memory=memory[1],
        stolen=(after.stolen - before.stolen) / wall,
        background=(after.busy - before.busy - ours) / wall,
        calibration=calibration,
    )


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
    """Measure every number of annotators over every number of stored judgements."""
    runs = []
    for stored in options.stored:
        with tempfile.TemporaryDirectory(prefix="duologue-bench-") as folder, ground(Path(folder)) as stack:
            from bench.stage import Size, make_study

            study = make_study(Size(comparisons=options.comparisons, k=options.k, stored=stored))
            home = f"/s/{study.code}/"
            for count in options.annotators:
                for _ in range(options.runs):
                    runs.append(asyncio.run(measure(stack, home, count, stored, options.seconds)))
                    tell(runs[-1])
    return runs


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


def tell(run: Run) -> None:
    print(
        f"  {run.annotators:>4} annotators, {run.stored:>9,} stored: {run.per_second:6.0f} ops/s, "
        f"CPU {run.cpu:5.2f} ms/op, p99 {run.p99:6.1f} ms, errors {run.errors}, "
        f"background {run.background:4.2f} cores, steal {run.stolen:4.2f}, calibration {run.calibration:5.1f} ms",
        file=sys.stderr,
    )


def medians(runs: list[Run]) -> list[dict[str, float]]:
    """Return the median of every figure over the runs of one setting, the runs' number and the sum of errors."""
    settings = dict.fromkeys((run.stored, run.annotators) for run in runs)
    table = []
    for stored, annotators in settings:
        rows = [asdict(run) for run in runs if (run.stored, run.annotators) == (stored, annotators)]
        middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        table.append(middle | {"errors": sum(row["errors"] for row in rows), "runs": len(rows)})
    return table


COLUMNS = [
    ("stored", "stored", ",.0f"),
    ("annotators", "annotators", ".0f"),
    ("per_second", "ops/s", ".0f"),
    ("p50", "p50 ms", ".1f"),
    ("p95", "p95 ms", ".1f"),
    ("p99", "p99 ms", ".1f"),
    ("cpu", "CPU ms/op", ".2f"),
    ("web_cpu", "web", ".2f"),
    ("database_cpu", "database", ".2f"),
    ("web_memory", "web MB", ".0f"),
    ("database_memory", "database MB", ".0f"),
    ("errors", "errors", ".0f"),
    ("background", "background", ".2f"),
    ("stolen", "steal", ".2f"),
    ("calibration", "calibration ms", ".1f"),
]


def show(table: list[dict[str, float]]) -> None:
    """Print the medians as a table."""
    rows = [[title for _, title, _ in COLUMNS]]
    rows += [[format(line[name], style) for name, _, style in COLUMNS] for line in table]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def numbers(text: str) -> list[int]:
    return [int(word.replace("_", "")) for word in text.split(",")]


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.bench_web", description=__doc__)
    parser.add_argument("--annotators", type=numbers, default=[1, 64, 200], help="how many at once: 1,64,200")
    parser.add_argument("--stored", type=numbers, default=[0], help="judgements stored before: 0,100000,1000000")
    parser.add_argument("--comparisons", type=int, default=2000)
    parser.add_argument("--k", type=int, default=40, help="judgements a comparison takes; enough not to run out")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one run")
    parser.add_argument("--runs", type=int, default=5, help="of each setting; the medians are printed")
    parser.add_argument("--json", type=Path, help="write runs and medians to this file")
    return parser.parse_args(arguments)


def main() -> None:
    options = read_options()
    runs = bench(options)
    table = medians(runs)
    show(table)
    if options.json:
        options.json.write_text(json.dumps({"medians": table, "runs": [asdict(run) for run in runs]}, indent=1))


if __name__ == "__main__":
    main()

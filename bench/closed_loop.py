"""A closed loop: everybody saves and receives the next comparison without a pause, and what that costs is read off."""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.machine import calibrate, look, memory_of_tree

WARM_UP_SECONDS = 1.0


class Worker(Protocol):
    """Somebody who annotates; `answer` is one operation, and says whether it came to a next comparison."""

    async def come_in(self) -> None: ...

    async def answer(self) -> bool: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Run:
    """One closed loop. Times in milliseconds, memory in megabytes, shares of one core."""

    system: str
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


@dataclass(frozen=True)
class Ground:
    """Where a crowd works: whose pages, the processes of web server and database, and what was stored before."""

    system: str
    roots: tuple[int, ...]
    stored: int = 0


async def enter(workers: Sequence[Worker]) -> None:
    """Let all come in, eight at a time."""
    gate = asyncio.Semaphore(8)

    async def come_in(worker: Worker) -> None:
        async with gate:
            await worker.come_in()

    await asyncio.gather(*map(come_in, workers))


async def work(workers: Sequence[Worker], seconds: float) -> tuple[list[float], int]:
    """Let all answer until the time is over; returns the milliseconds of each operation and the number of errors."""
    until, times, errors = time.monotonic() + seconds, list[float](), 0

    async def go_on(worker: Worker) -> None:
        nonlocal errors
        while (started := time.monotonic()) < until:
            worked = await worker.answer()
            times.append((time.monotonic() - started) * 1000)
            errors += not worked

    await asyncio.gather(*map(go_on, workers))
    return times, errors


async def measure(ground: Ground, workers: Sequence[Worker], seconds: float) -> Run:
    """Let the crowd in, warm up, then measure."""
    await enter(workers)
    await work(workers, WARM_UP_SECONDS)
    calibration = calibrate()
    before = look(ground.roots)
    times, errors = await work(workers, seconds)
    after = look(ground.roots)
    memory = [*map(memory_of_tree, ground.roots), 0.0]
    for worker in workers:
        await worker.close()
    wall = after.wall - before.wall
    trees = [b - a for a, b in zip(before.trees, after.trees, strict=True)]
    web, database = [*trees, 0.0][:2]
    ours = sum(trees) + after.bench - before.bench
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
    return Run(
        system=ground.system,
        annotators=len(workers),
        stored=ground.stored,
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


def tell(run: Run) -> Run:
    """Print a line about a run, and return it."""
    print(
        f"  {run.system}: {run.annotators:>4} annotators, {run.stored:>9,} stored: {run.per_second:6.0f} ops/s, "
        f"CPU {run.cpu:5.2f} ms/op, p99 {run.p99:6.1f} ms, errors {run.errors}, "
        f"background {run.background:4.2f} cores, steal {run.stolen:4.2f}, calibration {run.calibration:5.1f} ms",
        file=sys.stderr,
    )
    return run

"""Follow a generation run in the terminal: a bar for every stage and model, or a line now and then in a log file."""

import time
from collections.abc import Iterator

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

from annotation.models import GenerationRun
from annotation.services.generation import Progress, StageProgress, progress
from annotation.states import RunState

LOOK_SECONDS = 0.5
LINE_SECONDS = 10


def watch(run: GenerationRun, *, console: Console) -> Progress:
    """Show the run until it ends, is paused or is cancelled; return how far it is then. Safe to interrupt."""
    if not console.is_terminal:
        return _write_lines(run, console)
    with Bars(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}")) as bars:
        tasks: dict[str, int] = {}
        for now in _looks(run):
            for stage in now.stages:
                name = f"{stage.stage.capitalize()}: {stage.model}"
                task = tasks.setdefault(name, 0) or tasks.setdefault(name, bars.add_task(name, note=""))
                bars.update(task, total=stage.total, completed=stage.total - stage.waiting, note=describe(stage))
    return now


def describe(stage: StageProgress) -> str:
    """Say in a few words how a stage is doing."""
    failed = f"{stage.failed} failed" if stage.failed else ""
    if not stage.waiting:
        return failed
    if not stage.workers:
        return ", ".join(filter(None, ["waits for a worker", failed]))
    speed = f"{stage.tokens_per_second:.0f} tokens/s" if stage.tokens_per_second else "starting"
    left = f"about {_duration(stage.seconds_left)} left" if stage.seconds_left is not None else ""
    return ", ".join(filter(None, [speed, left, failed]))


def summarise(now: Progress) -> str:
    """Say in a sentence how a run ended, or stands."""
    words = [f"{now.done} of {now.total} texts written"]
    if now.reused:
        words.append(f"{now.reused} responses were there already")
    if now.failed:
        words.append(f"{now.failed} failed")
    if now.waiting:
        words.append(f"{now.waiting} still wait")
    return ", ".join(words) + "."

"""How far a run is, in words: the same in the terminal and in the admin."""

from annotation.services.generation.progress import Progress, StageProgress
from annotation.states import RunState


def describe(stage: StageProgress) -> str:
    """Say in a few words how a stage is doing."""
    words = [f"{stage.failed} failed"] if stage.failed else []
    if stage.waiting and not stage.workers:
        words.append("waits for a worker")
    elif stage.waiting:
        words.append(f"{stage.tokens_per_second:.0f} tokens/s" if stage.tokens_per_second else "starting")
        if stage.seconds_left is not None:
            words.append(f"about {duration(stage.seconds_left)} left")
    return ", ".join(words)


def in_all(now: Progress) -> str:
    """Say where the whole run stands: done, failed and waiting, how fast, how long still."""
    words = [f"{now.done} of {now.total} texts written, {now.failed} failed, {now.waiting} waiting"]
    if now.state == RunState.RUNNING and now.tokens_per_second:
        words.append(f"{now.tokens_per_second:.0f} tokens/s")
        if now.seconds_left is not None:
            words.append(f"about {duration(now.seconds_left)} left")
    return ", ".join(words) + "."


def summarise(now: Progress) -> str:
    """Say in a sentence how a run ended, or stands."""
    words = [f"{now.done} of {now.total} texts written"]
    if now.reused:
        words.append(f"{now.reused} responses were there already")
    if now.failed:
        words.append(f"{now.failed} failed")
    if now.waiting:
        words.append(f"{now.waiting} still wait")
    sentence = f"Run {now.run}: {', '.join(words)}."
    return f"{sentence}\n{cost_of_thinking(now)}" if now.thinks else sentence


def cost_of_thinking(now: Progress) -> str:
    """Say in a sentence which part of the run's time and tokens the think stage took."""
    cost = now.cost_of_thinking
    if cost.seconds is None or cost.prompt_tokens is None or cost.completion_tokens is None:
        return "What thinking costs is not known yet."
    return (
        f"Thinking took {cost.seconds:.0%} of the engines' time, {cost.completion_tokens:.0%} of the tokens written "
        f"and {cost.prompt_tokens:.0%} of those read."
    )


def duration(seconds: float) -> str:
    """Return hours and minutes, minutes, or seconds: what helps to plan the next hour."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"

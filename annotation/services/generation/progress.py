"""How far a run is: read from its tallies, so it costs the same for a hundred units and a hundred thousand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from annotation.models import GenerationRun, RunCount, RunTally, Stage, Worker
from annotation.services.generation.workers import live_workers
from annotation.states import RunState


@dataclass(frozen=True)
class StageProgress:
    """One stage of a run on one model.

    `engine_seconds` are of all workers together; `seconds_left` is None where nobody serves the model or nothing is
    known yet.
    """

    stage: str
    model: str
    total: int
    done: int
    failed: int
    cancelled: int
    lost: int
    workers: int
    tokens_per_second: float
    prompt_tokens: int
    completion_tokens: int
    engine_seconds: float
    seconds_left: float | None

    @property
    def waiting(self) -> int:
        """Units that have not ended."""
        return self.total - self.done - self.failed - self.cancelled


@dataclass(frozen=True)
class Cost:
    """What thinking takes of a run, as shares from 0 to 1; None where the run has spent nothing of that kind yet.

    Seconds are those of the engines at work, all workers together; tokens are read ones and written ones.
    """

    seconds: float | None
    prompt_tokens: float | None
    completion_tokens: float | None


@dataclass(frozen=True)
class Progress:
    """A whole run. `reused` counts responses that were there before it.

    `outcomes` counts what became of its skills-of-mind, `flags` what the checks found in its responses.
    """

    run: int
    state: RunState
    reused: int
    stages: tuple[StageProgress, ...]
    outcomes: dict[str, int]
    flags: dict[str, int]

    @property
    def outcome_shares(self) -> list[tuple[str, int, float]]:
        """Each outcome of the skills-of-mind with its number and its share, most frequent first."""
        return _shares(self.outcomes, sum(self.outcomes.values()))

    @property
    def flag_shares(self) -> list[tuple[str, int, float]]:
        """Each flag with the number and the share of the run's responses that have it; a response may have several."""
        return _shares(self.flags, sum(stage.done for stage in self.stages if stage.stage == Stage.RESPOND))

    @property
    def thinks(self) -> bool:
        """Whether any of its agents is guided by a skill-of-mind that this run writes."""
        return any(stage.stage == Stage.THINK for stage in self.stages)

    @property
    def cost_of_thinking(self) -> Cost:
        """The share of the think stage in what the run has spent so far."""
        return Cost(
            seconds=self._share_of_thinking(lambda stage: stage.engine_seconds),
            prompt_tokens=self._share_of_thinking(lambda stage: stage.prompt_tokens),
            completion_tokens=self._share_of_thinking(lambda stage: stage.completion_tokens),
        )

    def _share_of_thinking(self, spent: Callable[[StageProgress], float]) -> float | None:
        whole = sum(map(spent, self.stages))
        return sum(spent(stage) for stage in self.stages if stage.stage == Stage.THINK) / whole if whole else None

    @property
    def total(self) -> int:
        return sum(stage.total for stage in self.stages)

    @property
    def done(self) -> int:
        return sum(stage.done for stage in self.stages)

    @property
    def failed(self) -> int:
        return sum(stage.failed for stage in self.stages)

    @property
    def waiting(self) -> int:
        return sum(stage.waiting for stage in self.stages)

    @property
    def tokens_per_second(self) -> float:
        """Of all live workers on the models that still have units."""
        speeds = {stage.model: stage.tokens_per_second for stage in self.stages if stage.waiting}
        return sum(speeds.values())

    @property
    def seconds_left(self) -> float | None:
        """Models work side by side, so the slowest decides; stages on one model wait for each other."""
        by_model: dict[str, float] = {}
        for stage in self.stages:
            if stage.waiting and stage.seconds_left is None:
                return None
            by_model[stage.model] = by_model.get(stage.model, 0) + (stage.seconds_left or 0)
        return max(by_model.values(), default=0.0)


def progress(run: GenerationRun, *, now: datetime) -> Progress:
    """Return how far a run is now."""
    run.refresh_from_db()
    live = live_workers(now=now)
    counts: dict[str, dict[str, int]] = {RunCount.Subject.OUTCOME: {}, RunCount.Subject.FLAG: {}}
    for each in run.counts.all():
        counts[each.subject][each.value] = each.count
    return Progress(
        run=run.pk,
        state=RunState(run.state),
        reused=run.reused,
        stages=tuple(_stage(tally, live) for tally in run.tallies.select_related("model")),
        outcomes=counts[RunCount.Subject.OUTCOME],
        flags=counts[RunCount.Subject.FLAG],
    )


def _shares(counts: dict[str, int], whole: int) -> list[tuple[str, int, float]]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(value, count, count / whole if whole else 0.0) for value, count in ordered]


def _stage(tally: RunTally, live: list[Worker]) -> StageProgress:
    workers = [worker for worker in live if worker.model_id == tally.model_id]
    speed = sum(worker.tokens_per_second for worker in workers)
    left = tally.total - tally.done - tally.failed - tally.cancelled
    seconds = left * tally.completion_tokens / tally.done / speed if tally.done and speed else None
    return StageProgress(
        stage=tally.stage,
        model=tally.model.name,
        total=tally.total,
        done=tally.done,
        failed=tally.failed,
        cancelled=tally.cancelled,
        lost=tally.lost,
        workers=len(workers),
        tokens_per_second=speed,
        prompt_tokens=tally.prompt_tokens,
        completion_tokens=tally.completion_tokens,
        engine_seconds=tally.engine_microseconds / 1e6,
        seconds_left=seconds if left else 0.0,
    )

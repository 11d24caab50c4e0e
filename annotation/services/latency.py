"""How long a person would wait in a live chat: one turn at a time, with and without the think stage."""

import json
import math
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from annotation.errors import DuologueError
from annotation.models import Agent, Backend, Dialogue, LanguageModel
from annotation.services.generation.recipes import (
    AgentPlan,
    ThinkPlan,
    guidance_of,
    lacking_part,
    model_spec,
    plan_agent,
    text_seed,
)
from inference_worker.schema import Batch, Item, Recipe, Record, Records, Turn, from_json, to_json

# What an engine has no business to see.
SECRETS = {"DATABASE_URL", "SECRET_KEY", "BROKER_URL"}


class CannotMeasure(DuologueError):
    """An engine did not start, or an agent cannot be asked here."""


@dataclass(frozen=True)
class Turnaround:
    """Seconds until a person sees the first and the last token of one response; the first may be unknown."""

    first: float | None
    last: float


@dataclass(frozen=True)
class Wait:
    """A distribution of seconds: its median and its 95th percentile. None where nothing was told."""

    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float | None]) -> "Wait | None":
        known = [each for each in seconds if each is not None]
        if not known or len(known) < len(seconds):
            return None
        return cls(statistics.median(known), percentile(known, 0.95))


@dataclass(frozen=True)
class Latency:
    """One agent, thinking first or answering alone. `failed` turns had no response and are not in the figures."""

    agent: str
    thinks: bool
    turns: int
    failed: int
    first: Wait | None
    last: Wait | None


@dataclass
class _Found:
    turns: list[Turnaround] = field(default_factory=list)
    failed: int = 0

    def add(self, turn: Turnaround | None) -> None:
        if turn is None:
            self.failed += 1
        else:
            self.turns.append(turn)

    def latency(self, agent: Agent, *, thinks: bool) -> Latency:
        first = Wait.of([turn.first for turn in self.turns])
        last = Wait.of([turn.last for turn in self.turns])
        return Latency(str(agent), thinks, len(self.turns), self.failed, first, last)


def measure(agents: Iterable[Agent], dialogues: Sequence[Dialogue], *, python: str) -> Iterator[Latency]:
    """Yield what was measured for each agent: without thinking, and with it where the agent thinks.

    Engines run in processes of this machine, started with `python`; the first turn of each warms them up and is not
    counted. Raises CannotMeasure.
    """
    for agent in agents:
        plan = plan_agent(agent)
        models = {model.pk: model for model in (plan.model, plan.think.model if plan.think else None) if model}
        with ExitStack() as stack:
            engines = {pk: stack.enter_context(running_engine(model, python=python)) for pk, model in models.items()}
            yield from _measure_agent(plan, dialogues, engines)


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile by linear interpolation between the two values beside it (type 7 of Hyndman & Fan 1996)."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _measure_agent(plan: AgentPlan, dialogues: Sequence[Dialogue], engines: dict[int, "Engine"]) -> Iterator[Latency]:
    alone, guided = _Found(), _Found()
    without = plan_agent(_unguided(plan.agent)) if plan.think else plan
    for number, dialogue in enumerate([dialogues[0], *dialogues]):
        found = _respond(without, dialogue, engines)
        thought_first = _think_and_respond(plan, dialogue, engines) if plan.think else None
        if number:
            alone.add(found)
            guided.add(thought_first)
    yield alone.latency(plan.agent, thinks=False)
    if plan.think:
        yield guided.latency(plan.agent, thinks=True)


def _unguided(agent: Agent) -> Agent:
    """Return the same agent without its augmenter; it is not stored."""
    kept = [each.attname for each in Agent._meta.concrete_fields if each.name != "augmenter"]
    return Agent(**{name: getattr(agent, name) for name in kept})


def _respond(plan: AgentPlan, dialogue: Dialogue, engines: dict[int, "Engine"], **guidance: str) -> Turnaround | None:
    record = engines[plan.model.pk].ask(plan.recipe, _item(plan.agent.seed, dialogue, **guidance))
    return _turnaround(record)


def _think_and_respond(plan: AgentPlan, dialogue: Dialogue, engines: dict[int, "Engine"]) -> Turnaround | None:
    assert plan.think is not None
    thought = _think(plan.think, dialogue, engines)
    if thought is None:
        return None
    seconds, explanation, skill = thought
    response = _respond(plan, dialogue, engines, explanation=explanation, skill=skill)
    if response is None:
        return None
    first = None if response.first is None else seconds + response.first
    return Turnaround(first, seconds + response.last)


def _think(plan: ThinkPlan, dialogue: Dialogue, engines: dict[int, "Engine"]) -> tuple[float, str, str] | None:
    """Return the seconds of the thought with what the responder is given; None where it lacks what that needs."""
    guidance = guidance_of(plan.augmenter)
    if plan.model is None or plan.recipe is None:
        return 0.0, "", plan.augmenter.fixed_skill or "Empathy"
    record = engines[plan.model.pk].ask(plan.recipe, _item(plan.augmenter.seed, dialogue))
    if record.provenance is None or record.thought is None:
        return None
    thought = record.thought
    if lacking_part(guidance, explanation=thought.explanation, skill=thought.skill):
        return None
    return record.provenance.milliseconds / 1000, thought.explanation, thought.skill


def _turnaround(record: Record) -> Turnaround | None:
    if record.provenance is None:
        return None
    first = record.provenance.first_token_milliseconds
    return Turnaround(first / 1000 if first else None, record.provenance.milliseconds / 1000)


def _item(seed: int, dialogue: Dialogue, *, explanation: str = "", skill: str = "") -> Item:
    return Item(
        unit=dialogue.pk,
        token="",
        recipe="r",
        seed=text_seed(seed, dialogue.external_id, 0, 0),
        social_context=dialogue.social_context,
        turns=tuple(Turn(turn["speaker"], turn["text"]) for turn in dialogue.turns),
        next_speaker=dialogue.next_speaker,
        explanation=explanation,
        skill=skill,
    )


class Engine:
    """A model in a process of its own, asked for one text at a time (inference_worker.one_by_one)."""

    def __init__(self, model: LanguageModel, process: subprocess.Popen[str]) -> None:
        # An endpoint tells when its first token came only where it streams.
        streams = {"stream": True} if model.backend == Backend.OPENAI else {}
        spec = model_spec(model)
        self._spec = replace(spec, options={**spec.options, **streams})
        self._process = process

    def start(self) -> str:
        """Load the model; returns "" or why it could not be."""
        self._write(to_json(self._spec))
        return "" if self._read() else "did not start"

    def ask(self, recipe: Recipe, item: Item) -> Record:
        """Return the record of one text. Raises CannotMeasure where the engine has ended."""
        self._write(to_json(Batch("one", self._spec, {"r": recipe}, (item,))))
        line = self._read()
        if not line:
            raise CannotMeasure(f"The engine of {self._spec.slug} ended in the middle.")
        return from_json(Records, json.loads(line)).records[0]

    def _write(self, message: dict[str, Any]) -> None:
        stream = _there(self._process.stdin)
        try:
            stream.write(json.dumps(message) + "\n")
            stream.flush()
        except BrokenPipeError:
            return

    def _read(self) -> str:
        return _there(self._process.stdout).readline()


@contextmanager
def running_engine(model: LanguageModel, *, python: str) -> Iterator[Engine]:
    """Load a model in a process of its own. Raises CannotMeasure with what the engine says."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    with tempfile.TemporaryFile("w+") as words:
        process = subprocess.Popen(  # noqa: S603
            [python, "-m", "inference_worker.one_by_one"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            env=environment,
            cwd=Path(__file__).resolve().parents[2],
        )
        try:
            engine = Engine(model, process)
            if engine.start():
                words.seek(0)
                said = words.read().strip().splitlines() or ["It said nothing."]
                raise CannotMeasure(f"{model.name} cannot be asked here: {said[-1]}")
            yield engine
        finally:
            process.kill()
            process.communicate()


def _there(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream

"""Run one batch on a backend: render, generate, isolate what breaks, parse, and tell where each text came from."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inference_worker.backends import Answer, Backend, Completion, Failure, Request
from inference_worker.prompts import render
from inference_worker.schema import (
    READ_RATIONALE,
    THINK,
    Batch,
    Item,
    ModelSpec,
    Provenance,
    Recipe,
    Record,
    Sampling,
    Thought,
)
from inference_worker.skills import parse_rationale, parse_skill_of_mind

log = logging.getLogger(__name__)

# Options that make other weights of the same source.
WEIGHT_OPTIONS = ("lora", "quantization")


@dataclass(frozen=True)
class Job:
    """An item that is ready for the engine."""

    item: Item
    recipe: Recipe
    request: Request


@dataclass(frozen=True)
class Times:
    """Of one text, in milliseconds: since the batch began, and since the text before it ended."""

    whole: int
    engine: float


class Watch:
    """Times the texts of a batch as they end; what happens to a text outside the engine is not counted."""

    def __init__(self, started: float) -> None:
        self._started = self._resumed = started

    def ended(self) -> Times:
        """Note that a text has ended."""
        now = time.monotonic()
        return Times(round((now - self._started) * 1000), round((now - self._resumed) * 1000, 3))

    def go_on(self) -> None:
        """Note that the engine is waited for again."""
        self._resumed = time.monotonic()


def run_batch(batch: Batch, backend: Backend, served: ModelSpec, stop: threading.Event) -> Iterator[Record]:
    """Yield one record an item, as they end; after `stop` the rest is handed back."""
    started = time.monotonic()
    if refusal := refuse(batch.model, served):
        yield from (_failed(item, Failure(refusal)) for item in batch.items)
        return
    jobs = []
    for item in batch.items:
        try:
            jobs.append(_job(item, batch))
        except ValueError as problem:
            yield _failed(item, Failure(str(problem)))
    answered = set()
    watch = Watch(started)
    for index, answer in generate_isolated(backend, [job.request for job in jobs], stop):
        answered.add(index)
        yield _record(jobs[index], answer, served, backend, watch.ended())
        watch.go_on()
    yield from (_handed_back(job.item) for index, job in enumerate(jobs) if index not in answered)


def refuse(asked: ModelSpec, served: ModelSpec) -> str:
    """Return why a batch is not for this worker, "" if it is."""
    wanted, here = _identity(asked), _identity(served)
    for name in wanted:
        if wanted[name] != here[name]:
            return (
                f"The batch asks for a model with {name} {wanted[name] or 'unset'}, and this worker was started with "
                f"{here[name] or 'unset'}: start a worker for the model as it stands in the registry."
            )
    return ""


def _identity(spec: ModelSpec) -> dict[str, Any]:
    """Return what makes a model another one. How fast it runs, and with how much memory, is the worker's own."""
    named = {name: getattr(spec, name) for name in ("slug", "backend", "source", "revision")}
    return named | {name: spec.options.get(name) for name in WEIGHT_OPTIONS}


def generate_isolated(
    backend: Backend, requests: Sequence[Request], stop: threading.Event
) -> Iterator[tuple[int, Answer]]:
    """Yield answers; where the engine breaks on a batch, halve what is open until what breaks it stands alone."""
    spans = [list(range(len(requests)))]
    while spans and not stop.is_set():
        span = spans.pop()
        open_ones = set(span)
        try:
            for place, answer in backend.generate([requests[index] for index in span], stop):
                open_ones.discard(span[place])
                yield span[place], answer
        except Exception as problem:
            log.warning("The engine broke on %d texts: %s", len(open_ones), problem)
            rest = sorted(open_ones)
            if len(rest) == 1:
                yield rest[0], Failure(f"The engine broke on this text: {problem}", can_retry=True)
            else:
                spans += [half for half in (rest[len(rest) // 2 :], rest[: len(rest) // 2]) if half]


def _job(item: Item, batch: Batch) -> Job:
    recipe = batch.recipes.get(item.recipe)
    if recipe is None:
        raise ValueError(f"The batch has no recipe {item.recipe!r}.")
    return Job(item, recipe, _request(item, recipe, batch.model.options))


def _request(item: Item, recipe: Recipe, options: dict[str, Any]) -> Request:
    start = str(options.get(f"{recipe.stage}_start", ""))
    return Request(
        prompt=render(recipe, item, start=start),
        sampling=effective_sampling(recipe.sampling, options),
        seed=item.seed,
        skills=recipe.skills if recipe.skill_grammar else (),
    )


def effective_sampling(sampling: Sampling, options: dict[str, Any]) -> Sampling:
    """Return the sampling with the model's own repetition penalty, where the recipe leaves it at none."""
    penalty = float(options.get("repetition_penalty", 1.0))
    return sampling if sampling.repetition_penalty != 1.0 else replace(sampling, repetition_penalty=penalty)


def _record(job: Job, answer: Answer, served: ModelSpec, backend: Backend, times: Times) -> Record:
    if isinstance(answer, Failure):
        return _failed(job.item, answer)
    is_thought = job.recipe.stage == THINK
    # A thought's forced beginning is a part of it; a responder's is the speaker label that people do not see.
    text = job.request.prompt.start + answer.text if is_thought else answer.text
    thought = _thought(job.recipe, text, answer.finish_reason) if is_thought else None
    provenance = _provenance(job, answer, served, backend, times)
    return Record(job.item.unit, job.item.token, text=text, thought=thought, provenance=provenance)


def _thought(recipe: Recipe, text: str, finish_reason: str) -> Thought:
    parse = parse_rationale if recipe.reads == READ_RATIONALE else parse_skill_of_mind
    return parse(text, finish_reason=finish_reason)


def _provenance(job: Job, answer: Completion, served: ModelSpec, backend: Backend, times: Times) -> Provenance:
    engine, request = backend.engine, job.request
    return Provenance(
        model=served.source,
        revision=engine.revision,
        engine=engine.name,
        engine_version=engine.version,
        prompt_sha256=request.prompt.sha256(),
        sampling=request.sampling,
        seed=request.seed,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        milliseconds=times.whole,
        finish_reason=answer.finish_reason,
        reproducible=engine.is_reproducible,
        device=engine.device,
        first_token_milliseconds=answer.first_token_ms,
        engine_milliseconds=times.engine if answer.engine_ms is None else answer.engine_ms,
    )


def _failed(item: Item, failure: Failure) -> Record:
    return Record(item.unit, item.token, error=failure.reason, can_retry=failure.can_retry)


def _handed_back(item: Item) -> Record:
    reason = "The worker was stopped before this text was written."
    return Record(item.unit, item.token, error=reason, can_retry=True, handed_back=True)

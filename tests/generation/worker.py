"""A model worker played in the test's own process: it answers batches as the real one would, or as a bad one."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from celery import Celery

from annotation.models import GenerationUnit, LanguageModel
from annotation.services import generation
from inference_worker.schema import (
    THINK,
    Alive,
    Batch,
    Item,
    Provenance,
    Record,
    Records,
    Thought,
    from_json,
    model_queue,
)


@dataclass
class Crew:
    """The default worker and one model worker of a model."""

    model: LanguageModel
    broker: Celery
    on_commit: Callable[..., AbstractContextManager[Any]]

    def dispatch(self, *, now: datetime) -> list[Batch]:
        """Send what is queued, and take the new batches off the queue."""
        with self.on_commit(execute=True):
            generation.dispatch(self.model.pk, now=now)
        return self.take_batches()

    def sent_at(self) -> datetime:
        """When the last batch went out."""
        return GenerationUnit.objects.exclude(sent_at=None).latest("sent_at").sent_at

    def take_batches(self) -> list[Batch]:
        found = []
        name = model_queue(self.model.slug)
        with self.broker.connection_for_read() as connection, closing(connection.SimpleQueue(name)) as queue:
            while len(queue):
                message = queue.get(block=False)
                message.ack()
                found.append(from_json(Batch, message.payload[0][0]))
        return found

    def announce(self, *, now: datetime, worker: str = "w1", **over: Any) -> int | None:
        """Say that a worker serves this model, and what it holds."""
        word = Alive(
            worker=worker,
            model=self.model.slug,
            revision="r1",
            engine="test",
            engine_version="1",
            device="cpu",
            memory_bytes=1,
            tokens_per_second=10.0,
        )
        return generation.alive(replace(word, **over), now=now)

    def work_off(self, *, now: datetime, **over: Any) -> int:
        """Answer everything there is, until nothing is sent any more. Returns how many texts that were."""
        self.announce(now=now)
        count = 0
        while batches := self.dispatch(now=now):
            for batch in batches:
                generation.record(answer(batch, **over), now=now)
                count += len(batch.items)
        return count


def holds(batch: Batch) -> dict[str, list[str]]:
    return {batch.id: sorted({item.token for item in batch.items})}


def answer(batch: Batch, **over: Any) -> Records:
    """Answer every item of a batch."""
    return Records(batch.id, "w1", tuple(answer_item(batch, item, **over) for item in batch.items))


def answer_item(batch: Batch, item: Item, **over: Any) -> Record:
    thinks = batch.recipes[item.recipe].stage == THINK
    fields: dict[str, Any] = {
        "unit": item.unit,
        "token": item.token,
        "text": "She is sad. [RESULT SKILL] Empathy" if thinks else f"I am here for you, {item.seed}.",
        "thought": Thought("ok", "She is sad.", "Empathy") if thinks else None,
        "provenance": provenance(batch, item),
    }
    return Record(**(fields | over))


def provenance(batch: Batch, item: Item, **over: Any) -> Provenance:
    fields: dict[str, Any] = {
        "model": batch.model.source,
        "revision": "r1",
        "engine": "test",
        "engine_version": "1",
        "prompt_sha256": "0" * 64,
        "sampling": batch.recipes[item.recipe].sampling,
        "seed": item.seed,
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "milliseconds": 5,
        "engine_milliseconds": 2.0,
        "finish_reason": "stop",
    }
    return Provenance(**(fields | over))


def forged_token() -> str:
    return str(uuid.uuid4())

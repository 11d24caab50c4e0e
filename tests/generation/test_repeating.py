"""A run that is made again from what was recorded: the embedded engine through the queue, twice."""

import threading
from dataclasses import dataclass
from datetime import datetime

import pytest

from annotation.models import Agent, Dialogue, GenerationRun, GenerationUnit, Response, SkillOfMind
from annotation.services import generation
from annotation.services.generation.recipes import model_spec
from annotation.services.registry import DEMO_TREATMENT
from inference_worker.backends import Request, load_backend
from inference_worker.prompts import Prompt
from inference_worker.schema import Alive, ModelSpec, Records, Sampling
from inference_worker.worker import Worker

pytestmark = [pytest.mark.django_db, pytest.mark.model, pytest.mark.long]


@dataclass
class Post:
    """Brings a worker's messages to the default worker's services."""

    now: datetime

    def record(self, records: Records) -> None:
        generation.record(records, now=self.now)

    def alive(self, alive: Alive) -> None:
        generation.alive(alive, now=self.now)


def spec_with(crew, **options) -> ModelSpec:
    spec = model_spec(crew.model)
    return ModelSpec(spec.slug, spec.backend, spec.source, spec.revision, {**spec.options, "n_ctx": 1024, **options})


def write(crew, *, now, disturbance: str = "", **options):
    """Order a thought and a response for two dialogues and let a freshly loaded engine write them."""
    Agent.objects.filter(name=DEMO_TREATMENT).update(max_new_tokens=10, temperature=1.0)
    agent = Agent.objects.get(name=DEMO_TREATMENT)
    spec = spec_with(crew, **options)
    backend = load_backend(spec)
    try:
        if disturbance:
            list(backend.generate([Request(Prompt("", disturbance), Sampling(max_new_tokens=3), 1)], threading.Event()))
        worker = Worker("w1", spec, backend, Post(now))
        generation.start_run(agents=[agent], dialogues=list(Dialogue.objects.order_by("external_id")[:2]), now=now)
        worker.say_alive()
        while batches := crew.dispatch(now=now):
            for batch in batches:
                worker.run(batch)
    finally:
        backend.close()
    return [*written(Response), *written(SkillOfMind)]


def written(kind):
    """What each text is and what it was made from."""
    found = []
    for row in kind.objects.order_by("dialogue__external_id"):
        recipe = {name: row.provenance[name] for name in ("seed", "sampling", "prompt_sha256", "revision", "engine")}
        found.append((row.raw_text, recipe, row.provenance["engine_version"], row.provenance["reproducible"]))
    return found


def forget():
    for kind in (Response, GenerationUnit, SkillOfMind, GenerationRun):
        kind.objects.all().delete()


def test_the_same_run_gives_the_same_texts_and_the_record_promises_it(crew, now):
    first = write(crew, now=now)
    assert len(first) == 4
    assert all(text and promised for text, _, _, promised in first)
    forget()
    assert write(crew, now=now, disturbance="What else was asked before.") == first


def test_the_record_says_that_several_slots_promise_nothing(crew, now):
    found = write(crew, now=now, slots=2)
    assert [promised for *_, promised in found] == [False] * 4

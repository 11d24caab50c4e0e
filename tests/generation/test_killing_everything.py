"""2,000 units while every process is killed at random moments: each unit ends once, none is stuck, no hand needed."""

import os
import random
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from annotation.models import Backend, GenerationRun, LanguageModel, RunTally
from annotation.services import generation
from annotation.states import UnitState
from tests.build import make_agent, make_augmenter, make_collection, make_dialogue, make_prompt_set
from tests.deploy.node import Node, is_installed
from tests.generation.factory import Factory, connected_to, wait_for
from tests.generation.test_killed_workers import assert_every_text_is_there_once, is_done, make_run

pytestmark = pytest.mark.stack

needs_tiny_model = pytest.mark.skipif(
    "TINY_MODEL" not in os.environ,
    reason="TINY_MODEL names no file: make test-engines makes one in .cache/engines",
)

DIALOGUES = 667
BATCH_ITEMS = 8
PACE = 0.02
# Longer than elsewhere: a worker that a busy machine keeps waiting is not taken for a lost one.
LEASE_SECONDS = 20


class Crowd:
    """The processes of a factory, and how each is started again; `start_model` starts a model worker of that name."""

    def __init__(self, factory: Factory, start_model: Callable[[str], None]) -> None:
        self.factory = factory
        self.starts: dict[str, Callable[[], None]] = {
            "postgres": factory.start_postgres,
            "broker": factory.start_broker,
            "default": factory.start_default_worker,
            "model-1": partial(start_model, "model-1"),
            "model-2": partial(start_model, "model-2"),
        }

    def start(self) -> None:
        for name in ("default", "model-1", "model-2"):
            self.starts[name]()
        self.factory.start_beat()

    def kill_and_restart(self, name: str, run: GenerationRun, *, pause: float) -> int:
        """Return how many units were in flight at the kill and not recorded soon after: no others are lost by it."""
        before = lost(run)
        self.factory.kill(name)
        if name == "postgres":
            connection.close()
            time.sleep(pause)
            self.starts[name]()
            return in_flight(run) + lost(run) - before
        found = in_flight(run) + lost(run) - before
        time.sleep(pause)
        self.starts[name]()
        return found


def in_flight(run: GenerationRun) -> int:
    return run.units.filter(state=UnitState.SENT).count()


def lost(run: GenerationRun) -> int:
    return RunTally.objects.filter(run=run).aggregate(n=Sum("lost"))["n"] or 0


@contextmanager
def running_factory(factory: Factory, blocker):
    try:
        factory.start_postgres()
        factory.start_broker()
        factory.migrate()
        with blocker.unblock(), connected_to(factory):
            yield factory
    finally:
        factory.stop()


def make_tiny_run(tiny: Path, *, dialogues: int) -> GenerationRun:
    """Order what the tiny model learned (tests/engines/models.py), as thinker and as responder."""
    model = LanguageModel.objects.create(
        name="Tiny", slug="tiny", backend=Backend.LLAMACPP, source=str(tiny), batch_items=BATCH_ITEMS
    )
    asked = {"system": "", "user": "### Dialogue:\n{dialogue}\n\n### Explanation: "}
    told = asked | {"user": asked["user"] + "{explanation} {skill}"}
    prompts = make_prompt_set(templates={"think": asked, "baseline": asked, "both": told})
    sampling = {"prompt_set": prompts, "max_new_tokens": 64}
    augmenter = make_augmenter(model=model, **sampling)
    agents = [make_agent(responder=model, **sampling), make_agent(responder=model, augmenter=augmenter, **sampling)]
    collection = make_collection()
    said = [f"I am {feeling} about the {topic}." for feeling in ("glad", "tired", "proud") for topic in ("exam", "dog")]
    contexts = [
        make_dialogue(collection=collection, turns=[{"speaker": "Mina", "text": said[number % len(said)]}])
        for number in range(dialogues)
    ]
    return generation.start_run(agents=agents, dialogues=contexts)


def kill_at_random(crowd: Crowd, run, *, rng: random.Random) -> list[int]:
    """Kill every process once or more, in random order with random pauses, until the run is done.

    Returns how many units were in flight at each kill.
    """
    queue: list[str] = []
    held: list[int] = []
    while len(held) < len(crowd.starts) or not queue:
        queue = queue or rng.sample(sorted(crowd.starts), len(crowd.starts))
        time.sleep(rng.uniform(0.5, 3))
        held.append(crowd.kill_and_restart(queue.pop(), run, pause=rng.uniform(0, 2)))
        if wait_for(lambda: [is_done(run)], seconds=60)[0]:
            break
    return held


def replay_and_kill(factory: Factory) -> None:
    """With a model that answers from a file."""

    def start_model(name: str) -> None:
        factory.start_model_worker(name, "replayed", seconds_per_text=PACE)

    run_and_kill(Crowd(factory, start_model), lambda: make_run(factory, dialogues=DIALOGUES))


def compute_and_kill(factory: Factory) -> None:
    """With a tiny model that really computes."""
    tiny = Path(os.environ["TINY_MODEL"])

    def start_model(name: str) -> None:
        factory.start_engine(name, "tiny", backend="llamacpp", source=tiny)

    run_and_kill(Crowd(factory, start_model), lambda: make_tiny_run(tiny, dialogues=DIALOGUES))


def run_and_kill(crowd: Crowd, order: Callable[[], GenerationRun]) -> None:
    """Order 2,001 units, kill what there is, and look at what came out."""
    rng = random.Random(int(os.environ.get("KILL_SEED", "1")))
    crowd.start()
    run = order()
    say = crowd.factory.words
    wait_for(lambda: run.units.filter(state="done").exists(), seconds=180, say=say)
    held = kill_at_random(crowd, run, rng=rng)
    wait_for(lambda: is_done(run), seconds=300, say=say)
    assert_every_text_is_there_once(run, dialogues=DIALOGUES)
    print(f"{len(held)} kills with {held} in flight, {lost(run)} of {3 * DIALOGUES} units computed again")
    assert lost(run) <= sum(held)


@pytest.mark.long
def test_every_unit_of_a_large_run_ends_once_whatever_is_killed(django_db_blocker):
    with running_factory(Factory(lease_seconds=LEASE_SECONDS), django_db_blocker) as factory:
        replay_and_kill(factory)


@pytest.mark.services
def test_every_unit_ends_once_on_rabbitmq_too(django_db_blocker):
    """With the users of production: model workers write results and read their own queue, nothing else."""
    if not is_installed():
        pytest.skip("RabbitMQ is not installed here")
    with running_factory(Factory(node=Node(), lease_seconds=LEASE_SECONDS), django_db_blocker) as factory:
        replay_and_kill(factory)


@pytest.mark.long
@needs_tiny_model
def test_every_unit_of_a_model_that_computes_ends_once(django_db_blocker):
    with running_factory(Factory(lease_seconds=LEASE_SECONDS), django_db_blocker) as factory:
        compute_and_kill(factory)


@needs_tiny_model
@pytest.mark.services
def test_every_unit_of_a_model_that_computes_ends_once_on_rabbitmq_too(django_db_blocker):
    if not is_installed():
        pytest.skip("RabbitMQ is not installed here")
    with running_factory(Factory(node=Node(), lease_seconds=LEASE_SECONDS), django_db_blocker) as factory:
        compute_and_kill(factory)

"""2,000 units while every process is killed at random moments: each unit ends once, none is stuck, no hand needed."""

import os
import random
import time
from collections.abc import Callable
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.models import Sum

from annotation.models import RunTally
from annotation.services.generation.dispatch import IN_FLIGHT_PER_WORKER
from tests.deploy.node import Node, is_installed
from tests.generation.factory import Factory, connected_to, wait_for
from tests.generation.test_killed_workers import assert_every_text_is_there_once, is_done, make_run

pytestmark = pytest.mark.stack

DIALOGUES = 667
BATCH_ITEMS = 8
PACE = 0.02


class Crowd:
    """The processes of a factory, and how each is started again."""

    def __init__(self, factory: Factory) -> None:
        self.factory = factory
        self.starts: dict[str, Callable[[], None]] = {
            "postgres": factory.start_postgres,
            "broker": factory.start_broker,
            "default": factory.start_default_worker,
            "model-1": lambda: factory.start_model_worker("model-1", "replayed", seconds_per_text=PACE),
            "model-2": lambda: factory.start_model_worker("model-2", "replayed", seconds_per_text=PACE),
        }

    def start(self) -> None:
        for name in ("default", "model-1", "model-2"):
            self.starts[name]()
        self.factory.start_beat()

    def kill_and_restart(self, name: str, *, pause: float) -> None:
        self.factory.kill(name)
        if name == "postgres":
            connection.close()
        time.sleep(pause)
        self.starts[name]()


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


def kill_at_random(crowd: Crowd, run, *, rng: random.Random) -> int:
    """Kill every process once or more, in random order with random pauses, until the run is done; count the kills."""
    queue: list[str] = []
    kills = 0
    while kills < len(crowd.starts) or not queue:
        queue = queue or rng.sample(sorted(crowd.starts), len(crowd.starts))
        time.sleep(rng.uniform(0.5, 3))
        crowd.kill_and_restart(queue.pop(), pause=rng.uniform(0, 2))
        kills += 1
        if wait_for(lambda: [is_done(run)], seconds=60)[0]:
            break
    return kills


def run_and_kill(factory: Factory) -> None:
    """Order 2,001 units, kill what there is, and look at what came out."""
    rng = random.Random(int(os.environ.get("KILL_SEED", "1")))
    crowd = Crowd(factory)
    crowd.start()
    run = make_run(factory, dialogues=DIALOGUES)
    wait_for(lambda: run.units.filter(state="done").exists(), seconds=180, say=factory.words)
    kills = kill_at_random(crowd, run, rng=rng)
    wait_for(lambda: is_done(run), seconds=300, say=factory.words)
    assert_every_text_is_there_once(run, dialogues=DIALOGUES)
    lost = RunTally.objects.filter(run=run).aggregate(n=Sum("lost"))["n"]
    print(f"{kills} kills, {lost} of {3 * DIALOGUES} units computed again")
    # A worker that was killed counts as alive for a while beside the one that took its place.
    in_flight = 2 * len(["model-1", "model-2"]) * IN_FLIGHT_PER_WORKER * BATCH_ITEMS
    assert lost <= kills * in_flight


def test_every_unit_of_a_large_run_ends_once_whatever_is_killed(django_db_blocker):
    with running_factory(Factory(), django_db_blocker) as factory:
        run_and_kill(factory)


@pytest.mark.services
def test_every_unit_ends_once_on_rabbitmq_too(django_db_blocker):
    """With the users of production: model workers write results and read their own queue, nothing else."""
    if not is_installed():
        pytest.skip("RabbitMQ is not installed here")
    with running_factory(Factory(node=Node()), django_db_blocker) as factory:
        run_and_kill(factory)

"""The same on PostgreSQL and RabbitMQ as production has them: DATABASE_URL and BROKER_URL name the servers."""

import time

import pytest
from django.conf import settings
from django.db import connection

from annotation.models import GenerationUnit, Response, RunTally
from tests.generation.factory import Factory, connected_to, wait_for
from tests.generation.test_killed_workers import assert_every_text_is_there_once, is_done, make_run

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def factory():
    """Processes over the servers that the settings name, on the database of this test run."""
    url = settings.DATABASE_URL.rsplit("/", 1)[0] + f"/{connection.settings_dict['NAME']}"
    factory = Factory(database_url=url, broker_url=settings.BROKER_URL)
    try:
        with connected_to(factory):
            yield factory
    finally:
        factory.stop()


def test_a_model_worker_killed_in_the_middle_costs_time_and_no_text(factory):
    factory.start_default_worker()
    factory.start_beat()
    factory.start_model_worker("model", "replayed", seconds_per_text=0.2)
    run = make_run(factory, dialogues=20)
    wait_for(lambda: Response.objects.exists(), seconds=120, say=factory.words)
    factory.kill("model")
    time.sleep(1)
    factory.start_model_worker("model", "replayed", seconds_per_text=0.01)
    wait_for(lambda: is_done(run), seconds=120, say=factory.words)
    assert_every_text_is_there_once(run, dialogues=20)


def test_a_batch_that_outlives_three_heartbeats_of_the_broker_completes_once(factory):
    """Heartbeats every second, and a batch that keeps its worker busy for eight."""
    factory.lease_seconds = 60
    separator = "&" if "?" in factory.broker_url else "?"
    factory.gpu_broker_url = f"{factory.broker_url}{separator}heartbeat=1"
    factory.start_default_worker()
    factory.start_beat()
    factory.start_model_worker("model", "replayed", seconds_per_text=1)
    run = make_run(factory, dialogues=4)
    wait_for(lambda: is_done(run), seconds=120, say=factory.words)
    assert_every_text_is_there_once(run, dialogues=4)
    assert set(GenerationUnit.objects.values_list("attempt", flat=True)) == {1}
    assert set(RunTally.objects.values_list("lost", flat=True)) == {0}

"""Rows into texts: ordered once, sent in bounded batches, recorded once, taken back when lost."""

import pytest
from celery import Celery
from django.utils import timezone

from annotation.models import Agent, LanguageModel, Response, SkillOfMind
from annotation.services import generation
from annotation.services.registry import DEMO_BASELINE, DEMO_TREATMENT, ensure_registry
from annotation.states import RunState
from tests.build import make_collection, make_dialogue, make_matchup, make_study
from tests.generation.worker import announce, answer, take_batches
from webapp.celery import app as site

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def broker():
    """Celery over a broker that lives in this process."""
    app = Celery("tests", broker="memory://", set_as_current=True)
    yield app
    app.close()
    site.set_current()


@pytest.fixture
def study():
    ensure_registry()
    collection = make_collection()
    for _ in range(5):
        make_dialogue(collection=collection)
    study = make_study(collections=[collection])
    make_matchup(
        study,
        baseline=Agent.objects.get(name=DEMO_BASELINE),
        treatment=Agent.objects.get(name=DEMO_TREATMENT),
    )
    return study


@pytest.fixture
def model(study):
    return LanguageModel.objects.get(slug="smollm2-135m")


@pytest.fixture
def send(broker, model, django_capture_on_commit_callbacks):
    """Dispatch as the default worker does, and take the batches off the queue."""

    def send(now=NOW):
        with django_capture_on_commit_callbacks(execute=True):
            generation.dispatch(model.pk, now=now)
        return take_batches(broker, model)

    return send


def work_off(send, now=NOW):
    while batches := send(now):
        for batch in batches:
            generation.record(answer(batch), now=now)


def test_a_run_ends_with_one_response_for_every_agent_and_dialogue(study, model, send):
    announce(model, now=NOW)
    run = generation.start_run(study, now=NOW)
    work_off(send)
    progress = generation.progress(run, now=NOW)
    assert (progress.done, progress.waiting, progress.failed) == (15, 0, 0)
    assert run.state == RunState.DONE
    assert Response.objects.filter(is_current=True).count() == 10
    assert SkillOfMind.objects.count() == 5

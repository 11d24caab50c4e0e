"""A study of the demo's two agents on five dialogues, and a broker that lives in the test's own process."""

import pytest
from celery import Celery
from django.utils import timezone

from annotation.models import Agent, LanguageModel
from annotation.services.registry import DEMO_BASELINE, DEMO_TREATMENT, ensure_registry
from tests.build import make_collection, make_dialogue, make_matchup, make_study
from tests.generation.worker import Crew
from webapp.celery import app as site


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def broker():
    """Celery over a broker that lives in this process."""
    app = Celery("tests", broker="memory://", set_as_current=True)
    yield app
    app.close()
    site.set_current()


@pytest.fixture
def study(db):
    ensure_registry()
    collection = make_collection()
    for number in range(5):
        make_dialogue(collection=collection, external_id=f"d{number}")
    study = make_study(collections=[collection])
    make_matchup(
        study,
        baseline=Agent.objects.get(name=DEMO_BASELINE),
        treatment=Agent.objects.get(name=DEMO_TREATMENT),
    )
    return study


@pytest.fixture
def crew(study, broker, django_capture_on_commit_callbacks):
    """The default worker and a model worker, played by hand."""
    model = LanguageModel.objects.get(slug="smollm2-135m")
    return Crew(model, broker, django_capture_on_commit_callbacks)

"""Every admin page opens, for every table, empty or full, with and without search words."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Event, GenerationRun, GenerationUnit, ProblemReport, Study, Worker
from annotation.states import Outcome
from tests import build

pytestmark = pytest.mark.django_db
ALL_MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def researcher(client: Client) -> Client:
    client.force_login(build.make_researcher())
    return client


def fill_every_table(times: int = 1) -> None:
    """Rows of everything, `times` studies of them."""
    for _ in range(times):
        study = build.make_running_study(dialogues=2, k=2)
        matchup = study.matchups.get()
        augmenter = build.make_augmenter(prompt_set=build.make_prompt_set(), note="demo augmenter, not Thanos")
        agent = build.make_agent(augmenter=augmenter)
        for comparison in study.comparisons.all():
            thought = build.make_skill_of_mind(comparison.dialogue)
            build.make_response(comparison.dialogue, agent, skill_of_mind=thought, flags=["truncated"])
            annotator = build.make_annotator(study)
            build.judge(comparison.slots.first(), annotator, [Outcome.TREATMENT, Outcome.TIE, Outcome.BASELINE])
            ProblemReport.objects.create(study=study, assignment=annotator.assignments.get(), text="Same text twice.")
        run = GenerationRun.objects.create(study=study)
        GenerationUnit.objects.create(
            run=run,
            stage="respond",
            model=matchup.baseline.responder,
            dialogue=comparison.dialogue,
            agent=matchup.baseline,
            settings_hash="0" * 64,
            state="failed",
            reason="The engine ran out of memory.",
        )
        Worker.objects.create(
            name=f"cpu-{study.pk}",
            model=matchup.baseline.responder,
            engine="llamacpp",
            engine_version="1",
            seen_at=timezone.now(),
        )
        Event.objects.create(study=study, verb="launched", detail={"comparisons": 2})


def page(model: type, name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_every_table_of_the_project_has_a_page():
    ours = {model for model in ALL_MODELS if model._meta.app_label == "annotation"}
    hidden = {"Criterion", "Matchup", "Slot", "RunTally", "StoredReport"}  # on another page, or made by the program
    tables = apps.get_app_config("annotation").get_models()
    assert {model.__name__ for model in ours} | hidden == {model.__name__ for model in tables}


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.__name__)
def test_list_opens_when_empty(researcher, model):
    assert researcher.get(page(model, "changelist")).status_code == 200


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.__name__)
def test_list_search_add_and_change_open_with_data(researcher, model):
    fill_every_table()
    assert researcher.get(page(model, "changelist")).status_code == 200
    assert researcher.get(page(model, "changelist"), {"q": "empathy"}).status_code == 200
    may_add = admin.site._registry[model].has_add_permission(researcher.get("/admin/").wsgi_request)
    assert researcher.get(page(model, "add")).status_code == (200 if may_add else 403)
    for row in model._default_manager.all()[:3]:
        assert researcher.get(page(model, "change", row.pk)).status_code == 200
        assert researcher.get(page(model, "history", row.pk)).status_code == 200


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.__name__)
def test_every_filter_of_a_list_opens(researcher, model):
    fill_every_table()
    shown = researcher.get(page(model, "changelist")).context["cl"]
    for spec in shown.filter_specs:
        for choice in list(spec.choices(shown))[:4]:
            assert researcher.get(page(model, "changelist") + choice["query_string"]).status_code == 200


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.__name__)
def test_list_takes_as_many_queries_for_many_rows_as_for_few(researcher, model):
    fill_every_table()
    researcher.get(page(model, "changelist"))
    with CaptureQueriesContext(
        connection,
    ) as few:
        researcher.get(page(model, "changelist"))
    fill_every_table(3)
    with CaptureQueriesContext(connection) as many:
        researcher.get(page(model, "changelist"))
    assert len(many) <= len(few), [query["sql"][:150] for query in many]


def test_admin_is_closed_to_strangers(client):
    client.force_login(build.make_stranger())
    assert client.get("/admin/").status_code == 302
    assert client.get(page(Study, "changelist")).status_code == 302

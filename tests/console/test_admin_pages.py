"""Every admin page opens, for every table, empty or full, with and without search words."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Event, GenerationRun, GenerationUnit, ProblemReport, Recruitment, Study, Worker
from annotation.platforms import Deed, Visitor
from annotation.services.identities import keep_identity
from annotation.services.platform_messages import order
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
        Recruitment.objects.create(study=study, platform="prolific")
        identity = keep_identity(annotator, Visitor("prolific", f"person of {study.pk}"), now=timezone.now())
        order(identity, Deed.TRANSITION, {"action": "APPROVE"}, now=timezone.now())
        Event.objects.create(study=study, verb="launched", detail={"comparisons": 2})


def page(model: type, name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_every_table_of_the_project_has_a_page():
    ours = {model for model in ALL_MODELS if model._meta.app_label == "annotation"}
    # On another page, or made by the program.
    hidden = {"Criterion", "Matchup", "Membership", "Slot", "RunTally", "RunCount", "StoredReport", "DatasheetAnswer"}
    hidden |= {"Practice", "ComprehensionQuestion", "ClosingQuestion", "StepAttempt", "GoldAnswer", "CheckResult"}
    hidden |= {"PayDecision", "PlatformBatch", "StoredBundle", "BundlePiece"}
    hidden |= {"ExitCode", "Invitation", "PlatformEvent", "PlatformIdentity", "SigningKeys"}
    tables = apps.get_app_config("annotation").get_models()
    assert {model.__name__ for model in ours} | hidden == {model.__name__ for model in tables}


def status_of(client, address, **query):
    return client.get(address, query).status_code


def test_every_list_and_form_opens_when_nothing_is_there(researcher):
    assert dict.fromkeys(ALL_MODELS, 200) == {
        model: status_of(researcher, page(model, "changelist")) for model in ALL_MODELS
    }


def test_every_list_form_and_history_opens_with_data(researcher):
    fill_every_table()
    request = researcher.get("/admin/").wsgi_request
    for model in ALL_MODELS:
        assert status_of(researcher, page(model, "changelist"), q="empathy") == 200, model
        may_add = admin.site._registry[model].has_add_permission(request)
        assert status_of(researcher, page(model, "add")) == (200 if may_add else 403), model
        row = model._default_manager.first()
        if row is not None:
            assert status_of(researcher, page(model, "change", row.pk)) == 200, model
            assert status_of(researcher, page(model, "history", row.pk)) == 200, model


def test_every_filter_of_every_list_opens(researcher):
    fill_every_table()
    for model in ALL_MODELS:
        shown = researcher.get(page(model, "changelist")).context["cl"]
        for spec in shown.filter_specs:
            choice = list(spec.choices(shown))[-1]
            assert status_of(researcher, page(model, "changelist") + choice["query_string"]) == 200, (model, spec)


def test_lists_take_as_many_queries_for_many_rows_as_for_few(researcher):
    fill_every_table()
    few = {model: queries_of(researcher, model) for model in ALL_MODELS}
    fill_every_table(3)
    many = {model: queries_of(researcher, model) for model in ALL_MODELS}
    assert {model: (few[model], many[model]) for model in ALL_MODELS if many[model] > few[model]} == {}


def queries_of(client, model):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page(model, "changelist")).status_code == 200
    return len(queries)


def test_admin_is_closed_to_strangers(client):
    client.force_login(build.make_stranger())
    assert client.get("/admin/").status_code == 302
    assert client.get(page(Study, "changelist")).status_code == 302

"""Agents and what they are made of in the admin: who serves them, and what stays as it is once it was used."""

import html
import json
import re
import shlex

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from annotation.models import Augmenter, GenerationRun, GenerationUnit, PromptSet, Worker
from annotation.prompt_templates import check_templates
from annotation.services.generation.workers import start_command
from annotation.services.registry import own_prompts
from inference_worker.config import read_config
from tests import build
from tests.console.forms import fields_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def test_a_prompt_set_is_made_once_with_its_fingerprint(researcher):
    templates = json.dumps({"baseline": {"system": "Be kind.", "user": "{dialogue}"}})
    fields = {"name": "Ours", "source": "Our own words", "templates": templates}
    assert researcher.post(reverse("admin:annotation_promptset_add"), fields).status_code == 302
    made = PromptSet.objects.get(name="Ours")
    assert len(made.sha256) == 64
    address = reverse("admin:annotation_promptset_change", args=[made.pk])
    assert "Be kind." in researcher.get(address).content.decode()
    assert researcher.post(address, fields | {"name": "Changed"}).status_code == 403


@pytest.mark.parametrize(
    ("templates", "says"),
    [
        ({}, "This field is required."),
        ([], "This field is required."),
        ("text", "Give templates by role"),
        ({"answer": {"user": "{dialogue}"}}, "There is no role “answer”"),
        ({"think": "{dialogue}"}, "“think” needs at least"),
        ({"think": {"user": "Think."}}, "think: user has no place for {dialogue}."),
        ({"think": {"user": "{dialogue}", "model": "m"}}, "has a part “model”"),
        ({"think": {"user": "{dialogue} {mood}"}}, "think: user asks for {mood}, which nobody fills."),
        ({"skill": {"user": "{dialogue} {explanation}"}}, "skill: user asks for {explanation}, which is not for"),
        ({"skill": {"system": "{dialogue!r}", "user": "{dialogue}"}}, "skill: system asks for {dialogue!r}"),
        ({"skill": {"system": 3, "user": "{dialogue}"}}, "skill: system must be a text"),
        ({"baseline": {"user": "{dialogue}", "stop": "x"}}, "baseline: stop must be a list"),
    ],
)
def test_a_prompt_set_that_cannot_be_asked_with_is_refused(researcher, templates, says):
    fields = {"name": "Ours", "source": "", "templates": json.dumps(templates)}
    page = researcher.post(reverse("admin:annotation_promptset_add"), fields)
    assert says in html.unescape(page.content.decode())
    assert not PromptSet.objects.exists()


def test_the_words_of_the_project_pass_the_check_of_what_researchers_write(db):
    check_templates(own_prompts().templates)


def test_not_even_the_database_changes_a_prompt_set(db):
    made = build.make_prompt_set()
    for change in ({"templates": {}}, {"sha256": "0" * 64}, {"source": "elsewhere"}, {"is_published": True}):
        with pytest.raises(DatabaseError, match="A prompt set is never changed"), transaction.atomic():
            PromptSet.objects.filter(pk=made.pk).update(**change)


def test_the_list_of_agents_says_what_each_waits_for(researcher):
    agent = build.make_agent(augmenter=build.make_augmenter())
    address = reverse("admin:annotation_agent_changelist")
    page = researcher.get(address).content.decode()
    assert f"model.{agent.responder.slug}" in page
    assert f"model.{agent.augmenter.model.slug}" in page
    for model in (agent.responder, agent.augmenter.model):
        Worker.objects.create(name=model.slug, model=model, engine="vllm", engine_version="1", seen_at=timezone.now())
    assert "waits for" not in researcher.get(address).content.decode().split("</thead>")[1]


def test_the_list_of_augmenters_says_what_is_passed_on_and_what_each_lacks(researcher):
    names = ("doc", "drawn", "own", "unset", "bare")
    build.make_augmenter(name="doc", source="doctor", guidance="both")
    build.make_augmenter(name="drawn", source="random", guidance="both")
    build.make_augmenter(name="own", source="own")
    build.make_augmenter(name="unset", source="fixed", fixed_skill="")
    Augmenter.objects.create(name="bare")
    page = researcher.get(reverse("admin:annotation_augmenter_changelist")).content.decode()
    rows = {name: re.search(rf"<tr(?:(?!</tr>).)*>\s*{name}\s*</a>.*?</tr>", page, re.S)[0] for name in names}
    assert "Explanation only" in rows["doc"]
    assert "Skill only" in rows["drawn"]
    assert "waits for" not in rows["drawn"]
    assert "ready with its responder" in rows["own"]
    assert "lacks its skill" in rows["unset"]
    assert "lacks a model" in rows["bare"]


def test_an_agent_that_has_answered_keeps_its_settings(researcher):
    agent = build.make_agent(temperature=0.5)
    address = reverse("admin:annotation_agent_change", args=[agent.pk])
    fields = fields_of(researcher.get(address)) | {"temperature": "0.9", "note": "Changed."}
    build.make_response(build.make_dialogue(), agent)
    researcher.post(address, fields)
    agent.refresh_from_db()
    assert (agent.temperature, agent.note) == (0.5, "Changed.")


SENT = {"source": "fixed", "fixed_skill": "Empathy", "keeps_full_sentences": "on", "temperature": "0.9"}


def order(stage, **over):
    run = GenerationRun.objects.create()
    model = build.make_model()
    GenerationUnit.objects.create(run=run, stage=stage, model=model, dialogue=build.make_dialogue(), **over)


def saved_again(client, row):
    """The row after somebody who opened its form earlier sends other settings."""
    address = reverse(f"admin:annotation_{row._meta.model_name}_change", args=[row.pk])
    client.post(address, fields_of(client.get(address)) | SENT)
    return row._meta.model.objects.get(pk=row.pk)


def test_an_agent_keeps_its_settings_from_the_first_order_on(researcher):
    agent = build.make_agent(temperature=0.5)
    order("respond", agent=agent)
    kept = saved_again(researcher, agent)
    assert (kept.temperature, kept.keeps_full_sentences) == (0.5, False)


def test_an_agent_without_orders_changes_freely(researcher):
    changed = saved_again(researcher, build.make_agent(temperature=0.5))
    assert (changed.temperature, changed.keeps_full_sentences) == (0.9, True)


@pytest.mark.parametrize("stage", ["think", "respond"])
def test_an_augmenter_keeps_its_settings_from_the_first_order_on(researcher, stage):
    augmenter = build.make_augmenter(temperature=0.5)
    named = {"augmenter": augmenter} if stage == "think" else {"agent": build.make_agent(augmenter=augmenter)}
    order(stage, **named)
    kept = saved_again(researcher, augmenter)
    assert (kept.temperature, kept.source) == (0.5, "thanos")


def test_the_size_of_batches_is_set_on_the_page_of_a_model_that_was_used(researcher):
    agent = build.make_agent()
    GenerationUnit.objects.create(
        run=GenerationRun.objects.create(), stage="respond", model=agent.responder, dialogue=build.make_dialogue()
    )
    address = reverse("admin:annotation_languagemodel_change", args=[agent.responder.pk])
    researcher.post(address, fields_of(researcher.get(address)) | {"batch_items": "4", "batch_tokens": "900"})
    agent.responder.refresh_from_db()
    assert (agent.responder.batch_items, agent.responder.batch_tokens) == (4, 900)


def test_a_model_that_is_replayed_waits_for_its_worker_like_any_other(researcher):
    agent = build.make_agent(responder=build.make_model(backend="replay"))
    page = researcher.get(reverse("admin:annotation_agent_changelist")).content.decode()
    assert f"model.{agent.responder.slug}" in page.split("</thead>")[1]


@pytest.mark.parametrize(
    ("over", "command"),
    [
        ({"slug": "thanos-8b", "backend": "vllm", "source": "passing2961/Thanos-8B"}, "--model thanos-8b"),
        (
            {"slug": "mine", "backend": "vllm", "source": "/my models/x", "revision": "abc"},
            "--model mine --backend vllm --source '/my models/x' --revision abc",
        ),
        (
            {
                "slug": "thanos-8b",
                "backend": "vllm",
                "source": "passing2961/Thanos-8B",
                "options": {"lora": "org/a", "max_model_len": 4096, "enforce_eager": True, "think_start": "I"},
            },
            "--model thanos-8b --option lora=org/a --option max_model_len=4096 --option enforce_eager=true",
        ),
    ],
)
def test_the_command_that_starts_a_worker_makes_the_model_of_the_registry(over, command):
    model = build.make_model(**over)
    assert start_command(model) == f"python -m inference_worker {command}"
    spec = read_config(shlex.split(start_command(model))[3:], {"BROKER_URL": "redis://localhost"}).spec
    assert (spec.slug, spec.backend, spec.source, spec.revision) == (
        model.slug,
        model.backend,
        model.source,
        model.revision,
    )
    assert spec.options == {name: value for name, value in model.options.items() if name != "think_start"}

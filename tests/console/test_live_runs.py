"""A run's page: how far it is, drawn anew while it moves, for researchers alone."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.admin.generation import RUN_ACTIONS
from annotation.errors import DuologueError
from annotation.models import GenerationRun, RunTally, Worker
from annotation.services import generation
from tests import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    model = build.make_agent(prompt_set=build.make_prompt_set()).responder
    run = GenerationRun.objects.create(study=build.make_study())
    spent = {"total": 4, "model": model, "run": run}
    RunTally.objects.create(
        stage="think", done=3, prompt_tokens=30, completion_tokens=60, engine_microseconds=1_500_000, **spent
    )
    RunTally.objects.create(
        stage="respond", done=1, failed=1, prompt_tokens=70, completion_tokens=40, engine_microseconds=500_000, **spent
    )
    return run


def parts(client, run):
    return client.get(reverse("admin:annotation_generationrun_progress", args=[run.pk]))


@pytest.mark.parametrize("page", ["change", "progress"])
def test_a_researcher_sees_what_is_done_and_what_thinking_costs(client, run, page):
    client.force_login(build.make_researcher())
    found = client.get(reverse(f"admin:annotation_generationrun_{page}", args=[run.pk])).content.decode()
    assert "4 of 8 texts written, 1 failed, 3 waiting." in found
    assert "Thinking took 75% of the engines&#x27; time, 60% of the tokens written and 30% of those read." in found
    assert "waits for a worker" in found


def test_the_page_asks_again_only_while_the_run_moves(client, run):
    client.force_login(build.make_researcher())
    assert "hx-get" in parts(client, run).content.decode()
    generation.pause(run)
    assert "hx-get" not in parts(client, run).content.decode()


def test_the_page_is_drawn_anew_as_a_whole_once_its_run_has_ended(client, run):
    client.force_login(build.make_researcher())
    assert "HX-Refresh" not in parts(client, run)
    generation.cancel(run)
    assert parts(client, run)["HX-Refresh"] == "true"


def test_of_two_who_pause_a_run_one_is_told_and_the_trail_has_it_once(run):
    generation.pause(run)
    action = next(action for action in RUN_ACTIONS if action.key == "pause")
    with pytest.raises(DuologueError, match="somebody was faster"):
        action.run(run, None, "")
    assert not run.study.events.exists()


def test_others_see_nothing_and_a_run_that_has_gone_is_not_found(client, run):
    assert parts(client, run).status_code == 302
    client.force_login(build.make_member(build.make_study()))
    assert parts(client, run).status_code == 404
    client.force_login(build.make_researcher())
    run.pk += 1
    assert parts(client, run).status_code == 404


def test_the_list_of_workers_says_what_each_serves_and_puts_the_living_first(client):
    model = build.make_agent(prompt_set=build.make_prompt_set()).responder
    now = timezone.now()
    told = {"model": model, "engine": "vllm", "engine_version": "0.32.0", "device": "cpu, float32"}
    told |= {"memory_bytes": 1_234_000_000, "tokens_per_second": 321.4}
    Worker.objects.create(name="a-silent", seen_at=now - timedelta(hours=1), revision="old", **told)
    Worker.objects.create(name="b-living", seen_at=now, revision="sha256:0123456789abcdef", **told)
    client.force_login(build.make_researcher())
    page = client.get(reverse("admin:annotation_worker_changelist")).content.decode()
    assert page.index("b-living") < page.index("a-silent")
    for word in ("sha256:0123456789", "1,234 MB", "cpu, float32", "321", "vllm"):
        assert word in page
    assert "60 min ago" in page


def test_the_list_of_workers_shows_one_whose_slug_nobody_registered(client):
    told = {"engine": "vllm", "engine_version": "1", "seen_at": timezone.now()}
    Worker.objects.create(name="lost", slug="thanos-9b", **told)
    client.force_login(build.make_researcher())
    page = client.get(reverse("admin:annotation_worker_changelist")).content.decode()
    assert "no registered model has the slug “thanos-9b”" in page

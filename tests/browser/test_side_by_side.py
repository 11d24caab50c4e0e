"""The researcher's side-by-side page in a browser: keys, no JavaScript, narrow screens, axe."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from annotation.models import Comparison, Response, RunCount, RunTally
from tests import build
from tests.browser.measure import assert_accessible, measured
from tests.browser.pictures import take_if_asked
from tests.browser.stories import make_story_study
from tests.test_skill_scores import make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def study():
    study = make_story_study(comparisons=4, k=1)
    for number, comparison in enumerate(Comparison.objects.filter(study=study)):
        thought = build.make_skill_of_mind(comparison.dialogue, skill=["Empathy", "Rhetoric"][number % 2])
        Response.objects.filter(pk=comparison.treatment_response_id).update(
            skill_of_mind=thought,
            flags=["labelled", "skill_leak"][: 1 + number % 2],
            raw_text="Ana: as it was written.",
        )
    return study


@pytest.fixture
def visit(browser, live_server, client):
    """Open pages as a researcher. Options are the browser context's."""
    client.force_login(build.make_researcher())
    contexts = []

    def visit(address, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
        context.add_cookies([cookie])
        page = context.new_page()
        page.goto(live_server.url + address)
        return page

    yield visit
    for context in contexts:
        context.close()


def address_of(study):
    return reverse("admin:annotation_comparison_browse", args=[study.pk])


def test_keys_walk_and_leave_words_being_typed_alone(visit, study):
    page = visit(address_of(study))
    where = page.get_by_label("Comparisons")
    expect(where).to_contain_text("1 of 4")
    for key, place in [("j", 2), ("ArrowRight", 3), ("k", 2), ("ArrowLeft", 1), ("k", 1)]:
        page.keyboard.press(key)
        expect(where).to_contain_text(f"{place} of 4")
    page.get_by_label("Words or id").fill("jjk")
    page.keyboard.press("ArrowLeft")
    expect(where).to_contain_text("1 of 4")


def test_everything_works_without_javascript(visit, study):
    page = visit(address_of(study), java_script_enabled=False)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_label("Comparisons")).to_contain_text("2 of 4")
    page.get_by_label("Skill", exact=True).select_option("Rhetoric")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Comparisons")).to_contain_text("1 of 2")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pages_about_responses_are_accessible_and_fit(visit, study, width, scheme):
    addresses = {
        "side-by-side": address_of(study),
        "import-responses": reverse("admin:annotation_agent_import"),
        "reference-skills": reverse("admin:annotation_generationrun_skills", args=[(run := make_run()).pk]),
        "run": reverse("admin:annotation_generationrun_change", args=[run.pk]),
    }
    told = {
        "run": run,
        "model": build.make_model(name="A model with a rather long name of five words"),
        "total": 24_000,
    }
    for stage in ("think", "respond"):
        RunTally.objects.create(stage=stage, done=12_345, prompt_tokens=1_234_567, **told)
    RunCount.objects.create(run=run, subject="outcome", value="several_markers", count=1)
    for name, address in addresses.items():
        page = visit(address, viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('#main details, .browse details').forEach(each => each.open = true)")
        take_if_asked(page, f"{name} {width} {scheme}", full_page=True)
        assert_accessible(page, ".browse, .console-act, .console-parts")
        assert measured(page, "document.documentElement.scrollWidth") <= width, name

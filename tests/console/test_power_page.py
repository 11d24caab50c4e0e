"""The planner's page and command: what it works out, what it keeps, who may, and what it says of bad numbers."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import BaseCommand, CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from annotation.management.commands.plan_power import Command
from annotation.models import Event, Study
from annotation.results.planning import USUAL_SPREAD, StudyPlan
from annotation.results.power import Plan
from annotation.services import planning, studies
from tests import build
from tests.console.judging import make_judged_study
from tests.results.made import random_rows, write

pytestmark = pytest.mark.django_db

ASKED = {
    **{"n_items": 100, "k": 3, "n_annotators": 20, "win_score": 60, "wanted": 80, "tests": 1, "level": 95},
    **{"pilot": "", "item_sd": 0.2, "annotator_sd": 0.08, "rest_sd": 0.4},
}
PLAN = StudyPlan(Plan(100, 3, 20, USUAL_SPREAD), effect=0.1)


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def address(study, name="power"):
    return reverse(name, args=[study.code])


def words(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(text.split())


def planned(**over):
    study = build.make_study(**over)
    planning.store_plan(study, plan=PLAN, actor=None, now=timezone.now())
    return study


def run(*arguments):
    out = StringIO()
    call_command("plan_power", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_page_answers_for_the_settings_of_the_study_at_the_first_look(researcher):
    study = build.make_study(judgements_per_comparison=4, annotators_limit=30)
    build.make_criteria(study)
    build.make_matchup(study)
    for _ in range(50):
        build.make_dialogue(collection=study.collections.get())
    page = researcher.get(address(study)).content.decode()
    for name, value in {"n_items": 50, "k": 4, "n_annotators": 30, "tests": 3}.items():
        assert re.search(rf'name="{name}" value="{value}"', page), name
    assert "Power to find a win score of 60.0 %" in page


def test_power_and_smallest_effect_on_the_page_are_those_of_the_rules(researcher):
    page = words(researcher.get(address(build.make_study()), ASKED))
    assert f"Power to find a win score of 60.0 %: {100 * PLAN.power:.0f} %." in page
    assert f"{100 * PLAN.smallest_effect:.1f} points from 50 %" in page


def test_the_curves_stand_in_a_table_too_with_the_plan_marked(researcher):
    page = researcher.get(address(build.make_study()), ASKED).content.decode()
    assert page.count('<path class="curve') == 6
    marked = re.findall(r'<tr class="is-planned">(.*?)</tr>', page)
    assert [re.findall(r">([^<]+)<", row)[0] for row in marked] == ["100", "60.0 %"]
    assert f"{100 * PLAN.power:.0f} %" in marked[0]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("n_items", "1", "greater than or equal to 2"),
        ("n_items", "many", "whole number"),
        ("win_score", "50", "greater than or equal to 50.1"),
        ("win_score", "nan", "Enter a number"),
        ("k", "30", "20 annotators cannot give 30 judgements"),
        ("n_annotators", "400", "400 annotators cannot share 300 judgements"),
        ("rest_sd", "0.5", "choose smaller ones"),
        ("pilot", "nobody", "valid choice"),
    ],
)
def test_what_cannot_be_is_refused_in_words(researcher, field, value, said):
    response = researcher.get(address(build.make_study()), ASKED | {field: value})
    assert response.status_code == 200
    assert said in words(response)
    assert 'class="curve' not in response.content.decode()


def test_a_plan_is_stored_with_the_study_and_its_trail(researcher):
    study = build.make_study()
    response = researcher.post(address(study, "store_power"), ASKED, follow=True)
    assert "Plan stored" in words(response)
    study.refresh_from_db()
    assert planning.stored_plan(study) == PLAN
    assert study.planned_power["power"] == pytest.approx(PLAN.power)
    assert Event.objects.get(study=study, verb="plan").detail["plan"]["n_items"] == 100


def test_a_stored_plan_is_what_the_page_begins_with(researcher):
    page = researcher.get(address(planned())).content.decode()
    assert 'name="n_items" value="100"' in page
    assert "This is the plan that is stored" in page


def test_a_launched_study_keeps_the_plan_it_was_launched_with(researcher):
    study = build.make_running_study()
    response = researcher.post(address(study, "store_power"), ASKED)
    assert response.status_code == 409
    assert "a plan made after the launch would be none" in words(response)
    study.refresh_from_db()
    assert study.planned_power == {}
    assert 'action="' + address(study, "store_power") not in researcher.get(address(study)).content.decode()


def test_bad_numbers_store_nothing(researcher):
    study = build.make_study()
    assert researcher.post(address(study, "store_power"), ASKED | {"k": 0}).status_code == 400
    study.refresh_from_db()
    assert study.planned_power == {}


def test_a_pilot_study_gives_the_spread(researcher):
    pilot = make_judged_study()
    study = build.make_study()
    page = words(researcher.get(address(study), ASKED | {"pilot": pilot.code}))
    assert "pilot: " in page
    assert "24 comparisons by 8 annotators" in page
    researcher.post(address(study, "store_power"), ASKED | {"pilot": pilot.code})
    study.refresh_from_db()
    assert "24 comparisons by 8 annotators" in planning.stored_plan(study).source
    assert "24 comparisons by 8 annotators" in words(researcher.get(address(study)))


def test_a_study_that_nobody_judged_is_no_pilot(researcher):
    other, study = build.make_running_study(), build.make_study()
    assert other.name not in words(researcher.get(address(study)))


def test_a_study_that_somebody_may_not_see_is_no_pilot_for_them(client):
    pilot, study = make_judged_study(), build.make_study()
    client.force_login(build.make_member(study))
    response = client.get(address(study), ASKED | {"pilot": pilot.code})
    assert "valid choice" in words(response)
    assert pilot.name not in words(response)


def test_strangers_and_viewers_cannot_store(client):
    study = build.make_study()
    assert client.get(address(study)).status_code == 302
    client.force_login(build.make_stranger())
    assert client.get(address(study)).status_code == 403
    assert client.post(address(study, "store_power"), ASKED).status_code == 403
    client.force_login(build.make_member(study))
    looked = client.get(address(study))
    assert looked.status_code == 200
    assert address(study, "store_power") not in looked.content.decode()
    assert client.post(address(study, "store_power"), ASKED).status_code == 403
    client.force_login(build.make_researcher())
    assert client.get(address(study, "store_power")).status_code == 405
    assert client.post(address(study), ASKED).status_code == 405
    assert Study.objects.get(pk=study.pk).planned_power == {}


def test_the_results_show_the_plan_and_when_closed_what_was_achieved(researcher):
    study = make_judged_study()
    study.planned_power = PLAN.to_json()
    study.save()
    results = reverse("results", args=[study.code])
    running = words(researcher.get(results))
    assert "Planned for a win score of 60.0 %" in running
    assert "stands here when it is closed" in running
    studies.close(study, actor=None, now=timezone.now())
    closed = words(researcher.get(results))
    assert re.search(
        r"Planned \d+\.\d points 100 300 20 0\.20 0\.08 0\.40 Naturalness, .* \d+\.\d points 24 72 8", closed
    )


def test_without_a_plan_the_closed_study_shows_what_it_could_find(researcher):
    study = make_judged_study()
    results = reverse("results", args=[study.code])
    assert "Planned and achieved" not in words(researcher.get(results))
    studies.close(study, actor=None, now=timezone.now())
    assert "No plan was stored before the launch" in words(researcher.get(results))


def test_the_set_up_page_leads_to_the_planner(researcher):
    study = build.make_study()
    assert address(study) in researcher.get(reverse("admin:annotation_study_change", args=[study.pk])).content.decode()


def test_the_command_prints_curves_and_the_smallest_effect():
    text = run("--comparisons", 100, "--annotators", 20)
    assert f"{100 * PLAN.smallest_effect:.1f} points from 50 %" in text
    assert re.search(rf"^ +100 .* {100 * PLAN.power:.0f} % ", text, re.MULTILINE)
    assert "win score" in text


def test_the_command_starts_from_a_study_and_stores(tmp_path):
    study = build.make_study()
    csv = write(tmp_path / "pilot.csv", random_rows(items=30))
    text = run(study.name, "--comparisons", 80, "--annotators", 12, "--csv", csv, "--store")
    assert "80 comparisons x 3 judgements by 12 annotators" in text
    assert "Stored with" in text
    study.refresh_from_db()
    assert planning.stored_plan(study).source.startswith("pilot: naturalness")


def test_the_command_takes_the_spread_of_a_pilot_study():
    pilot = make_judged_study()
    text = run("--comparisons", 80, "--annotators", 12, "--pilot", pilot.code, "--criterion", "prosociality")
    assert "pilot: prosociality" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--comparisons and --annotators"),
        (["--comparisons", 80, "--annotators", 12, "--store"], "which study"),
        (["--comparisons", 80, "--annotators", 12, "--csv", "nothing.csv"], "no file nothing.csv"),
        (["--comparisons", 80, "--annotators", 12, "--win-score", 50], "no effect"),
        (["--comparisons", 80, "--annotators", 12, "--power", 80], "power of 80"),
        (["Nobody's study"], "There is no study"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, said):
    with pytest.raises(CommandError, match=said):
        run(*arguments)


def test_the_documentation_shows_what_the_command_prints_and_names_its_options():
    page = (Path(__file__).resolve().parents[2] / "docs" / "planning.md").read_text()
    shown = re.search(r"\$ python manage.py plan_power (.*?)\n\n```text\n(.*?)```", page, re.DOTALL)
    assert run(*shown[1].split()) == shown[2]
    every, shared = (
        {name for action in command.create_parser("manage.py", "x")._actions for name in action.option_strings}
        for command in (Command(), BaseCommand())
    )
    assert every - shared == set(re.findall(r"`(--[a-z-]+)", page.partition("## What goes in")[0]))

"""The way through a study is composed in the admin: by presets, by hand, and out of the study's own comparisons."""

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Annotator, Event, StepAttempt
from annotation.presets import PRESETS
from annotation.services import composing, copying, rehearsals, studies
from annotation.services.editing import StudyIsFrozen
from annotation.services.flows import read_steps
from annotation.states import Outcome
from tests import build
from tests.console.forms import fields_of
from tests.console.test_study_admin import make_draft_with_responses, page_of, press, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


@pytest.fixture
def paid():
    study = make_draft_with_responses()
    composing.apply_preset(study, "paid-strangers", actor=None)
    return study


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_a_study_that_launches(researcher, name):
    study = make_draft_with_responses()
    assert PRESETS[name].name in said(press(researcher, study, f"compose-{name}"))
    study.refresh_from_db()
    assert studies.validate_study(study) == []
    studies.launch(study, actor=None, now=timezone.now())
    assert studies.is_unchanged(study)


def test_presets_differ_in_what_they_ask(paid):
    steps = read_steps(paid)
    assert (steps.flow.comprehension, steps.flow.training, steps.flow.training_needed) == (3, 3, 2)
    composing.apply_preset(paid, "short", actor=None)
    assert read_steps(paid).flow.training == 0


def test_a_preset_keeps_the_texts_that_somebody_wrote(paid):
    paid.practice.update(feedback="Mine.")
    composing.apply_preset(paid, "careful", actor=None)
    assert set(paid.practice.values_list("feedback", flat=True)) == {"Mine."}


def test_a_launched_study_is_not_composed_again(paid):
    studies.launch(paid, actor=None, now=timezone.now())
    with pytest.raises(StudyIsFrozen):
        composing.apply_preset(paid, "short", actor=None)


def test_the_frozen_hash_covers_every_step(paid):
    studies.launch(paid, actor=None, now=timezone.now())
    for rows in (paid.practice, paid.comprehension_questions, paid.closing_questions):
        row = rows.first()
        before = row.position
        type(row).objects.filter(pk=row.pk).update(position=99)
        assert not studies.is_unchanged(paid)
        type(row).objects.filter(pk=row.pk).update(position=before)
    assert studies.is_unchanged(paid)
    type(paid).objects.filter(pk=paid.pk).update(check_every=5)
    paid.refresh_from_db()
    assert not studies.is_unchanged(paid)


def test_the_form_of_a_composed_study_saves_untouched(researcher, paid):
    assert researcher.post(page_of(paid), fields_of(researcher.get(page_of(paid)))).status_code == 302
    assert read_steps(paid).flow.training == 3


@pytest.mark.parametrize(
    ("over", "problem"),
    [
        ({"practice-0-turns": "no turn here"}, "Line 1 is no turn"),
        ({"comprehension_questions-0-options": "only one"}, "at least two options"),
        ({"comprehension_questions-0-right_option": "9"}, "choose a number from 1 to 3"),
    ],
)
def test_a_part_that_cannot_be_shown_is_refused_with_its_place(researcher, paid, over, problem):
    page = researcher.post(page_of(paid), fields_of(researcher.get(page_of(paid))) | over)
    assert page.status_code == 200
    assert problem in page.text


def test_what_stands_in_the_way_of_a_launch_is_said(paid):
    paid.training_needed = 9
    paid.scale = "two"
    paid.gold_every = 5
    paid.save()
    paid.practice.filter(position=1).update(criterion="nothing", expected="same")
    told = " ".join(studies.validate_study(paid))
    for words in ("there are only 3", "“nothing”", "about the same", "none has an expected answer"):
        assert words in told


def test_a_comparison_becomes_training_and_leaves_the_main_part(researcher):
    study = make_draft_with_responses()
    comparison = study.comparisons.first()
    press(researcher, comparison, "train-baseline", reason="It answers the question.")
    practice = study.practice.get()
    assert practice.right == comparison.baseline_response.text
    assert practice.expected == "right"
    comparison.refresh_from_db()
    assert comparison.excluded_reason == "used for training"


def test_training_without_words_of_feedback_is_refused(researcher):
    comparison = make_draft_with_responses().comparisons.first()
    assert "Write why" in said(press(researcher, comparison, f"train-{Outcome.TREATMENT}", reason=" "))


@pytest.mark.parametrize("copy", [copying.copy_study, rehearsals.make_rehearsal])
def test_copies_have_the_same_steps(paid, copy):
    twin = copy(paid, actor=None)
    strip = lambda steps: (steps.flow, steps.examples, steps.training, list(steps.right_options.values()))  # noqa: E731
    assert strip(read_steps(twin)) == strip(read_steps(paid))


@pytest.mark.parametrize("step", ["device", "instructions", "comprehension", "training", "closing"])
def test_every_step_can_be_looked_at_and_answered_without_a_trace(researcher, paid, step):
    events = Event.objects.count()
    address = reverse("preview_step", args=[paid.code, step])
    assert f'href="{address}"' in researcher.get(reverse("preview", args=[paid.code])).text
    assert "nothing is stored" in researcher.get(address).text
    assert researcher.post(address, {"number": "1", "naturalness": "1", "answer": "no"}).status_code == 200
    assert not Annotator.objects.exists()
    assert not StepAttempt.objects.exists()
    assert Event.objects.count() == events


def test_a_preview_grades_as_the_study_will(researcher, paid):
    address = reverse("preview_step", args=[paid.code, "training"])
    first = paid.practice.filter(use="training").first()
    assert first.feedback not in researcher.get(address).text
    assert first.feedback in researcher.post(address, {"number": "1", "naturalness": "1"}).text


def test_a_step_that_a_study_lacks_has_no_preview(researcher):
    study = make_draft_with_responses()
    assert researcher.get(reverse("preview_step", args=[study.code, "training"])).status_code == 404


def test_strangers_see_no_preview(client, paid):
    address = reverse("preview_step", args=[paid.code, "training"])
    assert client.get(address).status_code == 302
    client.force_login(build.make_stranger())
    assert client.get(address).status_code == 403

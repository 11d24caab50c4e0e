"""The preview shows what annotators will see, to researchers alone, and leaves no trace."""

import pytest
from django.urls import reverse

from annotation.models import Annotator, Assignment, Event
from annotation.states import StudyState
from tests import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return build.make_running_study(dialogues=2, state=StudyState.DRAFT)


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def text(client, study, **query):
    response = client.get(reverse("preview", args=[study.code]), query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_texts_before_the_first_comparison_are_shown(researcher, study):
    assert study.consent_text in text(researcher, study)


def test_a_comparison_of_a_draft_is_shown_with_its_questions(researcher, study):
    comparison = study.comparisons.order_by("pk").first()
    page = text(researcher, study, comparison=1)
    assert comparison.baseline_response.text in page
    assert "Which response sounds more natural?" in page
    assert "1 of 2" in page


def test_sides_can_be_swapped(researcher, study):
    comparison = study.comparisons.order_by("pk").first()
    first, second = comparison.baseline_response.text, comparison.treatment_response.text
    page, swapped = text(researcher, study, comparison=1), text(researcher, study, comparison=1, sides="swapped")
    assert page.index(first) < page.index(second)
    assert swapped.index(second) < swapped.index(first)


def test_a_changed_response_shows_at_once(researcher, study):
    text(researcher, study, comparison=1)
    response = study.comparisons.order_by("pk").first().baseline_response
    response.text = "Quite another reply."
    response.save()
    assert "Quite another reply." in text(researcher, study, comparison=1)


@pytest.mark.parametrize("number", ["0", "99", "x", "-1"])
def test_numbers_that_do_not_exist_lead_to_one_that_does(researcher, study, number):
    assert "of 2" in text(researcher, study, comparison=number)


def test_a_study_without_comparisons_says_what_to_do(researcher):
    assert "generate the responses first" in text(researcher, build.make_study(), comparison=1)


def test_looking_leaves_no_trace(researcher, study):
    text(researcher, study, comparison=2)
    assert not Annotator.objects.exists()
    assert not Assignment.objects.exists()
    assert not Event.objects.exists()


def test_strangers_see_nothing(client, study):
    assert client.get(reverse("preview", args=[study.code])).status_code == 302
    client.force_login(build.make_stranger())
    assert client.get(reverse("preview", args=[study.code])).status_code == 403

"""The steps around the main part: one after the other, graded on the server, left by a kind exit."""

import pytest
from django.http import HttpResponse
from django.utils import timezone

from annotation.models import Annotator, Assignment, StepAttempt
from annotation.services import flows
from annotation.states import Exit
from annotation.views.annotators import remember
from tests.build import make_annotator, make_running_study
from tests.pages.people import agree, answers, held_by, page_of
from tests.platforms.people import make_recruiting_study

pytestmark = pytest.mark.django_db


def make_full_study(**over):
    """Every step: two questions, two training comparisons of which one must be right, one closing question."""
    fields = {"device_check": "computer", "training_needed": 1, "quota_per_annotator": 1, "annotators_limit": 5} | over
    study = make_running_study(dialogues=2, k=2, **fields)
    study.comprehension_questions.create(
        position=1, text="What do you compare?", options="Two films\nTwo replies", right_option=2, hint="See the start."
    )
    study.comprehension_questions.create(position=2, text="May you pause?", options="Yes\nNo", right_option=1)
    for n, expected in enumerate(("left", "right"), start=1):
        study.practice.create(
            position=n,
            turns="Ana: I failed my exam.\nBen: Oh no.",
            next_speaker="Ana",
            left=f"Thank you for asking {n}.",
            right=f"Potato {n}.",
            expected=expected,
            feedback=f"Because of reason {n}.",
        )
    study.practice.create(
        use="example", turns="Ana: Hi.", next_speaker="Ben", left="Hello!", right="7", expected="left", feedback="Fits."
    )
    study.closing_questions.create(text="How was it?", options="Good\nBad", is_required=True)
    return study


@pytest.fixture
def study():
    return make_full_study()


@pytest.fixture
def home(study):
    return f"/s/{study.code}/"


def ends_at(client, address):
    return client.get(address, follow=True).redirect_chain[-1][0]


def pass_device(client, home):
    return client.post(f"{home}device/", {"answer": "yes"})


def right(study):
    return {f"q{q.pk}": q.right_option for q in study.comprehension_questions.all()}


def wrong(study):
    return {name: 3 - number for name, number in right(study).items()}


def to_questions(client, study, home):
    agree(client, study)
    pass_device(client, home)
    client.post(f"{home}next/")


def to_training(client, study, home):
    to_questions(client, study, home)
    client.post(f"{home}questions/", right(study))


def test_a_person_goes_through_every_step_to_the_end(client, study, home):
    agree(client, study)
    assert ends_at(client, f"{home}next/") == f"{home}device/"
    pass_device(client, home)
    assert ends_at(client, f"{home}next/") == f"{home}instructions/"
    assert "Fits." in client.get(f"{home}instructions/").text
    assert client.post(f"{home}next/").url == f"{home}questions/"
    client.post(f"{home}questions/", right(study))
    assert ends_at(client, f"{home}next/") == f"{home}practice/"
    first = client.post(f"{home}practice/", {"number": 1, "naturalness": "-1"}, follow=True)
    assert "Because of reason 1." in first.text
    assert "that is how we see it" in first.text
    second = client.post(f"{home}practice/", {"number": 2, "naturalness": "-1"}, follow=True)
    assert "We see this one differently" in second.text
    assert client.post(f"{home}next/").status_code == 302
    annotator = study.annotators.get()
    client.post(page_of(held_by(annotator)), answers(study))
    assert client.post(f"{home}finish/").url == f"{home}closing/"
    assert client.post(f"{home}closing/", {}).status_code == 422
    asked = study.closing_questions.get()
    ended = client.post(f"{home}closing/", {f"q{asked.pk}": "1"}, follow=True)
    annotator.refresh_from_db()
    assert annotator.exit == Exit.COMPLETED
    assert annotator.completion_code in ended.text
    assert StepAttempt.objects.get(step="closing").answers == {str(asked.pk): "Good"}


@pytest.mark.parametrize("page", ["device/", "instructions/", "questions/", "practice/", "closing/", "next/"])
def test_every_page_leads_to_the_step_where_a_person_is(client, study, home, page):
    agree(client, study)
    got = client.get(home + page, follow=True)
    assert (got.redirect_chain or [(home + page, 200)])[-1][0] == f"{home}device/"


@pytest.mark.parametrize("page", ["questions/", "practice/", "closing/"])
def test_no_step_can_be_jumped_over_by_sending_its_form(client, study, home, page):
    agree(client, study)
    answer = client.post(home + page, right(study) | {"number": 1, "naturalness": "-1"})
    assert answer.url == f"{home}device/"
    assert not StepAttempt.objects.exists()
    client.post(f"{home}next/")
    assert not Assignment.objects.exists()
    assert client.post(f"{home}finish/").status_code == 302
    assert study.annotators.get().exit == ""


def test_nothing_that_is_right_is_in_a_page_before_it_is_graded(client, study, home):
    to_training(client, study, home)
    StepAttempt.objects.filter(step="comprehension").delete()
    asked = client.get(f"{home}questions/").text
    assert "See the start." not in asked
    assert "checked" not in asked
    client.post(f"{home}questions/", right(study))
    page = client.get(f"{home}practice/").text
    assert "Because of reason" not in page
    assert "expected" not in page
    assert "Because" not in client.get(f"{home}practice/?answered=1", follow=True).text


def test_the_first_wrong_attempt_says_where_to_look_and_not_what_is_right(client, study, home):
    agree(client, study)
    pass_device(client, home)
    client.post(f"{home}next/")
    again = client.post(f"{home}questions/", wrong(study))
    assert again.status_code == 422
    assert "See the start." in again.text
    client.post(f"{home}questions/", right(study))
    assert ends_at(client, f"{home}next/") == f"{home}practice/"


def test_a_second_wrong_attempt_ends_kindly_and_frees_the_place(client, study, home):
    agree(client, study)
    pass_device(client, home)
    client.post(f"{home}next/")
    client.post(f"{home}questions/", wrong(study))
    ended = client.post(f"{home}questions/", wrong(study), follow=True)
    study.refresh_from_db()
    assert study.annotators.get().exit == Exit.FAILED_COMPREHENSION
    assert study.places_taken == 0
    assert ended.redirect_chain[-1][0] == f"{home}finish/"
    client.post(f"{home}questions/", right(study))
    client.post(f"{home}next/")
    assert not Assignment.objects.exists()


def test_an_unanswered_question_costs_no_attempt(client, study, home):
    agree(client, study)
    pass_device(client, home)
    client.post(f"{home}next/")
    for data in ({}, {"q1": "x"}, dict.fromkeys(right(study), 99)):
        assert client.post(f"{home}questions/", data).status_code == 422
    assert not StepAttempt.objects.filter(step="comprehension").exists()


def test_a_training_answer_counts_once(client, study, home):
    to_training(client, study, home)
    client.post(f"{home}practice/", {"number": 1, "naturalness": "1"})
    late = client.post(f"{home}practice/", {"number": 1, "naturalness": "-1"})
    assert late.url == f"{home}practice/?answered=1"
    assert StepAttempt.objects.get(step="training").is_right is False


@pytest.mark.parametrize("value", ["", "7", "x"])
def test_a_training_answer_that_does_not_exist_is_asked_again(client, study, home, value):
    to_training(client, study, home)
    assert client.post(f"{home}practice/", {"number": 1, "naturalness": value}).status_code == 422
    assert not StepAttempt.objects.filter(step="training").exists()


def test_missing_the_training_rule_ends_kindly(client, study, home):
    to_training(client, study, home)
    client.post(f"{home}practice/", {"number": 1, "naturalness": "1"})
    shown = client.post(f"{home}practice/", {"number": 2, "naturalness": "-1"}, follow=True)
    assert "Because of reason 2." in shown.text
    assert study.annotators.get().exit == Exit.FAILED_TRAINING
    assert ends_at(client, f"{home}next/") == f"{home}finish/"


def test_a_phone_is_sent_to_a_computer_and_may_come_back(client, study, home):
    agree(client, study)
    phone = client.post(f"{home}device/", {"answer": "yes"}, headers={"User-Agent": "Mozilla/5.0 Mobile Safari"})
    assert "on a computer" in phone.text
    assert study.annotators.get().exit == ""
    pass_device(client, home)
    assert ends_at(client, f"{home}next/") == f"{home}instructions/"


def test_who_has_no_other_device_goes_by_an_exit_of_their_own(client, study, home):
    agree(client, study)
    client.post(f"{home}device/", {"answer": "stop"})
    assert study.annotators.get().exit == Exit.NOT_ELIGIBLE


def test_a_get_changes_nothing(client, study, home):
    to_training(client, study, home)
    before = list(StepAttempt.objects.values())
    for page in ("device/", "instructions/", "questions/", "practice/", "practice/?answered=1", "closing/", "next/"):
        client.get(home + page)
    assert list(StepAttempt.objects.values()) == before
    assert not Assignment.objects.exists()


def test_a_stranger_is_led_to_consent(client, study, home):
    for page in ("device/", "questions/", "practice/", "closing/"):
        assert client.get(home + page).url == home
    assert not Annotator.objects.exists()


def test_a_study_without_any_step_begins_with_consent_and_a_comparison(client):
    study = make_running_study(has_instructions=False)
    begun = agree(client, study)
    assert begun.url == page_of(held_by(study.annotators.get()))
    assert client.get(begun.url).status_code == 200


def test_the_last_step_leads_straight_to_a_comparison(client, study, home):
    study.practice.all().delete()
    to_questions(client, study, home)
    first = client.post(f"{home}questions/", right(study))
    assert first.url == page_of(held_by(study.annotators.get()))


def test_the_device_check_leads_straight_to_a_comparison_where_nothing_else_is_asked(client):
    study = make_running_study(has_instructions=False, device_check="any")
    home = f"/s/{study.code}/"
    assert agree(client, study).url == f"{home}device/"
    assert pass_device(client, home).url == page_of(held_by(study.annotators.get()))


def test_the_last_practice_leads_straight_to_a_comparison(client, study, home):
    to_training(client, study, home)
    for number, value in ((1, "-1"), (2, "1")):
        page = client.post(f"{home}practice/", {"number": number, "naturalness": value}, follow=True).text
        assert f'<form method="post" action="{home}next/">' in page
        following = client.post(f"{home}next/")
    assert following.url == page_of(held_by(study.annotators.get()))


def test_a_worked_example_keeps_the_direction_of_its_own_words(client):
    study = make_full_study(language="ar", device_check="")
    page = client.get(agree(client, study).url).text
    for words in ("Hello!", "7", "Fits.", study.criteria.first().question):
        assert f'<p dir="auto">{words}</p>' in page


def test_a_step_that_is_passed_while_the_study_is_paused_says_so(client, study, home):
    study.practice.all().delete()
    to_questions(client, study, home)
    type(study).objects.filter(pk=study.pk).update(state="paused")
    page = client.post(f"{home}questions/", right(study), follow=True).text
    assert "The study is taking a break" in page


def test_the_last_page_of_comparisons_names_what_comes_next(client, study, home):
    study.practice.all().delete()
    to_questions(client, study, home)
    client.post(f"{home}questions/", right(study))
    client.post(page_of(held_by(study.annotators.get())), answers(study))
    assert "Go on to the last questions" in client.get(f"{home}next/").text


@pytest.mark.parametrize(
    ("platform", "fields", "says"),
    [
        ("open", {}, "Finish and get the completion code"),
        ("prolific", {"codes": {Exit.COMPLETED: "C1DONE"}}, "Finish and get the completion code"),
        ("connect", {"completion_address": "https://connect.example.org/done"}, ">Finish<"),
        ("mturk", {}, ">Finish<"),
    ],
)
def test_a_code_is_promised_where_one_is_given(client, platform, fields, says):
    study = make_recruiting_study(platform, **fields)
    annotator = make_annotator(study, instructed_at=timezone.now())
    response = HttpResponse()
    remember(response, study=study.code, annotator=annotator.code)
    client.cookies.update(response.cookies)
    client.post(f"/s/{study.code}/next/")
    client.post(page_of(held_by(annotator)), answers(study))
    assert says in client.get(f"/s/{study.code}/next/").text


def test_the_usual_study_has_the_instructions_alone(client):
    study = make_running_study()
    agree(client, study)
    client.post(f"/s/{study.code}/next/")
    assert held_by(study.annotators.get())
    assert flows.read_steps(study).flow.has_instructions

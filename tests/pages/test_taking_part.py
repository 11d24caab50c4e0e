"""The path of an annotator, page by page: each works, and each is asked the awkward questions."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client

from annotation.models import Annotator, Judgement, ProblemReport
from annotation.services.claiming import expire_stale
from annotation.states import Outcome, Side
from tests.build import make_running_study
from tests.pages.people import agree, answers, held_by, page_of, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_running_study(dialogues=4, k=2, quota_per_annotator=3, instructions="Take your time.")


def test_nothing_is_stored_before_consent(client, study):
    assert client.get(f"/s/{study.code}/").status_code == 200
    assert client.get(f"/s/{study.code}/declined/").status_code == 200
    assert not Annotator.objects.exists()
    assert not client.cookies.get("duologue")


@pytest.mark.parametrize("given", [{}, {"adult": "on"}, {"agree": "on"}, {"agree": "on", "adult": ""}])
def test_half_a_consent_is_none(client, study, given):
    page = client.post(f"/s/{study.code}/", {"consent_version": study.consent_version} | given)
    assert page.status_code == 422
    assert "Please" in page.text
    assert not Annotator.objects.exists()


def test_consent_to_another_version_is_asked_again(client, study):
    page = client.post(f"/s/{study.code}/", {"adult": "on", "agree": "on", "consent_version": "0"})
    assert page.status_code == 422
    assert "consent text has changed" in page.text
    assert not Annotator.objects.exists()


def test_consent_is_stored_with_version_and_time(client, study):
    answer = agree(client, study)
    assert answer.url == f"/s/{study.code}/instructions/"
    annotator = study.annotators.get()
    assert annotator.consent_version == study.consent_version
    assert annotator.consented_at
    cookie = client.cookies["duologue"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (f"/s/{study.code}/", True, "Lax")


@pytest.mark.parametrize(("state", "says"), [("draft", "not started"), ("paused", "a break"), ("closed", "is over")])
def test_a_study_that_is_not_running_takes_nobody(client, study, state, says):
    type(study).objects.filter(pk=study.pk).update(state=state)
    assert says in client.get(f"/s/{study.code}/").text
    agree(client, study)
    assert not Annotator.objects.exists()


def test_an_unknown_study_is_not_found(client):
    assert client.get(f"/s/{uuid.uuid4()}/").status_code == 404
    assert client.get("/s/1/").status_code == 404


def test_a_get_never_claims(client, study):
    agree(client, study)
    for part in ("", "next/", "instructions/", "guidelines/", "finish/", "leave/", "change/"):
        client.get(f"/s/{study.code}/{part}", follow=True)
    assert not study.annotators.get().assignments.exists()


def test_reload_shows_the_same_comparison_sides_and_draft(client, study):
    annotator = start(client, study)
    held = held_by(annotator)
    key = study.criteria.first().key
    assert client.post(page_of(held, "draft/"), {key: "1"}).json()["kept"]
    first, second = client.get(page_of(held)).text, client.get(page_of(held)).text
    assert f'name="{key}" value="1" required data-key="3" aria-keyshortcuts="3" checked' in first
    assert part_between(first, '<div class="replies"', "</form>") == part_between(
        second, '<div class="replies"', "</form>"
    )
    assert annotator.assignments.count() == 1


def part_between(text: str, begin: str, end: str) -> str:
    return text[text.index(begin) : text.index(end)]


def test_the_answer_to_a_submit_is_the_page_of_the_next_comparison(client, study):
    annotator = start(client, study)
    held = held_by(annotator)
    answer = client.post(page_of(held), answers(study))
    following = held_by(annotator)
    assert (answer.status_code, answer.url) == (302, page_of(following))
    assert following.comparison_id != held.comparison_id
    assert Judgement.objects.filter(assignment=held).count() == 3


def test_htmx_gets_the_next_comparison_in_the_same_answer(client, study):
    annotator = start(client, study)
    held = held_by(annotator)
    answer = client.post(page_of(held), answers(study), headers={"HX-Request": "true"})
    following = held_by(annotator)
    assert answer.headers["HX-Push-Url"] == page_of(following)
    assert page_of(following) in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize(("value", "left_wins"), [("-1", True), ("1", False)])
def test_judgements_are_stored_in_the_agents_frame(client, study, value, left_wins):
    annotator = start(client, study)
    held = held_by(annotator)
    client.post(page_of(held), answers(study, value))
    treatment_is_left = held.slot.treatment_side == Side.LEFT
    expected = Outcome.TREATMENT if treatment_is_left == left_wins else Outcome.BASELINE
    assert {j.outcome for j in held.judgements.all()} == {expected}
    assert {j.treatment_side for j in held.judgements.all()} == {held.slot.treatment_side}


def test_a_second_submit_changes_nothing_and_says_so(client, study):
    annotator = start(client, study)
    held = held_by(annotator)
    client.post(page_of(held), answers(study, "-1"))
    page = client.post(page_of(held), answers(study, "1"), follow=True)
    assert "was saved before" in page.text
    assert annotator.assignments.filter(state="submitted").count() == 1
    treatment_is_left = held.slot.treatment_side == Side.LEFT
    wins = Outcome.TREATMENT if treatment_is_left else Outcome.BASELINE
    assert {j.outcome for j in held.judgements.all()} == {wins}


@pytest.mark.parametrize("data", [{}, {"naturalness": "-1"}, {"naturalness": "2"}, {"naturalness": "\x00"}])
def test_an_incomplete_answer_is_kept_and_asked_for(client, study, data):
    held = held_by(start(client, study))
    for headers in ({}, {"HX-Request": "true"}):
        page = client.post(page_of(held), data, headers=headers)
        assert page.status_code == 422
        assert "need" in page.text
        assert "Please choose" in page.text
    assert not Judgement.objects.exists()
    assert held_by(held.annotator) == held


def test_strangers_are_led_to_the_first_page(client, study):
    held = held_by(start(client, study))
    stranger = Client()
    for part in ("", "draft/", "active/", "show/", "skip/", "change/", "report/"):
        answer = stranger.post(page_of(held, part), answers(study))
        assert (answer.status_code, answer.url) == (302, f"/s/{study.code}/")
    assert not Judgement.objects.exists()


def test_another_annotators_comparison_is_out_of_reach(client, study):
    theirs = held_by(start(client, study))
    other = Client()
    mine = held_by(start(other, study))
    assert other.get(page_of(theirs)).status_code == 409
    for part in ("draft/", "active/", "show/", "skip/", "report/"):
        assert other.post(page_of(theirs, part), {"text": "x"} | answers(study)).status_code == 409
    other.post(page_of(theirs), answers(study))
    assert not Judgement.objects.exists()
    assert held_by(mine.annotator) == mine
    assert held_by(theirs.annotator).draft == {}


def test_a_forged_cookie_is_a_stranger(client, study):
    annotator = start(client, study)
    client.cookies["duologue"] = f"{annotator.code}:forged"
    assert client.get(f"/s/{study.code}/next/").url == f"/s/{study.code}/"


def test_a_cookie_of_one_study_opens_no_other(client, study):
    start(client, study)
    other = make_running_study()
    other_client = Client()
    other_client.cookies["duologue"] = client.cookies["duologue"].value
    assert other_client.get(f"/s/{other.code}/next/").url == f"/s/{other.code}/"


def test_an_expired_comparison_explains_itself_and_comes_back_on_request(client, study):
    annotator = start(client, study)
    held = held_by(annotator)
    expire_stale(now=held.lease_until + timedelta(seconds=1))
    page = client.get(page_of(held))
    assert page.status_code == 409
    assert "out of date" in page.text
    assert client.post(f"/s/{study.code}/next/").url == page_of(held)


def test_a_late_answer_is_taken_while_the_slot_is_free(client, study):
    annotator = start(client, study)
    held = held_by(annotator)
    expire_stale(now=held.lease_until + timedelta(seconds=1))
    client.post(page_of(held), answers(study))
    assert annotator.assignments.get(pk=held.pk).state == "submitted"


def test_the_last_answer_can_be_changed_until_the_next_is_saved(client, study):
    annotator = start(client, study)
    first = held_by(annotator)
    client.post(page_of(first), answers(study, "-1"))
    assert client.get(f"/s/{study.code}/change/").url == page_of(first, "change/")
    assert client.get(page_of(first, "change/")).text.count(" checked") == 3 + 1  # and the box of the keys
    client.post(page_of(first, "change/"), answers(study, "0"))
    assert {j.outcome for j in first.judgements.all()} == {Outcome.TIE}
    client.post(page_of(held_by(annotator)), answers(study))
    assert client.post(page_of(first, "change/"), answers(study, "1")).status_code == 409
    assert {j.outcome for j in first.judgements.all()} == {Outcome.TIE}


def test_the_quota_ends_with_a_completion_code(client, study):
    annotator = start(client, study)
    for _ in range(3):
        client.post(page_of(held_by(annotator)), answers(study))
    page = client.get(f"/s/{study.code}/next/")
    assert "as many as one person can" in page.text
    end = client.post(f"/s/{study.code}/finish/", follow=True)
    code = study.annotators.get().completion_code
    assert len(code) == 10
    assert code in end.text
    assert code in client.post(f"/s/{study.code}/finish/", follow=True).text
    assert client.get(f"/s/{study.code}/").url == f"/s/{study.code}/next/"
    assert client.get(f"/s/{study.code}/next/").url == f"/s/{study.code}/finish/"


def test_nobody_finishes_while_there_is_work_for_them(client, study):
    held = held_by(start(client, study))
    assert client.post(f"/s/{study.code}/finish/").url == page_of(held)
    assert not study.annotators.get().completion_code


def test_feedback_reaches_the_researchers(client, study):
    annotator = start(client, study)
    for _ in range(3):
        client.post(page_of(held_by(annotator)), answers(study))
    client.post(f"/s/{study.code}/finish/")
    page = client.post(f"/s/{study.code}/feedback/", {"text": "Nice pages."}, follow=True)
    assert "Thank you for your words" in page.text
    assert study.annotators.get().feedback == "Nice pages."


@pytest.mark.parametrize(("choice", "left"), [("keep", 3), ("delete", 0)])
def test_leaving_keeps_or_deletes_the_answers_as_chosen(client, study, choice, left):
    annotator = start(client, study)
    client.post(page_of(held_by(annotator)), answers(study))
    assert client.get(f"/s/{study.code}/leave/").status_code == 200
    page = client.post(f"/s/{study.code}/leave/", {"answers": choice}, follow=True)
    assert "You have stopped" in page.text
    assert Judgement.objects.count() == left
    assert not annotator.assignments.filter(state="claimed").exists()


def test_a_report_reaches_the_researchers(client, study):
    held = held_by(start(client, study))
    assert client.get(page_of(held, "report/")).status_code == 200
    assert client.post(page_of(held, "report/"), {"text": " "}).status_code == 422
    page = client.post(page_of(held, "report/"), {"text": "The right one is empty."}, follow=True)
    assert "your report has reached" in page.text
    report = ProblemReport.objects.get()
    assert (report.assignment, report.study, report.text) == (held, study, "The right one is empty.")


def test_a_warning_stands_before_a_flagged_dialogue_and_skipping_costs_nothing(client, study):
    study.comparisons.first().dialogue.collection.dialogues.update(content_warning="About grief.")
    annotator = start(client, study)
    held = held_by(annotator)
    page = client.get(page_of(held))
    assert "About grief." in page.text
    assert "replies" not in page.text.replace('href="#replies"', "").replace("the two replies", "")
    client.post(page_of(held, "skip/"))
    following = held_by(annotator)
    assert following.comparison_id != held.comparison_id
    assert client.post(page_of(following, "show/")).url == page_of(following)
    shown = client.get(page_of(following)).text
    assert "About grief." not in shown
    assert 'class="replies"' in shown
    client.post(page_of(following, "draft/"), answers(study))
    assert 'class="replies"' in client.get(page_of(following)).text


@pytest.mark.parametrize("part", ["draft/", "active/", "show/", "skip/"])
def test_deeds_are_posts(client, study, part):
    held = held_by(start(client, study))
    assert client.get(page_of(held, part)).status_code == 405


def test_a_paused_study_keeps_its_people(client, study):
    annotator = start(client, study)
    held = held_by(annotator)
    type(study).objects.filter(pk=study.pk).update(state="paused")
    client.post(page_of(held), answers(study))
    assert "taking a break" in client.get(f"/s/{study.code}/next/").text
    assert annotator.assignments.get(pk=held.pk).state == "submitted"


def test_text_of_people_and_models_is_escaped(client):
    study = make_running_study(dialogues=1)
    comparison = study.comparisons.get()
    type(comparison.baseline_response).objects.update(text="<script>alert(1)</script>\n{{ secret }}")
    comparison.dialogue.turns[0]["text"] = "<img src=x onerror=alert(2)>"
    comparison.dialogue.save()
    page = client.get(page_of(held_by(start(client, study)))).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\n{{ secret }}" in page


def test_pages_are_never_stored_by_browsers_or_proxies(client, study):
    held = held_by(start(client, study))
    for address in (page_of(held), f"/s/{study.code}/", f"/s/{study.code}/guidelines/"):
        assert "no-store" in client.get(address).headers["Cache-Control"]

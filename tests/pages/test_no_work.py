"""When there is nothing to judge the page says why and leads to the exit with its code; with htmx and without."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Annotator, Study
from annotation.states import Exit
from tests.pages.people import answers, held_by, page_of
from tests.platforms.people import ANA, BEN, come_in, home_of, make_recruiting_study, prolific_link

pytestmark = pytest.mark.django_db

CODES = {Exit.COMPLETED: "DONE77", Exit.QUOTA_FULL: "FULL99"}
WAYS = [pytest.param({"HX-Request": "true"}, id="htmx"), pytest.param({}, id="plain")]


def make_study(**over) -> Study:
    return make_recruiting_study("prolific", codes=CODES, **({"k": 1, "quota_per_annotator": 5} | over))


def enter(study: Study, person: str) -> tuple[Client, Annotator]:
    """Somebody who has consented and holds nothing yet."""
    client = Client()
    return client, come_in(client, study, prolific_link(study, person, submission=f"sub-{person}"))


def ask(client: Client, study: Study, headers: dict[str, str]) -> str:
    """Ask for a comparison where there is none; returns the page to which that leads."""
    return follow(client, client.post(f"{home_of(study)}next/", headers=headers), study)


def judge(client: Client, study: Study, annotator: Annotator, headers: dict[str, str]) -> str:
    """Answer the comparison in hand; returns the page to which that leads when it was the last."""
    held = held_by(annotator)
    return follow(client, client.post(page_of(held), answers(study), headers=headers), study)


def follow(client: Client, answer, study: Study) -> str:
    """Go where an answer leads: it must be the page that says why there is nothing."""
    is_told = "HX-Redirect" in answer.headers
    address = answer.headers["HX-Redirect"] if is_told else answer.headers["Location"]
    assert answer.status_code == (200 if is_told else 302)
    assert address == f"{home_of(study)}next/"
    return client.get(address).text


def finish(client: Client, study: Study, page: str) -> str:
    """Press the button that ends the part, if the page has one."""
    assert f'action="{home_of(study)}finish/"' in page
    return client.post(f"{home_of(study)}finish/", follow=True).text


def assert_ended(annotator: Annotator, end: str, how: Exit) -> None:
    """The exit is stored, and the page leads back to the platform with its code and no other."""
    annotator.refresh_from_db()
    assert annotator.exit == how
    assert f'href="https://app.prolific.com/submissions/complete?cc={CODES[how]}"' in end
    assert not any(code in end for other, code in CODES.items() if other != how)


@pytest.mark.parametrize("headers", WAYS)
def test_all_is_done_after_the_last_comparison(headers):
    study = make_study(dialogues=1)
    client, annotator = enter(study, ANA)
    client.post(f"{home_of(study)}next/")
    page = judge(client, study, annotator, headers)
    assert "All comparisons that you could judge are done. Everything is saved." in page
    assert_ended(annotator, finish(client, study, page), Exit.COMPLETED)


@pytest.mark.parametrize("headers", WAYS)
def test_all_was_done_by_others_before_somebody_began(headers):
    study = make_study(dialogues=1)
    first, annotator = enter(study, ANA)
    first.post(f"{home_of(study)}next/")
    late, latecomer = enter(study, BEN)
    judge(first, study, annotator, {})
    page = ask(late, study, headers)
    assert "There is nothing left to judge" in page
    assert "All comparisons that you could judge are done." in page
    assert "saved" not in page
    end = finish(late, study, page)
    assert "Others had done all comparisons before you could begin." in end
    assert_ended(latecomer, end, Exit.QUOTA_FULL)


def hold_until(study: Study, *, seconds: float) -> Client:
    """Somebody takes the next comparison and keeps it for so long; returns them."""
    client, annotator = enter(study, BEN)
    client.post(f"{home_of(study)}next/")
    until = timezone.now() + timedelta(seconds=seconds)
    assert annotator.assignments.filter(state="claimed").update(lease_until=until) == 1
    return client


@pytest.mark.parametrize("headers", WAYS)
@pytest.mark.parametrize(("seconds", "says"), [(7 * 60 - 1, "in about 7 minutes."), (59, "in about 1 minute.")])
def test_others_hold_the_last_comparison_for_so_many_minutes(headers, seconds, says):
    study = make_study(dialogues=1)
    client, annotator = enter(study, ANA)
    other = hold_until(study, seconds=seconds)
    page = ask(client, study, headers)
    assert "Others are working on the last comparisons" in page
    assert f"If one comes back you can have it: try again {says}" in page
    assert "You may also finish now" not in page
    other.post(f"{home_of(study)}leave/", {"answers": "keep"})
    assert "Your next comparison is ready" in client.get(f"{home_of(study)}next/").text
    again = client.post(f"{home_of(study)}next/")
    assert again.url == page_of(held_by(annotator))


@pytest.mark.parametrize("headers", WAYS)
@pytest.mark.parametrize(("dialogues", "how"), [(1, Exit.QUOTA_FULL), (2, Exit.COMPLETED)])
def test_whoever_does_not_want_to_wait_for_others_finishes_by_the_exit_of_what_they_did(headers, dialogues, how):
    study = make_study(dialogues=dialogues)
    client, annotator = enter(study, ANA)
    hold_until(study, seconds=600)
    page = ask(client, study, headers) if how == Exit.QUOTA_FULL else ""
    if how == Exit.COMPLETED:
        client.post(f"{home_of(study)}next/")
        page = judge(client, study, annotator, headers)
        assert "You may also finish now: you have done all we could give you." in page
    assert_ended(annotator, finish(client, study, page), how)


@pytest.mark.parametrize("headers", WAYS)
def test_the_quota_of_a_person_is_reached(headers):
    study = make_study(dialogues=3, quota_per_annotator=1)
    client, annotator = enter(study, ANA)
    client.post(f"{home_of(study)}next/")
    page = judge(client, study, annotator, headers)
    assert "You have judged 1 comparison, as many as one person can. Everything is saved." in page
    assert_ended(annotator, finish(client, study, page), Exit.COMPLETED)


@pytest.mark.parametrize("headers", WAYS)
def test_a_pause_ends_nobodys_part(headers):
    study = make_study(dialogues=3)
    client, annotator = enter(study, ANA)
    client.post(f"{home_of(study)}next/")
    Study.objects.filter(pk=study.pk).update(state="paused")
    page = judge(client, study, annotator, headers)
    assert "The study is taking a break" in page
    assert "Your answers are saved. Please come back to this page later." in page
    assert "finish/" not in page
    assert client.post(f"{home_of(study)}finish/").url == f"{home_of(study)}next/"
    annotator.refresh_from_db()
    assert (annotator.exit, annotator.completion_code) == ("", "")
    Study.objects.filter(pk=study.pk).update(state="running")
    assert client.post(f"{home_of(study)}next/").url == page_of(held_by(annotator))


@pytest.mark.parametrize("headers", WAYS)
@pytest.mark.parametrize(("judged", "how"), [(True, Exit.COMPLETED), (False, Exit.QUOTA_FULL)])
def test_a_study_that_was_closed_in_the_middle_pays_whoever_judged(headers, judged, how):
    study = make_study(dialogues=3)
    client, annotator = enter(study, ANA)
    if judged:
        client.post(f"{home_of(study)}next/")
        client.post(page_of(held_by(annotator)), answers(study))
    Study.objects.filter(pk=study.pk).update(state="closed")
    annotator.assignments.filter(state="claimed").update(state="expired")
    page = ask(client, study, headers)
    assert "The researchers have closed the study." in page
    assert ("Everything is saved." in page) == judged
    assert_ended(annotator, finish(client, study, page), how)


@pytest.mark.parametrize("headers", WAYS)
def test_whoever_has_left_is_led_to_the_end_again(headers):
    study = make_study(dialogues=1)
    client, annotator = enter(study, ANA)
    client.post(f"{home_of(study)}next/")
    finish(client, study, judge(client, study, annotator, {}))
    answer = client.post(f"{home_of(study)}next/", headers=headers)
    assert answer.url == f"{home_of(study)}finish/"
    assert_ended(annotator, client.get(answer.url).text, Exit.COMPLETED)

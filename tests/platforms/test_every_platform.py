"""What holds on every platform alike, each with its played site: the link, the link again, a return, a time-out, a
redirect that is lost, and a study that is paused, closed or full."""

import pytest
from django.test import Client

from annotation.models import Annotator, Slot, Study
from annotation.services.claiming import expire_stale
from annotation.states import Exit, StudyState
from tests.pages.people import agree, answers, held_by, page_of
from tests.platforms.doors import DOORS, Door, open_door
from tests.platforms.people import come_in, home_of, judge_all

pytestmark = pytest.mark.django_db


@pytest.fixture(params=DOORS)
def door(request, settings):
    with open_door(request.param, settings) as opened:
        yield opened


def holding(client: Client, door: Door) -> tuple[Annotator, Slot]:
    """A person with a comparison in their hands."""
    person = come_in(client, door.study, door.link_for("ana"))
    client.post(f"{home_of(door.study)}next/")
    return person, held_by(person).slot


def test_a_link_leads_to_consent_and_stores_nothing_before_it(client, door):
    page = client.get(door.link_for("ana"), follow=True)
    assert "Agree and start" in page.text
    assert not Annotator.objects.exists()
    agree(client, door.study)
    assert door.study.annotators.count() == 1


def test_the_same_link_again_makes_no_second_person(client, door):
    link = door.link_for("ana")
    person = come_in(client, door.study, link)
    assert client.get(link, follow=True).status_code in {200, 409}
    assert door.study.annotators.get() == person


def test_the_same_link_in_another_browser_is_the_same_person_where_people_are_known(client, door):
    link = door.link_for("ana")
    person = come_in(client, door.study, link)
    elsewhere = Client()
    answer = elsewhere.get(link, follow=True)
    agree(elsewhere, door.study)
    assert door.study.annotators.count() == (1 if door.has_ids else 2)
    assert not door.has_ids or (answer.status_code == 200) == door.goes_on_elsewhere
    assert person in door.study.annotators.all()


def test_two_people_of_a_platform_are_two_annotators(door):
    for name in ("ana", "ben"):
        come_in(Client(), door.study, door.link_for(name))
    assert door.study.annotators.count() == 2


def test_a_place_given_back_is_open_to_others_at_once(client, door):
    person, slot = holding(client, door)
    client.post(f"{home_of(door.study)}leave/", {"answers": "keep"}, follow=True)
    assert Slot.objects.get(pk=slot.pk).is_open
    assert not person.assignments.filter(state="claimed").exists()
    assert "DONE77" not in client.get(home_of(door.study), follow=True).text
    assert door.heard() == []


def test_after_a_time_out_the_person_goes_on_and_ends_as_everybody(client, door):
    person, slot = holding(client, door)
    held = held_by(person)
    assert expire_stale(now=held.lease_until.replace(year=2100))
    assert Slot.objects.get(pk=slot.pk).is_open
    assert door.at_the_end in judge_all(client, door.study, person).text
    person.refresh_from_db()
    assert (person.exit, person.submitted_count) == (Exit.COMPLETED, 1)


def test_the_platform_hears_of_an_end_once(client, door):
    person = come_in(client, door.study, door.link_for("ana"))
    last = judge_all(client, door.study, person)
    assert door.heard() == []
    door.go_out(last.text)
    assert len(door.heard()) == (1 if door.key not in {"invitation", "open"} else 0)


def test_whoever_loses_the_last_page_finds_the_same_again(client, door):
    link = door.link_for("ana")
    person = come_in(client, door.study, link)
    last = judge_all(client, door.study, person)
    assert door.at_the_end in last.text
    person.refresh_from_db()
    code = person.completion_code
    shows_code = bool(code) and code in last.text
    for address in (home_of(door.study), f"{home_of(door.study)}next/", link):
        again = client.get(address, follow=True)
        if again.status_code == 405:
            again = client.post(address, follow=True)
        assert door.at_the_end in again.text, address
        assert not shows_code or code in again.text, address
    door.go_out(again.text)
    assert len(door.heard()) == (1 if door.key not in {"invitation", "open"} else 0)
    assert door.study.annotators.get() == person


@pytest.mark.parametrize("state", [StudyState.PAUSED, StudyState.CLOSED])
def test_a_study_that_is_not_open_takes_nobody_in_and_asks_nothing(client, door, state):
    link = door.link_for("ana")
    Study.objects.filter(pk=door.study.pk).update(state=state)
    page = client.get(link, follow=True)
    assert "Agree and start" not in page.text
    agree(client, door.study)
    assert not Annotator.objects.exists()


def test_a_full_study_says_so_before_it_asks_anything(client, door):
    link = door.link_for("ana")
    Study.objects.filter(pk=door.study.pk).update(annotators_limit=1, places_taken=1)
    page = client.get(link, follow=True)
    assert "All places are taken" in page.text
    assert "Agree and start" not in page.text
    assert "DONE77" not in page.text


def test_a_study_that_fills_up_while_somebody_reads_tells_them_at_their_consent(client, door):
    client.get(door.link_for("ana"))
    Study.objects.filter(pk=door.study.pk).update(annotators_limit=1, places_taken=1)
    page = agree(client, door.study)
    assert "All places are taken" in page.text
    assert not Annotator.objects.exists()


@pytest.mark.parametrize("state", [StudyState.PAUSED, StudyState.CLOSED])
def test_whoever_has_done_everything_gets_their_end_however_the_study_stands(client, door, state):
    """Work that is done is paid, although the study stopped between the last answer and the last page."""
    person = come_in(client, door.study, door.link_for("ana"))
    client.post(f"{home_of(door.study)}next/")
    client.post(page_of(held_by(person)), answers(door.study))
    Study.objects.filter(pk=door.study.pk).update(state=state)
    last = client.post(f"{home_of(door.study)}finish/", follow=True)
    assert door.at_the_end in last.text
    door.go_out(last.text)
    assert len(door.heard()) == (1 if door.key not in {"invitation", "open"} else 0)

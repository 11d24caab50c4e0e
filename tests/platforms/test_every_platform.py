"""What holds on every platform alike: a link, the same link again, a return, a time-out, a redirect that is lost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Annotator, Slot, Study
from annotation.services import invitations
from annotation.services.claiming import expire_stale
from annotation.services.sealed_tokens import invitation_token
from annotation.states import Exit
from tests.pages.people import agree, held_by
from tests.platforms.people import come_in, home_of, judge_all, make_recruiting_study, prolific_link
from tests.platforms.test_mturk import accept, work_link
from tests.platforms.test_sona_and_connect import DONE, PARTIAL, connect_link, sona_link

pytestmark = pytest.mark.django_db


def invited_link(study: Study) -> str:
    [invitation] = invitations.invite(study, 1, days=7, actor=None, now=timezone.now())
    return f"{home_of(study)}enter/?invitation={invitation_token(invitation)}"


def task_link(study: Study) -> str:
    frame, address = accept(study)
    return work_link(frame.get(address).text)


@dataclass(frozen=True)
class Way:
    """How people of a platform come, whether the same link goes on elsewhere, and what the last page must hold."""

    link: Callable[[Study], str]
    goes_on_elsewhere: bool
    at_the_end: str
    settings: dict[str, Any] = field(default_factory=dict)


CODES = {"codes": {Exit.COMPLETED: "DONE77", Exit.RETURNED: "BACK88"}}
WAYS = {
    "prolific": Way(prolific_link, False, "DONE77", CODES),
    "mturk": Way(task_link, False, "Finished. Thank you!", CODES),
    "sona": Way(sona_link, False, "Finished. Thank you!"),
    "connect": Way(connect_link, False, DONE, {"completion_address": DONE, "partial_address": PARTIAL}),
    "invitation": Way(invited_link, True, "Finished. Thank you!"),
    "open": Way(home_of, False, "Finished. Thank you!"),
}


@pytest.fixture(params=WAYS)
def way(request) -> Way:
    return WAYS[request.param]


@pytest.fixture
def study(request, way) -> Study:
    return make_recruiting_study(request.node.callspec.params["way"], **way.settings)


def test_a_link_leads_to_consent_and_stores_nothing_before_it(client, study, way):
    page = client.get(way.link(study), follow=True)
    assert "Agree and start" in page.text
    assert not Annotator.objects.exists()
    agree(client, study)
    assert study.annotators.count() == 1


def test_the_same_link_again_makes_no_second_person(client, study, way):
    link = way.link(study)
    person = come_in(client, study, link)
    assert client.get(link, follow=True).status_code in {200, 409}
    if way.link is home_of:
        return
    elsewhere = Client()
    answer = elsewhere.get(link, follow=True)
    agree(elsewhere, study)
    assert list(study.annotators.all()) == [person]
    assert (answer.status_code == 200) == way.goes_on_elsewhere


def test_a_place_given_back_is_open_to_others_at_once(client, study, way):
    person = come_in(client, study, way.link(study))
    client.post(f"{home_of(study)}next/")
    slot = held_by(person).slot
    client.post(f"{home_of(study)}leave/", {"answers": "keep"}, follow=True)
    assert Slot.objects.get(pk=slot.pk).is_open
    assert not person.assignments.filter(state="claimed").exists()
    assert DONE not in client.get(home_of(study), follow=True).text


def test_after_a_time_out_the_person_goes_on_and_ends_as_everybody(client, study, way):
    person = come_in(client, study, way.link(study))
    client.post(f"{home_of(study)}next/")
    held = held_by(person)
    assert expire_stale(now=held.lease_until.replace(year=2100))
    assert Slot.objects.get(pk=held.slot_id).is_open
    assert way.at_the_end in judge_all(client, study, person).text
    person.refresh_from_db()
    assert (person.exit, person.submitted_count) == (Exit.COMPLETED, 1)


def test_whoever_loses_the_last_page_finds_the_same_again(client, study, way):
    link = way.link(study)
    person = come_in(client, study, link)
    last = judge_all(client, study, person)
    assert way.at_the_end in last.text
    person.refresh_from_db()
    code = person.completion_code
    shows_code = bool(code) and code in last.text
    for address in (home_of(study), f"{home_of(study)}next/", link):
        again = client.get(address, follow=True)
        if again.status_code == 405:
            again = client.post(address, follow=True)
        assert way.at_the_end in again.text, address
        assert not shows_code or code in again.text, address
    assert study.annotators.get() == person

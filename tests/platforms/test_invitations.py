"""Personal invitations: made, sent, used by one person on any device, revoked."""

import csv
import io
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from annotation.models import Event, Invitation
from annotation.services import invitations
from annotation.services.sealed_tokens import invitation_token
from annotation.states import Exit
from tests.build import make_researcher, make_stranger
from tests.pages.people import agree
from tests.platforms.people import come_in, home_of, judge_all, make_recruiting_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_recruiting_study("invitation")


@pytest.fixture
def researcher():
    client = Client()
    client.force_login(make_researcher())
    return client


def invite(study, number=1, days=30) -> list[Invitation]:
    return invitations.invite(study, number, days=days, actor=None, now=timezone.now())


def link_of(invitation: Invitation) -> str:
    return f"{home_of(invitation.study)}enter/?invitation={invitation_token(invitation)}"


def page(study, part="") -> str:
    return f"/studies/{study.code}/invitations/{part}"


def test_a_researcher_makes_links_and_takes_the_list_away(researcher, client, study):
    made = researcher.post(page(study), {"number": "3", "days": "7"}, follow=True)
    assert "3 invitations are made" in made.text
    answer = researcher.post(page(study, "list.csv"))
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert len({row["link"] for row in rows}) == 3
    assert come_in(client, study, rows[1]["link"].removeprefix("http://testserver")).platform == "invitation"
    again = list(csv.DictReader(io.StringIO(researcher.post(page(study, "list.csv")).text)))
    assert [row["state"] for row in again] == ["waiting", "used", "waiting"]
    assert Event.objects.filter(verb="download invitations").count() == 2


def test_a_personal_link_goes_on_on_another_device_for_the_same_person(client, study):
    [invitation] = invite(study)
    annotator = come_in(client, study, link_of(invitation))
    phone = Client()
    assert phone.get(link_of(invitation)).url == f"{home_of(study)}next/"
    assert f"finish/{annotator.pk}" not in judge_all(phone, study, annotator).text
    assert study.annotators.get().exit == Exit.COMPLETED


def test_each_person_gets_a_code_of_their_own(study):
    codes = set()
    for invitation in invite(study, 2):
        browser = Client()
        judge_all(browser, study, come_in(browser, study, link_of(invitation)))
    codes = set(study.annotators.values_list("completion_code", flat=True))
    assert len(codes) == 2
    assert {len(code) for code in codes} == {10}


def test_a_revoked_link_lets_nobody_in(researcher, client, study):
    [invitation] = invite(study)
    assert researcher.post(page(study, "1/revoke/"), follow=True).status_code == 200
    answer = client.get(link_of(invitation))
    assert answer.status_code == 400
    assert "not valid any more" in answer.text


def test_a_link_ends(client, study):
    [invitation] = invite(study, days=1)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert "has expired" in client.get(link_of(invitation)).text


def test_a_link_cannot_be_made_up(client, study):
    [invitation] = invite(study)
    unsigned = f"{home_of(study)}enter/?invitation={invitation.code.hex}"
    forged = f"{home_of(study)}enter/?invitation={signing.Signer(key='x' * 50, sep='.').sign(invitation.code.hex)}"
    for link in (unsigned, forged, link_of(invitation)[:-1]):
        assert client.get(link).status_code == 400


def test_a_link_of_another_study_is_refused(client, study):
    [invitation] = invite(make_recruiting_study("invitation"))
    assert client.get(f"{home_of(study)}enter/?invitation={invitation_token(invitation)}").status_code == 400


def test_without_a_personal_link_nobody_comes_in(client, study):
    assert "open the link in your invitation" in client.get(home_of(study)).text


@pytest.mark.parametrize("data", [{}, {"number": "0", "days": "7"}, {"number": "5000", "days": "7"}, {"number": "x"}])
def test_a_number_that_makes_no_sense_makes_nothing(researcher, study, data):
    assert researcher.post(page(study), data).status_code == 422
    assert not Invitation.objects.exists()


def test_links_are_for_those_who_may_change_the_study(study):
    invite(study)
    for user in (make_stranger(), make_stranger(is_staff=True)):
        browser = Client()
        browser.force_login(user)
        assert browser.get(page(study)).status_code == 403
        assert browser.post(page(study, "list.csv")).status_code == 403
        assert browser.post(page(study, "1/revoke/")).status_code == 403
    assert Client().post(page(study, "list.csv")).status_code == 302
    assert not Invitation.objects.exclude(revoked_at=None).exists()


def test_a_list_is_not_made_by_a_get(researcher, study):
    assert researcher.get(page(study, "list.csv")).status_code == 405


def test_a_link_revoked_while_its_person_reads_the_consent_text_lets_nobody_in(client, study):
    [invitation] = invite(study)
    client.get(link_of(invitation))
    invitations.revoke(invitation, actor=None, now=timezone.now())
    assert agree(client, study).status_code == 403
    assert not study.annotators.exists()

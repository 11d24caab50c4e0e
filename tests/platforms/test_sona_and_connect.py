"""SONA and CloudResearch Connect, played: credit that the server grants, and redirects that differ by exit."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotation import tasks
from annotation.models import PlatformMessage
from annotation.services import platform_messages
from annotation.services.identities import sealer
from annotation.states import Exit
from tests.platforms.people import come_in, home_of, judge_all, make_recruiting_study
from tests.platforms.playing import Answer, PlayedPlatform

pytestmark = pytest.mark.django_db

GRANTED = "<WebstudyCreditResult><a:credit_status>G</a:credit_status></WebstudyCreditResult>"
DONE = "https://connect.example.org/complete?token=abc"
PARTIAL = "https://connect.example.org/partial?token=abc"


@pytest.fixture
def sona(settings):
    with PlayedPlatform(lambda call: Answer(200, GRANTED, {"Content-Type": "text/xml"})) as played:
        settings.SONA_URL = played.address
        yield played


@pytest.fixture
def sona_study():
    token = sealer().seal("sesame", now=timezone.now())
    over = {"sona_host": "school.sona-systems.com", "sona_experiment": "7", "sealed_credit_token": token}
    return make_recruiting_study("sona", **over)


@pytest.fixture
def connect_study():
    return make_recruiting_study("connect", completion_address=DONE, partial_address=PARTIAL)


def sona_link(study, code="48213") -> str:
    return f"{home_of(study)}enter/?survey_code={code}"


def connect_link(study) -> str:
    return f"{home_of(study)}enter/?participantId=P1&assignmentId=A1&projectId=J1"


def run_messages() -> PlatformMessage:
    message = PlatformMessage.objects.get()
    tasks.tell_platform(message.pk)
    message.refresh_from_db()
    return message


def test_sona_credits_a_finished_person_once_and_the_token_reaches_no_browser(sona, client, sona_study):
    page = judge_all(client, sona_study, come_in(client, sona_study, sona_link(sona_study)))
    assert run_messages().sent_at
    run_messages()
    [call] = sona.calls
    assert (call.method, call.path) == ("GET", "/services/SonaAPI.svc/WebstudyCredit")
    assert call.query == {"experiment_id": "7", "credit_token": "sesame", "survey_code": "48213"}
    assert "credit is granted by itself" in page.text
    assert "sesame" not in page.text


@pytest.mark.parametrize("body", [{"credit_status": "G"}, '{"Result": {"credit_status":"G"}}', GRANTED])
def test_sona_says_g_in_more_than_one_form(sona, client, sona_study, body):
    sona.answer = lambda call: Answer(200, body)
    judge_all(client, sona_study, come_in(client, sona_study, sona_link(sona_study)))
    assert run_messages().sent_at


@pytest.mark.parametrize("body", [{"credit_status": "E"}, {"error": "G"}, ""])
def test_a_credit_that_is_not_granted_is_shown_to_the_researcher(sona, client, sona_study, body):
    sona.answer = lambda call: Answer(200, body)
    judge_all(client, sona_study, come_in(client, sona_study, sona_link(sona_study)))
    message = run_messages()
    assert message.failed_at
    assert "credit by hand" in message.problem
    assert "sesame" not in message.problem


def test_a_credit_is_tried_again_while_sona_is_away(sona, client, sona_study, settings):
    settings.SONA_URL = "http://127.0.0.1:9"
    judge_all(client, sona_study, come_in(client, sona_study, sona_link(sona_study)))
    message = run_messages()
    assert not message.failed_at
    assert "cannot be reached" in message.problem
    assert "sesame" not in message.problem
    settings.SONA_URL = sona.address
    later = timezone.now() + timedelta(minutes=5)
    platform_messages.send(message.pk, now=later)
    message.refresh_from_db()
    assert message.sent_at == later


def test_leaving_a_sona_study_grants_nothing(sona, client, sona_study):
    come_in(client, sona_study, sona_link(sona_study))
    client.post(f"{home_of(sona_study)}leave/", {"answers": "keep"})
    assert not PlatformMessage.objects.exists()
    assert not sona.calls


def test_the_same_sona_code_comes_once(sona, client, sona_study):
    come_in(client, sona_study, sona_link(sona_study))
    assert Client().get(sona_link(sona_study)).status_code == 409
    assert Client().get(f"{home_of(sona_study)}enter/?survey_code=%25SURVEY_CODE%25").status_code == 400


def test_connect_leads_real_completions_to_the_redirect_alone(client, connect_study):
    page = judge_all(client, connect_study, come_in(client, connect_study, connect_link(connect_study)))
    assert DONE in page.text
    assert PARTIAL not in page.text


@pytest.mark.parametrize("answers", ["keep", "delete", "problem"])
def test_connect_leads_all_other_exits_to_partial_completes(client, connect_study, answers):
    come_in(client, connect_study, connect_link(connect_study))
    page = client.post(f"{home_of(connect_study)}leave/", {"answers": answers}, follow=True)
    assert PARTIAL in page.text
    assert DONE not in page.text


def test_connect_leads_refused_consent_and_a_full_study_to_partial_completes(client, connect_study):
    client.get(connect_link(connect_study))
    assert PARTIAL in client.post(home_of(connect_study), {"decline": "1"}, follow=True).text
    type(connect_study).objects.filter(pk=connect_study.pk).update(annotators_limit=1, places_taken=1)
    page = Client().get(connect_link(connect_study), follow=True).text
    assert PARTIAL in page
    assert DONE not in page


def test_connect_without_a_partial_address_asks_to_return(client):
    study = make_recruiting_study("connect", completion_address=DONE)
    client.get(connect_link(study))
    assert "return your place" in client.post(home_of(study), {"decline": "1"}, follow=True).text


def test_connect_can_ask_for_a_typed_code(client):
    study = make_recruiting_study("connect", codes={Exit.COMPLETED: "TYPE77"})
    page = judge_all(client, study, come_in(client, study, connect_link(study)))
    assert "TYPE77" in page.text


def test_names_of_connects_parameters_can_be_changed(client):
    over = {"id_parameter": "pid", "submission_parameter": "aid", "study_parameter": "project"}
    study = make_recruiting_study("connect", platform_study_id="J1", **over)
    assert client.get(f"{home_of(study)}enter/?pid=P&aid=A&project=J2").status_code == 400
    assert client.get(f"{home_of(study)}enter/?pid=P&aid=A&project=J1").status_code == 302

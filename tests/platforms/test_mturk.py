"""Mechanical Turk, played: the frame on the worker's page, the work in a tab of its own, and the form at the end."""

import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from annotation.models import Annotator
from annotation.states import Exit
from tests.pages.people import agree
from tests.platforms.people import home_of, judge_all, make_recruiting_study

pytestmark = pytest.mark.django_db

WORKER, SANDBOX = "A1B2C3WORKER", "https://workersandbox.mturk.com"


@pytest.fixture
def study():
    return make_recruiting_study("mturk", codes={Exit.COMPLETED: "MT77"})


def frame_link(study, *, assignment="3ASSIGN", worker=WORKER, submit_to=SANDBOX) -> str:
    """The address that Mechanical Turk puts into its frame."""
    said = {"assignmentId": assignment, "hitId": "3HIT", "workerId": worker, "turkSubmitTo": submit_to}
    return f"{home_of(study)}hit/?{urlencode(said)}"


def accept(study, **over) -> tuple[Client, str]:
    """A frame after its worker accepted the task: a browser without cookies, and the frame's clean address."""
    frame = Client()
    return frame, frame.get(frame_link(study, **over)).url


def work_link(page: str) -> str:
    return re.search(r'href="([^"]+)" target="_blank"', page)[1].replace("&amp;", "&")


def state_link(page: str) -> str:
    return re.search(r'data-asks="([^"]+)"', page)[1].replace("&amp;", "&")


def test_a_preview_describes_the_task_and_claims_nothing(client, study):
    page = client.get(f"{home_of(study)}hit/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=3HIT")
    assert "This is a preview" in page.text
    assert "_blank" not in page.text
    assert not client.cookies


def test_only_the_two_worker_sites_may_frame_it_and_only_this_page(client, study):
    headers = client.get(f"{home_of(study)}hit/").headers
    assert "frame-ancestors https://www.mturk.com https://workersandbox.mturk.com" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers
    other = client.get(f"{home_of(study)}declined/").headers
    assert "frame-ancestors 'none'" in other["Content-Security-Policy"]
    assert other["X-Frame-Options"] == "DENY"


def test_the_frame_goes_on_at_an_address_without_ids(study):
    frame, address = accept(study)
    page = frame.get(address).text
    assert WORKER not in address + page
    assert "3ASSIGN" not in address + page
    assert not Annotator.objects.exists()


def test_the_frame_shows_the_form_once_the_work_in_the_other_tab_has_ended(study):
    frame, address = accept(study)
    page = frame.get(address).text
    tab = Client()
    assert "Agree and start" in tab.get(work_link(page), follow=True).text
    agree(tab, study)
    assert frame.get(state_link(page)).json() == {"ended": False}
    judge_all(tab, study, study.annotators.get())
    assert frame.get(state_link(page)).json() == {"ended": True}
    end = frame.get(address).text
    assert f'action="{SANDBOX}/mturk/externalSubmit"' in end
    assert 'name="assignmentId" value="3ASSIGN"' in end
    assert 'name="code" value="MT77"' in end


def finish_in_a_tab(study, frame, address):
    tab = Client()
    tab.get(work_link(frame.get(address).text))
    agree(tab, study)
    judge_all(tab, study, study.annotators.get())


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example",
        "http://www.mturk.com",
        "https://www.mturk.com.evil.example",
        "javascript:alert(1)",
        "https://www.mturk.com@evil.example",
        "",
    ],
)
def test_the_form_goes_to_no_other_host(study, evil):
    frame, address = accept(study, submit_to=evil)
    finish_in_a_tab(study, frame, address)
    end = frame.get(address).text
    assert "externalSubmit" not in end
    assert "evil" not in end


def test_an_address_that_ends_in_a_slash_is_allowed(study):
    frame, address = accept(study, submit_to=f"{SANDBOX}/")
    finish_in_a_tab(study, frame, address)
    assert f'action="{SANDBOX}/mturk/externalSubmit"' in frame.get(address).text


def test_a_second_task_of_the_same_study_is_refused(study):
    frame, address = accept(study)
    finish_in_a_tab(study, frame, address)
    again, second = accept(study, assignment="3OTHER")
    page = again.get(second).text
    assert "nobody can take part twice" in page
    assert "externalSubmit" not in page


def test_a_worker_who_returned_the_task_can_go_on_in_another(study):
    frame, address = accept(study)
    tab = Client()
    tab.get(work_link(frame.get(address).text))
    agree(tab, study)
    again, second = accept(study, assignment="3OTHER")
    assert "Go on with the task" in again.get(second).text
    assert tab.get(work_link(again.get(second).text)).url == f"{home_of(study)}next/"
    judge_all(tab, study, study.annotators.get())
    assert 'name="assignmentId" value="3OTHER"' in again.get(second).text


def test_a_token_is_for_one_study_and_cannot_be_made_up(study):
    _, address = accept(study)
    other = make_recruiting_study("mturk")
    token = address.split("?")[1]
    for link in (f"{home_of(other)}hit/?{token}", f"{home_of(study)}hit/?t=made-up"):
        assert "belongs into a task" in Client().get(link).text
    assert Client().get(f"{home_of(study)}hit/state/?t=made-up").status_code == 403
    assert Client().get(f"{home_of(study)}enter/?t=made-up").status_code == 400


def test_leaving_without_consent_ends_nothing_in_the_frame(study):
    frame, address = accept(study)
    page = frame.get(address).text
    tab = Client()
    tab.get(work_link(page))
    tab.post(home_of(study), {"decline": "1"})
    assert frame.get(state_link(page)).json() == {"ended": False}

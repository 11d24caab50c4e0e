"""Mechanical Turk, played: the frame on the worker's page, the work in a tab of its own, and the form at the end."""

import re
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from annotation.decisions import Decision
from annotation.models import Annotator
from annotation.platforms.pay_layouts import PayList
from annotation.services import deciding, pay_lists
from annotation.states import Exit
from tests.pages.people import agree, answers, held_by, page_of
from tests.platforms.doors import open_door, submit_form
from tests.platforms.mturk import Status
from tests.platforms.people import come_in, home_of, judge_all, make_recruiting_study

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
        "https://[",
        "https://www.mturk.com" + "x" * 10_000,
        "",
    ],
)
def test_a_worker_whose_form_would_go_elsewhere_learns_it_before_working(study, evil):
    page = Client().get(frame_link(study, submit_to=evil))
    assert page.status_code == 200
    assert "belongs into a task" in page.text
    assert "evil" not in page.text


def test_a_host_that_is_allowed_no_more_gets_no_form(study, settings):
    frame, address = accept(study)
    finish_in_a_tab(study, frame, address)
    settings.MTURK_HOSTS = ["www.mturk.com"]
    assert "externalSubmit" not in frame.get(address).text


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


def preview(study) -> str:
    return Client().get(f"{home_of(study)}hit/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=3HIT").text


def fill_up(study) -> None:
    type(study).objects.filter(pk=study.pk).update(annotators_limit=1, places_taken=1)


def test_nobody_accepts_a_task_of_a_study_that_is_full_or_not_open(study):
    assert "accept the task to begin" in preview(study)
    fill_up(study)
    assert "All places in this study are taken" in preview(study)
    type(study).objects.filter(pk=study.pk).update(state="paused")
    page = preview(study)
    assert "not open at the moment" in page
    assert "accept the task to begin" not in page


def test_a_worker_for_whom_there_is_no_place_learns_it_in_the_frame(study):
    frame, address = accept(study)
    fill_up(study)
    page = frame.get(address).text
    assert "All places in this study are taken" in page
    assert "Please return this task." in page
    assert "_blank" not in page


def test_a_worker_who_is_ruled_out_learns_it_in_the_frame(study):
    earlier = make_recruiting_study("mturk")
    finish_in_a_tab(earlier, *accept(earlier))
    study.recruitment.not_if_took_part_in.add(earlier)
    frame, address = accept(study)
    page = frame.get(address).text
    assert "one that rules it out" in page
    assert "_blank" not in page


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_whoever_has_begun_can_end_and_submit_however_the_study_stands(study, state):
    frame, address = accept(study)
    tab = Client()
    tab.get(work_link(frame.get(address).text))
    agree(tab, study)
    tab.post(f"{home_of(study)}next/")
    tab.post(page_of(held_by(study.annotators.get())), answers(study))
    type(study).objects.filter(pk=study.pk).update(state=state)
    page = frame.get(address).text
    assert "Go on with the task" in page
    tab.post(f"{home_of(study)}finish/")
    assert 'name="code" value="MT77"' in frame.get(address).text


def test_the_platform_takes_the_form_once_and_not_after_the_time(study, settings):
    with open_door("mturk", settings) as door:
        for name in ("ana", "ben"):
            tab = Client()
            judge_all(tab, door.study, come_in(tab, door.study, door.link_for(name)))
        ana, ben = door.site.assignments.values()
        door.site.run_out(ben)
        end = Client().get(door.frames["ana"]).text
        assert [submit_form(door.site, end) for _ in range(2)] == [200, 400]
        assert submit_form(door.site, Client().get(door.frames["ben"]).text) == 400
        assert (ana.status, ben.status) == (Status.SUBMITTED, Status.ABANDONED)


def test_a_returned_task_goes_to_somebody_else_and_the_same_worker_goes_on_in_a_new_one(settings):
    with open_door("mturk", settings) as door:
        door.task.places = 1
        tab = Client()
        ana = come_in(tab, door.study, door.link_for("ana"))
        [first] = door.site.assignments.values()
        door.site.give_back(first)
        assert tab.get(door.link_for("ana")).url == f"{home_of(door.study)}next/"
        door.go_out(judge_all(tab, door.study, ana).text)
        assert [each.status for each in door.site.assignments.values()] == [Status.RETURNED, Status.SUBMITTED]


def test_the_list_of_decisions_is_what_the_platform_takes(settings):
    with open_door("mturk", settings) as door:
        for name, decision in (("ana", Decision.APPROVE), ("ben", Decision.BONUS)):
            tab = Client()
            person = come_in(tab, door.study, door.link_for(name))
            door.go_out(judge_all(tab, door.study, person).text)
            bonus = Decimal("0.50") if decision == Decision.BONUS else Decimal(0)
            deciding.decide(door.study, person.pseudonym, decision, bonus=bonus, actor=None, now=timezone.now())
        door.site.review(pay_lists.export(door.study, PayList.ALL, actor=None))
        ana, ben = door.site.assignments.values()
        assert (ana.status, ben.status) == (Status.APPROVED, Status.APPROVED)
        assert door.site.bonuses == {"ben": "0.50"}


def test_the_frame_speaks_the_language_of_its_study(study):
    type(study).objects.filter(pk=study.pk).update(language="de")
    page = preview(study)
    assert '<html lang="de"' in page
    assert "Vorschau" in page

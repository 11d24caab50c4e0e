"""The frame on a Mechanical Turk worker's page, in a real browser.

The worker's site is a server of its own, over TLS and on another site than ours: its frame, our cookies and our
policies meet as they do out in the world.
"""

import pytest
from playwright.sync_api import Page, expect

from annotation.states import Exit
from tests.browser.measure import assert_accessible
from tests.browser.test_paths import BOTH_SIZES, look, take_part, work
from tests.browser.test_walks import by_keys, glance_without_script
from tests.platforms.mturk import MechanicalTurk, Status
from tests.platforms.people import home_of, make_recruiting_study
from tests.platforms.playing import PlayedPlatform
from tests.platforms.playing import page as draw

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORKER = "A1B2C3WORKER"


@pytest.fixture
def mturk(settings):
    with MechanicalTurk() as site:
        settings.MTURK_HOSTS = [site.host]
        yield site


@pytest.fixture
def study():
    return make_recruiting_study("mturk", codes={Exit.COMPLETED: "MT77"})


@pytest.fixture
def task(mturk, study, live_server):
    return mturk.publish(f"{live_server.url}{home_of(study)}hit/")


def look_at(page: Page, mturk: MechanicalTurk, task, worker: str = WORKER):
    """Open a task as a worker does; returns the frame in it."""
    page.goto(f"{mturk.address}/{worker}/tasks/{task.number}")
    return page.frame_locator("#task")


def test_mechanical_turks_preview_only_describes(visit, mturk, task):
    page = visit(ignore_https_errors=True)
    frame = look_at(page, mturk, task)
    expect(frame.get_by_text("This is a preview")).to_be_visible()
    expect(frame.get_by_role("link", name="Open the task")).to_have_count(0)
    assert page.context.cookies() == []


@pytest.mark.parametrize("size", BOTH_SIZES)
def test_mechanical_turks_frame_notices_the_end_in_the_other_tab_and_submits(visit, mturk, task, size):
    page = visit(size, ignore_https_errors=True)
    frame = look_at(page, mturk, task)
    page.get_by_role("button", name="Accept").click()
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Open the task").click()
    take_part(opened.value)
    expect(opened.value.get_by_role("heading", name="Finished. Thank you!")).to_be_visible()
    look(opened.value)
    frame.get_by_role("button", name="Submit to Mechanical Turk").click()
    expect(frame.get_by_role("heading", name="Submitted")).to_be_visible()
    [assignment] = mturk.assignments.values()
    assert (assignment.status, assignment.worker) == (Status.SUBMITTED, WORKER)
    assert assignment.form == {"assignmentId": assignment.number, "outcome": "completed", "code": "MT77"}


def test_without_javascript_the_frame_asks_when_it_is_told_to_and_submits(visit, mturk, task):
    page = visit(ignore_https_errors=True, java_script_enabled=False)
    frame = look_at(page, mturk, task)
    page.get_by_role("button", name="Accept").click()
    frame.get_by_role("button", name="I have finished: look again").click()
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Open the task").click()
    opened.value.get_by_label("I am 18 or older.").check()
    opened.value.get_by_label("I have read this page").check()
    opened.value.get_by_role("button", name="Agree and start").click()
    frame.get_by_role("button", name="I have finished: look again").click()
    expect(frame.get_by_role("link", name="Go on with the task")).to_be_visible()
    opened.value.get_by_role("button", name="Start").click()
    work(opened.value, see=glance_without_script)
    expect(frame.get_by_role("button", name="Submit to Mechanical Turk")).to_have_count(0)
    frame.get_by_role("button", name="I have finished: look again").click()
    frame.get_by_role("button", name="Submit to Mechanical Turk").click()
    expect(frame.get_by_role("heading", name="Submitted")).to_be_visible()
    [assignment] = mturk.assignments.values()
    assert assignment.form["code"] == "MT77"


def test_by_keys_alone_the_task_is_opened_and_submitted_from_the_frame(visit, mturk, study, task):
    page = visit(ignore_https_errors=True)
    frame = look_at(page, mturk, task)
    by_keys(page.get_by_role("button", name="Accept"))
    link = frame.get_by_role("link", name="Open the task")
    expect(link).to_be_visible()
    assert_accessible(page)
    with page.context.expect_page() as opened:
        by_keys(link)
    take_part(opened.value)
    expect(opened.value.get_by_role("heading", name="Finished. Thank you!")).to_be_visible()
    submit = frame.get_by_role("button", name="Submit to Mechanical Turk")
    expect(submit).to_be_visible()
    assert_accessible(page)
    by_keys(submit)
    expect(frame.get_by_role("heading", name="Submitted")).to_be_visible()


def test_a_task_that_is_returned_goes_on_with_somebody_else(visit, mturk, study, task):
    first, second = (visit(ignore_https_errors=True) for _ in range(2))
    look_at(first, mturk, task)
    first.get_by_role("button", name="Accept").click()
    expect(first.frame_locator("#task").get_by_role("link", name="Open the task")).to_be_visible()
    first.get_by_role("button", name="Return").click()
    expect(first.get_by_role("heading", name="Returned")).to_be_visible()
    frame = look_at(second, mturk, task, worker="A9OTHER")
    second.get_by_role("button", name="Accept").click()
    expect(frame.get_by_role("link", name="Open the task")).to_be_visible()
    assert not study.annotators.exists()


def test_no_other_site_can_show_the_frame(visit, mturk, task):
    address = mturk.frame_address(task)
    with PlayedPlatform(
        lambda call: draw("Prizes", f'<iframe id="task" title="Task" src="{address}"></iframe>')
    ) as thief:
        page = visit()
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            page.goto(f"{thief.address}/")
        expect(page.frame_locator("#task").get_by_text("This is a preview")).to_have_count(0)


def test_no_other_page_of_ours_can_be_shown_in_the_workers_frame(visit, mturk, study, live_server):
    task, page = mturk.publish(f"{live_server.url}{home_of(study)}enter/"), visit(ignore_https_errors=True)
    with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        look_at(page, mturk, task)

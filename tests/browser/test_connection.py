"""Nothing is lost: drafts, lost connections, a server that stops and starts, leases that end, time that is counted."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Assignment, Judgement
from annotation.services.claiming import expire_stale
from tests.browser.conftest import answer_all, press_submit
from tests.browser.stories import make_story_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_drafts_are_kept_as_answers_are_made(seat, study):
    page = seat(study)
    page.locator("fieldset").first.get_by_role("radio", name="Right", exact=True).check()
    expect(page.locator("#saved")).to_have_text("Saved")
    page.reload()
    expect(page.locator("fieldset").first.get_by_role("radio", name="Right", exact=True)).to_be_checked()


def test_a_draft_that_fails_is_sent_again_and_the_page_says_so_calmly(seat, study):
    page = seat(study)
    page.context.set_offline(True)
    page.locator("fieldset").first.get_by_role("radio", name="Right", exact=True).check()
    expect(page.locator("#saved")).to_have_text("No connection: trying again")
    expect(page.locator("#announce")).to_contain_text("Your answers are kept here")
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_have_text("Saved")
    assert Assignment.objects.get().draft


def test_a_submit_without_a_connection_arrives_once_it_is_back(seat, study):
    page = seat(study)
    page.context.set_offline(True)
    answer_all(page)
    press_submit(page)
    expect(page.locator("#saved")).to_have_text("No connection: trying again")
    page.context.set_offline(False)
    expect(page.locator("h1")).to_have_text(re.compile("Comparison 2 of"))
    assert Judgement.objects.count() == 3


def test_answers_survive_a_reload_that_comes_before_the_draft_arrived(seat, study):
    page = seat(study)
    page.route("**/draft/", lambda route: route.abort())
    page.locator("fieldset").first.get_by_role("radio", name="Right", exact=True).check()
    expect(page.locator("#saved")).to_have_text("No connection: trying again")
    page.unroute_all()
    page.reload()
    expect(page.locator("fieldset").first.get_by_role("radio", name="Right", exact=True)).to_be_checked()
    expect(page.locator("#saved")).to_have_text("Saved")


def test_a_server_that_stops_and_starts_loses_nothing(seat, study):
    port = free_port()
    with server(port):
        page = seat(study, server=f"http://127.0.0.1:{port}")
        page.locator("fieldset").first.get_by_role("radio", name="Left", exact=True).check()
        expect(page.locator("#saved")).to_have_text("Saved")
    answer_all(page, "Right")
    expect(page.locator("#saved")).to_have_text("No connection: trying again")
    press_submit(page)
    expect(page.locator("#saved")).to_have_text("No connection: trying again")
    with server(port):
        expect(page.locator("h1")).to_have_text(re.compile("Comparison 2 of"), timeout=30_000)
    assert Assignment.objects.filter(state="submitted").count() == 1
    assert Judgement.objects.count() == 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(port: int):
    """The web server of the product, over the database of this test, killed without a warning at the end."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    child = subprocess.Popen(
        [*command, "--log-level", "error", "webapp.wsgi:application"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database_url()},
        start_new_session=True,
    )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/healthz")
        yield
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def database_url() -> str:
    settings = connection.settings_dict
    return (
        f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}&port={settings['PORT'] or 5432}"
    )


def wait_until_healthy(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def test_a_lease_is_warned_of_before_it_ends_and_one_press_renews_it(seat, study):
    page = seat(study)
    page.clock.install()
    page.reload()
    with page.expect_response("**/active/"):
        page.clock.run_for(5000)
    before = Assignment.objects.get().lease_until
    page.clock.fast_forward("18:30")
    expect(page.locator("#lease")).to_contain_text("Are you still there?")
    page.get_by_role("button", name="I am here").click()
    expect(page.locator("#lease")).to_be_hidden()
    assert Assignment.objects.get().lease_until > before


def test_a_comparison_that_went_to_somebody_else_can_still_be_answered(seat):
    study = make_story_study(comparisons=1, k=1)
    page = seat(study)
    Assignment.objects.update(lease_until=timezone.now())
    expire_stale(now=timezone.now())
    seat(study)
    answer_all(page)
    expect(page.locator("#lease")).to_contain_text("not kept for you any more")
    press_submit(page)
    expect(page.get_by_text("it counts for you in full")).to_be_visible()
    assert Assignment.objects.filter(state="surplus").count() == 1


def test_someone_whose_cookie_is_gone_is_led_to_the_first_page_and_not_into_a_part_of_this_one(seat, study):
    page = seat(study)
    page.context.clear_cookies(name="duologue")
    answer_all(page)
    press_submit(page)
    expect(page.get_by_role("button", name="Agree and start")).to_be_visible()
    expect(page.locator(".bar")).to_have_count(0)


def test_time_in_view_and_lost_focus_are_sent_with_the_answer(seat, study):
    page = seat(study)
    page.wait_for_timeout(300)
    page.evaluate("window.dispatchEvent(new Event('blur')); window.dispatchEvent(new Event('focus'))")
    page.reload()
    answer_all(page)
    press_submit(page)
    expect(page.locator("h1")).to_have_text(re.compile("Comparison 2 of"))
    done = Assignment.objects.get(state="submitted")
    assert done.blurs >= 1
    assert done.active_ms >= 300

"""Every way through a study in a real browser: from each platform's link to its end, and out by each exit."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation import tasks
from annotation.models import ExitCode, PlatformMessage, Recruitment, Study
from annotation.services import invitations, recruiting
from annotation.services.identities import sealer
from annotation.states import Exit
from tests.browser.conftest import answer_all, expect_completion_code, press_submit
from tests.browser.measure import assert_accessible, has_no_sideways_scroll
from tests.build import make_researcher
from tests.pages.test_steps import make_full_study
from tests.platforms.connect import Connect
from tests.platforms.noticeboard import Noticeboard
from tests.platforms.people import home_of, make_recruiting_study, prolific_link
from tests.platforms.postbox import Postbox
from tests.platforms.prolific import AUDIENCE, SECRET, Prolific
from tests.platforms.sona import EXPERIMENT, TOKEN, Sona

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The phone's walk is the same code on another width: the whole check takes it, too.
BOTH_SIZES = ["desktop", pytest.param("phone", marks=pytest.mark.long)]
CODES = {how: f"{how.name.replace('_', '')}7" for how in Exit if how not in {Exit.RETURNED, Exit.TIMED_OUT}}
PROLIFIC = "https://app.prolific.com"


@pytest.fixture
def played_prolific(settings):
    with Prolific() as site:
        settings.PROLIFIC_RETURN_URL = site.settings["PROLIFIC_RETURN_URL"]
        yield site


@pytest.fixture
def post():
    with Postbox() as site:
        yield site


def send_list(study: Study, server: str) -> str:
    """The list of links as a researcher downloads it, from the server whose name the links carry."""
    office = Client(headers={"host": server.removeprefix("http://")})
    office.force_login(make_researcher())
    return office.post(f"/studies/{study.code}/invitations/list.csv").text


def look(page: Page) -> None:
    """What must hold on every page that somebody passes."""
    assert has_no_sideways_scroll(page), page.url
    assert_accessible(page)


def glance(page: Page) -> None:
    assert has_no_sideways_scroll(page), page.url


def consent(page: Page) -> None:
    page.get_by_label("I am 18 or older.").check()
    page.get_by_label("I have read this page").check()
    page.get_by_role("button", name="Agree and start").click()


def pass_device(page: Page) -> None:
    page.get_by_label("Yes", exact=True).check()
    page.get_by_role("button", name="Go on").click()


def answer_questions(page: Page, *answers: str) -> None:
    for answer in answers:
        page.get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="Check my answers").click()


def practise(page: Page, choice: str) -> None:
    expect(page.get_by_role("heading", name="Practice")).to_be_attached()
    answer_all(page, choice)
    press_submit(page)
    page.get_by_role("button", name="Go on").click()


def work(page: Page, see: Callable[[Page], None] = glance) -> None:
    """Judge the one comparison of a study, and finish."""
    expect(page.locator("h1")).to_contain_text("Comparison 1")
    see(page)
    answer_all(page)
    press_submit(page)
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    see(page)
    page.locator("main form .primary").click()


def take_part(page: Page) -> None:
    """Go the short way: consent, instructions, one comparison."""
    consent(page)
    page.get_by_role("button", name="Start").click()
    work(page)


def make_stepping_study(**over: object) -> Study:
    """A study on Prolific with every step, and a code for every exit that has one."""
    study = make_full_study(**({"device_check": "any"} | over))
    recruitment = Recruitment.objects.create(study=study, platform="prolific")
    for how, code in CODES.items():
        ExitCode.objects.create(recruitment=recruitment, exit=how, code=code)
    return study


def expect_way_out(page: Page, how: Exit, prolific: str = PROLIFIC) -> None:
    """The page of an exit leads back to Prolific with the code of that exit, and shows no other code."""
    link = page.get_by_role("main").locator("a[href*='cc=']")
    expect(link).to_have_attribute("href", f"{prolific}/submissions/complete?cc={CODES[how]}")
    assert not [code for code in CODES.values() if code != CODES[how] and code in page.content()]


@pytest.mark.parametrize("size", BOTH_SIZES)
def test_every_step_from_prolifics_link_to_its_code(visit, live_server, played_prolific, size):
    study, page = make_stepping_study(), visit(size)
    played_prolific.publish(live_server.url + home_of(study) + recruiting.entry_query(study))
    page.goto(f"{played_prolific.address}/studies/ana")
    page.get_by_role("link", name="Open study link").click()
    page.wait_for_url(live_server.url + home_of(study))
    assert page.url == live_server.url + home_of(study)
    look(page)
    consent(page)
    page.wait_for_url("**/device/")
    look(page)
    pass_device(page)
    page.wait_for_url("**/instructions/")
    look(page)
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/questions/")
    look(page)
    answer_questions(page, "Two films", "Yes")
    expect(page.get_by_text("See the start.")).to_be_visible()
    look(page)
    answer_questions(page, "Two replies", "Yes")
    page.wait_for_url("**/practice/")
    look(page)
    practise(page, "Left")
    expect(page.get_by_role("heading", name="Practice 2 of 2")).to_be_attached()
    answer_all(page, "Left")
    press_submit(page)
    expect(page.get_by_text("We see this one differently")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Go on").click()
    work(page, see=look)
    page.wait_for_url("**/closing/")
    look(page)
    page.get_by_label("Good").check()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Finished. Thank you!")).to_be_visible()
    look(page)
    expect_way_out(page, Exit.COMPLETED, played_prolific.address)
    page.locator("main a[href*='cc=']").click()
    expect(page.get_by_role("heading", name="Thank you", exact=True)).to_be_visible()
    assert played_prolific.came_back == [CODES[Exit.COMPLETED]]


def to_comparison(page: Page) -> None:
    consent(page)
    pass_device(page)
    page.get_by_role("button", name="Start").click()
    answer_questions(page, "Two replies", "Yes")
    practise(page, "Left")
    practise(page, "Right")
    expect(page.locator("h1")).to_contain_text("Comparison 1")


def refuse_consent(page: Page) -> None:
    page.get_by_role("button", name="No thanks").click()


def have_no_device(page: Page) -> None:
    consent(page)
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Go on").click()
    leave = page.get_by_role("button", name="I have no other device")
    expect(leave).to_be_visible()
    look(page)
    leave.click()


def fail_questions(page: Page) -> None:
    consent(page)
    pass_device(page)
    page.get_by_role("button", name="Start").click()
    answer_questions(page, "Two films", "No")
    expect(page.get_by_text("You have 1 try")).to_be_visible()
    answer_questions(page, "Two films", "No")


def fail_training(page: Page) -> None:
    consent(page)
    pass_device(page)
    page.get_by_role("button", name="Start").click()
    answer_questions(page, "Two replies", "Yes")
    practise(page, "Right")
    practise(page, "Left")


def stop_with(choice: str) -> Callable[[Page], None]:
    def stop(page: Page) -> None:
        to_comparison(page)
        page.goto(page.url.split("/s/")[0] + "/s/" + page.url.split("/s/")[1].split("/")[0] + "/leave/")
        look(page)
        page.get_by_role("button", name=choice).click()

    return stop


EXITS = [
    (Exit.NO_CONSENT, refuse_consent, "All right, you are not taking part"),
    (Exit.NOT_ELIGIBLE, have_no_device, "This study is not for you"),
    (Exit.FAILED_COMPREHENSION, fail_questions, "You cannot go on with this study"),
    (Exit.FAILED_TRAINING, fail_training, "You cannot go on with this study"),
    (Exit.WITHDREW, stop_with("Stop, and let you use my answers"), "You have stopped taking part"),
    (Exit.TECHNICAL_PROBLEM, stop_with("Stop, because something does not work"), "something does not work"),
]


@pytest.mark.parametrize("size", BOTH_SIZES)
@pytest.mark.parametrize(("how", "go", "heading"), EXITS, ids=[how.value for how, _, _ in EXITS])
def test_each_exit_has_its_page_and_its_code(visit, live_server, how, go, heading, size):
    study, page = make_stepping_study(), visit(size)
    page.goto(live_server.url + prolific_link(study))
    go(page)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    look(page)
    expect_way_out(page, how)


@pytest.mark.long
@pytest.mark.parametrize("size", BOTH_SIZES)
def test_a_full_study_says_so_before_anything_is_asked(visit, live_server, size):
    study, page = make_stepping_study(annotators_limit=1, places_taken=1), visit(size)
    page.goto(live_server.url + prolific_link(study))
    expect(page.get_by_role("heading", name="All places are taken")).to_be_visible()
    look(page)
    expect_way_out(page, Exit.QUOTA_FULL)


@pytest.mark.long
@pytest.mark.parametrize("size", BOTH_SIZES)
@pytest.mark.parametrize(
    ("status", "heading"),
    [("RETURNED", "You have returned your place"), ("TIMED-OUT", "Your time has run out")],
)
def test_who_is_gone_at_the_platform_learns_it_from_their_next_page(
    visit, live_server, settings, status, heading, size
):
    settings.PROLIFIC_WEBHOOK_SECRETS = [SECRET]
    study, page = make_stepping_study(), visit(size)
    page.goto(live_server.url + prolific_link(study))
    to_comparison(page)
    assert Prolific().send(status).status_code == 200
    answer_all(page)
    press_submit(page)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    look(page)
    assert not [code for code in CODES.values() if code in page.content()]


@pytest.mark.parametrize("size", BOTH_SIZES)
def test_an_open_link_ends_with_a_code_of_ones_own(visit, live_server, size):
    study, page = make_recruiting_study("open"), visit(size)
    with Noticeboard() as board:
        board.put_up(live_server.url + home_of(study))
        page.goto(board.address)
        page.get_by_role("link", name="Take part in our study").click()
        take_part(page)
        expect_completion_code(page, study)
        look(page)
        page.goto(board.address)
        page.get_by_role("link", name="Take part in our study").click()
        expect_completion_code(page, study)
        other = visit(size)
        other.goto(board.address)
        other.get_by_role("link", name="Take part in our study").click()
        expect(other.get_by_role("button", name="Agree and start")).to_be_visible()
    assert study.annotators.count() == 1


@pytest.mark.long
@pytest.mark.parametrize("size", BOTH_SIZES)
def test_connects_redirect_is_for_whoever_completed(visit, live_server, size):
    with Connect() as connect:
        study, page = make_recruiting_study("connect", **connect.addresses), visit(size)
        connect.publish(live_server.url + home_of(study) + recruiting.entry_query(study))
        page.goto(f"{connect.address}/projects/ana")
        page.get_by_role("link", name="Begin").click()
        take_part(page)
        link = page.locator(f"main a[href^='{connect.address}']")
        expect(link).to_have_count(1)
        look(page)
        link.click()
        expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
        assert connect.came_back == ["completion"]


@pytest.mark.long
@pytest.mark.parametrize("size", BOTH_SIZES)
def test_sona_credits_whoever_completed(visit, live_server, settings, size):
    token = sealer().seal(TOKEN, now=timezone.now())
    over = {"sona_host": "x.example", "sona_experiment": EXPERIMENT, "sealed_credit_token": token}
    study, page = make_recruiting_study("sona", **over), visit(size)
    with Sona() as sona:
        settings.SONA_URL = sona.address
        sona.publish(live_server.url + home_of(study) + recruiting.entry_query(study))
        page.goto(f"{sona.address}/students/ana")
        page.get_by_role("link", name="View study website").click()
        take_part(page)
        expect(page.get_by_text("credit is granted by itself")).to_be_visible()
        look(page)
        tasks.tell_platform(PlatformMessage.objects.get().pk)
    assert sona.credited == [sona.codes["ana"]]


@pytest.mark.long
@pytest.mark.parametrize("size", BOTH_SIZES)
def test_a_personal_link_goes_on_at_the_same_step_on_another_device(visit, live_server, post, size):
    study = make_full_study(device_check="any")
    Recruitment.objects.create(study=study, platform="invitation")
    invitations.invite(study, 1, days=7, actor=None, now=timezone.now())
    computer, other = visit("desktop"), visit(size)
    post.send(send_list(study, live_server.url), ["ana"])
    computer.goto(f"{post.address}/ana")
    computer.get_by_role("link", name="Take part in our study").click()
    consent(computer)
    pass_device(computer)
    computer.get_by_role("button", name="Start").click()
    answer_questions(computer, "Two replies", "Yes")
    practise(computer, "Left")
    expect(computer.get_by_role("heading", name="Practice 2 of 2")).to_be_attached()
    other.goto(f"{post.address}/ana")
    other.get_by_role("link", name="Take part in our study").click()
    expect(other.get_by_role("heading", name="Practice 2 of 2")).to_be_attached()
    practise(other, "Right")
    work(other)
    other.get_by_label("Good").check()
    other.get_by_role("button", name="Finish").click()
    expect_completion_code(other, study)
    look(other)
    assert study.annotators.count() == 1


@pytest.mark.long
def test_a_signed_link_goes_on_on_another_device_and_an_unsigned_one_does_not(visit, live_server, settings):
    with Prolific() as platform:
        for name, value in platform.settings.items():
            setattr(settings, name, value)
        study = make_recruiting_study("prolific", codes=CODES, audience=AUDIENCE)
        computer, tablet, thief = visit(), visit(), visit()
        computer.goto(live_server.url + prolific_link(study))
        consent(computer)
        computer.get_by_role("button", name="Start").click()
        expect(computer.locator("h1")).to_contain_text("Comparison 1")
        thief.goto(live_server.url + prolific_link(study))
        expect(thief.get_by_text("Go on in the browser in which you began.")).to_be_visible()
        expect(thief.get_by_role("button", name="Agree and start")).to_have_count(0)
        look(thief)
        tablet.goto(live_server.url + platform.signed_link(study))
        assert tablet.url == computer.url
        work(tablet)
        expect_way_out(tablet, Exit.COMPLETED, platform.address)

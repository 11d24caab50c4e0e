"""The whole way with every step, by those who have no mouse, or no JavaScript: to the very end, and after a break."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation.models import CheckResult, Judgement, Study
from annotation.states import Exit
from tests.browser.test_paths import look
from tests.pages.test_steps import make_full_study

type Act = Callable[[Locator], None]
type See = Callable[[Page], None]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def make_walk() -> Study:
    """Every step, two comparisons, a check under one of them, and a shortest usual time that nobody keeps here."""
    checks = {"check_every": 2, "check_kinds": "instruction"}
    return make_full_study(device_check="any", quota_per_annotator=2, minimum_seconds=60, **checks)


def press_tab_to(target: Locator) -> None:
    """Press Tab until the focus is there, or at the radio of its group that is chosen already, which has the stop."""
    is_there = """element => element === document.activeElement
        || element.type === "radio" && element.name === document.activeElement.name"""
    for _ in range(40):
        target.page.keyboard.press("Tab")
        if target.evaluate(is_there):
            return
    raise AssertionError(f"{target} cannot be reached with Tab")


def by_keys(target: Locator) -> None:
    """Choose an option of a question, or press a button, by keys alone."""
    keyboard, kind = target.page.keyboard, target.evaluate("element => element.type")
    press_tab_to(target)
    if kind != "radio":
        keyboard.press("Space" if kind == "checkbox" else "Enter")
        return
    keyboard.press("Space")
    for _ in range(10):
        if target.is_checked():
            return
        keyboard.press("ArrowDown")
    raise AssertionError(f"{target} cannot be chosen with the arrows")


def by_mouse(target: Locator) -> None:
    target.click()


def walk(page: Page, act: Act, *, is_timed: bool, see: See = look) -> None:
    """From consent to the code, with one wrong turn at each step that allows one."""

    def choose(label: str) -> None:
        act(page.get_by_label(label, exact=True))

    def press(name: str) -> None:
        act(page.get_by_role("button", name=name))

    home = page.url
    see(page)
    act(page.get_by_label("I am 18 or older."))
    act(page.get_by_label("I have read this page"))
    press("Agree and start")
    page.wait_for_url("**/device/")
    see(page)
    choose("No")
    press("Go on")
    expect(page.get_by_text("Try another size of the letters")).to_be_visible()
    see(page)
    choose("Yes")
    press("Go on")
    page.wait_for_url("**/instructions/")
    see(page)
    press("Start")
    page.wait_for_url("**/questions/")
    see(page)
    choose("Two films")
    choose("Yes")
    press("Check my answers")
    expect(page.get_by_text("See the start.")).to_be_visible()
    see(page)
    choose("Two replies")
    press("Check my answers")
    page.wait_for_url("**/practice/")
    for number, side in enumerate(("Left", "Left"), start=1):
        expect(page.get_by_role("heading", name=f"Practice {number} of 2")).to_be_attached()
        see(page)
        answer(page, act, side)
        page.wait_for_url(f"**/practice/?answered={number}")
        see(page)
        press("Go on")
    main_part(page, act, see, home, is_timed)
    page.wait_for_url("**/closing/")
    see(page)
    choose("Good")
    press("Finish")
    expect(page.locator("#completion-code")).to_be_visible()
    see(page)


def answer(page: Page, act: Act, side: str) -> None:
    for question in page.locator("fieldset:not(.one-more)").all():
        act(question.get_by_role("radio", name=side, exact=True))
    if one_more := page.locator("fieldset.one-more").all():
        wanted = re.search(r"please choose (\w+)\.", one_more[0].inner_text()).group(1)
        act(one_more[0].get_by_role("radio", name=wanted, exact=True))
    act(page.get_by_role("button", name="Submit"))


def main_part(page: Page, act: Act, see: See, home: str, is_timed: bool) -> None:
    """Two comparisons and a break. Where the page counts seconds, it asks once after each whether one is sure."""
    for number in (1, 2):
        expect(page.locator("h1")).to_have_text(f"Comparison {number} of 2")
        see(page)
        if number == 1:
            act(page.locator("fieldset").first.get_by_role("radio", name="Right", exact=True))
            act(page.get_by_role("button", name="Submit"))
            expect(page.get_by_role("alert").get_by_text("still need")).to_be_visible()
            see(page)
            take_a_break(page, act, see, home)
        answer(page, act, "Right")
        if is_timed:
            expect(page.get_by_text("That was quicker than most people read.")).to_be_visible()
            see(page)
            act(page.get_by_role("button", name="Submit"))
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    see(page)
    act(page.get_by_role("button", name="Go on to the last questions"))


def take_a_break(page: Page, act: Act, see: See, home: str) -> None:
    """Close the page and come back by the study's link: the answers made so far are still there."""
    page.goto("about:blank")
    page.goto(home)
    see(page)
    if page.locator("#rate").count() == 0:
        act(page.locator("main form .primary"))
    expect(page.locator("h1")).to_have_text("Comparison 1 of 2")
    expect(page.locator("fieldset").first.get_by_role("radio", name="Right", exact=True)).to_be_checked()


@pytest.mark.parametrize("size", ["desktop", pytest.param("phone", marks=pytest.mark.long)])
def test_every_step_by_keys_alone(visit, live_server, size):
    study, page = make_walk(), visit(size)
    page.goto(f"{live_server.url}/s/{study.code}/")
    walk(page, by_keys, is_timed=True)
    expect_all_is_there(study)


def glance_without_script(page: Page) -> None:
    """Nothing here may wait for a promise: none is ever kept where scripts are switched off."""
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


@pytest.mark.parametrize("size", ["desktop", pytest.param("phone", marks=pytest.mark.long)])
def test_every_step_without_javascript(visit, live_server, size):
    study, page = make_walk(), visit(size, java_script_enabled=False)
    page.goto(f"{live_server.url}/s/{study.code}/")
    walk(page, by_mouse, is_timed=False, see=glance_without_script)
    expect_all_is_there(study)


def expect_all_is_there(study: Study) -> None:
    person = study.annotators.get()
    assert person.exit == Exit.COMPLETED
    assert Judgement.objects.count() == 6
    assert [check.is_passed for check in CheckResult.objects.all()] == [True]

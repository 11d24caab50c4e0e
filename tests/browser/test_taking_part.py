"""A whole study in a real browser: by mouse, by keys alone, without JavaScript; reload, back and two tabs."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation.models import Assignment, Judgement
from tests.browser.conftest import agree_and_start, answer_all, expect_completion_code, press_submit
from tests.browser.measure import box_of, settle
from tests.browser.stories import make_story_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def expect_comparison(page: Page, number: int) -> None:
    expect(page.locator("h1")).to_have_text(re.compile(rf"^Comparison {number} of"))


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the focus is there, as a person without a mouse does."""
    settle(page)
    for _ in range(20):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached with Tab")


def test_a_study_by_mouse_loads_the_rating_page_once(page, home, study):
    agree_and_start(page, home)
    page.wait_for_load_state("load")
    loads = []
    page.on("load", lambda: loads.append(page.url))
    for number in range(1, 5):
        expect_comparison(page, number)
        answer_all(page)
        press_submit(page)
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    assert len(loads) == 1, "only the last page is loaded; the comparisons before it are swapped in"
    page.get_by_role("button", name="Finish").click()
    expect_completion_code(page, study)
    assert Judgement.objects.count() == 12


def test_a_study_by_keyboard_alone(page, home, study):
    page.goto(home)
    for label in ("I am 18 or older.", "I have read this page"):
        tab_to(page, page.get_by_label(label))
        page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Agree and start"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/instructions/")
    tab_to(page, page.get_by_role("button", name="Start"))
    page.keyboard.press("Enter")
    for number in range(1, 5):
        expect_comparison(page, number)
        page.wait_for_selector("[data-current]")
        for key in "132":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Finish"))
    page.keyboard.press("Enter")
    expect(page.locator("#completion-code")).to_be_visible()
    assert Judgement.objects.count() == 12


def test_without_single_keys_tab_arrows_and_space_are_enough(seat, study):
    page = seat(study)
    for fieldset in page.locator("fieldset").all():
        tab_to(page, fieldset.locator("input").first)
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
        expect(fieldset.get_by_role("radio", name="About the same")).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Submit"))
    page.keyboard.press("Enter")
    expect_comparison(page, 2)


def test_a_study_without_javascript(browser, home, study):
    page = browser.new_context(java_script_enabled=False).new_page()
    agree_and_start(page, home)
    for number in range(1, 5):
        expect_comparison(page, number)
        answer_all(page, "Right")
        press_submit(page)
    page.get_by_role("button", name="Finish").click()
    expect_completion_code(page, study)
    page.context.close()


def test_without_javascript_a_forgotten_question_is_pointed_at_and_the_rest_is_kept(seat, study):
    page = seat(study, java_script_enabled=False)
    page.locator("fieldset").first.get_by_role("radio", name="Left", exact=True).check()
    press_submit(page)
    expect(page.locator("#missing")).to_contain_text("2 questions still need you")
    page.get_by_role("link", name="Go there").click()
    expect(page).to_have_url(re.compile("#question-engagingness$"))
    page.reload()
    expect(page.locator("fieldset").first.get_by_role("radio", name="Left", exact=True)).to_be_checked()


def test_focus_and_the_live_region_follow_a_swap(seat, study):
    page = seat(study)
    answer_all(page)
    press_submit(page)
    expect_comparison(page, 2)
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#announce")).to_have_text(re.compile("Comparison 2 of"))
    assert page.title().startswith("Comparison 2 of")
    page.keyboard.press("2")
    expect(page.locator("fieldset").first.get_by_role("radio", name="About the same")).to_be_checked()
    expect(page.locator("fieldset").nth(1).locator("input").first).to_be_focused()


def test_a_forgotten_question_gets_the_focus_and_nothing_is_lost(seat, study):
    page = seat(study)
    page.locator("fieldset").first.get_by_role("radio", name="Left", exact=True).check()
    press_submit(page)
    expect(page.locator("#missing")).to_contain_text("2 questions still need you")
    expect(page.locator("fieldset").nth(1).locator("input").first).to_be_focused()
    expect(page.locator("fieldset").first.get_by_role("radio", name="Left", exact=True)).to_be_checked()


def test_back_and_two_tabs_are_harmless(seat, study):
    page = seat(study)
    other = page.context.new_page()
    other.goto(page.url)
    answer_all(page)
    press_submit(page)
    expect_comparison(page, 2)
    answer_all(other, "Right")
    press_submit(other)
    expect_comparison(other, 2)
    expect(other.get_by_text("was saved before")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="You have answered this one")).to_be_visible()
    page.get_by_role("button", name="Go on with the study").click()
    expect_comparison(page, 2)
    assert Assignment.objects.filter(state="submitted").count() == 1


def test_the_last_answer_can_be_changed_from_the_menu(seat, study):
    page = seat(study)
    answer_all(page)
    press_submit(page)
    expect_comparison(page, 2)
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Change the last answer").click()
    expect(page.locator("h1")).to_have_text("Change your answer to comparison 1")
    expect(page.locator("fieldset").first.get_by_role("radio", name="Left", exact=True)).to_be_checked()
    answer_all(page, "Right")
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_text("Your change is saved.")).to_be_visible()
    expect_comparison(page, 2)


def test_a_warning_can_be_read_skipped_and_passed(seat):
    study = make_story_study(comparisons=3, k=1)
    for comparison in study.comparisons.all():
        type(comparison.dialogue).objects.filter(pk=comparison.dialogue_id).update(content_warning="About a death.")
    page = seat(study)
    expect(page.get_by_text("About a death.")).to_be_visible()
    expect(page.locator(".reply")).to_have_count(0)
    page.get_by_role("button", name="Skip it").click()
    page.wait_for_function("() => document.activeElement.tagName === 'H1'")
    page.get_by_role("button", name="Show it to me").click()
    expect(page.locator(".reply")).to_have_count(2)
    answer_all(page)
    press_submit(page)
    expect(page.get_by_role("button", name="Skip it")).to_be_visible()


def test_guidelines_and_keys_open_on_a_key_and_single_keys_can_be_switched_off(seat, study):
    page = seat(study)
    page.keyboard.press("g")
    expect(page.locator("dialog#guidelines")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator(".pane")).to_be_focused()
    page.keyboard.press("?")
    page.get_by_label("Use single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.locator("fieldset input:checked")).to_have_count(0)
    page.reload()
    page.keyboard.press("1")
    expect(page.locator("fieldset input:checked")).to_have_count(0)


def test_keys_write_letters_in_a_text_field(seat):
    study = make_story_study(reason_from_strength=0)
    page = seat(study)
    page.keyboard.press("1")
    why = page.locator("fieldset").first.get_by_label("Why?")
    why.fill("")
    why.press_sequentially("gr1d?")
    expect(why).to_have_value("gr1d?")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_report_is_one_key_away_and_leads_back(seat, study):
    page = seat(study)
    page.keyboard.press("r")
    page.get_by_label("For example").fill("The left one is cut off.")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text("your report has reached the researchers")).to_be_visible()
    assert study.problem_reports.get().text == "The left one is cut off."


def test_on_a_phone_what_is_to_be_said_about_an_answer_is_in_view(seat):
    page = seat(make_story_study(minimum_seconds=60), viewport={"width": 390, "height": 844})
    answer_all(page)
    press_submit(page)
    expect(page.get_by_text("That was quicker than most people read.")).to_be_in_viewport(ratio=1)
    note, bar = box_of(page.locator(".notes")), box_of(page.locator(".bar"))
    assert note["y"] + note["height"] <= bar["y"]


def test_without_javascript_no_count_of_answers_stands_still(seat, study):
    page = seat(study, java_script_enabled=False)
    expect(page.get_by_text("of 3 answered")).to_be_hidden()

"""The rating page in a real browser: by mouse, by keys alone, without JavaScript, on every size."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from annotation.models import Assignment, Judgement
from tests.browser.conftest import take_part
from tests.browser.stories import make_story_study
from tests.build import make_running_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def heading(page: Page, number: int) -> None:
    expect(page.locator("h1")).to_have_text(re.compile(rf"^Comparison {number} of"))


LEFT, SAME, RIGHT = "-1", "0", "1"


def option(fieldset: Locator, value: str) -> Locator:
    return fieldset.locator(f"input[value='{value}']")


def answer_all(page: Page, choice: str = LEFT) -> None:
    for fieldset in page.locator("fieldset").all():
        option(fieldset, choice).check()


def test_a_study_by_mouse_in_one_page_load_per_study(page, home, study):
    take_part(page, home)
    loads = []
    page.on("load", lambda: loads.append(1))
    for number in range(1, 5):
        heading(page, number)
        answer_all(page)
        page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    assert loads == [1], "the comparisons themselves must come without loading a page"
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#completion-code")).to_have_text(study.annotators.get().completion_code)
    assert Judgement.objects.count() == 12


def test_a_study_by_keyboard_alone(page, home, study):
    page.goto(home)
    for press in ("Tab", "Space", "Tab", "Space", "Tab", "Enter"):
        page.keyboard.press(press)
    page.wait_for_url("**/instructions/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number in range(1, 5):
        heading(page, number)
        for press in "132":
            page.keyboard.press(press)
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#completion-code")).to_be_visible()
    assert Judgement.objects.count() == 12


def test_focus_and_the_live_region_follow_a_swap(page, home):
    take_part(page, home)
    answer_all(page)
    page.get_by_role("button", name="Submit").click()
    heading(page, 2)
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#announce")).to_have_text(re.compile("Comparison 2 of"))
    page.keyboard.press("2")
    expect(option(page.locator("fieldset").first, SAME)).to_be_checked()
    expect(page.locator("fieldset").nth(1).locator("input").first).to_be_focused()


def test_a_study_without_javascript(browser, home, study):
    page = browser.new_context(java_script_enabled=False).new_page()
    take_part(page, home)
    for number in range(1, 5):
        heading(page, number)
        answer_all(page, RIGHT)
        page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#completion-code")).to_have_text(study.annotators.get().completion_code)
    page.context.close()


def test_a_forgotten_question_is_pointed_at_and_nothing_is_lost(page, home):
    take_part(page, home)
    option(page.locator("fieldset").first, LEFT).check()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#missing")).to_contain_text("2 questions still need you")
    expect(page.locator("fieldset").nth(1).locator("input").first).to_be_focused()
    expect(option(page.locator("fieldset").first, LEFT)).to_be_checked()


def test_drafts_are_kept_as_answers_are_made(page, home):
    take_part(page, home)
    option(page.locator("fieldset").first, RIGHT).check()
    expect(page.locator("#saved")).to_have_text("Saved")
    page.reload()
    expect(option(page.locator("fieldset").first, RIGHT)).to_be_checked()


def test_back_and_two_tabs_are_harmless(page, context, home, study):
    take_part(page, home)
    first = page.url
    other = context.new_page()
    other.goto(first)
    answer_all(page)
    page.get_by_role("button", name="Submit").click()
    heading(page, 2)
    answer_all(other, RIGHT)
    other.get_by_role("button", name="Submit").click()
    heading(other, 2)
    expect(other.get_by_text("was saved before")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="You have answered this one")).to_be_visible()
    page.get_by_role("button", name="Go on with the study").click()
    heading(page, 2)
    assert Assignment.objects.filter(state="submitted").count() == 1


def test_a_lost_connection_is_calm_and_loses_nothing(page, home):
    take_part(page, home)
    page.context.set_offline(True)
    answer_all(page)
    expect(page.locator("#saved")).to_contain_text("trying again")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#saved")).to_contain_text("trying again")
    page.context.set_offline(False)
    expect(page.locator("h1")).to_have_text(re.compile("Comparison 2 of"), timeout=15000)
    assert Judgement.objects.count() == 3


def test_guidelines_and_keys_open_on_a_key_and_single_keys_can_be_switched_off(page, home):
    take_part(page, home)
    page.keyboard.press("g")
    expect(page.locator("dialog#guidelines")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_label("Use single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.locator("fieldset input:checked")).to_have_count(0)


SIZES = {"1280": (1280, 900), "1366": (1366, 650), "768": (768, 1024), "390": (390, 844), "320": (320, 640)}


@pytest.mark.parametrize("size", SIZES)
def test_every_size_fits_its_width_and_has_large_targets(browser, home, size):
    wide, high = SIZES[size]
    page = browser.new_context(viewport={"width": wide, "height": high}).new_page()
    take_part(page, home)
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    small = page.evaluate(
        """() => [...document.querySelectorAll('a.btn, button, .option, .jump a, summary')]
            .map(e => [e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, r]) => r.height > 0 && r.height < 44).map(([t, r]) => `${t}: ${r.height}`)"""
    )
    assert small == []
    submit = page.get_by_role("button", name="Submit").bounding_box()
    assert submit["y"] + submit["height"] <= high
    page.context.close()


def test_a_usual_comparison_needs_no_scrolling_at_1280_by_900(browser, home):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    take_part(page, home)
    assert page.evaluate("document.documentElement.scrollHeight") == 900
    assert page.evaluate(
        "[...document.querySelectorAll('.compare, .reply')].every(e => e.scrollHeight <= e.clientHeight)"
    )
    newest = page.locator(".turn").last.bounding_box()
    pane = page.locator(".pane").bounding_box()
    assert newest["y"] + newest["height"] <= pane["y"] + pane["height"] + 1, "the newest turn must be in view"
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser, home, study, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(home)
    check(page)
    page.get_by_label("I am 18 or older.").check()
    page.get_by_label("I have read this page").check()
    page.get_by_role("button", name="Agree and start").click()
    check(page)
    page.get_by_role("button", name="Start").click()
    check(page)
    rated = page.url
    for part in ("report/", "../guidelines/", "../leave/", "../declined/"):
        page.goto(rated + part)
        check(page)
    page.goto(rated)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#missing")).to_be_visible()
    check(page)
    for _ in range(4):
        answer_all(page)
        before = page.url
        page.get_by_role("button", name="Submit").click()
        page.wait_for_url(lambda url, before=before: url != before)
    check(page)
    page.goto(rated)
    check(page)
    page.goto(home + "next/")
    page.get_by_role("button", name="Finish").click()
    check(page)
    context.close()


def check(page: Page) -> None:
    results = Axe().run(page)
    found = results.response["violations"]
    assert found == [], json.dumps([(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found], indent=1)


@pytest.mark.parametrize(
    ("scale", "both_bad", "options"), [("two", False, 2), ("five", True, 6), ("seven", False, 7), ("seven", True, 8)]
)
def test_other_scales_fit_and_work(browser, live_server, scale, both_bad, options):
    study = make_story_study(scale=scale, offers_both_bad=both_bad)
    for wide in (1280, 390):
        page = browser.new_context(viewport={"width": wide, "height": 900}).new_page()
        take_part(page, f"{live_server.url}/s/{study.code}/")
        assert page.locator("fieldset").first.locator("input").count() == options
        assert page.evaluate("document.documentElement.scrollWidth") <= wide
        overflowing = page.evaluate(
            "[...document.querySelectorAll('.option')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
        )
        assert overflowing == 0
        for fieldset in page.locator("fieldset").all():
            fieldset.locator("input").last.check()
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
        page.context.close()
    assert Judgement.objects.count() == 6


HARD_TEXTS = {
    "long words": "Donaudampfschifffahrtsgesellschaft" * 12,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 " * 40,
    "right to left": "أنا آسف لسماع ذلك. هل تريد أن نتحدث عنه؟ " * 5,
    "4,000 words": "word " * 4000,
    "nothing": "",
}


@pytest.mark.parametrize("what", HARD_TEXTS)
@pytest.mark.parametrize("wide", [1280, 320])
def test_hard_texts_do_not_break_the_page(browser, live_server, what, wide):
    study = make_running_study(dialogues=1, k=1)
    dialogue = study.comparisons.get().dialogue
    dialogue.social_context = HARD_TEXTS[what]
    dialogue.turns = [{"speaker": "نور", "text": HARD_TEXTS[what] or "Hm."}, {"speaker": "Ben", "text": "Yes?"}]
    dialogue.save()
    for response in dialogue.responses.all():
        response.text = HARD_TEXTS[what][:3000] or "Well."
        response.save()
    page = browser.new_context(viewport={"width": wide, "height": 900}).new_page()
    take_part(page, f"{live_server.url}/s/{study.code}/")
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    if wide == 1280:
        assert page.evaluate("document.documentElement.scrollHeight") == 900
    assert page.locator(".context").count() == (1 if HARD_TEXTS[what] else 0)
    page.context.close()


def test_200_percent_zoom_is_one_column_without_sideways_scrolling(browser, home):
    page = browser.new_context(viewport={"width": 640, "height": 450}, device_scale_factor=2).new_page()
    take_part(page, home)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    left, right = page.locator("#left").bounding_box(), page.locator("#right").bounding_box()
    assert right["y"] >= left["y"] + left["height"]
    page.context.close()

"""How the pages fit: sizes, scales, hard texts, zoom, colours, and what axe finds."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Judgement
from tests.browser.conftest import answer_all, press_submit
from tests.browser.measure import (
    SMALL_TARGETS,
    assert_accessible,
    assert_words_fit,
    box_of,
    boxes_of,
    measured,
    settle,
)
from tests.browser.pictures import take_if_asked
from tests.browser.stories import HARD_TEXTS, make_hard_study, make_story_study, make_usual_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1920, 1080), (1280, 900), (1366, 650), (1024, 768), (768, 1024), (390, 844), (320, 640)]


def assert_fits(page: Page) -> None:
    """Nothing scrolls sideways, targets are large enough, no word of an answer is cut off, and Submit is in view."""
    assert_words_fit(page)
    assert measured(page, SMALL_TARGETS) == []
    submit = box_of(page.get_by_role("button", name="Submit"))
    assert submit["y"] + submit["height"] <= page.evaluate("innerHeight")


def assert_is_one_column(page: Page) -> None:
    """Dialogue, left, right and questions stand below each other."""
    boxes = [box_of(page.locator(part).first) for part in (".story", "#left", "#right", "fieldset")]
    for upper, lower in itertools.pairwise(boxes):
        assert lower["y"] >= upper["y"] + upper["height"]


def assert_needs_no_scrolling(page: Page) -> None:
    """The page is as high as the window, both responses and all questions are in view, and so is the newest turn."""
    assert measured(page, "document.documentElement.scrollHeight") == page.evaluate("innerHeight")
    still = "[...document.querySelectorAll('.compare, .reply')].every(e => e.scrollHeight <= e.clientHeight)"
    assert measured(page, still)
    newest, pane = box_of(page.locator(".turn").last), box_of(page.locator(".pane"))
    assert newest["y"] + newest["height"] <= pane["y"] + pane["height"] + 1, "the newest turn must be in view"


# name: width, height, whether everything is on one screen, and other options of the browser
STATES = {
    "usual": (1280, 900, True, {}),
    "usual dark": (1280, 900, True, {"color_scheme": "dark"}),
    "usual with less motion": (1280, 900, True, {"reduced_motion": "reduce"}),
    "usual on a laptop": (1366, 650, True, {}),
    "usual at 390": (390, 844, False, {}),
    "usual at 390 dark": (390, 844, False, {"color_scheme": "dark"}),
    "usual at 320": (320, 640, False, {}),
    "usual at 200 percent": (640, 450, False, {"device_scale_factor": 2}),
}


@pytest.mark.parametrize("state", STATES)
def test_a_usual_comparison_fits_every_screen(seat, state):
    wide, high, on_one_screen, options = STATES[state]
    page = seat(make_usual_study(), viewport={"width": wide, "height": high}, **options)
    take_if_asked(page, f"rating {state}")
    assert_fits(page)
    if on_one_screen:
        assert_needs_no_scrolling(page)
    else:
        assert_is_one_column(page)
        page.get_by_role("radio", name="Right", exact=True).last.scroll_into_view_if_needed()
        assert_fits(page)
        take_if_asked(page, f"rating {state} questions")


@pytest.mark.parametrize("kind", ["instruction", "nonsense"])
def test_a_check_takes_one_row_and_both_responses_stay_whole(seat, kind):
    page = seat(make_usual_study(check_every=1, check_kinds=kind), viewport={"width": 1280, "height": 900})
    for wide, high in ((1280, 900), (1366, 768), (1440, 900)):
        page.set_viewport_size({"width": wide, "height": high})
        assert_fits(page)
        still = "[...document.querySelectorAll('.compare, .reply')].every(e => e.scrollHeight <= e.clientHeight)"
        assert measured(page, still), (wide, high)
        assert len({box["y"] for box in boxes_of(page.locator(".one-more .option"))}) == 1
        take_if_asked(page, f"rating check {kind} {wide}")


def test_every_size_fits_its_width_has_large_targets_and_a_submit_button_in_reach(seat, study):
    page = seat(study)
    for wide, high in SIZES:
        page.set_viewport_size({"width": wide, "height": high})
        assert_fits(page)


def test_no_button_moves_between_comparisons(seat, study):
    page = seat(study, viewport={"width": 1280, "height": 900})
    first = boxes_of(page.locator(".option"))
    answer_all(page)
    press_submit(page)
    expect(page.locator("#announce")).to_contain_text("Comparison 2")
    assert boxes_of(page.locator(".option")) == first


@pytest.mark.parametrize(
    ("scale", "both_bad", "options"),
    [
        ("two", False, 2),
        ("two", True, 3),
        ("three", True, 4),
        ("five", True, 6),
        ("seven", False, 7),
        ("seven", True, 8),
    ],
)
def test_other_scales_fit_and_work(seat, scale, both_bad, options):
    study = make_story_study(scale=scale, offers_both_bad=both_bad)
    page = seat(study)
    for wide, high in ((1366, 650), (1280, 900), (1024, 900), (390, 900), (320, 900)):
        page.set_viewport_size({"width": wide, "height": high})
        take_if_asked(page, f"rating scale {scale} {both_bad} {wide}")
        assert page.locator("fieldset").first.locator("input").count() == options
        assert_words_fit(page)
    for fieldset in page.locator("fieldset").all():
        fieldset.locator("input").last.check()
    press_submit(page)
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    expected = "both_bad" if both_bad else {"left": "baseline", "right": "treatment"}
    shown = Judgement.objects.first()
    assert shown.outcome == (expected if both_bad else expected["left" if shown.treatment_side == "left" else "right"])


@pytest.mark.parametrize("what", HARD_TEXTS)
def test_hard_texts_do_not_break_the_page(seat, what):
    page = seat(make_hard_study(HARD_TEXTS[what]))
    for wide in (1280, 390, 320):
        page.set_viewport_size({"width": wide, "height": 900})
        take_if_asked(page, f"rating {what} {wide}")
        assert_fits(page)
        if wide == 1280:
            assert measured(page, "document.documentElement.scrollHeight") == 900
        else:
            assert_is_one_column(page)
            page.locator("#left").evaluate("element => element.scrollIntoView()")
            take_if_asked(page, f"rating {what} {wide} responses")
    assert page.locator(".context").count() == (1 if HARD_TEXTS[what] else 0)


def test_text_from_right_to_left_follows_its_own_direction_and_left_stays_left(seat):
    page = seat(make_hard_study(HARD_TEXTS["right to left"]), viewport={"width": 1280, "height": 900})
    settle(page)
    for text in (*page.locator(".turn:first-child :is(b, .text)").all(), *page.locator(".reply .text").all()):
        assert text.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert box_of(page.locator("#left"))["x"] < box_of(page.locator("#right"))["x"]


def test_less_motion_means_none(seat, study):
    page = seat(study, reduced_motion="reduce")
    moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    assert measured(page, moving) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(seat, home, study, scheme):
    page = seat(study, color_scheme=scheme)
    rated = page.url
    assert_accessible(page)
    press_submit(page)
    expect(page.locator("#missing")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    assert_accessible(page)
    for address in (
        f"{rated}report/",
        *(f"{home}{part}" for part in ("instructions/", "guidelines/", "leave/", "declined/")),
    ):
        page.goto(address)
        assert_accessible(page)
    page.goto(rated)
    for _ in range(4):
        answer_all(page)
        before = page.url
        press_submit(page)
        page.wait_for_url(lambda url, before=before: url != before)
    assert_accessible(page)
    page.goto(rated)
    assert_accessible(page)
    page.goto(f"{home}next/")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#completion-code")).to_be_visible()
    assert_accessible(page)
    page.context.clear_cookies(name="duologue")
    page.goto(home)
    assert_accessible(page)


def test_axe_finds_nothing_on_a_phone_with_every_part_on_the_page(seat):
    study = make_story_study(scale="seven", offers_both_bad=True, reason_from_strength=0)
    page = seat(study, viewport={"width": 390, "height": 844})
    page.locator("fieldset").first.locator("input").first.check()
    page.get_by_text("More", exact=True).click()
    assert_accessible(page)


def test_pages_obey_the_content_security_policy(seat, study):
    page = seat(study)
    told = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.reload()
    answer_all(page)
    press_submit(page)
    expect(page.locator("#announce")).to_contain_text("Comparison 2")
    assert told == []

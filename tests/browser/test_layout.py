"""How the pages fit: sizes, scales, hard texts, zoom, colours, and what axe finds."""

import itertools
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from annotation.models import Judgement
from tests.browser.conftest import answer_all, press_submit
from tests.browser.pictures import take_if_asked
from tests.browser.stories import HARD_TEXTS, make_hard_study, make_story_study, make_usual_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1920, 1080), (1280, 900), (1366, 650), (1024, 768), (768, 1024), (390, 844), (320, 640)]

SMALL_TARGETS = """() => [...document.querySelectorAll('a.btn, a.alone, button, .option, .check, .jump a, summary')]
    .map(element => [element.textContent.trim(), element.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.height < 44 || box.width < 44))
    .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""

CUT_OFF = "[...document.querySelectorAll('.option, .btn')].filter(e => e.scrollWidth > e.clientWidth + 1).length"


# Each key stands in its answer's empty circle, and a word lies under it where their boxes meet.
WORDS_UNDER_KEYS = """() => [...document.querySelectorAll('.option')].filter((option) => {
    const key = option.querySelector('kbd').getBoundingClientRect();
    const words = document.createRange();
    words.selectNodeContents(option.querySelector('span'));
    return key.width && [...words.getClientRects()].some((line) =>
      line.left < key.right && line.right > key.left && line.top < key.bottom && line.bottom > key.top);
  }).map((option) => option.textContent.trim())"""


def has_no_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def assert_fits(page: Page) -> None:
    """Nothing scrolls sideways, targets are large enough, no word of an answer is cut off, and Submit is in view."""
    assert has_no_sideways_scroll(page)
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(CUT_OFF) == 0
    assert page.evaluate(WORDS_UNDER_KEYS) == []
    submit = page.get_by_role("button", name="Submit").bounding_box()
    assert submit["y"] + submit["height"] <= page.evaluate("innerHeight")


def assert_is_one_column(page: Page) -> None:
    """Dialogue, left, right and questions stand below each other."""
    boxes = [page.locator(part).first.bounding_box() for part in (".story", "#left", "#right", "fieldset")]
    for upper, lower in itertools.pairwise(boxes):
        assert lower["y"] >= upper["y"] + upper["height"]


def assert_needs_no_scrolling(page: Page) -> None:
    """The page is as high as the window, both responses and all questions are in view, and so is the newest turn."""
    assert page.evaluate("document.documentElement.scrollHeight") == page.evaluate("innerHeight")
    still = "[...document.querySelectorAll('.compare, .reply')].every(e => e.scrollHeight <= e.clientHeight)"
    assert page.evaluate(still)
    newest, pane = page.locator(".turn").last.bounding_box(), page.locator(".pane").bounding_box()
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


def test_every_size_fits_its_width_has_large_targets_and_a_submit_button_in_reach(seat, study):
    page = seat(study)
    for wide, high in SIZES:
        page.set_viewport_size({"width": wide, "height": high})
        assert_fits(page)


def test_no_button_moves_between_comparisons(seat, study):
    page = seat(study, viewport={"width": 1280, "height": 900})
    first = [box.bounding_box() for box in page.locator(".option").all()]
    answer_all(page)
    press_submit(page)
    expect(page.locator("#announce")).to_contain_text("Comparison 2")
    assert [box.bounding_box() for box in page.locator(".option").all()] == first


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
        assert has_no_sideways_scroll(page), wide
        assert page.evaluate(CUT_OFF) == 0, wide
        assert page.evaluate(WORDS_UNDER_KEYS) == [], wide
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
            assert page.evaluate("document.documentElement.scrollHeight") == 900
        else:
            assert_is_one_column(page)
            page.locator("#left").evaluate("element => element.scrollIntoView()")
            take_if_asked(page, f"rating {what} {wide} responses")
    assert page.locator(".context").count() == (1 if HARD_TEXTS[what] else 0)


def test_text_from_right_to_left_follows_its_own_direction_and_left_stays_left(seat):
    page = seat(make_hard_study(HARD_TEXTS["right to left"]), viewport={"width": 1280, "height": 900})
    for text in (*page.locator(".turn:first-child :is(b, .text)").all(), *page.locator(".reply .text").all()):
        assert text.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator("#left").bounding_box()["x"] < page.locator("#right").bounding_box()["x"]


def test_less_motion_means_none(seat, study):
    page = seat(study, reduced_motion="reduce")
    moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    assert page.evaluate(moving) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(seat, home, study, scheme):
    page = seat(study, color_scheme=scheme)
    rated = page.url
    check(page)
    press_submit(page)
    expect(page.locator("#missing")).to_be_visible()
    check(page)
    page.keyboard.press("?")
    check(page)
    for address in (
        f"{rated}report/",
        *(f"{home}{part}" for part in ("instructions/", "guidelines/", "leave/", "declined/")),
    ):
        page.goto(address)
        check(page)
    page.goto(rated)
    for _ in range(4):
        answer_all(page)
        before = page.url
        press_submit(page)
        page.wait_for_url(lambda url, before=before: url != before)
    check(page)
    page.goto(rated)
    check(page)
    page.goto(f"{home}next/")
    page.get_by_role("button", name="Finish").click()
    check(page)
    page.context.clear_cookies(name="duologue")
    page.goto(home)
    check(page)


def check(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    assert violations == [], json.dumps(
        [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in violations], indent=1
    )


def test_axe_finds_nothing_on_a_phone_with_every_part_on_the_page(seat):
    study = make_story_study(scale="seven", offers_both_bad=True, reason_from_strength=0)
    page = seat(study, viewport={"width": 390, "height": 844})
    page.locator("fieldset").first.locator("input").first.check()
    page.get_by_text("More", exact=True).click()
    check(page)


def test_pages_obey_the_content_security_policy(seat, study):
    page = seat(study)
    told = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.reload()
    answer_all(page)
    press_submit(page)
    expect(page.locator("#announce")).to_contain_text("Comparison 2")
    assert told == []

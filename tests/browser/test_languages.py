"""A whole study in Arabic, German and Spanish in a real browser: mirrored where it must be, and nothing cut off."""

import pytest
from playwright.sync_api import expect

from annotation.models import Judgement
from tests.browser.measure import SMALL_TARGETS, assert_accessible, assert_words_fit, boxes_of, measured
from tests.browser.stories import make_story_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
@pytest.mark.parametrize("language", ["ar", "de", "es"])
def test_a_study_in_another_language(browser, live_server, language, size):
    study = make_story_study(comparisons=1, k=1, language=language)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(f"{live_server.url}/s/{study.code}/")
    for box in page.locator("[type=checkbox]").all():
        box.check()
    page.locator("main form .primary").click()
    page.wait_for_url("**/instructions/")
    page.locator("main form .primary").click()
    page.wait_for_selector(".criterion")
    assert page.evaluate("document.documentElement.lang") == language
    assert_words_fit(page)
    assert measured(page, SMALL_TARGETS) == []
    if size[0] > size[1]:
        page.set_viewport_size({"width": 1366, "height": 650})
        assert_words_fit(page)
        page.set_viewport_size({"width": size[0], "height": size[1]})
    assert_accessible(page)
    assert left_stands_left(page)
    for fieldset in page.locator("fieldset").all():
        fieldset.locator("input").first.check()
    page.locator(".bar .primary").click()
    page.locator("main form .primary").first.click()
    expect(page.locator("#completion-code")).to_be_visible()
    assert Judgement.objects.count() == 3
    context.close()


def left_stands_left(page) -> bool:
    """Left means the left of the screen in every script: the replies and the answers never change places."""
    boxes = boxes_of(page.locator(".criterion").first.locator(".option"))
    return boxes[0]["x"] < boxes[-1]["x"]

"""What is measured on a page: sizes, scrolling, words that are cut off, and what axe finds.

What a test waits for after a click is there before the page's stylesheets are: every measure settles the page first.
"""

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Locator, Page, expect

SMALL_TARGETS = """() => [...document.querySelectorAll('a.btn, a.alone, button, .option, .check, .jump a, summary')]
    .map(element => [element.textContent.trim(), element.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.height < 44 || box.width < 44))
    .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""

CUT_OFF = """() => [...document.querySelectorAll('.option, .btn')]
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.textContent.trim())"""

# Each key stands in its answer's empty circle, and a word lies under it where their boxes meet.
WORDS_UNDER_KEYS = """() => [...document.querySelectorAll('.option')].filter((option) => {
    const key = option.querySelector('kbd').getBoundingClientRect();
    const words = document.createRange();
    words.selectNodeContents(option.querySelector('span'));
    return key.width && [...words.getClientRects()].some((line) =>
      line.left < key.right && line.right > key.left && line.top < key.bottom && line.bottom > key.top);
  }).map((option) => option.textContent.trim())"""


def settle(page: Page) -> None:
    """Wait until the document has its stylesheets, scripts and fonts, and htmx has put in what it fetched.

    The caller has seen something of the document that is meant: after a click, the one before it may still stand there.
    """
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def measured(page: Page, script: str) -> object:
    """What a script finds on the settled page."""
    settle(page)
    return page.evaluate(script)


def box_of(place: Locator) -> FloatRect:
    """Where something stands on the settled page, in pixels of its window."""
    settle(place.page)
    box = place.bounding_box()
    assert box is not None, f"{place} is not shown"
    return box


def boxes_of(places: Locator) -> list[FloatRect]:
    return [box_of(place) for place in places.all()]


def has_no_sideways_scroll(page: Page) -> bool:
    return measured(page, "document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def assert_words_fit(page: Page) -> None:
    """Nothing scrolls sideways, no word of an answer or a button is cut off, and none lies under a key."""
    assert has_no_sideways_scroll(page), page.viewport_size
    assert measured(page, CUT_OFF) == [], page.viewport_size
    assert measured(page, WORDS_UNDER_KEYS) == [], page.viewport_size


def assert_accessible(page: Page, part: str | None = None) -> None:
    """Axe finds nothing on the page, or in a part of it that a selector names."""
    settle(page)
    violations = Axe().run(page, context=part).response["violations"]
    assert violations == [], json.dumps(
        [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in violations] + [page.url], indent=1
    )

"""Annotators with a real browser in a study with real words in it."""

import os
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from annotation.models import Study
from tests.browser.stories import make_story_study
from tests.pages.people import held_by, page_of, start

# Playwright's sync API runs an event loop in this thread, and Django would refuse the database beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

# A busy machine is no fault of the page.
PATIENCE_MS = 30_000
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
expect.set_options(timeout=PATIENCE_MS)

type Seat = Callable[..., Page]


@pytest.fixture
def study(transactional_db) -> Study:
    return make_story_study(comparisons=4, k=1)


@pytest.fixture
def home(live_server, study) -> str:
    return f"{live_server.url}/s/{study.code}/"


@pytest.fixture
def seat(browser, live_server, transactional_db):
    """Put a new annotator of a study in front of their first comparison. Options are the browser context's."""
    contexts: list[BrowserContext] = []

    def sit(study: Study, *, server: str = live_server.url, **options: object) -> Page:
        client = Client()
        held = held_by(start(client, study))
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        cookie = {"name": "duologue", "value": client.cookies["duologue"].value}
        context.add_cookies([cookie | {"url": f"{server}/s/{study.code}/"}])
        page = context.new_page()
        page.goto(server + page_of(held))
        return page

    yield sit
    for context in contexts:
        context.close()


@pytest.fixture
def visit(browser):
    """Open a browser of its own, of a size."""
    contexts: list[BrowserContext] = []

    def open_browser(size: str = "desktop", **options: object) -> Page:
        wide, high = SIZES[size]
        contexts.append(browser.new_context(viewport={"width": wide, "height": high}, **options))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        return contexts[-1].new_page()

    yield open_browser
    for context in contexts:
        context.close()


def agree_and_start(page: Page, home: str) -> None:
    """Consent and start, by mouse."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(home)
    page.get_by_label("I am 18 or older.").check()
    page.get_by_label("I have read this page").check()
    page.get_by_role("button", name="Agree and start").click()
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#rate")


def answer_all(page: Page, choice: str = "Left") -> None:
    # The questions are counted as they stand: all of them must have come in.
    page.wait_for_load_state("load")
    for fieldset in page.locator("fieldset").all():
        fieldset.get_by_role("radio", name=choice, exact=True).check()


def expect_completion_code(page: Page, study: Study) -> None:
    """The last page shows the code of the study's one annotator, who has it from then on."""
    shown = page.locator("#completion-code")
    expect(shown).to_be_visible()
    expect(shown).to_have_text(study.annotators.get().completion_code)


def press_submit(page: Page) -> None:
    page.get_by_role("button", name="Submit").click()

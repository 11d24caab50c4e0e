"""Browsers that are signed in as an annotator of a study with real words in it."""

import os

import pytest
from playwright.sync_api import Page

from tests.browser.stories import make_story_study

# Playwright's sync API runs an event loop in this thread, and Django would refuse the database beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def study(transactional_db):
    return make_story_study(comparisons=4, k=1)


@pytest.fixture
def home(live_server, study) -> str:
    return f"{live_server.url}/s/{study.code}/"


def take_part(page: Page, home: str) -> None:
    """Agree and start, by mouse."""
    page.set_default_timeout(5000)
    page.goto(home)
    page.get_by_label("I am 18 or older.").check()
    page.get_by_label("I have read this page").check()
    page.get_by_role("button", name="Agree and start").click()
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#rate")

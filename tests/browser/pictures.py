"""Pictures that tests take on the way, for a person to look at: where SCREENSHOTS names a folder."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.measure import settle

FOLDER = Path(os.environ.get("SCREENSHOTS", "test-results/screenshots"))


def take(page: Page, name: str, **options: object) -> None:
    """Take a picture into the folder. Options are those of Playwright."""
    settle(page)
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name.replace(' ', '-').replace(',', '')}.png", **options)


def take_if_asked(page: Page, name: str, **options: object) -> None:
    """The same in a test that runs in every check: only where somebody wants to look."""
    if os.environ.get("SCREENSHOTS"):
        take(page, name, **options)

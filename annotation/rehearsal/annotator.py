"""One simulated annotator: opens the study's link and does what its pages ask, over HTTP and without JavaScript."""

import random
import time
from collections.abc import Callable
from urllib.parse import urljoin

import httpx

from annotation.checks import FIELD
from annotation.errors import DuologueError
from annotation.rehearsal.page import Choice, Element, Form, read_forms, read_page
from annotation.rehearsal.rule import Character, lean

# More pages than any study has questions: a person who goes round in circles is a fault of the site.
MOST_PAGES = 2000


class PageRefused(DuologueError):
    """The site answered in a way that leaves a person stuck."""


class SimulatedAnnotator:
    """A person with a browser of their own. `once_in` is called after consent; `judged` counts comparisons."""

    def __init__(self, link: str, *, character: Character, seed: int, once_in: Callable[[], object]) -> None:
        self.link = link
        self.character = character
        self.rng = random.Random(seed)  # noqa: S311
        self.once_in = once_in
        self.judged = 0

    def take_part(self) -> int:
        """Go from the link to the last page. Returns how many comparisons were judged. Raises: PageRefused."""
        try:
            with httpx.Client(follow_redirects=True, timeout=60) as browser:
                page = self.read(browser.get(self.link))
                return self.go_on(browser, self.consent(browser, page))
        except httpx.HTTPError as error:
            raise PageRefused(f"{self.link} does not answer ({error}). Is Duologue running there?") from error

    def consent(self, browser: httpx.Client, page: Element) -> Element:
        """Agree to what the first page says, and wait for the others."""
        form = main_form(page)
        if form is None:
            raise PageRefused(f"{self.link} takes nobody in: {page.text[:300]}")
        page = self.send(browser, page, form)
        self.once_in()
        return page

    def go_on(self, browser: httpx.Client, page: Element) -> int:
        """Do what page after page asks, until one asks nothing more."""
        for _ in range(MOST_PAGES):
            form = main_form(page)
            if form is None:
                return self.judged
            following = self.send(browser, page, form)
            if following.text == page.text:
                # "Others are working on the last comparisons": come back a little later.
                time.sleep(0.2)
            page = following
        raise PageRefused(f"A simulated annotator saw {MOST_PAGES} pages of {self.link} and no end.")

    def read(self, answer: httpx.Response) -> Element:
        """Return the page. Raises PageRefused with its own words when it is an error."""
        page = read_page(answer.text)
        if answer.status_code >= 400:
            said = page.text[:300]
            raise PageRefused(f"{answer.request.method} {answer.url} answered {answer.status_code}: {said}")
        page.attributes["address"] = str(answer.url)
        return page

    def send(self, browser: httpx.Client, page: Element, form: Form) -> Element:
        """Fill the form in and send it, as the button does."""
        data = {**form.fields, **form.boxes}
        if form.choices:
            left, right = replies(page)
            data |= {c.name: self.choose(c, left, right) for c in form.choices if c.name != FIELD}
            data |= {choice.name: follow(choice) for choice in form.choices if choice.name == FIELD}
        address = page.attributes["address"]
        headers = {"Referer": address}
        answered = self.read(browser.post(urljoin(address, form.action), data=data, headers=headers))
        self.judged += bool(form.choices)
        return answered

    def choose(self, choice: Choice, left: str, right: str) -> str:
        """Return the value of the answer: on a scale with grades the strength is drawn evenly."""
        leans = [value for value in choice.values if value.lstrip("-").isdigit()]
        drawn = lean(choice.question, left, right, self.character, self.rng, has_tie="0" in leans)
        return self.rng.choice([value for value in leans if (int(value) > 0) - (int(value) < 0) == drawn])


def follow(choice: Choice) -> str:
    """Answer a check as its text says: choose the side that it names, or disagree with nonsense."""
    named = [value for value in choice.values if value in choice.question.lower()]
    return named[0] if named else next(value for value in choice.values if value.startswith("disagree"))


def main_form(page: Element) -> Form | None:
    """Return the form behind the page's main button, None where there is none: the last page."""
    for form in read_forms(page):
        if form.method == "post" and form.is_main:
            return form
    return None


def replies(page: Element) -> tuple[str, str]:
    """Return the texts of the left and the right reply."""
    sides = [page.by_id("left"), page.by_id("right")]
    texts = [" ".join(paragraph.text for paragraph in side.all("p")) for side in sides if side is not None]
    if len(texts) != 2 or not all(texts):
        raise PageRefused(f"The rating page {page.attributes['address']} does not show two replies.")
    return texts[0], texts[1]

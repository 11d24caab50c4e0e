"""One simulated annotator: opens the study's link and does what its pages ask, over HTTP and without JavaScript."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx

from annotation.checks import FIELD
from annotation.errors import DuologueError
from annotation.rehearsal.page import Choice, Element, Form, read_forms, read_page
from annotation.rehearsal.rule import Character, lean

# More pages than any study has questions: a person who goes round in circles is a fault of the site.
REASON = "A simulated annotator drew this answer."
MOST_PAGES = 2000
PRACTICE = "practice"


class PageRefused(DuologueError):
    """The site answered in a way that leaves a person stuck."""


@dataclass(frozen=True)
class Known:
    """What somebody knows who has read the instructions: options by question, and who is better by the left text.

    A training comparison is `left`, `same` or `right`.
    """

    options: Mapping[str, int] = field(default_factory=dict)
    better: Mapping[str, str] = field(default_factory=dict)


class SimulatedAnnotator:
    """A person with a browser of their own. `once_in` is called after consent; `judged` counts comparisons."""

    def __init__(
        self,
        link: str,
        *,
        character: Character,
        seed: int,
        once_in: Callable[[], object] = lambda: None,
        known: Known = Known(),
    ) -> None:
        self.link = link
        self.character = character
        self.rng = random.Random(seed)  # noqa: S311
        self.once_in = once_in
        self.known = known
        self.judged = 0

    def take_part(self) -> int:
        """Go from the link to the last page. Returns how many comparisons were judged. Raises: PageRefused."""
        try:
            with httpx.Client(follow_redirects=True, timeout=60) as browser:
                page = self.read(browser.get(self.link))
                self.go_on(browser, self.consent(browser, page))
                return self.judged
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

    def go_on(self, browser: httpx.Client, page: Element) -> Element:
        """Do what page after page asks, until one asks nothing more; returns that one."""
        for _ in range(MOST_PAGES):
            form = main_form(page)
            if form is None and step_of(page) == PRACTICE:
                page = self.read(browser.get(urljoin(self.link, "next/")))
                continue
            if form is None:
                return page
            following = self.send(browser, page, form)
            if following.text == page.text:
                # "Others are working on the last comparisons": come back a little later.
                time.sleep(0.2)
            page = following
        raise PageRefused(f"A simulated annotator saw {MOST_PAGES} pages of {self.link} and no end.")

    def read(self, answer: httpx.Response) -> Element:
        """Return the page. Raises PageRefused with its own words when it is an error."""
        page = read_page(answer.text)
        if answer.status_code >= 400 and not self.is_expected(answer):
            said = page.text[:300]
            raise PageRefused(f"{answer.request.method} {answer.url} answered {answer.status_code}: {said}")
        page.attributes["address"] = str(answer.url)
        return page

    def is_expected(self, answer: httpx.Response) -> bool:
        """Whether this person has earned that the page asks again."""
        return False

    def send(self, browser: httpx.Client, page: Element, form: Form) -> Element:
        """Fill the form in and send it, as the button does."""
        data = {**form.fields, **form.boxes, **self.fill(page, form)}
        address = page.attributes["address"]
        answer = browser.post(urljoin(address, form.action), data=data, headers={"Referer": address})
        following = self.read(answer)
        self.judged += is_comparison(page, form) and answer.status_code < 400
        return following

    def fill(self, page: Element, form: Form) -> dict[str, str]:
        """Return what this person chooses on a page."""
        match step_of(page):
            case "device":
                return {"answer": "yes"}
            case "questions":
                return {choice.name: self.recall(choice) for choice in form.choices}
            case "closing":
                return {}
            case step if form.choices:
                left, right = replies(page)
                better = self.known.better.get(left, "") if step == PRACTICE else ""
                chosen = {choice.name: self.decide(choice, left, right, better) for choice in form.choices}
                return chosen | {name: REASON for name in form.fields if name.endswith("-reason")}
        return {}

    def recall(self, choice: Choice) -> str:
        """Answer a question about the instructions."""
        if choice.question not in self.known.options:
            raise PageRefused(f"A simulated annotator does not know the answer to “{choice.question}”.")
        return str(self.known.options[choice.question])

    def decide(self, choice: Choice, left: str, right: str, better: str) -> str:
        """Choose one of the answers to a question about two replies, or do what a check says."""
        if choice.name == FIELD:
            return self.follow(choice)
        if better:
            wanted = ("left", "same", "right").index(better) - 1
            return self.rng.choice([value for value in leans(choice) if sign(value) == wanted])
        return self.choose(choice, left, right)

    def follow(self, choice: Choice) -> str:
        return follow(choice)

    def choose(self, choice: Choice, left: str, right: str) -> str:
        """Return the value of the answer: on a scale with grades the strength is drawn evenly."""
        values = leans(choice)
        drawn = lean(choice.question, left, right, self.character, self.rng, has_tie="0" in values)
        return self.rng.choice([value for value in values if sign(value) == drawn])


def leans(choice: Choice) -> list[str]:
    """Return the answers that name a side, or none of both."""
    return [value for value in choice.values if value.lstrip("-").isdigit()]


def sign(value: str) -> int:
    return (int(value) > 0) - (int(value) < 0)


def step_of(page: Element) -> str:
    """Return the last part of the page's address: the name of a step, or the code of a comparison."""
    return urlsplit(page.attributes["address"]).path.rstrip("/").rpartition("/")[2]


def is_comparison(page: Element, form: Form) -> bool:
    """Whether the page shows a comparison of the main part."""
    return bool(form.choices) and step_of(page) not in {"device", "questions", "closing", PRACTICE}


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

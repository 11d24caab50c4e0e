"""A simulated annotator of a mixed rehearsal: honest, slow, one who leaves, or one who cheats."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import httpx

from annotation.rehearsal.annotator import Known, SimulatedAnnotator, is_comparison, leans, step_of
from annotation.rehearsal.kinds import CHEATERS, Kind
from annotation.rehearsal.page import Choice, Element, Form, read_forms
from annotation.rehearsal.rule import Character

COOKIE = "duologue"
SECONDS, HURRIED_SECONDS = (8.0, 40.0), (0.4, 1.5)
LATEST_LEAVE = 3
"""Whoever leaves, or is away, is so before one of the first three comparisons."""

_UUID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True)
class World:
    """What happens outside the pages: time that passes over a comparison, and a platform that reports a return."""

    let_time_run_out: Callable[[UUID], object]
    report_return: Callable[[UUID], object]


class Person(SimulatedAnnotator):
    """One of a mixed crowd. After the part: `annotator` is their code, `completion_code` what the last page showed."""

    def __init__(self, link: str, *, kind: Kind, character: Character, seed: int, known: Known, world: World) -> None:
        super().__init__(link, character=character, seed=seed, known=known)
        self.kind = kind
        self.world = world
        self.acts_before = self.rng.randint(1, LATEST_LEAVE)
        self.has_acted = False
        self.annotator: UUID | None = None
        self.completion_code = ""

    def consent(self, browser: httpx.Client, page: Element) -> Element:
        page = super().consent(browser, page)
        cookies = [cookie.value for cookie in browser.cookies.jar if cookie.name == COOKIE]
        found = _UUID.search(cookies[0] or "") if cookies else None
        self.annotator = UUID(found[0]) if found else None
        return page

    def go_on(self, browser: httpx.Client, page: Element) -> Element:
        page = super().go_on(browser, page)
        shown = page.by_id("completion-code")
        self.completion_code = shown.text if shown else ""
        return page

    def send(self, browser: httpx.Client, page: Element, form: Form) -> Element:
        """Send the form, or do at this comparison what makes this person another kind than honest."""
        is_due = is_comparison(page, form) and self.judged + 1 == self.acts_before and not self.has_acted
        if is_due and (following := self.act(browser, page)):
            return following
        return super().send(browser, page, form)

    def act(self, browser: httpx.Client, page: Element) -> Element | None:
        """Be away, or leave; returns the page after it, None where the person goes on."""
        code = UUID(step_of(page))
        match self.kind:
            case Kind.SLOW:
                self.has_acted = True
                self.world.let_time_run_out(code)
                return None
            case Kind.VANISHES:
                self.has_acted = True
                self.world.let_time_run_out(code)
                return Element("page", {"address": page.attributes["address"]})
            case Kind.RETURNS:
                self.has_acted = True
                self.world.report_return(code)
                return self.read(browser.get(self.link + "next/"))
            case Kind.WITHDRAWS | Kind.ERASES:
                self.has_acted = True
                return self.leave(browser, "keep" if self.kind == Kind.WITHDRAWS else "delete")
        return None

    def leave(self, browser: httpx.Client, answers: str) -> Element:
        """Stop taking part, by the page for it."""
        page = self.read(browser.get(self.link + "leave/"))
        (form,) = (form for form in read_forms(page) if form.method == "post")
        address = page.attributes["address"]
        data = form.fields | {"answers": answers}
        return self.read(browser.post(address, data=data, headers={"Referer": address}))

    def is_expected(self, answer: httpx.Response) -> bool:
        """Questions are asked again after a wrong answer, and answers that came too fast."""
        return answer.status_code == 422 and self.kind in {Kind.FAILS, Kind.HURRIED}

    def fill(self, page: Element, form: Form) -> dict[str, str]:
        data = super().fill(page, form)
        if is_comparison(page, form):
            least, most = HURRIED_SECONDS if self.kind == Kind.HURRIED else SECONDS
            data["active_ms"] = str(round(self.rng.uniform(least, most) * 1000))
        return data

    def recall(self, choice: Choice) -> str:
        right = super().recall(choice)
        if self.kind != Kind.FAILS:
            return right
        self.has_acted = True
        return next(value for value in choice.values if value != right)

    def follow(self, choice: Choice) -> str:
        """Answer a check: honest people and those who only hurry do what it says."""
        right = super().follow(choice)
        match self.kind:
            case Kind.LEFT:
                return choice.values[0]
            case Kind.RANDOM:
                return self.rng.choice(choice.values)
            case Kind.CARELESS:
                return self._wrong(choice)
        return right

    def _wrong(self, choice: Choice) -> str:
        sides = [value for value in choice.values if value not in choice.question.lower()]
        return next((value for value in choice.values if value.startswith("agree")), sides[0])

    def choose(self, choice: Choice, left: str, right: str) -> str:
        if self.kind == Kind.LEFT:
            return min(leans(choice), key=int)
        if self.kind in CHEATERS:
            return self.rng.choice(leans(choice))
        return super().choose(choice, left, right)

"""Nothing that a browser gets says which agent wrote what: every page, header, cookie and address is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import resolve

from annotation.models import Annotator, Comparison, Slot, Study
from annotation.rehearsal.page import read_page
from annotation.services.claiming import expire_stale
from annotation.views.annotator_urls import urlpatterns
from annotation.views.screens import draw_pair
from tests.build import (
    make_agent,
    make_annotator,
    make_augmenter,
    make_collection,
    make_comparison,
    make_criteria,
    make_dialogue,
    make_matchup,
    make_model,
    make_prompt_set,
    make_response,
    make_skill_of_mind,
    make_study,
)
from tests.pages.people import agree, answers, held_by, page_of, start

pytestmark = pytest.mark.django_db

SECRET = "xyzzy"
"""In everything that annotators must not learn."""

BIG = 7_654_321_000
"""Primary keys of what they must not learn begin here, so that none is met by chance."""

ROLES = ["treatment", "baseline", "augment", "thanos", "matchup", "flipped", "skill-of-mind", "skill_of_mind"]


@pytest.fixture
def study() -> Study:
    """A study in which everything behind the texts has a name or a number that gives it away."""
    draw_pair.cache_clear()  # The same primary keys come in every test of this file, and nowhere else.
    study = make_study(
        name=f"{SECRET} study", state="running", judgements_per_comparison=2, quota_per_annotator=4, scale="five"
    )
    type(study).objects.filter(pk=study.pk).update(offers_both_bad=True, reason_from_strength=2, shuffles_criteria=True)
    study.refresh_from_db()
    make_criteria(study)
    matchup = make_matchup(study, id=BIG + 1, baseline=secret_agent(1), treatment=secret_agent(2))
    collection = make_collection(name=f"{SECRET} collection", source=SECRET, licence=SECRET)
    for n in range(6):
        make_secret_comparison(matchup, collection, n)
    return study


def secret_agent(n: int):
    model = make_model(
        id=BIG + n, name=f"{SECRET} model {n}", slug=f"{SECRET}-{n}", source=f"{SECRET}.gguf", revision=SECRET
    )
    prompts = make_prompt_set(id=BIG + n, name=f"{SECRET} prompts {n}", templates={"baseline": {"user": SECRET}})
    augmenter = make_augmenter(id=BIG + n, name=f"{SECRET} augmenter {n}", model=model, prompt_set=prompts, note=SECRET)
    return make_agent(
        id=BIG + n, name=f"{SECRET} agent {n}", responder=model, prompt_set=prompts, augmenter=augmenter, note=SECRET
    )


def make_secret_comparison(matchup, collection, n: int) -> Comparison:
    dialogue = make_dialogue(
        id=BIG + 10 + n,
        collection=collection,
        external_id=f"{SECRET}-{n}",
        kind=SECRET,
        tags=[SECRET],
        reference=SECRET,
        reference_skills=[SECRET],
        content_warning="About grief." if n % 2 else "",
    )
    skill = make_skill_of_mind(dialogue, explanation=SECRET, skill=SECRET, raw_text=SECRET)
    responses = [
        make_response(
            dialogue,
            agent,
            id=BIG + 100 + 10 * n + k,
            text=f"Response number {k}.",
            raw_text=SECRET,
            flags=[SECRET],
            skill_of_mind=skill,
            provenance={"model": SECRET},
        )
        for k, agent in enumerate([matchup.baseline, matchup.treatment])
    ]
    return make_comparison(
        matchup,
        dialogue,
        id=BIG + 1000 + n,
        k=2,
        baseline_response=responses[0],
        treatment_response=responses[1],
    )


@dataclass
class Crawl:
    """A browser that keeps all it is told, and fetches every address it meets under the study."""

    client: Client
    study: Study
    told: list[tuple[str, str]] = field(default_factory=list)
    views: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)

    def get(self, address: str, **headers: str) -> None:
        self.note("GET", address, self.client.get(address, headers=headers))

    def post(self, address: str, data: dict[str, str] | None = None, **headers: str) -> None:
        self.note("POST", address, self.client.post(address, data or {}, headers=headers))

    def note(self, method: str, address: str, answer) -> None:
        self.views.add(resolve(urlsplit(address).path).url_name)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        cookies = "\n".join(morsel.OutputString() for morsel in answer.cookies.values())
        self.told.append((f"{method} {address}", f"{address}\n{head}\n{cookies}\n{answer.text}"))
        for found in [answer.headers.get("Location", ""), *addresses(answer.text)]:
            self.follow(urljoin(address, found))

    def follow(self, address: str) -> None:
        path = urlsplit(address).path
        if path.startswith("/static/"):
            self.files.add(path.removeprefix("/static/"))
        elif path.startswith(f"/s/{self.study.code}/") and address not in self.fetched:
            self.fetched.add(address)
            self.get(address)


def addresses(html: str) -> Iterator[str]:
    for element in read_page(html).walk():
        for name in ("href", "src", "action", "hx-post", "hx-get", "data-home"):
            if element.attributes.get(name):
                yield element.attributes[name]


def take_part(client: Client, study: Study) -> Crawl:
    """Go every way through the study: forwards, wrongly, late, skipping, correcting, reporting, and out."""
    crawl = Crawl(client, study)
    home = f"/s/{study.code}/"
    crawl.get(home)
    crawl.post(home, {"adult": "on"})
    crawl.get(f"{home}enter/?from=somewhere")
    crawl.post(home, {"decline": "1"})
    crawl.get(f"{home}hit/")
    crawl.get(f"{home}hit/state/")
    agree(client, study)
    crawl.get(home)
    for step in ("device/", "questions/", "practice/", "closing/"):
        crawl.get(home + step)
    crawl.post(f"{home}next/")
    annotator = study.annotators.latest("pk")
    judge_all(crawl, annotator)
    crawl.post(f"{home}finish/")
    crawl.post(f"{home}feedback/", {"text": "Nice."})
    crawl.get(f"{home}finish/")
    return crawl


def judge_all(crawl: Crawl, annotator: Annotator) -> None:
    chosen = answers(crawl.study, "1")
    for turn in range(4):
        held = held_by(annotator)
        for htmx in ({}, {"HX-Request": "true"}):
            crawl.post(page_of(held, "show/"), **htmx)
            crawl.post(page_of(held, "draft/"), chosen, **htmx)
            crawl.post(page_of(held, "active/"), **htmx)
            crawl.post(page_of(held), {"naturalness": "9"}, **htmx)
        crawl.get(page_of(held))
        crawl.post(page_of(held, "report/"), {"text": ""})
        crawl.post(page_of(held, "report/"), {"text": "Odd."})
        if turn == 1:
            crawl.post(page_of(held, "skip/"))
            held = held_by(annotator)
        if turn == 2:
            expire_stale(now=held.lease_until.replace(year=2100))
            crawl.get(page_of(held))
        crawl.post(page_of(held), chosen, **({"HX-Request": "true"} if turn % 2 else {}))
        crawl.get(page_of(held))
        crawl.get(page_of(held, "change/"))
        crawl.post(page_of(held, "change/"), chosen)
        crawl.post(page_of(held), chosen)


def test_no_response_an_annotator_can_get_says_who_wrote_what(client, study):
    crawl = take_part(client, study)
    assert crawl.views == {pattern.name for pattern in urlpatterns}, "the crawl must reach every page there is"
    for where, told in crawl.told:
        assert SECRET not in told.lower(), where
        assert not re.search(r"76543\d{5}", told), where
        assert not [word for word in ROLES if word in told.lower()], where


def test_no_file_the_pages_load_says_who_wrote_what(client, study):
    held = held_by(start(client, study))
    crawl = Crawl(client, study)
    for address in (page_of(held), f"/s/{study.code}/guidelines/"):
        crawl.get(address)
    files = crawl.files
    assert {"rating.js", "duologue.css"} <= files
    for name in files:
        with open(finders.find(name), "rb") as file:
            told = file.read().decode(errors="replace").lower()
        assert not [word for word in [SECRET, *ROLES] if word in told], name


def test_pages_of_people_in_trouble_say_nothing_either(study):
    stranger = Client(enforce_csrf_checks=True)
    held = held_by(start(Client(), study))
    for answer in (
        stranger.get(f"/s/{study.code}/nothing/"),
        stranger.get(page_of(held)),
        stranger.post(page_of(held)),
        stranger.put(f"/s/{study.code}/"),
        stranger.get("/s/"),
    ):
        assert SECRET not in f"{answer.headers}{answer.cookies}{answer.text}".lower()


def test_the_markup_of_a_pair_does_not_depend_on_who_stands_where(client, study):
    """With equal texts, a page with the treatment left cannot be told from one with the treatment right."""
    for comparison in study.comparisons.all():
        for response in (comparison.baseline_response, comparison.treatment_response):
            type(response).objects.filter(pk=response.pk).update(text="The very same words.")
    type(study).objects.filter(pk=study.pk).update(shuffles_criteria=False)
    comparison = study.comparisons.exclude(dialogue__content_warning="About grief.").first()
    pages = {side: page_with(study, comparison, side) for side in ("left", "right")}
    assert pages["left"] == pages["right"]


def page_with(study: Study, comparison: Comparison, side: str) -> str:
    slot = comparison.slots.get(treatment_side=side)
    client = Client()
    annotator = start(client, study)
    assignment = held_by(annotator)
    Slot.objects.filter(pk=assignment.slot_id).update(is_open=True)
    Slot.objects.filter(pk=slot.pk).update(is_open=False)
    assignment.slot, assignment.comparison = slot, comparison
    assignment.save()
    html = client.get(page_of(assignment)).text
    html = html.replace(str(assignment.code), "CODE")
    return re.sub(r'(csrfmiddlewaretoken" value|nonce|data-lease)="[^"]+"', "", html)


def test_a_cookie_names_the_annotator_by_a_random_code_alone(client, study):
    make_annotator(study)
    annotator = start(client, study)
    value = client.cookies["duologue"].value
    assert value.split(":")[0] == str(annotator.code)
    assert set(client.cookies) <= {"duologue", "csrftoken"}

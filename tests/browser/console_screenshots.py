"""Pictures of the researchers' pages, to look at: part of `make screenshots`."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from annotation.models import Study
from annotation.services import studies
from tests import build
from tests.browser.conftest import PATIENCE_MS
from tests.browser.pictures import FOLDER, take
from tests.console.simulated import FOUR_AGENTS, make_simulated_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture
def visit(browser, live_server, client):
    """Open pages as a researcher. Options are the browser context's."""
    client.force_login(build.make_researcher())
    contexts = []

    def visit(**options: object) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        return context.new_page()

    yield visit
    for context in contexts:
        context.close()


def closed(study: Study) -> Study:
    return studies.close(study, actor=None, now=timezone.now())


def pages_of(study: Study, name: str) -> Iterator[tuple[str, str]]:
    """Every page of a study: a name for its picture, and its address."""
    for page in ("results", "annotators", "power", "monitor", "ledger", "decisions", "preview"):
        yield f"{name} {page}", reverse(page, args=[study.code])
    yield f"{name} admin", reverse("admin:annotation_study_change", args=[study.pk])
    yield f"{name} browse", reverse("admin:annotation_comparison_browse", args=[study.pk])
    comparisons = reverse("admin:annotation_comparison_changelist")
    yield f"{name} comparisons", f"{comparisons}?study__id__exact={study.pk}"


def test_pictures_of_the_researchers_pages(visit, live_server):
    running = make_simulated_study(name="Guided or not, spring study", judged=0.7)
    four = closed(make_simulated_study(agents=FOUR_AGENTS, dialogues=16, annotators=10, kinds=2, name="Four agents"))
    addresses = [
        *pages_of(running, "running"),
        ("four results", reverse("results", args=[four.code])),
        ("home", reverse("admin:index")),
        ("inventory", reverse("inventory")),
    ]
    for width, scheme in SIZES:
        page = visit(viewport={"width": width, "height": 900}, color_scheme=scheme)
        for name, address in addresses:
            page.goto(live_server.url + address)
            take(page, f"console {name} {width} {scheme}", full_page=True)


def test_pictures_of_the_admin_without_javascript(visit, live_server):
    study = make_simulated_study(dialogues=6, annotators=6, kinds=2)
    for width in (1280, 390):
        page = visit(viewport={"width": width, "height": 900}, java_script_enabled=False)
        for name, address in [*pages_of(study, "plain"), ("plain home", reverse("admin:index"))]:
            page.goto(live_server.url + address)
            FOLDER.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=FOLDER / f"console-{name.replace(' ', '-')}-{width}.png", full_page=True)


def test_results_on_paper(visit, live_server):
    page = visit(color_scheme="dark")
    for name, agents in (("two", {}), ("four", {"agents": FOUR_AGENTS})):
        study = closed(make_simulated_study(dialogues=16, annotators=10, kinds=2, name=f"On paper: {name}", **agents))
        page.goto(f"{live_server.url}/studies/{study.code}/results/")
        FOLDER.mkdir(parents=True, exist_ok=True)
        page.pdf(path=FOLDER / f"results-{name}.pdf", format="A4")

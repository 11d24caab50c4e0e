"""Take the pictures of the pages in both widths and both colour schemes: `make screenshots` writes them to a folder."""

import os
from pathlib import Path

import pytest
from django.utils import timezone

from annotation.services.studies import close
from tests import build
from tests.browser.stories import make_story_study
from tests.console.judging import make_judged_study
from tests.pages.people import answers, held_by, page_of, start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOLDER = Path(os.environ.get("SCREENSHOTS", "test-results/screenshots"))
SIZES = {"1280": (1280, 900), "390": (390, 844)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
def test_pictures_of_the_annotators_pages(browser, live_server, client, width, scheme):
    study = make_story_study()
    annotator = start(client, study)
    wide, high = SIZES[width]
    context = browser.new_context(viewport={"width": wide, "height": high}, color_scheme=scheme)
    page = context.new_page()

    def take(name: str, address: str, **options: object) -> None:
        page.goto(live_server.url + address)
        page.evaluate("document.fonts.ready")
        FOLDER.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png", **options)

    take("landing", f"/s/{study.code}/", full_page=True)
    cookie = client.cookies["duologue"]
    context.add_cookies([{"name": "duologue", "value": cookie.value, "url": live_server.url + f"/s/{study.code}/"}])
    held = held_by(annotator)
    client.post(page_of(held, "draft/"), {"naturalness": "-1"})
    take("rating", page_of(held))
    take("instructions", f"/s/{study.code}/instructions/", full_page=True)
    take("report", page_of(held, "report/"), full_page=True)
    take("leave", f"/s/{study.code}/leave/", full_page=True)
    client.post(page_of(held), answers(study))
    take("last", f"/s/{study.code}/next/", full_page=True)
    take("stale", page_of(held), full_page=True)
    client.post(f"/s/{study.code}/finish/")
    take("finish", f"/s/{study.code}/finish/", full_page=True)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
def test_pictures_of_the_researchers_pages(browser, live_server, client, width, scheme):
    running, closed = make_judged_study(name="Guided or not, pilot"), make_judged_study(name="Guided or not", pull=0.8)
    close(closed, actor=None, now=timezone.now())
    client.force_login(build.make_researcher())
    wide, high = SIZES[width]
    context = browser.new_context(viewport={"width": wide, "height": high}, color_scheme=scheme)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    addresses = {
        "results": f"/studies/{closed.code}/results/",
        "results-running": f"/studies/{running.code}/results/",
        "monitor": f"/studies/{running.code}/monitor/",
        "preview": f"/studies/{running.code}/preview/?comparison=1",
        "study": f"/admin/annotation/study/{running.pk}/change/",
        "start": "/admin/",
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png", full_page=name != "study")
    context.close()

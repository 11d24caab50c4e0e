"""Pictures of the annotators' pages, to look at and for the README: `make screenshots`."""

from pathlib import Path

import pytest
from django.utils import timezone

from annotation.services import studies
from tests import build
from tests.browser.measure import settle
from tests.browser.pictures import take
from tests.browser.stories import make_story_study
from tests.console.simulated import make_simulated_study
from tests.pages.people import answers, held_by, page_of, start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

README_FOLDER = Path(__file__).resolve().parents[2] / "docs/images"
SIZES = {"1280": (1280, 900), "390": (390, 844)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
def test_pictures_of_the_annotators_pages(browser, live_server, client, width, scheme):
    study = make_story_study()
    annotator = start(client, study)
    wide, high = SIZES[width]
    context = browser.new_context(viewport={"width": wide, "height": high}, color_scheme=scheme)
    page = context.new_page()

    def show(name: str, address: str, **options: object) -> None:
        page.goto(live_server.url + address)
        take(page, f"{name} {width} {scheme}", **options)

    show("landing", f"/s/{study.code}/", full_page=True)
    cookie = client.cookies["duologue"]
    context.add_cookies([{"name": "duologue", "value": cookie.value, "url": live_server.url + f"/s/{study.code}/"}])
    held = held_by(annotator)
    client.post(page_of(held, "draft/"), {"naturalness": "-1"})
    show("rating", page_of(held))
    show("instructions", f"/s/{study.code}/instructions/", full_page=True)
    show("report", page_of(held, "report/"), full_page=True)
    show("leave", f"/s/{study.code}/leave/", full_page=True)
    client.post(page_of(held), answers(study))
    show("last", f"/s/{study.code}/next/", full_page=True)
    show("stale", page_of(held), full_page=True)
    client.post(f"/s/{study.code}/finish/")
    show("finish", f"/s/{study.code}/finish/", full_page=True)
    context.close()


def test_pictures_for_the_readme(seat):
    still = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
    page = seat(make_story_study(comparisons=8, k=1), **still)
    settle(page)
    page.keyboard.press("1")
    page.get_by_text("Saved").wait_for()
    page.screenshot(path=README_FOLDER / "rating.png")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=README_FOLDER / "rating-dark.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=README_FOLDER / "rating-phone.png")


def test_picture_of_the_results_for_the_readme(browser, live_server, client):
    study = make_simulated_study(name="Guided or not, spring study")
    studies.close(study, actor=None, now=timezone.now())
    client.force_login(build.make_researcher())
    context = browser.new_context(viewport={"width": 1280, "height": 960})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/studies/{study.code}/results/")
    settle(page)
    page.screenshot(path=README_FOLDER / "results.png")
    context.close()

"""The monitor in a browser: it renews itself without losing the reader's place, and a phone shows every figure."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import PlatformBatch, Recruitment
from tests import build
from tests.browser.measure import assert_accessible, has_no_sideways_scroll, measured
from tests.console.test_monitor import hold
from tests.console.test_steering import finish_one, make_paid_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def study():
    study = make_paid_study(dialogues=12)
    recruitment = Recruitment.objects.create(study=study, platform="prolific")
    PlatformBatch.objects.create(
        recruitment=recruitment, name="United Kingdom", key="65f0ca1a5b4c3d2e1f0a9b8c", places=9
    )
    for minutes in (4, 20):
        finish_one(study, minutes=minutes)
    for number in range(3):
        person = build.make_annotator(study, pseudonym=f"P-9WPRG3Y{number}", instructed_at=timezone.now())
        hold(study, person, minutes=-1)
    return study


@pytest.fixture
def open_monitor(visit, live_server, client, study):
    client.force_login(build.make_researcher())

    def open_at(size: str, **options: object) -> Page:
        page = visit(size, **options)
        session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
        page.context.add_cookies([session])
        page.goto(f"{live_server.url}/studies/{study.code}/monitor/")
        return page

    return open_at


def renew(page: Page) -> None:
    """What the page does by itself every few seconds, now."""
    page.evaluate(
        """() => new Promise((done) => {
          document.addEventListener("htmx:afterSettle", () => setTimeout(done), {once: true});
          const figures = document.getElementById("figures");
          htmx.ajax("GET", figures.getAttribute("hx-get"), {source: figures, target: figures, swap: "outerHTML"});
        })"""
    )


def test_what_is_open_stays_open_and_the_focus_stays_when_the_figures_renew_themselves(open_monitor):
    page = open_monitor("desktop")
    page.locator("#table-pay > summary").click()
    page.get_by_role("link", name="decide").focus()
    renew(page)
    expect(page.locator("#table-pay table")).to_be_visible()
    expect(page.get_by_role("link", name="decide")).to_be_focused()


# Every figure of a table, as wide as it may be: what is beyond the box is cut off until somebody scrolls.
CUT_OFF_FIGURES = """() => [...document.querySelectorAll("#figures td, #figures tbody th")].filter((cell) => {
    const box = cell.getBoundingClientRect(), region = cell.closest(".scroll-x").getBoundingClientRect();
    return box.width && (box.right > region.right + 1 || box.left < region.left - 1);
  }).map((cell) => cell.textContent.trim())"""


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_no_figure_is_cut_off_and_no_name_is_broken(open_monitor, size):
    page = open_monitor(size)
    assert has_no_sideways_scroll(page)
    assert measured(page, CUT_OFF_FIGURES) == []
    name = page.locator("th", has_text="P-9WPRG3Y0").first
    assert (
        name.evaluate(
            "cell => { const r = document.createRange(); r.selectNodeContents(cell); return r.getClientRects().length }"
        )
        == 1
    )
    assert_accessible(page)


def test_the_monitor_is_whole_without_javascript(open_monitor):
    page = open_monitor("desktop", java_script_enabled=False)
    page.get_by_label("A message to all").fill("We have mended the font.")
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_text("Everybody who takes part now sees it once")).to_be_visible()
    expect(page.get_by_text(re.compile("^Sent .* UTC"))).to_be_visible()

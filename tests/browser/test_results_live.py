"""The results page in a browser: it renews itself without losing the reader's place, and goes onto paper whole."""

import pytest
from playwright.sync_api import expect

from annotation.states import Outcome
from tests import build
from tests.console.judging import make_judged_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser, live_server, client):
    client.force_login(build.make_researcher())
    context = browser.new_context(viewport={"width": 1280, "height": 700})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def renew(page, until="htmx:afterSettle"):
    """What the page does by itself every few seconds, now: returns at an event of htmx, and settling comes last."""
    page.evaluate(
        """(until) => new Promise((done) => {
          document.addEventListener(until, () => done(), {once: true});
          const report = document.getElementById("report");
          const how = {source: report, target: report, swap: report.getAttribute("hx-swap")};
          htmx.ajax("GET", report.getAttribute("hx-get"), how);
        })""",
        until,
    )


def test_a_new_judgement_comes_in_and_the_reader_stays_where_they_were(page, live_server):
    study = make_judged_study(dialogues=20)
    page.goto(f"{live_server.url}/studies/{study.code}/results/")
    page.locator("#table-agreement > summary").click()
    page.locator("#filters > summary").click()
    page.get_by_label("Judged from").fill("2026-01-02")
    page.locator("#table-position > summary").focus()
    page.evaluate("window.scrollTo(0, 600)")
    comparison = build.make_comparison(study.matchups.get(), build.make_dialogue(), k=1)
    build.judge(comparison.slots.get(), study.annotators.first(), [Outcome.TIE] * 3)

    renew(page)

    expect(page.locator(".lede").first).to_contain_text("61 judgements")
    assert page.locator("#table-agreement").evaluate("each => each.open")
    assert not page.locator("#table-length").evaluate("each => each.open")
    assert page.locator("#filters").evaluate("each => each.open")
    assert page.get_by_label("Judged from").input_value() == "2026-01-02"
    assert page.evaluate("document.activeElement.parentElement.id") == "table-position"
    assert page.evaluate("window.scrollY") == 600


def test_nothing_is_sent_while_nothing_is_new(page, live_server):
    study = make_judged_study(dialogues=20)
    page.goto(f"{live_server.url}/studies/{study.code}/results/")
    page.evaluate("document.getElementById('report').dataset.mark = 'same'")
    with page.expect_response(lambda response: "seen=" in response.url) as answered:
        renew(page, until="htmx:afterOnLoad")
    assert answered.value.status == 204
    assert page.locator("#report").get_attribute("data-mark") == "same"


def test_a_page_that_is_closed_asks_no_more(page, live_server):
    study = make_judged_study(dialogues=4, state="closed")
    page.goto(f"{live_server.url}/studies/{study.code}/results/")
    assert page.locator("#report").get_attribute("hx-get") is None


def test_paper_has_light_colours_and_every_table_and_no_buttons(page, live_server):
    study = make_judged_study(dialogues=20, state="closed")
    page.emulate_media(color_scheme="dark", media="print")
    page.goto(f"{live_server.url}/studies/{study.code}/results/")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.f-win')).fill") == "rgb(23, 111, 120)"
    assert page.locator("#table-agreement table").is_visible()
    for hidden in ("#filters", ".get", ".downloads", "nav[aria-label=Study]"):
        assert not page.locator(hidden).first.is_visible(), hidden
    wide = page.evaluate(
        "[...document.querySelectorAll('svg.plot')].filter(e => e.scrollWidth > e.parentElement.clientWidth)"
    )
    assert wide == []
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not page.locator("#table-agreement").evaluate("each => each.open")

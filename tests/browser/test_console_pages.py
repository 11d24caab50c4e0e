"""Researchers’ pages in a browser: axe finds nothing, nothing scrolls sideways, and the browser does not complain."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from annotation.decisions import Decision
from annotation.models import Recruitment, Study
from annotation.services import deciding, exclusions, studies
from annotation.states import Exit
from tests import build
from tests.browser.measure import assert_accessible, box_of, measured, settle
from tests.console.judging import make_judged_study
from tests.console.simulated import THREE_AGENTS, make_simulated_study
from tests.console.test_admin_pages import fill_every_table
from tests.console.test_steering import finish_one, make_paid_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OTHER_LOOKS = [pytest.param(1280, "dark", marks=pytest.mark.long), pytest.param(320, "light", marks=pytest.mark.long)]


@pytest.fixture
def addresses() -> dict[str, str]:
    running, closed = make_judged_study(), make_judged_study(pull=0.8)
    recruitment = Recruitment.objects.create(study=running, platform="prolific")
    for name, places, taken in (("Germany", 20, 7), ("France, second wave", 5, 5), ("Everybody else", None, 3)):
        recruitment.batches.create(name=name, key=name[:6] if places else "", places=places, places_taken=taken)
    type(running).objects.filter(pk=running.pk).update(payment_amount=2, payment_currency="GBP", hourly_floor=12)
    running.annotators.update(exit=Exit.COMPLETED)
    studies.close(closed, actor=None, now=timezone.now())
    return {
        "results of a running study": f"/studies/{running.code}/results/",
        "results of a closed study": f"/studies/{closed.code}/results/",
        "power": f"/studies/{running.code}/power/",
        "power with problems": f"/studies/{running.code}/power/?n_items=1&k=x",
        "monitor": f"/studies/{running.code}/monitor/",
        "preview": f"/studies/{running.code}/preview/?comparison=1",
    }


@pytest.fixture
def further_addresses() -> dict[str, str]:
    """Pages with all that a small study may have: an exclusion, filters, repeats, several pairs."""
    study = make_simulated_study(dialogues=8, annotators=8, kinds=2, repeats=2)
    left_out = study.annotators.last()
    exclusions.exclude_annotator(left_out, "Always left, three seconds each.", actor=None, now=timezone.now())
    three = make_simulated_study(agents=THREE_AGENTS, dialogues=6, annotators=6, kinds=1)
    for each in (study, three):
        studies.close(each, actor=None, now=timezone.now())
    return {
        "filtered results": f"/studies/{study.code}/results/?kind=empathy&hurried=20",
        "filters with a problem": f"/studies/{build.make_running_study().code}/results/?since=nonsense",
        "results of three agents": f"/studies/{three.code}/results/",
        "annotators": f"/studies/{study.code}/annotators/",
        "a person's judgements": f"/studies/{study.code}/annotators/{left_out.pk}/",
        "ledger": f"/studies/{study.code}/ledger/",
    }


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark"), *OTHER_LOOKS])
def test_researchers_pages_are_accessible_and_fit(browser, live_server, client, addresses, width, scheme):
    look_at(browser, live_server, client, addresses, width=width, scheme=scheme)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), pytest.param(320, "light", marks=pytest.mark.long)])
def test_further_pages_are_accessible_and_fit(browser, live_server, client, further_addresses, width, scheme):
    look_at(browser, live_server, client, further_addresses, width=width, scheme=scheme)


def look_at(browser, live_server, client, addresses, *, width, scheme):
    """Open every page with all that unfolds, and let axe and the browser say what is wrong."""
    client.force_login(build.make_researcher())
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert_accessible(page)
        assert measured(page, "document.documentElement.scrollWidth") <= width, name
    assert complaints == []
    context.close()


def test_a_phone_shows_every_bar_whole_without_scrolling_sideways(browser, live_server, client):
    study = make_judged_study(state="closed")
    client.force_login(build.make_researcher())
    context = browser.new_context(viewport={"width": 390, "height": 844})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/studies/{study.code}/results/")
    settle(page)
    table = page.locator(".scroll-x:has(> .outcomes)")
    assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
    for bar in page.locator(".outcomes svg.plot").all():
        box = box_of(bar)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert page.get_by_role("rowheader", name="Naturalness").count() >= 1
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_admin_is_shown_without_javascript(browser, live_server, client, width):
    study = make_judged_study(dialogues=2)
    client.force_login(build.make_researcher())
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    for address, words in (
        (reverse("admin:index"), study.name),
        (reverse("admin:annotation_study_changelist"), study.name),
        (reverse("admin:annotation_study_change", args=[study.pk]), "What to do next"),
    ):
        page.goto(live_server.url + address)
        shown = page.locator("#main").get_by_text(words).first
        expect(shown).to_be_visible()
        assert page.locator("#nav-sidebar").count() == 0 or not page.locator("#nav-sidebar").is_visible()
    context.close()


def test_the_admin_runs_no_script_of_a_page_and_works_all_the_same(browser, live_server, client):
    """Its pages run under a policy that knows files alone: the browser complains of every other script."""
    fill_every_table()
    client.force_login(build.make_researcher())
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    pages = [reverse("admin:index"), reverse("second_step")]
    pages += [reverse(f"admin:annotation_{table}_changelist") for table in ("study", "comparison", "annotator")]
    pages += [reverse(f"admin:annotation_{table}_add") for table in ("study", "collection", "agent", "promptset")]
    study = Study.objects.get()
    pages.append(reverse("admin:annotation_recruitment_change", args=[study.recruitment.pk]))
    for address in pages:
        page.goto(live_server.url + address)
    Study.objects.update(state="draft", frozen_sha256="")
    page.goto(live_server.url + reverse("admin:annotation_study_change", args=[study.pk]))
    before = page.locator("input[name^='criteria-'][name$='-key']").count()
    page.get_by_role("link", name="Add another Criterion").click()
    expect(page.locator("input[name^='criteria-'][name$='-key']")).to_have_count(before + 1)
    assert complaints == []
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert page.evaluate("window.ran") is None
    assert "script-src" in complaints[0]
    context.close()


def make_decided_study():
    """A study with one person for each decision and each exit."""
    study = make_paid_study(dialogues=30, annotators_limit=40)
    now = timezone.now()
    for minutes, made, over in (
        (20, Decision.APPROVE, {}),
        (12, Decision.BONUS, {"bonus": Decimal("0.40"), "message": "You took longer than we had thought."}),
    ):
        deciding.decide(study, finish_one(study, minutes=minutes).pseudonym, made, actor=None, now=now, **over)
    for how in Exit:
        finish_one(study, minutes=2, exit_=how)
    return study


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_decisions_of_every_kind_are_accessible_and_fit(browser, live_server, client, width, scheme):
    study = make_decided_study()
    look_at(browser, live_server, client, {"pay": f"/studies/{study.code}/decisions/"}, width=width, scheme=scheme)


@pytest.fixture
def phone(browser, live_server, client):
    client.force_login(build.make_researcher())
    context = browser.new_context(viewport={"width": 390, "height": 844})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_a_phone_shows_whom_to_pay_and_all_pairs_without_scrolling_sideways(phone, live_server):
    three = make_simulated_study(agents=THREE_AGENTS, dialogues=6, annotators=6, kinds=1)
    studies.close(three, actor=None, now=timezone.now())
    for study, part in ((make_decided_study(), "decisions"), (three, "results")):
        phone.goto(f"{live_server.url}/studies/{study.code}/{part}/")
        settle(phone)
        table = phone.locator(".scroll-x:has(> .blocks)")
        assert table.evaluate("box => box.scrollWidth <= box.clientWidth"), part
        assert phone.locator(".blocks").get_by_role("rowheader").count() >= 3


def test_a_phone_gives_each_field_of_a_studys_tables_its_name_and_a_line_to_write_on(phone, live_server):
    study = build.make_study()
    build.make_criteria(study)
    phone.goto(live_server.url + reverse("admin:annotation_study_change", args=[study.pk]))
    for name in ("Question", "Definition"):
        field = phone.locator(f"#id_criteria-0-{name.lower()}")
        assert box_of(field)["width"] >= 250, name
        expect(phone.locator(f"label[for=id_criteria-0-{name.lower()}]")).to_be_visible()

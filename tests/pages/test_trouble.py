"""Pages for people in trouble: lost cookies, wrong addresses, things sent twice or far too long."""

import time
import uuid
from types import SimpleNamespace

import pytest
from django.core import signing
from django.test import Client

from annotation.models import ProblemReport
from annotation.views.annotators import MAX_AGE
from tests.build import make_running_study
from tests.pages.people import answers, held_by, page_of, start

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def study():
    return make_running_study(dialogues=4, k=2)


def test_htmx_is_told_to_leave_the_page_where_a_redirect_would_be_swapped_into_it(client, study):
    held = held_by(start(client, study))
    answer = Client().post(page_of(held), answers(study), headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, f"/s/{study.code}/")
    assert not answer.text


def test_an_answer_that_is_not_complete_is_kept_as_a_draft(client, study):
    held = held_by(start(client, study))
    client.post(page_of(held), {"naturalness": "1"})
    assert 'value="1" required data-key="3" aria-keyshortcuts="3" checked' in client.get(page_of(held)).text


def test_a_draft_keeps_no_more_than_an_answer_may_have(client, study):
    held = held_by(start(client, study))
    client.post(page_of(held, "draft/"), {"naturalness": "1" * 100_000, "naturalness-reason": "x" * 100_000})
    held.refresh_from_db()
    assert len(str(held.draft)) < 2100


def test_a_line_break_counts_as_one_character_as_it_does_on_the_page(client):
    study = make_running_study(dialogues=1, k=1, reason_from_strength=0)
    held = held_by(start(client, study))
    reason = "\r\n".join("x" * 1000)
    page = client.post(page_of(held), answers(study) | {"naturalness-reason": reason})
    assert page.status_code == 302
    assert held.judgements.get(criterion__key="naturalness").reason == reason.replace("\r\n", "\n")


def test_a_report_said_twice_counts_once(client, study):
    held = held_by(start(client, study))
    for _ in range(2):
        client.post(page_of(held, "report/"), {"text": "It is cut off."})
    assert ProblemReport.objects.count() == 1


def test_the_last_answer_can_be_changed_from_the_page_that_htmx_gets(client, study):
    held = held_by(start(client, study))
    assert "change/" not in client.get(page_of(held)).text
    assert f"/s/{study.code}/change/" in client.post(page_of(held), answers(study), headers=HTMX).text


def test_a_post_without_its_token_is_explained_in_words(study):
    page = Client(enforce_csrf_checks=True).post(f"/s/{study.code}/", {"adult": "on"})
    assert page.status_code == 403
    assert "Please try once more" in page.text


def test_a_wrong_address_is_explained_in_words(client):
    page = client.get(f"/s/{uuid.uuid4()}/")
    assert page.status_code == 404
    assert "the whole link was copied" in page.text


def test_pages_without_a_translation_are_in_english_and_say_so(client, study):
    page = client.get(f"/s/{study.code}/", headers={"Accept-Language": "fi, sv;q=0.9"})
    assert '<html lang="en" dir="ltr">' in page.text


def test_a_browser_is_known_for_as_long_as_its_cookie_lives_and_no_longer(client, study, monkeypatch):
    """Whoever keeps a copy of the cookie cannot use it for ever."""
    held = held_by(start(client, study))
    assert client.get(page_of(held)).status_code == 200
    later = time.time() + MAX_AGE + 60
    monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: later))
    answer = client.get(page_of(held))
    assert (answer.status_code, answer["Location"]) == (302, f"/s/{study.code}/")

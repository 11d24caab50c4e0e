"""Coming in through a platform's link: nothing stored before consent, one person once, and a clean address."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Annotator, PlatformIdentity
from annotation.services.identities import open_person, open_submission
from annotation.states import Exit
from annotation.views import entry_cookie
from tests.pages.people import agree
from tests.platforms.people import ANA, BEN, LATER, come_in, home_of, judge_all, make_recruiting_study, prolific_link

pytestmark = pytest.mark.django_db

CODES = {Exit.COMPLETED: "DONE77", Exit.NO_CONSENT: "NOPE88", Exit.QUOTA_FULL: "FULL99", Exit.NOT_ELIGIBLE: "OUT55"}


@pytest.fixture
def study():
    return make_recruiting_study("prolific", codes=CODES)


def test_a_link_leads_to_a_clean_address_and_writes_nothing(client, study):
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(prolific_link(study))
        page = client.get(answer.url)
    assert (answer.status_code, answer.url) == (302, home_of(study))
    assert "Agree and start" in page.text
    assert [q["sql"] for q in seen.captured_queries if not q["sql"].startswith("SELECT")] == []
    assert ANA not in page.text


def test_the_cookie_before_consent_can_be_read_by_nobody(client, study):
    client.get(prolific_link(study))
    cookie = client.cookies[entry_cookie.COOKIE]
    assert ANA not in str(cookie)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", home_of(study))
    assert 0 < int(cookie["max-age"]) <= 2 * 60 * 60


def test_a_link_without_the_last_part_of_its_path_works_as_well(client, study):
    answer = client.get(prolific_link(study).replace("enter/", ""))
    assert (answer.status_code, answer.url) == (302, home_of(study))
    assert "Agree and start" in client.get(answer.url).text


@pytest.mark.parametrize("part", ["enter/", ""])
def test_a_link_without_its_last_slash_is_answered_with_a_clean_address_at_once(client, study, part):
    """And not first with the same link and a slash, which the browser would keep for good, id and all."""
    answer = client.get(prolific_link(study).replace("/enter/?", f"/{part}?".replace("/?", "?")))
    assert (answer.status_code, answer.url) == (302, home_of(study))
    assert "Agree and start" in client.get(answer.url).text


def test_consent_stores_hashes_and_sealed_ids_and_no_id(client, study):
    annotator = come_in(client, study, prolific_link(study))
    identity = annotator.identity
    stored = str(list(Annotator.objects.values())) + str(list(PlatformIdentity.objects.values()))
    assert ANA not in stored
    assert "sub-1" not in stored
    assert (open_person(identity), open_submission(identity)) == (ANA, "sub-1")
    assert len({annotator.platform_hash, identity.person_hash, identity.submission_hash}) == 3


def test_hashes_of_one_person_differ_between_studies_except_for_exclusion():
    first, second = make_recruiting_study("prolific"), make_recruiting_study("prolific")
    here = come_in(Client(), first, prolific_link(first))
    there = come_in(Client(), second, prolific_link(second))
    assert here.platform_hash != there.platform_hash
    assert here.pseudonym != there.pseudonym
    assert here.identity.person_hash == there.identity.person_hash


def test_the_same_person_goes_on_in_the_browser_that_began(client, study):
    come_in(client, study, prolific_link(study))
    assert client.get(prolific_link(study)).url == f"{home_of(study)}next/"
    assert study.annotators.count() == 1


def test_an_unsigned_id_opens_nothing_in_another_browser(client, study):
    come_in(client, study, prolific_link(study))
    thief = Client()
    answer = thief.get(prolific_link(study))
    assert answer.status_code == 409
    assert "in the browser in which you began" in answer.text
    assert not thief.cookies
    agree(thief, study)
    assert study.annotators.count() == 1


def test_two_tabs_of_one_person_make_one_annotator(study):
    tabs = [Client(), Client()]
    for tab in tabs:
        tab.get(prolific_link(study))
    for tab in tabs:
        agree(tab, study)
    study.refresh_from_db()
    assert (study.annotators.count(), study.places_taken) == (1, 1)


def test_another_person_in_the_same_browser_is_another_annotator(client, study):
    ana = come_in(client, study, prolific_link(study))
    ben = come_in(client, study, prolific_link(study, BEN, submission="sub-2"))
    assert ana != ben
    assert study.annotators.count() == 2


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?PROLIFIC_PID=",
        "?PROLIFIC_PID={{%PROLIFIC_PID%}}&SESSION_ID=x",
        f"?PROLIFIC_PID={'x' * 300}&SESSION_ID=x",
        "?PROLIFIC_PID=a%00b&SESSION_ID=x",
        f"?PROLIFIC_PID={ANA}",
    ],
)
def test_a_link_that_is_not_whole_is_explained(client, study, query):
    answer = client.get(f"{home_of(study)}enter/{query}")
    assert answer.status_code == 400
    assert "not complete" in answer.text
    assert entry_cookie.COOKIE not in client.cookies


def test_a_link_of_another_study_is_refused(client):
    study = make_recruiting_study("prolific", platform_study_id="st-1")
    assert "another study" in client.get(prolific_link(study, study_id="st-2")).text
    assert client.get(prolific_link(study)).status_code == 302


def test_without_the_platforms_link_there_is_no_consent_page(client, study):
    page = client.get(home_of(study))
    assert page.status_code == 403
    assert "through Prolific" in page.text
    agree(client, study)
    assert not study.annotators.exists()


def test_a_ticket_is_for_one_study_for_two_hours_and_cannot_be_made_up(client, study, monkeypatch):
    client.get(prolific_link(study))
    other = make_recruiting_study("prolific")
    elsewhere = Client()
    elsewhere.cookies[entry_cookie.COOKIE] = client.cookies[entry_cookie.COOKIE].value
    assert elsewhere.get(home_of(other)).status_code == 403
    elsewhere.cookies[entry_cookie.COOKIE] = "made-up"
    assert elsewhere.get(home_of(study)).status_code == 403
    later = timezone.now() + LATER
    monkeypatch.setattr(entry_cookie.timezone, "now", lambda: later)
    assert client.get(home_of(study)).status_code == 403


def test_parameters_can_have_other_names(client):
    study = make_recruiting_study("prolific", id_parameter="pid", submission_parameter="sid")
    answer = client.get(f"{home_of(study)}enter/?pid={ANA}&sid=s")
    assert answer.status_code == 302


def test_whoever_took_part_in_a_ruled_out_study_is_told_before_anything_else(client, study):
    earlier = make_recruiting_study("prolific")
    come_in(Client(), earlier, prolific_link(earlier))
    study.recruitment.not_if_took_part_in.add(earlier)
    page = client.get(prolific_link(study), follow=True)
    assert "This study is not for you" in page.text
    assert "cc=OUT55" in page.text
    agree(client, study)
    assert not study.annotators.exists()
    assert "Agree and start" in Client().get(prolific_link(study, BEN), follow=True).text


def test_a_full_study_says_so_before_consent_with_a_way_back(client, study):
    type(study).objects.filter(pk=study.pk).update(annotators_limit=1, places_taken=1)
    page = client.get(prolific_link(study), follow=True)
    assert "All places are taken" in page.text
    assert "cc=FULL99" in page.text


def test_refusing_consent_has_an_exit_of_its_own_and_stores_nothing(client, study):
    client.get(prolific_link(study))
    assert "NOPE88" not in client.get(f"{home_of(study)}declined/").text
    page = client.post(home_of(study), {"decline": "1"}, follow=True)
    assert "not taking part" in page.text
    assert "cc=NOPE88" in page.text
    assert not study.annotators.exists()
    assert "NOPE88" not in Client().get(f"{home_of(study)}declined/").text


def test_the_code_is_shown_at_the_end_and_not_before(client, study):
    annotator = come_in(client, study, prolific_link(study))
    client.post(f"{home_of(study)}next/")
    for page in ("instructions/", "guidelines/", "next/", "leave/", "finish/"):
        assert "DONE77" not in client.get(home_of(study) + page, follow=True).text
    end = judge_all(client, study, annotator)
    assert 'href="https://app.prolific.com/submissions/complete?cc=DONE77"' in end.text


def test_a_lost_redirect_is_found_again_by_coming_back(client, study):
    judge_all(client, study, come_in(client, study, prolific_link(study)))
    again = client.get(prolific_link(study), follow=True)
    assert "cc=DONE77" in again.text
    assert study.annotators.get().exit == Exit.COMPLETED


def test_an_exit_without_a_code_asks_to_return_the_place(client, study):
    come_in(client, study, prolific_link(study))
    page = client.post(f"{home_of(study)}leave/", {"answers": "keep"}, follow=True)
    assert "go to Prolific and return your place" in page.text
    assert "cc=" not in page.text


def test_a_prefetch_claims_nothing(client, study):
    client.get(prolific_link(study))
    client.get(home_of(study))
    assert client.head(prolific_link(study)).status_code == 302
    study.refresh_from_db()
    assert study.places_taken == 0


def test_an_open_study_forgets_what_a_link_brings(client):
    study = make_recruiting_study("open")
    answer = client.get(f"{home_of(study)}?PROLIFIC_PID={ANA}&utm_source=x")
    assert answer.url == home_of(study)
    assert entry_cookie.COOKIE not in client.cookies
    assert come_in(client, study, home_of(study)).platform_hash == ""


def test_a_visitor_of_another_platform_is_a_stranger(client, study):
    client.get(prolific_link(study))
    study.recruitment.platform = "connect"
    study.recruitment.save()
    assert client.get(home_of(study)).status_code == 403

"""Prolific, played on loopback: signed links, events, subscription, and calls of its API."""

import threading
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection, transaction
from django.test import Client, override_settings
from django.utils import timezone

from annotation import tasks
from annotation.models import PlatformEvent, PlatformMessage, SigningKeys
from annotation.platforms import Deed
from annotation.platforms.webhooks import read_event, sign
from annotation.services import platform_messages
from annotation.services.platform_events import take_event
from annotation.states import AssignmentState, Exit
from tests.build import make_researcher
from tests.pages.people import agree, held_by
from tests.platforms.people import BEN, come_in, home_of, judge_all, make_recruiting_study, prolific_link
from tests.platforms.prolific import AUDIENCE, SECRET

pytestmark = pytest.mark.django_db

CODES = {Exit.COMPLETED: "DONE77"}


@pytest.fixture
def platform(prolific):
    return prolific


@pytest.fixture
def study():
    return make_recruiting_study("prolific", codes=CODES)


@pytest.fixture
def signed_study():
    return make_recruiting_study("prolific", codes=CODES, requires_signed_entry=True, audience=AUDIENCE)


def holding(client, study):
    """A person with a comparison in their hands."""
    annotator = come_in(client, study, prolific_link(study))
    client.post(f"{home_of(study)}next/")
    return annotator, held_by(annotator)


def test_a_signed_link_goes_on_on_another_device(platform, client, signed_study):
    annotator = come_in(client, signed_study, platform.signed_link(signed_study))
    phone = Client()
    assert phone.get(platform.signed_link(signed_study)).url == f"{home_of(signed_study)}next/"
    assert "cc=DONE77" in judge_all(phone, signed_study, annotator).text


def test_an_unsigned_link_is_refused_where_signed_ones_are_needed(platform, client, signed_study):
    answer = client.get(prolific_link(signed_study))
    assert answer.status_code == 400
    assert "signed link" in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "evil.example.org"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": time.time() + 3600},
        {"prolific": None},
        {"prolific": "x"},
        {"prolific": {}},
        {"kid": "another"},
        {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)},
    ],
)
def test_a_signature_that_does_not_hold_lets_nobody_in(platform, client, signed_study, wrong):
    assert client.get(platform.signed_link(signed_study, **wrong)).status_code == 400
    assert not client.cookies


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtleS0xIn0.e30.x"]
)
def test_a_token_of_another_kind_lets_nobody_in(platform, client, signed_study, token):
    assert client.get(f"{home_of(signed_study)}enter/?prolific_token={token}").status_code == 400


def test_ids_beside_the_signature_must_be_those_inside(platform, client, signed_study):
    link = platform.signed_link(signed_study)
    assert client.get(f"{link}&PROLIFIC_PID={BEN}").status_code == 400
    assert client.get(f"{link}&STUDY_ID=st-1").status_code == 302


def test_a_signed_link_belongs_to_the_batch_of_the_signed_study_whatever_stands_beside_it(
    platform, client, signed_study
):
    signed_study.recruitment.batches.create(name="Another", key="another", places=5)
    signed = signed_study.recruitment.batches.create(name="Signed", key="st-1", places=5)
    link = platform.signed_link(signed_study) + "&batch=another"
    assert come_in(client, signed_study, link).batch == signed


def test_the_last_good_keys_serve_while_the_platform_is_away(platform, client, signed_study):
    tasks.refresh_keys()
    platform.is_away = True
    tasks.refresh_keys()
    assert SigningKeys.objects.get().keys["keys"][0]["kid"] == "key-1"
    calls = len(platform.calls)
    assert client.get(platform.signed_link(signed_study)).status_code == 302
    assert len(platform.calls) == calls


def test_a_new_key_is_fetched_at_once_but_not_for_every_guess(platform, client, signed_study):
    tasks.refresh_keys()
    platform.kid = "key-2"
    assert client.get(platform.signed_link(signed_study)).status_code == 302
    calls = len(platform.calls)
    for guess in range(5):
        assert client.get(platform.signed_link(signed_study, kid=f"guess-{guess}")).status_code == 400
    assert len(platform.calls) == calls


def test_keys_are_fetched_every_hour():
    from annotation.schedule import REFRESH_KEYS_TASK, beat_schedule

    assert beat_schedule(60)[REFRESH_KEYS_TASK]["schedule"] <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "how", "state"),
    [
        ("RETURNED", Exit.RETURNED, AssignmentState.WITHDRAWN),
        ("TIMED-OUT", Exit.TIMED_OUT, AssignmentState.EXPIRED),
    ],
)
def test_a_place_given_back_there_is_free_here_at_once(platform, client, study, status, how, state):
    annotator, held = holding(client, study)
    assert platform.send(status).status_code == 200
    annotator.refresh_from_db()
    study.refresh_from_db()
    held.refresh_from_db()
    assert (annotator.exit, held.state, held.slot.is_open, study.places_taken) == (how, state, True, 0)
    page = client.get(f"{home_of(study)}next/", follow=True).text
    assert "told us" in page
    assert "DONE77" not in page


def test_whoever_has_finished_stays_finished(platform, client, study):
    judge_all(client, study, come_in(client, study, prolific_link(study)))
    platform.send("TIMED-OUT")
    annotator = study.annotators.get()
    assert (annotator.exit, annotator.identity.status) == (Exit.COMPLETED, "TIMED-OUT")


def test_a_replayed_event_changes_nothing(platform, client, study):
    holding(client, study)
    request = platform.event("ACTIVE")
    assert [platform.post(request).text for _ in range(3)] == ["taken", "known", "known"]
    assert PlatformEvent.objects.count() == 1


def test_a_copy_under_another_id_and_time_is_known_by_its_signature(platform, client, study):
    holding(client, study)
    early = platform.event("ACTIVE")
    platform.post(early)
    platform.send("APPROVED")
    early["headers"] |= {"X-Event-ID": "made-up", "X-Timestamp": str(time.time() + 600)}
    assert platform.post(early).text == "known"
    assert (study.annotators.get().identity.status, PlatformEvent.objects.count()) == ("APPROVED", 2)


def test_an_attempt_that_the_platform_signs_anew_is_known_by_its_id(platform, client, study):
    holding(client, study)
    first, second = (platform.event("ACTIVE", event="one") for _ in range(2))
    stamp = str(int(time.time()) + 1)
    second["headers"] |= {
        "X-Prolific-Request-Timestamp": stamp,
        "X-Prolific-Request-Signature": sign(SECRET, stamp, second["data"]),
    }
    assert [platform.post(request).text for request in (first, second)] == ["taken", "known"]


def test_events_count_in_the_order_in_which_they_happened(platform, client, study):
    holding(client, study)
    now = time.time()
    platform.send("APPROVED", at=now)
    platform.send("RETURNED", at=now - 60)
    annotator = study.annotators.get()
    assert (annotator.exit, annotator.identity.status) == ("", "APPROVED")


def test_a_return_that_came_before_consent_is_not_forgotten(platform, client, study):
    client.get(prolific_link(study))
    platform.send("RETURNED")
    agree(client, study)
    study.refresh_from_db()
    assert (study.annotators.get().exit, study.places_taken) == (Exit.RETURNED, 0)


@pytest.mark.parametrize("spoiled", ["signature", "body", "stamp", "old", "nothing", "no id", "no json"])
def test_an_event_that_is_not_the_platforms_is_refused(platform, client, study, spoiled, settings):
    _, held = holding(client, study)
    request = platform.event("RETURNED")
    headers = request["headers"]
    match spoiled:
        case "signature":
            headers["X-Prolific-Request-Signature"] = "AAAA"
        case "body":
            request["data"] = request["data"].replace(b"sub-1", b"sub-2")
        case "stamp":
            headers["X-Prolific-Request-Timestamp"] = str(int(time.time()) + 1)
        case "old":
            old = str(int(time.time()) - 7200)
            headers["X-Prolific-Request-Timestamp"] = old
            headers["X-Prolific-Request-Signature"] = sign(SECRET, old, request["data"])
        case "nothing":
            settings.PROLIFIC_WEBHOOK_SECRETS = []
        case "no id":
            del headers["X-Event-ID"]
        case "no json":
            request["data"] = b"{"
            stamp = headers["X-Prolific-Request-Timestamp"]
            headers["X-Prolific-Request-Signature"] = sign(SECRET, stamp, b"{")
    assert platform.post(request).status_code == 403
    held.refresh_from_db()
    assert held.state == AssignmentState.CLAIMED
    assert not PlatformEvent.objects.exists()


def test_events_keep_no_id(platform, client, study):
    holding(client, study)
    platform.send("ACTIVE")
    assert "sub-1" not in str(list(PlatformEvent.objects.values()))


def test_events_are_posts(client):
    assert client.get("/platforms/prolific/events/").status_code == 405


def test_nobody_but_this_site_is_told_what_people_do(platform, study):
    browser = Client()
    browser.force_login(make_researcher())
    said = {"reason": "63722982f9cc073ecc730f6b https://elsewhere.example.com"}
    page = browser.post(f"/admin/annotation/recruitment/{study.recruitment.pk}/do/subscribe/", said, follow=True)
    assert "the address of this site" in page.text
    assert platform.calls == []


@override_settings(ALLOWED_HOSTS=["study.example.org", "testserver"])
def test_a_subscription_is_confirmed_with_the_secret_of_its_answer(platform, study):
    browser = Client()
    browser.force_login(make_researcher())
    said = {"reason": "63722982f9cc073ecc730f6b https://study.example.org"}
    page = browser.post(f"/admin/annotation/recruitment/{study.recruitment.pk}/do/subscribe/", said, follow=True)
    assert "The subscription is 5ab" in page.text
    made, confirmed = platform.calls
    assert made.body["target_url"] == "https://study.example.org/platforms/prolific/events/"
    assert (confirmed.path, confirmed.body) == ("/api/v1/hooks/subscriptions/5ab/", {"secret": "hook-secret"})
    assert {call.headers["Authorization"] for call in platform.calls} == {"Token t0ken"}
    assert "hook-secret" not in str(list(study.events.values()))


def decided(client, study) -> PlatformMessage:
    judge_all(client, study, come_in(client, study, prolific_link(study)))
    identity = study.annotators.get().identity
    return platform_messages.order(identity, Deed.TRANSITION, {"action": "APPROVE"}, now=timezone.now())


def test_a_decision_reaches_the_platform_once(platform, client, study):
    message = decided(client, study)
    for _ in range(2):
        tasks.tell_platform(message.pk)
    [call] = platform.calls
    assert (call.path, call.body) == ("/api/v1/submissions/sub-1/transition/", {"action": "APPROVE"})
    message.refresh_from_db()
    assert message.sent_at


def test_a_decision_is_sent_again_when_the_platform_is_away(platform, client, study):
    message = decided(client, study)
    platform.is_away = True
    platform_messages.send(message.pk, now=timezone.now())
    message.refresh_from_db()
    assert (message.sent_at, message.failed_at, message.problem) == (None, None, "Prolific answers 503.")
    platform.is_away = False
    assert platform_messages.due(now=timezone.now()) == []
    later = timezone.now() + timedelta(minutes=3)
    assert platform_messages.due(now=later) == [message.pk]
    platform_messages.send(message.pk, now=later)
    message.refresh_from_db()
    assert message.sent_at == later


def test_after_a_day_a_person_has_to_look(platform, client, study):
    message = decided(client, study)
    platform.is_away = True
    platform_messages.send(message.pk, now=timezone.now() + timedelta(hours=25))
    message.refresh_from_db()
    assert message.failed_at
    assert "503" in message.problem


def test_without_a_token_the_decision_fails_in_words(platform, client, study, settings):
    settings.PROLIFIC_TOKEN = ""
    message = decided(client, study)
    platform_messages.send(message.pk, now=timezone.now())
    message.refresh_from_db()
    assert "set PROLIFIC_TOKEN" in message.problem


def test_of_two_events_of_one_moment_the_return_counts_in_either_order(platform, study):
    now = time.time()
    for number, order in enumerate((["ACTIVE", "RETURNED"], ["RETURNED", "ACTIVE"])):
        submission = f"sub-{number}"
        person = come_in(Client(), study, prolific_link(study, f"p-{number}", submission=submission))
        for status in order:
            platform.send(status, submission=submission, at=now)
        person.refresh_from_db()
        assert (person.exit, person.identity.status) == (Exit.RETURNED, "RETURNED")


def is_waiting_for_a_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_a_return_that_arrives_in_the_moment_of_consent_is_not_lost(platform, study):
    """The event's transaction began before the consent was stored, and ends after its person looked for events."""
    is_open, may_end = threading.Event(), threading.Event()

    def take_slowly():
        now = timezone.now()
        with transaction.atomic():
            request = platform.event("RETURNED")
            news = read_event(request["headers"], request["data"], secrets=[SECRET], now=now)
            take_event("prolific", news, now=now)
            is_open.set()
            may_end.wait()
        connection.close()

    browser = Client()
    browser.get(prolific_link(study))
    event = threading.Thread(target=take_slowly)
    event.start()
    is_open.wait()

    def consent():
        agree(browser, study)
        connection.close()

    person = threading.Thread(target=consent)
    person.start()
    while person.is_alive() and not is_waiting_for_a_turn():
        person.join(0.02)
    may_end.set()
    person.join()
    event.join()
    study.refresh_from_db()
    assert (study.annotators.get().exit, study.places_taken) == (Exit.RETURNED, 0)

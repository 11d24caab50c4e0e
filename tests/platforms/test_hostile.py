"""What strangers send on purpose: nobody comes in by it, nothing is stored, and no page breaks."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.utils import timezone

from annotation.models import Annotator, PlatformEvent, SigningKeys, Study
from annotation.services import signing_keys
from annotation.states import Exit
from tests.platforms.doors import DOORS, open_door
from tests.platforms.people import ANA, home_of, make_recruiting_study
from tests.platforms.playing import Answer
from tests.platforms.prolific import AUDIENCE, Prolific

pytestmark = pytest.mark.django_db

FOREIGN = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NAMES = (
    "PROLIFIC_PID", "SESSION_ID", "STUDY_ID", "prolific_token", "survey_code", "participantId", "assignmentId",
    "projectId", "workerId", "hitId", "turkSubmitTo", "invitation", "batch",
)  # fmt: skip
VALUES = ["x" * 10_000, "a%00b", "%ff%fe", "%C2%80", "%ED%A0%80", "%0d%0aSet-Cookie:x=1", "..%2f..", "%F0%9F%92%A9", ""]


@pytest.fixture
def study():
    return make_recruiting_study("prolific", codes={Exit.COMPLETED: "DONE77"}, audience=AUDIENCE)


@pytest.mark.parametrize("way", ["", "enter/", "hit/", "hit/state/"])
@pytest.mark.parametrize("platform", DOORS)
def test_no_value_of_any_parameter_breaks_an_entrance_or_stores_anything(platform, way):
    study = make_recruiting_study(platform)
    for value in VALUES:
        query = "&".join(f"{name}={value}" for name in NAMES)
        for sent in (query, f"{query}&t={value}"):
            browser = Client()
            answer = browser.get(f"{home_of(study)}{way}?{sent}", follow=True)
            assert answer.status_code < 500
            assert "Set-Cookie:x" not in str(answer.headers)
    assert not Annotator.objects.exists()


def claims(**over) -> dict:
    named = {"PROLIFIC_PID": ANA, "SESSION_ID": "sub-1", "STUDY_ID": "st-1"}
    return {"aud": AUDIENCE, "exp": int(time.time()) + 600, "prolific": named} | over


def by_hand(header: dict, said: dict, secret: bytes | None = None) -> str:
    """A token as no library would sign it."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, said)]
    signature = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def forgeries(site: Prolific) -> dict[str, str]:
    pem = site.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    own = jwt.algorithms.RSAAlgorithm.to_jwk(FOREIGN.public_key(), as_dict=True)

    def signed(*, key=site.key, algorithm="RS256", header=(), **over) -> str:
        return jwt.encode(claims(**over), key, algorithm=algorithm, headers={"kid": site.kid, **dict(header)})

    head, body, signature = signed().split(".")
    other = signed(prolific={"PROLIFIC_PID": "x", "SESSION_ID": "y"}).split(".")[1]
    return {
        "none": by_hand({"alg": "none", "kid": site.kid}, claims()),
        "None": by_hand({"alg": "None", "kid": site.kid}, claims()),
        "no algorithm": by_hand({"kid": site.kid}, claims()),
        "the public key as a secret": by_hand({"alg": "HS256", "kid": site.kid}, claims(), pem),
        "the key id as a secret": by_hand({"alg": "HS256", "kid": site.kid}, claims(), site.kid.encode()),
        "an id of a key that is no text": by_hand({"alg": "RS256", "kid": ["key-1"]}, claims()),
        "a foreign key": signed(key=FOREIGN),
        "a key in the header": signed(key=FOREIGN, header={"jwk": own, "jku": "http://127.0.0.1:9/"}),
        "another algorithm": signed(algorithm="PS256"),
        "another body": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{body}.",
        "an audience that only begins like ours": signed(aud=["evil.example", f"{AUDIENCE}.evil.example"]),
        "no end": signed(exp=float("inf")),
        "an end that is no number": signed(exp=float("nan")),
        "just over": signed(exp=int(time.time()) - 60),
        "ids that are no words": signed(prolific={"PROLIFIC_PID": {}, "SESSION_ID": None}),
        "long": "a" * 100_000,
        "dots": "." * 10_000,
    }


def test_no_forged_token_lets_anybody_in(prolific, study):
    came_in = []
    for name, token in forgeries(prolific).items():
        browser = Client()
        answer = browser.get(f"{home_of(study)}enter/?prolific_token={token}")
        if answer.status_code != 400 or browser.cookies:
            came_in.append((name, answer.status_code))
    assert came_in == []


BROKEN_SETS = [
    {"keys": [{"kid": "key-1", "kty": "RSA"}]},
    {"keys": [{"kid": "key-1", "kty": "RSA", "n": "!!", "e": "AQAB"}]},
    {"keys": [{"kid": "key-1", "kty": "RSA", "n": 5, "e": None}]},
    {"keys": [{"kid": "key-1", "kty": "oct", "k": "AAAA"}]},
    {"keys": [None, 7, "key-1"]},
    {"keys": {"kid": "key-1"}},
    {"keys": []},
    [],
    "<html>",
]


@pytest.mark.parametrize("served", BROKEN_SETS, ids=range(len(BROKEN_SETS)))
def test_keys_that_make_no_sense_let_nobody_in_and_break_no_page(prolific, study, served):
    link, usual = prolific.signed_link(study), prolific.answer
    prolific.answer = lambda call: Answer(200, served) if call.path.endswith("jwks.json") else usual(call)
    assert Client().get(link).status_code == 400
    if isinstance(served, dict):
        SigningKeys.objects.create(
            address=prolific.settings["PROLIFIC_JWKS_URL"], keys=served, fetched_at=timezone.now()
        )
        assert Client().get(link).status_code == 400


def test_while_there_are_no_keys_at_all_people_are_told_and_can_come_later(prolific, study):
    prolific.is_away = True
    link = prolific.signed_link(study)
    assert Client().get(link).status_code == 400
    prolific.is_away = False
    signing_keys.refresh(prolific.settings["PROLIFIC_JWKS_URL"])
    assert Client().get(link).status_code == 302


def test_a_key_that_was_taken_back_signs_nobody_in(prolific, study):
    signing_keys.refresh(prolific.settings["PROLIFIC_JWKS_URL"])
    link = prolific.signed_link(study)
    assert Client().get(link).status_code == 302
    prolific.kid = "key-2"
    signing_keys.refresh(prolific.settings["PROLIFIC_JWKS_URL"])
    assert Client().get(link).status_code == 400


@pytest.mark.parametrize("body", ["[" * 50_000, '{"a":' * 20_000, "\ud800", '"x"', "null", '{"event_type": {}}'])
def test_a_signed_event_that_makes_no_sense_breaks_nothing(prolific, body):
    assert prolific.post(prolific.signed(body.encode("utf-8", "surrogatepass"))).status_code in {200, 403, 413}


def test_an_event_of_hostile_words_is_kept_as_words(prolific):
    body = json.dumps({"event_type": "submission.status.change", "resource_id": "a\x00b", "status": "x\x00" * 500})
    assert prolific.post(prolific.signed(body.encode())).status_code in {200, 403}
    assert PlatformEvent.objects.count() <= 1


def test_an_event_from_next_year_does_not_silence_those_of_today(prolific):
    assert prolific.send("ACTIVE", at=time.time() + 365 * 24 * 3600).status_code == 403


@pytest.mark.parametrize("stamp", ["1e400", "²", "9" * 400, "0001-01-01T00:00:00+23:59", "", "-1", "nan"])
def test_times_that_make_no_sense_are_refused(prolific, stamp):
    request = prolific.event("RETURNED")
    request["headers"]["X-Timestamp"] = stamp
    assert prolific.post(request).status_code in {200, 403}
    request = prolific.event("RETURNED")
    request["headers"]["X-Prolific-Request-Timestamp"] = stamp
    assert prolific.post(request).status_code == 403


def test_an_event_too_long_is_not_read(prolific):
    assert prolific.post(prolific.signed(b"x" * 70_000)).status_code == 413


def test_codes_are_told_to_nobody_who_only_asks(prolific, study):
    ways = ("", "enter/", "next/", "finish/", "leave/", "declined/", "closing/", "practice/", "questions/", "device/")
    for way in ways:
        for method in ("get", "post"):
            stranger = Client()
            assert "DONE77" not in getattr(stranger, method)(home_of(study) + way, follow=True).text
            visitor = Client()
            visitor.get(prolific.signed_link(study))
            assert "DONE77" not in getattr(visitor, method)(home_of(study) + way, follow=True).text


def test_a_letter_sent_on_or_revoked_or_spoiled_by_a_mail_program(settings):
    with open_door("invitation", settings) as door:
        link = door.link_for("ana")
        for spoiled in (f"{link}.", f"{link}%3E", link[:-5], link.upper(), f"{link}&invitation=x"):
            assert Client().get(spoiled).status_code in {400, 404}, spoiled
        door.site.forward("ana", "ben")
        taker = Client()
        taker.get(door.site.link_of("ben").removeprefix("http://testserver"))
        assert taker.post(home_of(door.study), {"decline": "1"}).status_code == 302
        door.office.post(f"/studies/{door.study.code}/invitations/1/revoke/")
        for browser in (Client(), taker):
            assert browser.get(link).status_code == 400
        assert not Study.objects.get(pk=door.study.pk).places_taken

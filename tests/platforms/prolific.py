"""Prolific, played: its study page, links signed with its key, signed events, its API, and the way back with a code."""

import json
import time
from dataclasses import dataclass, field
from functools import cached_property

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from annotation.models import Study
from annotation.platforms.webhooks import sign
from tests.platforms.people import ANA, home_of
from tests.platforms.playing import Answer, Call, PlayedPlatform, link_to, links_on, page

AUDIENCE = "study.example.org"
SECRET = "secret-of-the-workspace"


@dataclass
class Prolific(PlayedPlatform):
    """The platform with one signing key."""

    kid: str = "key-1"
    is_away: bool = False
    numbers: list[int] = field(default_factory=lambda: [0])
    study: str = ""
    came_back: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.answer = self._answer

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def settings(self) -> dict[str, object]:
        return {
            "PROLIFIC_API_URL": f"{self.address}/api/v1/",
            "PROLIFIC_JWKS_URL": f"{self.address}/.well-known/study/jwks.json",
            "PROLIFIC_TOKEN": "t0ken",
            "PROLIFIC_WEBHOOK_SECRETS": ["old secret", SECRET],
            "PROLIFIC_RETURN_URL": f"{self.address}/submissions/complete",
        }

    def publish(self, address: str) -> None:
        """Put up a study with the address that the researcher pasted."""
        self.study = address

    def link_of(self, person: str) -> str:
        """The link on a person's page of the study."""
        return links_on(self.ask("GET", f"/studies/{person}").text)[-1]

    def _answer(self, call: Call) -> Answer:
        if self.is_away:
            return Answer(503, {"error": "away"})
        if call.path.endswith("jwks.json"):
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return Answer(200, {"keys": [{**public, "kid": self.kid, "alg": "RS256", "use": "sig"}]})
        if call.path == "/api/v1/hooks/subscriptions/":
            return Answer(201, {"id": "5ab"}, {"X-Hook-Secret": "hook-secret"})
        if call.path == "/submissions/complete":
            self.came_back.append(call.query.get("cc", ""))
            return page("Thank you", "")
        if call.path.startswith("/studies/"):
            return self._draw_study(call.path.rpartition("/")[2])
        return Answer(200, {"id": "x"})

    def _draw_study(self, person: str) -> Answer:
        link = self.study
        for name, value in {"PROLIFIC_PID": person, "SESSION_ID": f"sub-{person}", "STUDY_ID": "st-1"}.items():
            link = link.replace(f"{{{{%{name}%}}}}", value)
        return page("Study", link_to(link, "Open study link in a new window"))

    def signed_link(self, study: Study, *, person: str = ANA, key=None, **over) -> str:
        """A link as Prolific signs it; `over` changes claims, None leaves one out."""
        named = {"PROLIFIC_PID": person, "SESSION_ID": "sub-1", "STUDY_ID": "st-1", "workspace_id": "w"}
        kid = over.pop("kid", self.kid)
        claims = {"aud": AUDIENCE, "exp": int(time.time()) + 600, "prolific": named} | over
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": kid})
        return f"{home_of(study)}enter/?prolific_token={token}"

    def event(self, status: str, *, submission: str = "sub-1", at: float | None = None, event: str = "") -> dict:
        """The request for an event, as keyword arguments of a test client's post."""
        body = json.dumps({"event_type": "submission.status.change", "resource_id": submission, "status": status})
        return self.signed(body.encode(), at=at, event=event)

    def signed(self, body: bytes, *, at: float | None = None, event: str = "") -> dict:
        """A request with this body as the platform signs it."""
        self.numbers[0] += 1
        now = str(int(time.time()))
        headers = {
            "X-Prolific-Request-Timestamp": now,
            "X-Prolific-Request-Signature": sign(SECRET, now, body),
            "X-Event-ID": event or f"event-{self.numbers[0]}",
            "X-Timestamp": str(at or time.time()),
        }
        return {"data": body, "headers": headers, "content_type": "application/json"}

    def send(self, status: str, **over):
        return self.post(self.event(status, **over))

    def post(self, request: dict):
        return Client(enforce_csrf_checks=True).post("/platforms/prolific/events/", **request)

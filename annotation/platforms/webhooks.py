"""Events of Prolific: is it theirs, and what does it say? Pure: secrets and bytes come in."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

SIGNATURE = "X-Prolific-Request-Signature"
REQUESTED_AT = "X-Prolific-Request-Timestamp"
EVENT_ID = "X-Event-ID"
HAPPENED_AT = "X-Timestamp"
SUBMISSION_CHANGED = "submission.status.change"

OLDEST = timedelta(hours=1)
"""A request signed longer ago is somebody's copy; the platform signs each of its own attempts anew."""


class BadEvent(Exception):
    """The request is not the platform's, or makes no sense. The text is for the platform's log."""


class PlatformNews(NamedTuple):
    """What an event says. `submission` and `status` are empty for events about other things.

    `signature` is what the platform vouches for: the event's id and time stand beside it and could be changed by
    somebody who sends a copy.
    """

    event: str
    signature: str
    kind: str
    at: datetime
    submission: str
    status: str


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return base64(HMAC-SHA-256(secret, timestamp + body)), the form in which Prolific signs."""
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()).decode()


def read_event(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> PlatformNews:
    """Return what a request says, once its signature holds for one of the secrets. Raises: BadEvent."""
    timestamp, signature = headers.get(REQUESTED_AT, ""), headers.get(SIGNATURE, "")
    signed = [hmac.compare_digest(sign(each, timestamp, body).encode(), signature.encode()) for each in secrets]
    if not timestamp or not signature or not any(signed):
        raise BadEvent("The signature does not fit.")
    if abs(now - _time(timestamp)) > OLDEST:
        raise BadEvent("The request is too old.")
    news = _news(headers, body, signature=signature, fallback=timestamp)
    if news.at > now + OLDEST:
        # Beside the signature anybody can write a time, and no event would count after one from next year.
        raise BadEvent("The event is said to happen later.")
    return news


def _news(headers: Mapping[str, str], body: bytes, *, signature: str, fallback: str) -> PlatformNews:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadEvent("The body is no JSON.") from error
    event = headers.get(EVENT_ID, "")
    if not isinstance(said, dict) or not event.isprintable() or not 0 < len(event) <= 200:
        raise BadEvent(f"The event has no {EVENT_ID}, or its body is no object.")
    kind = _word(said, "event_type", longest=60)
    at = _time(headers.get(HAPPENED_AT) or fallback)
    if kind != SUBMISSION_CHANGED:
        return PlatformNews(event, signature, kind, at, "", "")
    submission, status = _word(said, "resource_id", longest=200), _word(said, "status", longest=40).upper()
    return PlatformNews(event, signature, kind, at, submission, status)


def _word(said: Mapping[str, Any], name: str, *, longest: int) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise BadEvent(f"The event's {name} makes no sense.")
    return value


def _time(text: str) -> datetime:
    """Read a UNIX time in seconds or milliseconds, or an ISO time."""
    try:
        if text.replace(".", "", 1).isdigit():
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadEvent("A time stamp makes no sense.") from error

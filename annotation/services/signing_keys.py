"""Published keys of a platform: fetched again and again by beat, kept in the database for when the platform is away."""

import logging
import threading
import time
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone

from annotation.models import SigningKeys
from annotation.platforms import BadEntry
from annotation.platforms.signed_entry import UnknownKey, check

logger = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(3.0)
_LARGEST = 256 * 1024
_PAUSE_SECONDS = 30.0


class _Fresh:
    """Keys that this process fetched itself, where beat's are too old. It asks twice a minute at most."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked_at: dict[str, float] = {}
        self.keys: dict[str, dict[str, Any]] = {}

    def get(self, address: str) -> dict[str, Any]:
        with self.lock:
            now = time.monotonic()
            if now - self.asked_at.get(address, -_PAUSE_SECONDS) >= _PAUSE_SECONDS:
                self.asked_at[address] = now
                self.keys[address] = fetch(address) or self.keys.get(address, {})
            return self.keys.get(address, {})


_fresh = _Fresh()


def check_entry(token: str, *, audience: str) -> dict[str, Any]:
    """Return the claims of a signed entry of Prolific. Writes nothing. Raises: BadEntry."""
    address, now = settings.PROLIFIC_JWKS_URL, timezone.now()
    if not audience:
        raise BadEntry()
    stored = SigningKeys.objects.filter(address=address).first()
    try:
        return check(token, stored.keys if stored else {}, audience=audience, now=now)
    except UnknownKey:
        return check(token, _fresh.get(address), audience=audience, now=now)


def refresh(address: str) -> bool:
    """Fetch the keys and keep them; where that fails the last good ones stay. Returns whether there are new ones."""
    keys = fetch(address)
    if keys is None:
        return False
    SigningKeys.objects.update_or_create(address=address, defaults={"keys": keys, "fetched_at": timezone.now()})
    return True


def fetch(address: str) -> dict[str, Any] | None:
    """Return a key set that holds one key at least; None, with a line in the log, where there is none to be had."""
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
            answer = client.get(address).raise_for_status()
        keys = answer.json() if len(answer.content) <= _LARGEST else None
    except (httpx.HTTPError, ValueError) as error:
        logger.warning("The keys at %s cannot be fetched: %s", address, type(error).__name__)
        return None
    if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list) or not keys["keys"]:
        logger.warning("There are no keys at %s", address)
        return None
    return keys

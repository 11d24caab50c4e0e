"""Keyed hashes for looking people up, and sealed ids for reviewing them. Pure: the key comes in.

Two keys are derived from one: knowing a hash never helps to open a seal. A hash of an id without its key says nothing,
although ids are short and could be guessed one after another.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class BrokenSeal(Exception):
    """The text was not sealed with this key, was changed, or is too old."""


@dataclass(frozen=True)
class Sealer:
    """Hashes and seals with keys derived from one secret text."""

    key: str

    def hash(self, *parts: str) -> str:
        """Return 64 hex digits: HMAC-SHA-256 of the parts, each told apart from the next."""
        return hmac.new(self._derive("look-up"), json.dumps(parts).encode(), hashlib.sha256).hexdigest()

    def seal(self, text: str, *, now: datetime) -> str:
        """Return the text encrypted and authenticated, with the time inside."""
        return self._box.encrypt_at_time(text.encode(), int(now.timestamp())).decode()

    def open(self, sealed: str, *, now: datetime | None = None, max_age: int | None = None) -> str:
        """Return what was sealed. Raises: BrokenSeal, also when it is older than `max_age` seconds at `now`."""
        try:
            if max_age is None or now is None:
                return self._box.decrypt(sealed.encode()).decode()
            return self._box.decrypt_at_time(sealed.encode(), max_age, int(now.timestamp())).decode()
        except (InvalidToken, UnicodeError) as error:
            raise BrokenSeal() from error

    @cached_property
    def _box(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._derive("seal")))

    def _derive(self, purpose: str) -> bytes:
        # RFC 5869; the key is random, so no salt is needed.
        derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"duologue {purpose}".encode())
        return derivation.derive(self.key.encode())

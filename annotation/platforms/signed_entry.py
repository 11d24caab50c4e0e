"""Signed entries: a JWT in the link, checked against the platform's published keys. Pure: keys and time come in."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt

from annotation.errors import gettext_noop
from annotation.platforms.protocol import BadEntry

LEEWAY = timedelta(seconds=30)
"""Clocks of two servers differ by so much at most."""

_TOO_LATE = gettext_noop("This link has expired. Please open the study again from the page of the platform.")


class UnknownKey(BadEntry):
    """None of the keys at hand made the signature; fresher keys may help."""


def check(token: str, keys: Mapping[str, Any], *, audience: str, now: datetime) -> dict[str, Any]:
    """Return the claims of a token that RS256, its key, its time and its audience speak for.

    `keys` is a JSON Web Key Set. Raises: UnknownKey where no key has the token's kid; BadEntry otherwise.
    """
    key = _key_of(token, keys)
    rules: Any = {"require": ["exp", "aud"], "verify_exp": False, "verify_nbf": False, "verify_iat": False}
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=audience, options=rules)
    except jwt.PyJWTError as error:
        raise BadEntry() from error
    expires, begins = claims["exp"], claims.get("nbf", 0)
    if not all(isinstance(time, int | float) and math.isfinite(time) for time in (expires, begins)):
        raise BadEntry()
    if now.timestamp() > expires + LEEWAY.total_seconds() or now.timestamp() < begins - LEEWAY.total_seconds():
        raise BadEntry(_TOO_LATE)
    return claims


def _key_of(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise BadEntry() from error
    for key in keys.get("keys", []):
        if kid and isinstance(key, dict) and key.get("kid") == kid and key.get("kty") == "RSA":
            return _read_key(key)
    raise UnknownKey()


def _read_key(key: dict[str, Any]) -> jwt.PyJWK:
    """Return a published key. One that is spoiled is as good as none: the set may be whole again when it is fetched."""
    try:
        return jwt.PyJWK.from_dict(key, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise UnknownKey() from error

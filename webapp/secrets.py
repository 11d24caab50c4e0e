"""The keys of this site: from the environment, or made once and kept in the data directory."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from webapp.env import Env
from webapp.stack.paths import unusable


def secret_key(env: Env) -> str:
    """Return SECRET_KEY, which signs cookies and links."""
    return _key(env, "SECRET_KEY")


def identity_key(env: Env) -> str:
    """Return IDENTITY_KEY, which hashes and seals the ids of people. Without it they can be read no more."""
    return _key(env, "IDENTITY_KEY")


def _key(env: Env, name: str) -> str:
    """Return a key of the environment, or its file in the data directory, made on first use with mode 0600."""
    try:
        return env.text(name) or key_from_file(env.data_dir() / name.lower())
    except OSError as error:
        raise ImproperlyConfigured(unusable(env.data_dir(), error)) from error


def key_from_file(path: Path) -> str:
    """Read the key at `path`; where there is none, write a new one that no other process can overwrite."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    key = secrets.token_urlsafe(64)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key

"""The signing key: from the environment, or made once and kept in the data directory."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from webapp.env import Env
from webapp.stack.paths import unusable


def secret_key(env: Env) -> str:
    """Return SECRET_KEY, or the key file of the data directory, made on first use with mode 0600."""
    try:
        return env.text("SECRET_KEY") or key_from_file(env.data_dir() / "secret_key")
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

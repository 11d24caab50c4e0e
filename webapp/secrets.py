"""The keys of this site: from the environment, or made once and kept in the data directory."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from webapp.env import Env, database_from_url
from webapp.stack.paths import unusable

SHORTEST = 32
"""Characters of a key. Ours have 86; a word that somebody made up could be guessed."""

RECIPE = "python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"


def secret_key(env: Env) -> str:
    """Return SECRET_KEY, which signs cookies and links."""
    return _key(env, "SECRET_KEY")


def identity_key(env: Env) -> str:
    """Return IDENTITY_KEY, which hashes and seals the ids of people. Without it they can be read no more."""
    return _key(env, "IDENTITY_KEY")


def _key(env: Env, name: str) -> str:
    """Return a key of the environment, or its file in the data directory, made on first use with mode 0600."""
    key = env.text(name) or _kept_key(env, name)
    if len(key) < SHORTEST:
        raise ImproperlyConfigured(f"{name} must have {SHORTEST} characters at least. Make one with: {RECIPE}")
    return key


def _kept_key(env: Env, name: str) -> str:
    path = env.data_dir() / name.lower()
    try:
        if not path.exists() and _is_on_the_network(env):
            raise ImproperlyConfigured(
                f"{name} must be set where DATABASE_URL names a server: all processes need the same key, and one that "
                f"is made here may be lost with this machine. Make one with: {RECIPE}"
            )
        return key_from_file(path)
    except OSError as error:
        raise ImproperlyConfigured(unusable(env.data_dir(), error)) from error


def _is_on_the_network(env: Env) -> bool:
    """Whether the database is reached over the network, and not by a socket of this machine."""
    url = env.text("DATABASE_URL")
    host = str(database_from_url(url)["HOST"]) if url else ""
    return bool(host) and not host.startswith("/")


def key_from_file(path: Path) -> str:
    """Read the key at `path`, for its owner alone; where there is none, write a new one. An empty file is no key."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    key = path.read_text().strip()
    if not key:
        raise ImproperlyConfigured(
            f"{path} is empty. Put the key back from your copy of it; remove the file only if nothing was ever stored "
            "with that key."
        )
    return key


def _make(path: Path) -> None:
    """Write a new key under a name of its own, then give it its place: nobody ever reads half of one.

    Of two processes that do this at once the second finds the place taken, and both go on with the first one's key.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            # The umask of this process may have taken rights away.
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets.token_urlsafe(64))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)

"""Read settings from the environment, and say plainly which one is wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Env:
    """The environment of this process, read through typed accessors."""

    values: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        word = self.text(name, "1" if default else "0").lower()
        if word not in {"1", "0", "true", "false", "yes", "no", "on", "off"}:
            raise ImproperlyConfigured(f"{name} must be 1 or 0, not {word!r}.")
        return word in {"1", "true", "yes", "on"}

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        word = self.text(name, str(default))
        try:
            number = int(word)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {word!r}.") from None
        if number < least:
            raise ImproperlyConfigured(f"{name} must be {least} at least, not {number}.")
        return number

    def words(self, name: str, default: str = "") -> list[str]:
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def data_dir(self) -> Path:
        return Path(self.text("DATA_DIR", str(ROOT / ".data"))).expanduser().resolve()


def read_env() -> Env:
    return Env(dict(os.environ))


def database_from_url(url: str) -> dict[str, Any]:
    """Turn `postgresql://user:password@host:port/name?host=/socket/dir` into Django's settings."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"DATABASE_URL must begin with postgresql://, not {parts.scheme or 'nothing'}.")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "duologue",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {**query},
    }

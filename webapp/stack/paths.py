"""Where an embedded stack keeps its files. Standard library only: the settings import it."""

import hashlib
import os
from pathlib import Path

# Linux refuses longer paths for sockets; the longest name that goes behind the directory is PostgreSQL's.
SOCKET_PATH_BYTES = 107
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


def runtime_dir(data_dir: Path) -> Path:
    """Return the directory of the sockets: `run` in the data directory, or a short one where that path is too long."""
    inside = data_dir / "run"
    if len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"duologue-{os.getuid()}-{digest}"  # noqa: S108


def database_url(data_dir: Path) -> str:
    """Return the address of the embedded PostgreSQL of a data directory."""
    return f"postgresql://duologue@/duologue?host={runtime_dir(data_dir)}"


def broker_url(data_dir: Path) -> str:
    """Return the address of the embedded Valkey of a data directory."""
    return f"redis+socket://{runtime_dir(data_dir)}/valkey.sock"

"""Where an embedded stack keeps its files, and what to say when it cannot. The settings import it."""

import errno
import hashlib
import os
from pathlib import Path
from urllib.parse import quote

# Linux refuses longer paths for sockets; the longest name that goes behind the directory is PostgreSQL's.
SOCKET_PATH_BYTES = 107
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"

# A new cluster with its write-ahead log takes about 45 MB, the rest is room to work.
NEEDED_MB = 200


def runtime_dir(data_dir: Path) -> Path:
    """Return the directory of the sockets: `run` in the data directory, or a short one where that path is too long."""
    inside = data_dir / "run"
    if len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"duologue-{os.getuid()}-{digest}"  # noqa: S108


def database_url(data_dir: Path) -> str:
    """Return the address of the embedded PostgreSQL of a data directory."""
    return f"postgresql://duologue@/duologue?host={quote(str(runtime_dir(data_dir)), safe='')}"


def broker_url(data_dir: Path) -> str:
    """Return the address of the embedded Valkey of a data directory."""
    return f"redis+socket://{quote(str(runtime_dir(data_dir)))}/valkey.sock"


def unusable(data_dir: Path, error: OSError) -> str:
    """Say why nothing can be written in the data directory."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return no_room(data_dir, 0)
    reason = os.strerror(error.errno or 0).lower()
    return f"The data directory {data_dir} cannot be used ({reason}). Choose another with DATA_DIR=/some/directory."


def no_room(data_dir: Path, free_mb: int) -> str:
    """Say that the disk is full."""
    return (
        f"The disk of {data_dir} is full: {free_mb} MB free, {NEEDED_MB} MB needed. "
        f"Make room, or choose another place with DATA_DIR=/some/directory."
    )

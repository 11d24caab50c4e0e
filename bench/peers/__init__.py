"""Other annotation tools, run beside ours in the same loop; each is installed from the package registry, by itself.

A peer gets a study of the same size, its own web server on loopback, and what its page sends when a person saves and
goes on: as many requests as it needs for that are one operation.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.closed_loop import Worker

CACHE = Path(".cache/peers")
INSTALL_SECONDS = 600


class PeerFailed(Exception):
    """A peer that cannot be installed or started; the message says why and what to do."""


@dataclass(frozen=True)
class Peer:
    """How a peer is installed, set up and driven.

    `prepare` writes a study for so many annotators and comparisons into a folder; `command` starts the server there,
    given the programs' folder and a port, and `root_variable` tells it the folder as well where it must be told;
    `worker` makes the annotator of this number at a port.
    """

    name: str
    package: str
    version: str
    prepare: Callable[[Path, int, int], None]
    command: Callable[[Path, int], Sequence[str]]
    worker: Callable[[int, int], Worker]
    root_variable: str = ""

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the whole environment of its server."""
        root = {self.root_variable: str(folder)} if self.root_variable else {}
        return {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", **root}

    def program(self, programs: Path, folder: Path, port: int) -> list[str]:
        """Return the program that starts its server in the study's folder."""
        return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *self.command(programs, port)]

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"


def known() -> dict[str, Peer]:
    """Return the peers by name."""
    from bench.peers import pearmut, potato

    return {peer.name: peer for peer in (pearmut.PEER, potato.PEER)}


def install(peer: Peer, *, cache: Path = CACHE) -> Path:
    """Return the folder of the peer's programs, made in the cache on first use. Raises PeerFailed."""
    folder = cache / f"{peer.name}-{peer.version}"
    programs = (folder / "bin").absolute()
    if (folder / "ready").exists():
        return programs
    print(f"Installing {peer.title} into {folder} …", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    order = [str(programs / "python"), "-m", "pip", "install", "--quiet", f"{peer.package}=={peer.version}"]
    try:
        subprocess.run(order, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.SubprocessError as problem:
        said = (getattr(problem, "stderr", None) or str(problem)).strip().splitlines()
        raise PeerFailed(
            f"{peer.title} could not be installed: {said[-1] if said else problem}. "
            f"Try again, or run the bench without --peer {peer.name}."
        ) from problem
    (folder / "ready").touch()
    return programs

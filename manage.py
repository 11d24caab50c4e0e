#!/usr/bin/env python
"""Run Duologue's commands: `python manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Say plainly what is missing before Django's own words for it."""
    if sys.version_info < (3, 12):  # noqa: UP036
        sys.exit(f"Duologue needs Python 3.12 or newer, and this is {sys.version.split()[0]}. `make setup` finds one.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make setup`, then `.venv/bin/python manage.py`.")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

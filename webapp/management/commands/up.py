"""`manage.py up`: the whole product on this machine, from one command, until Ctrl-C."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from annotation.errors import DuologueError
from webapp.env import read_env
from webapp.stack.embedded import run
from webapp.stack.errand import Options


class Command(BaseCommand):
    help = "Start PostgreSQL, Valkey, the workers and the web server on 127.0.0.1, and stop them all on Ctrl-C."
    # Checks that look into the database cannot pass before the database runs.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="Port of the web server (default: PORT, or 8000).")
        parser.add_argument("--demo", action="store_true", help="Make a demo study and write its responses.")
        parser.add_argument("--rehearse", type=int, metavar="N", help="Let N simulated annotators judge a copy of it.")
        parser.add_argument(
            "--mixed", action="store_true", help="With --rehearse: of the N, some leave, some are slow, some cheat."
        )
        parser.add_argument("--exit", action="store_true", help="Stop once everything asked for is done.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            port = options["port"] if options["port"] is not None else read_env().number("PORT", 8000)
            wanted = Options(
                settings.DATA_DIR,
                port,
                demo=options["demo"],
                rehearse=options["rehearse"] or 0,
                mixed=options["mixed"],
                exit=options["exit"],
            )
            code = run(wanted, tell=self.tell)
        except (DuologueError, ImproperlyConfigured) as error:
            self.stderr.write(str(error))
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        # All children are down. Python's own tidying of threads and modules takes a second more, and helps nobody.
        os._exit(code)

    def tell(self, sentence: str) -> None:
        # Not self.stdout: a progress bar takes over sys.stdout while it is shown.
        print(sentence, flush=True)

"""Let simulated annotators judge a copy of a study through its pages, and check what comes out."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.rehearsal.mixed import rehearse_mixed
from annotation.rehearsal.running import rehearse
from annotation.services.finding import find_study


class Command(BaseCommand):
    help = (
        "Copy a study, let simulated annotators judge the copy through the web pages of a running Duologue, and fail "
        "unless the results give back the preferences that were put in. Delete the copy in the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        address = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
        parser.add_argument("study", help="The study's name, or its code as in its links.")
        parser.add_argument("--annotators", type=int, default=24, help="How many simulated people (default: 24).")
        parser.add_argument("--mixed", action="store_true", help="Some of them leave, some are slow, some cheat.")
        parser.add_argument("--address", default=address, help="Where the pages are served (default: %(default)s).")
        parser.add_argument("--out", type=Path, help="The folder for the CSV (default: rehearsals in DATA_DIR).")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["out"] or Path(settings.DATA_DIR) / "rehearsals"
        address = options["address"].rstrip("/")
        try:
            study = find_study(options["study"])
            run = rehearse_mixed if options["mixed"] else rehearse
            outcome = run(study, annotators=options["annotators"], address=address, folder=folder)
        except DuologueError as problem:
            raise CommandError(problem.user_message) from problem
        self.stdout.write(str(outcome))
        if not outcome.holds:
            raise CommandError("The rehearsal did not give back what its rule put in.")

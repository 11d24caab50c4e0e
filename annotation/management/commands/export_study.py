"""Write the files of a study into a folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.services.exports.bundle import make_bundle
from annotation.services.exports.files import write_files
from annotation.services.finding import find_study
from annotation.views.snapshots import snapshots


class Command(BaseCommand):
    help = "Write the files of a study, or one bundle with all of them, into a folder: see docs/exports.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="The study's name, or its code as in its links.")
        parser.add_argument("--out", type=Path, required=True, help="The folder; it is made if it is not there.")
        parser.add_argument("--overwrite", action="store_true", help="Replace files of the same name.")
        parser.add_argument(
            "--bundle", action="store_true", help="One zip with everything, and how to compute it again."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder, overwrite = options["out"], options["overwrite"]
        try:
            study = find_study(options["study"])
            if options["bundle"]:
                made = make_bundle(study, folder, pages=snapshots, overwrite=overwrite)
                self.stdout.write(f"{made.path}\nSHA-256 {made.sha256}, {made.size:,} bytes")
                return
            paths = write_files(study, folder, overwrite=overwrite)
        except DuologueError as problem:
            raise CommandError(problem.user_message) from problem
        except OSError as problem:
            raise CommandError(f"Cannot write to {folder}: {problem.strerror}.") from problem
        for path in paths:
            self.stdout.write(str(path))
